/** Owns why nothing comes in or goes out by an address of the config: the page, what programs push, other hosts, a receiver of OTLP. */
import { type FleetConcern, fleetConcerns } from "../model/fleet-concerns.ts";
import type { OtlpLink } from "../model/otlp-status.ts";
import { type Tries, triesWords } from "../model/tries.ts";
import { aboutName, type NotDone, notDone, type Scene, type Why } from "./scene.ts";
import type { Trouble } from "./troubles.ts";
import { listed, moment, short } from "./words.ts";

type ListenerTrouble = Extract<Trouble, { kind: "listener" }>;

/** A way that is shut. */
interface Shut {
  /** What is so, up to since when. */
  readonly what: string;
  readonly notDone: readonly NotDone[];
  readonly next: Why["next"];
}

const FLEET_CHECK: Why["next"] = [
  { command: "nerve fleet check", does: "what of the servers, the stream and the permissions is not right" },
];

/** The clause with which a sentence ends. */
function againWords(tries: Tries | null, now: number): string {
  const words = tries === null ? null : triesWords(tries, now);
  return `nerve tries again by itself${words === null ? "" : ` (${words})`}`;
}

const isShut = ({ state }: { readonly state: string }): boolean => state === "offline" || state === "blocked";

/** What a concern means, and what a person can do. */
const CONCERNED: Readonly<Record<FleetConcern["kind"], Omit<Shut, "notDone"> & { readonly waiting: string }>> = {
  conflict: {
    what: "Two kernels send under one name",
    waiting: "The two take turns, and nobody can tell their signals apart; nerve tries again by itself.",
    next: [
      { command: "nerve fleet check", does: "on each host of that name: whether another kernel has the name" },
      { command: "nerve reload", does: "after one of the two has another `host` in nerve.yaml" },
    ],
  },
  copied: {
    what: "The data of this host was put back by copy, or a copy of it runs elsewhere",
    waiting: "Nothing of it is lost: what this host makes leaves under another epoch (`fleet.copied`).",
    next: [
      { command: "nerve restore DIR", does: "the next time: what it puts back has an epoch of its own" },
      { command: "nerve reload", does: "on a copy that runs elsewhere, after it has another `host` in nerve.yaml" },
    ],
  },
  behind: {
    what: "This host is behind what its fleet sends",
    waiting:
      "Reflexes look at signals of other hosts late, until this host has caught up. Who lives is seen in the stream itself meanwhile.",
    next: [
      { command: "nerve fleet status", does: "how far behind, and who sends most" },
      { command: "nerve logs --level warn", does: "since when, and how often before (`fleet.behind`)" },
    ],
  },
  clock: {
    what: "Not all hosts of the fleet have the right time",
    waiting:
      "No reflex looks at signals that are older than `fleet.fresh` by the clock of the host that made them. Signals are shown with that host's time.",
    next: [
      { command: "timedatectl", does: "on that host: whether its clock is synchronized" },
      { command: "nerve fleet status", does: "whose clock is off, and whose signals come too late now" },
    ],
  },
  filling: {
    what: "The stream of the fleet is nearly full",
    waiting:
      "A full stream takes no frame: each host would then keep its signals until frames have gone with their time. Frames stay that everybody has read.",
    next: [
      {
        command: "nerve fleet init --max-bytes SIZE",
        does: "gives the stream more room (or `--max-age`, a shorter time)",
      },
      { command: "nerve fleet status", does: "how full it is, and when it is full at this rate" },
    ],
  },
};

function fleetShut({ status, config, now }: Scene, address: string): Shut {
  const fleet = status?.fleet ?? null;
  const isCut = fleet !== null && [fleet.out, fleet.in].some((side) => side !== null && isShut(side));
  const concerns = fleet === null ? [] : fleetConcerns(fleet);
  const [concern, ...others] = isCut ? [] : concerns;
  if (concern !== undefined) {
    const { what, waiting, next } = CONCERNED[concern.kind];
    const also = others.map(({ kind, reason }) =>
      notDone("waiting", `${CONCERNED[kind].what} as well: ${short(reason)}.`),
    );
    return { what, notDone: [notDone("waiting", waiting), ...also], next };
  }
  const isFull = concerns.some(({ kind }) => kind === "filling");
  return {
    ...cutOff({ status, config, now }, address),
    next: isFull ? [...CONCERNED.filling.next.slice(0, 1), ...FLEET_CHECK] : FLEET_CHECK,
  };
}

/** A full stream takes nothing of this host, and gives what others have sent: one side is shut then, and the other one is open. */
function cutOff(
  { status, config, now }: Pick<Scene, "status" | "config" | "now">,
  address: string,
): Omit<Shut, "next"> {
  const fleet = status?.fleet ?? null;
  const incoming = fleet?.in ?? null;
  const isDeaf = incoming !== null && incoming.state !== "connected";
  const isMute = fleet === null || fleet.out.state !== "connected";
  const isSending = incoming === null || (config?.fleet?.send.length ?? 0) > 0;
  const deaf = "Signals of other hosts do not come in, and a host that falls silent is not noticed";
  const mute = isSending
    ? "Signals wait here for as long as `retention.signals` says"
    : "Other hosts that listen to this one hear no sign of life of it";
  const tries = [fleet?.out, incoming].find((side) => side != null && isShut(side)) ?? null;
  const lacks = [...(isDeaf ? [deaf] : []), ...(isMute && (isSending || !isDeaf) ? [mute] : [])];
  return {
    what: whatIsCut(address, { isDeaf, isMute, isReceiving: incoming !== null }),
    notDone: [notDone("waiting", `${lacks.join(". ")}; ${againWords(tries, now)}.`)],
  };
}

function whatIsCut(
  address: string,
  { isDeaf, isMute, isReceiving }: Record<"isDeaf" | "isMute" | "isReceiving", boolean>,
) {
  if (isReceiving && !isDeaf)
    return `Nothing leaves this host for its fleet (${address}), and what others send comes in`;
  return isMute
    ? `This host is cut off from its fleet (${address})`
    : `Nothing comes in from the fleet (${address}), and what this host sends leaves`;
}

const kindsOf = (links: readonly OtlpLink[]): string => listed(links.map(({ kind }) => kind));

function otlpShut({ status, now }: Scene, address: string): Shut {
  const links = status?.otlp?.links ?? [];
  const waiting = links.filter(isShut);
  const refused = links.filter(({ state }) => state === "refusing");
  const [first = null] = waiting;
  return {
    what:
      first === null && refused.length > 0
        ? `The receiver of OTLP at ${address} refuses all that is sent (${kindsOf(refused)})`
        : `Not all that \`otlp.send\` names leaves for ${address}`,
    notDone: [
      ...refused.map(({ kind, refused: many }) =>
        notDone(
          "failed",
          `What the receiver refuses of ${kind} is passed over and not sent again: ${many} since \`otlp.send\` names them.`,
        ),
      ),
      ...(first === null && refused.length > 0
        ? []
        : [notDone("waiting", `Rows wait here for as long as \`retention\` says; ${againWords(first, now)}.`)]),
    ],
    next: [
      { command: "nerve status", does: "how each kind of what is sent is" },
      first === null && refused.length > 0
        ? { command: "nerve logs --level warn", does: "what the receiver said (`otlp.refused`)" }
        : { command: "nerve reload", does: "to try at once, after `otlp` or its receiver was mended" },
    ],
  };
}

const LACKS = { http: "There is no page", push: "No program can push anything over TCP" } as const;

const portShut = (name: keyof typeof LACKS, address: string): Shut => ({
  what: `nerve has not listened on ${address} (\`${name}\`)`,
  notDone: [notDone("waiting", `${LACKS[name]} until the address is free; nerve tries it again every few seconds.`)],
  next: [
    { command: `ss -tlnp 'sport = :${address.split(":").at(-1)}'`, does: "which process has the port" },
    { command: "nerve reload", does: `after another address was written into \`${name}\`` },
  ],
});

function shutOf(scene: Scene, { name, address }: ListenerTrouble): Shut {
  if (name === "fleet") return fleetShut(scene, address);
  return name === "otlp" ? otlpShut(scene, address) : portShut(name, address);
}

export function whyListener(scene: Scene, trouble: ListenerTrouble): Why {
  const { name, reason, at } = trouble;
  const shut = shutOf(scene, trouble);
  const since = at === 0 ? "" : ` since ${moment(at, scene.now)}`;
  const because = reason === null ? "" : `: ${short(reason)}`;
  return {
    about: aboutName("nerve", name),
    isWrong: true,
    since: at || null,
    signal: null,
    what: [`${shut.what}${since}${because}.`],
    cause: [],
    done: [],
    notDone: shut.notDone,
    coming: [],
    next: shut.next,
  };
}
