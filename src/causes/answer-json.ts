/** Owns an answer as text without lines, and as JSON for programs: `nerve why --json` and `/api/v1/why`. */
import { counted } from "../base/counted.ts";
import type { Answer } from "./answer.ts";
import type { NextCommand, Why } from "./scene.ts";
import { shownTrouble } from "./shown-trouble.ts";
import type { Trouble } from "./troubles.ts";
import { namesOf } from "./why-hosts.ts";
import { listed, short } from "./words.ts";

export function textOf({ why, others }: Answer): string {
  const { what, cause, done, notDone, coming } = why;
  return [...what, ...cause, ...done, ...notDone.map(({ text }) => text), ...coming, ...othersIn(others)].join(" ");
}

/** `option`: what each command needs behind it to find the same config, or "". */
export const commandsOf = ({ why }: Answer, option: string): NextCommand[] =>
  why.next.map(({ command, does }) => ({
    command: command.startsWith("nerve ") ? `${command}${option}` : command,
    does,
  }));

/** Others that are named one by one. */
const NAMED = 3;

function othersIn(others: readonly Trouble[]): string[] {
  if (others.length === 0) return [];
  const named = others.slice(0, NAMED).map(nameOf);
  const more = others.length - named.length;
  return [`Wrong as well: ${listed([...named, ...(more > 0 ? [`${counted(more, "more thing")}`] : [])])}.`];
}

function nameOf(trouble: Trouble): string {
  switch (trouble.kind) {
    case "incident":
      return `incident ${trouble.incident.id} (${short(trouble.incident.summary)})`;
    case "run":
      return `run ${trouble.run.id} of ${trouble.run.workflow} (${trouble.run.state})`;
    case "sense":
    case "group":
    case "workflow":
      return `${trouble.kind} ${trouble.name} (${trouble.state})`;
    case "check":
      return `${trouble.check.check} of sense ${trouble.check.sense} (${trouble.check.state})`;
    case "store":
      return `the store (${short(trouble.says)})`;
    case "listener":
      return `\`${trouble.name}\` (${trouble.name === "fleet" || trouble.name === "otlp" ? short(trouble.reason ?? "not well") : "does not listen"})`;
    case "hosts":
      return `${trouble.silent.count === 1 ? "host" : counted(trouble.silent.count, "host")} ${namesOf(trouble.silent)} (silent)`;
    case "channel":
      return `channel ${trouble.name}`;
  }
}

const wireOf = ({ about, isWrong, since, signal, what, cause, done, notDone, coming }: Why) => ({
  about,
  wrong: isWrong,
  since,
  signal,
  what,
  cause,
  done,
  not_done: notDone,
  coming,
});

export const answerJson = (answer: Answer, option: string) => ({
  ...wireOf(answer.why),
  next: commandsOf(answer, option),
  trouble: answer.trouble === null ? null : shownTrouble(answer.trouble),
  others: answer.others.map(shownTrouble),
  text: textOf(answer),
});
