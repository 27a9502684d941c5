/** Owns an answer as a paragraph of 80 columns for people, with the next commands below. */
import { escapeForTerminal } from "../../base/escape.ts";
import type { Answer } from "../../causes/answer.ts";
import { commandsOf, textOf } from "../../causes/answer-json.ts";
import type { NextCommand } from "../../causes/scene.ts";
import { renderLine, type Screen, span, wrapLines } from "../screen/terminal.ts";

/** A paragraph that is wider is hard to read. */
const COLUMNS = 80;
const INDENT = "  ";

/** `option`: what each command needs behind it to find the same config, or "". */
export function renderAnswer(answer: Answer, option: string, screen: Screen): string {
  const text = escapeForTerminal(textOf(answer));
  const lead = escapeForTerminal(answer.why.what[0] ?? "").length;
  const spans = [span(text.slice(0, lead), "bold"), span(text.slice(lead))];
  const width = Math.min(screen.width ?? COLUMNS, COLUMNS);
  const lines = wrapLines(spans, [], { ...screen, width });
  return [...lines, "", ...commandLines(commandsOf(answer, option), screen)].join("\n");
}

function commandLines(next: readonly NextCommand[], screen: Screen): string[] {
  const width = Math.max(0, ...next.map(({ command }) => Bun.stringWidth(command)));
  return next.map(({ command, does }) => {
    const gap = " ".repeat(width - Bun.stringWidth(command) + 3);
    return renderLine([span(`${INDENT}${escapeForTerminal(command)}`, "cyan"), span(`${gap}${does}`, "dim")], screen);
  });
}
