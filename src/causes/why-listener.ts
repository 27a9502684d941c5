/** Owns why nothing comes in by an address of the config: the page, or what programs push. */
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import type { Trouble } from "./troubles.ts";
import { moment, short } from "./words.ts";

type ListenerTrouble = Extract<Trouble, { kind: "listener" }>;

/** What joins this host to others cannot be reached, or refuses. */
function whyFleet({ now }: Scene, { address, reason, at }: ListenerTrouble): Why {
  const since = at === 0 ? "" : ` since ${moment(at, now)}`;
  const because = reason === null ? "" : `: ${short(reason)}`;
  return {
    about: aboutName("nerve", "fleet"),
    isWrong: true,
    since: at || null,
    signal: null,
    what: [`This host is cut off from its fleet (${address})${since}${because}.`],
    cause: [],
    done: [],
    notDone: [
      notDone("waiting", "Signals wait here for as long as `retention.signals` says; nerve tries again by itself."),
    ],
    coming: [],
    next: [{ command: "nerve fleet check", does: "what of the servers, the stream and the permissions is not right" }],
  };
}

/** The receiver of OTLP cannot be reached, or takes nothing. */
function whyOtlp({ now }: Scene, { address, reason, at }: ListenerTrouble): Why {
  const since = at === 0 ? "" : ` since ${moment(at, now)}`;
  const because = reason === null ? "" : `: ${short(reason)}`;
  return {
    about: aboutName("nerve", "otlp"),
    isWrong: true,
    since: at || null,
    signal: null,
    what: [`Not all that \`otlp.send\` names leaves for ${address}${since}${because}.`],
    cause: [],
    done: [],
    notDone: [notDone("waiting", "Rows wait here for as long as `retention` says; nerve tries again by itself.")],
    coming: [],
    next: [
      { command: "nerve status", does: "how each kind of what is sent is" },
      { command: "nerve reload", does: "after `otlp` was mended" },
    ],
  };
}

const LACKS = { http: "There is no page", push: "No program can push anything over TCP" } as const;

export function whyListener(scene: Scene, trouble: ListenerTrouble): Why {
  const { name, address, reason, at } = trouble;
  if (name === "fleet") return whyFleet(scene, trouble);
  if (name === "otlp") return whyOtlp(scene, trouble);
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
