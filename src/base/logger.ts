/** A line of the process's own log: readable on a terminal, one JSON object otherwise. */
import { escapeForTerminal, safeJson } from "./escape.ts";
import type { Json } from "./json.ts";
import { localTime } from "./local-time.ts";

export type Level = "debug" | "info" | "warn" | "error";

export interface LogLine {
  readonly at: number;
  readonly level: Level;
  readonly source: string;
  readonly event: string;
  readonly message: string;
  readonly data: Json;
}

export interface Logger {
  write(line: LogLine): void;
}

const COLOURS: Readonly<Record<Level, string>> = {
  debug: "\x1b[2m",
  info: "\x1b[36m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
};
const RESET = "\x1b[0m";
const DIM = "\x1b[2m";

/** Begins each further line of a message, so that nobody takes it for a line of its own. */
const CONTINUATION = "\n    ";

export function formatPretty(line: LogLine, colours: boolean): string {
  const paint = (colour: string, text: string): string => (colours ? `${colour}${text}${RESET}` : text);
  const source = escapeForTerminal(line.source).padEnd(22);
  const message = line.message.split("\n").map(escapeForTerminal).join(CONTINUATION);
  const level = line.level === "info" ? "" : `${paint(COLOURS[line.level], line.level)} `;
  return `${paint(DIM, localTime(line.at))}  ${paint(COLOURS[line.level], source)} ${level}${message}`;
}

export function formatJson({ at, level, source, event, message, data }: LogLine): string {
  // JSON leaves out what is undefined.
  return safeJson({ time: new Date(at).toISOString(), level, source, event, message, data: data ?? undefined });
}
