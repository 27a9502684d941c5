/** Owns why nothing comes in by an address of the config: the page, or what programs push. */
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import type { Trouble } from "./troubles.ts";
import { moment, short } from "./words.ts";

type ListenerTrouble = Extract<Trouble, { kind: "listener" }>;

const LACKS = { http: "There is no page", push: "No program can push anything over TCP" } as const;

export function whyListener({ now }: Scene, { name, address, reason, at }: ListenerTrouble): Why {
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
