/** Owns why the senses of a group do not compute: the worker of the group does not go. */
import { counted } from "../base/counted.ts";
import { aboutName, notDone, type Scene, type Why } from "./scene.ts";
import type { Trouble } from "./troubles.ts";
import { whySense } from "./why-sense.ts";
import { listed, moment, short } from "./words.ts";

type GroupTrouble = Extract<Trouble, { kind: "group" }>;

/** At most so many senses are named. */
const NAMED = 4;

/** The senses that wait for the worker, at most so many of them one by one. */
function namesIn(senses: readonly string[]): string {
  const more = senses.length - NAMED;
  return listed([...senses.slice(0, NAMED), ...(more > 0 ? [`${more} more`] : [])]);
}

export function whyGroup(scene: Scene, { name, state, restarts, at, reason }: GroupTrouble): Why {
  const { status, config, now } = scene;
  const senses = (status?.senses ?? []).filter(({ group }) => group === name).map((sense) => sense.name);
  const first = config?.senses.get(senses[0] ?? "");
  const why = config === null || first === undefined ? null : whySense(scene, config, first);
  const isKnown = at !== 0;
  const since = isKnown ? ` since ${moment(at, now)}` : "";
  const because = reason === null ? "" : `: ${short(reason).replace(`the worker of its group ${name}`, "its worker")}`;
  const stuck = isKnown ? "has been stuck" : "is stuck";
  const is = state === "stuck" ? stuck : `${isKnown ? "has waited" : "waits"} for its worker to start again`;
  return {
    about: aboutName("nerve", name),
    isWrong: true,
    since: at || null,
    signal: why?.signal ?? null,
    what: [`Group ${name} ${is}${since}${because}.`],
    cause: restarts === 0 ? [] : [`The worker has started again ${counted(restarts, "time")} since nerve started.`],
    done: [],
    notDone: [
      ...(senses.length === 0 ? [] : [notDone("unwell", `Nothing computes of ${namesIn(senses)} until then.`)]),
      ...(why?.notDone ?? []),
    ],
    coming: [],
    next: [
      { command: "nerve status", does: "how the groups and senses are" },
      { command: "nerve logs kernel -n 20", does: "what became of the worker" },
    ],
  };
}
