/** Owns why nothing comes in by an address of the config: the page, or what programs push. */
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import type { Trouble } from "./troubles.ts";
import { moment, short } from "./words.ts";

type ListenerTrouble = Extract<Trouble, { kind: "listener" }>;

interface Away {
  readonly name: "fleet" | "otlp";
  /** What is so, up to since when. */
  readonly what: string;
  readonly waiting: string;
  readonly next: Why["next"];
}

/** What carries from this host to others cannot be reached, or refuses. */
function whyAway({ now }: Scene, { reason, at }: ListenerTrouble, { name, what, waiting, next }: Away): Why {
  const since = at === 0 ? "" : ` since ${moment(at, now)}`;
  const because = reason === null ? "" : `: ${short(reason)}`;
  return {
    about: aboutName("nerve", name),
    isWrong: true,
    since: at || null,
    signal: null,
    what: [`${what}${since}${because}.`],
    cause: [],
    done: [],
    notDone: [notDone("waiting", `${waiting}; nerve tries again by itself.`)],
    coming: [],
    next,
  };
}

const FLEET_CHECK: Why["next"] = [
  { command: "nerve fleet check", does: "what of the servers, the stream and the permissions is not right" },
];

function fleetAway({ status, config }: Scene, address: string): Away {
  const fleet = status?.fleet ?? null;
  const names = (fleet?.conflicts ?? []).map(({ host }) => host).join(", ");
  if (names !== "")
    return {
      name: "fleet",
      what: `Two kernels send under one name (${names})`,
      waiting: "The two take turns, and nobody can tell their signals apart",
      next: [
        { command: "nerve fleet check", does: "on each host of that name: whether another kernel has the name" },
        { command: "nerve reload", does: "after one of the two has another `host` in nerve.yaml" },
      ],
    };
  const isReceiving = fleet !== null && fleet.in !== null;
  const isSending = !isReceiving || (config?.fleet?.send.length ?? 0) > 0;
  const waits = isSending ? ["Signals wait here for as long as `retention.signals` says"] : [];
  const deaf = isReceiving
    ? ["Signals of other hosts do not come in, and a host that falls silent is not noticed"]
    : [];
  const what = `This host is cut off from its fleet (${address})`;
  return { name: "fleet", what, waiting: [...deaf, ...waits].join(". "), next: FLEET_CHECK };
}

const otlpAway = (address: string): Away => ({
  name: "otlp",
  what: `Not all that \`otlp.send\` names leaves for ${address}`,
  waiting: "Rows wait here for as long as `retention` says",
  next: [
    { command: "nerve status", does: "how each kind of what is sent is" },
    { command: "nerve reload", does: "to try at once, after `otlp` or its receiver was mended" },
  ],
});

const LACKS = { http: "There is no page", push: "No program can push anything over TCP" } as const;

export function whyListener(scene: Scene, trouble: ListenerTrouble): Why {
  const { name, address, reason, at } = trouble;
  if (name === "fleet") return whyAway(scene, trouble, fleetAway(scene, address));
  if (name === "otlp") return whyAway(scene, trouble, otlpAway(address));
  const { now } = scene;
  const since = at === 0 ? "" : ` since ${moment(at, now)}`;
  const because = reason === null ? "" : `: ${short(reason)}`;
  return {
    about: aboutName("nerve", name),
    isWrong: true,
    since: at || null,
    signal: null,
    what: [`nerve has not listened on ${address} (\`${name}\`)${since}${because}.`],
    cause: [],
    done: [],
    notDone: [notDone("waiting", `${LACKS[name]} until the address is free; nerve tries it again every few seconds.`)],
    coming: [],
    next: [
      { command: `ss -tlnp 'sport = :${address.split(":").at(-1)}'`, does: "which process has the port" },
      { command: "nerve reload", does: `after another address was written into \`${name}\`` },
    ],
  };
}
