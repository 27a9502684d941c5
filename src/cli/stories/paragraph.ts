/** Owns an answer as a paragraph of 80 columns for people, with the next commands below, and as JSON for programs. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import type { Answer } from "../../causes/answer.ts";
import type { NextCommand, Why } from "../../causes/scene.ts";
import type { Trouble } from "../../causes/troubles.ts";
import { listed, short } from "../../causes/words.ts";
import { renderLine, type Screen, span, wrapLines } from "../screen/terminal.ts";

/** A paragraph that is wider is hard to read. */
const COLUMNS = 80;
const INDENT = "  ";

export function textOf({ why, others }: Answer): string {
  const { what, cause, done, notDone, coming } = why;
  return [...what, ...cause, ...done, ...notDone.map(({ text }) => text), ...coming, ...othersIn(others)].join(" ");
}

/** `option`: what each command needs behind it to find the same config, or "". */
export function renderAnswer(answer: Answer, option: string, screen: Screen): string {
  const text = escapeForTerminal(textOf(answer));
  const lead = escapeForTerminal(answer.why.what[0] ?? "").length;
  const spans = [span(text.slice(0, lead), "bold"), span(text.slice(lead))];
  const width = Math.min(screen.width ?? COLUMNS, COLUMNS);
  const lines = wrapLines(spans, [], { ...screen, width });
  return [...lines, "", ...commandLines(commandsOf(answer, option), screen)].join("\n");
}

const commandsOf = ({ why }: Answer, option: string): NextCommand[] =>
  why.next.map(({ command, does }) => ({
    command: command.startsWith("nerve ") ? `${command}${option}` : command,
    does,
  }));

function commandLines(next: readonly NextCommand[], screen: Screen): string[] {
  const width = Math.max(0, ...next.map(({ command }) => Bun.stringWidth(command)));
  return next.map(({ command, does }) => {
    const gap = " ".repeat(width - Bun.stringWidth(command) + 3);
    return renderLine([span(`${INDENT}${escapeForTerminal(command)}`, "cyan"), span(`${gap}${does}`, "dim")], screen);
  });
}

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
    default:
      return trouble.kind === "sense" ? `sense ${trouble.name} (${trouble.state})` : `${trouble.kind} ${trouble.name}`;
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
  others: answer.others.map((trouble) => ({ kind: trouble.kind, ...idOf(trouble), since: trouble.at || null })),
  text: textOf(answer),
});

function idOf(trouble: Trouble): { readonly id: number | null; readonly name: string | null } {
  if (trouble.kind === "incident") return { id: trouble.incident.id, name: trouble.incident.reflex };
  if (trouble.kind === "run") return { id: trouble.run.id, name: trouble.run.workflow };
  return { id: null, name: trouble.name };
}
