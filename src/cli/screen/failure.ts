/** Owns the print of problems on stderr: for people with the place and the remedy, for programs as one JSON object a line. */
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import type { Problem } from "../../model/problem.ts";
import { SECRETS } from "./secrets.ts";
import { escapeLines, paint, printError, type Screen, stderrScreen } from "./terminal.ts";

const indented = (text: string): string => escapeLines(text).replaceAll("\n", "\n  ");

function renderProblem(problem: Problem, screen: Screen, label: "error" | "warning" = "error"): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== null).join(":");
  // A message about a whole file may itself begin with the file's name.
  const isNamed = place === "" || (problem.line === null && problem.message.startsWith(place));
  const where = isNamed ? "" : `${paint(escapeForTerminal(place), "bold", screen.colours)}: `;
  const head = paint(`${label}:`, label === "error" ? "red" : "yellow", screen.colours);
  const lines = [`${head} ${where}${indented(problem.message)}`];
  if (problem.hint !== null) {
    lines.push(`  ${paint("hint:", "cyan", screen.colours)} ${indented(problem.hint)}`);
  }
  return lines.join("\n");
}

export function printProblems(problems: readonly Problem[], json: boolean): void {
  const screen = stderrScreen();
  for (const problem of SECRETS.json(problems)) {
    const { kind, message, hint, file, line, column } = problem;
    printError(
      json ? safeJson({ error: { kind, message, hint, file, line, column } }) : renderProblem(problem, screen),
    );
  }
}

/** Prints warnings for a person, beside the result. For a program the warnings are in the result. */
export function printWarnings(problems: readonly Problem[]): void {
  const screen = stderrScreen();
  for (const problem of SECRETS.json(problems)) printError(renderProblem(problem, screen, "warning"));
}

/** Prints a warning for a person, beside the result. A program reads only the result. */
export function warn(message: string, json: boolean): void {
  if (json) return;
  const screen = stderrScreen();
  printError(`${paint("warning:", "yellow", screen.colours)} ${escapeForTerminal(SECRETS.text(message))}`);
}

/** Prints a remark only on a terminal, so that nobody has to filter it out. */
export function remark(message: string): void {
  const screen = stderrScreen();
  if (screen.terminal) printError(paint(escapeForTerminal(SECRETS.text(message)), "dim", screen.colours));
}
