/**
 * What user code prints, as rows of the log: whole lines, each with the sense or run that printed it, bounded in number and
 * length. What reaches the real file descriptors (native code, child processes) is the kernel's to read.
 */
import { StringDecoder } from "node:string_decoder";
import { formatWithOptions } from "node:util";
import { clipLine, OUTPUT_LINE_LENGTH } from "../base/row-limiter.ts";
import type { WorkerMessageOf } from "../ipc/definitions.ts";

type LogMessage = WorkerMessageOf<"log">;
/** A row without its signature, which is where `log` of a sense worker and of a workflow worker differ. */
type Line = Pick<LogMessage, "level" | "event" | "message" | "data" | "dropped">;
/** `Whose` it is: a sense or a run, and a trace. */
export type Row<Whose> = Line & Whose;

/** An error's stack, where it has one, as long as a line may be. */
export const clip = (stack: string | null): string | null => (stack === null ? null : clipLine(stack));

const LEVELS = {
  log: "info",
  info: "info",
  debug: "debug",
  trace: "debug",
  dir: "info",
  warn: "warn",
  error: "error",
} as const;

/**
 * Sends what console and the two output streams are given to `offer` instead, signed with what `author` says then. The answer
 * is a function that offers unfinished lines.
 */
export function captureOutput<Whose extends object>(author: () => Whose, offer: (row: Row<Whose>) => void): () => void {
  const lines = (level: Line["level"], text: string): void => {
    const whose = author();
    let start = 0;
    while (start < text.length) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline;
      const message = clipLine(text.slice(start, end));
      if (message !== "") offer({ ...whose, level, event: "output", message, data: null, dropped: 0 });
      start = end + 1;
    }
  };
  const options = { colors: false, depth: 4 };
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method as keyof typeof LEVELS] = (...parts: unknown[]) =>
      lines(level, formatWithOptions(options, ...parts));
  }
  console.assert = (condition?: boolean, ...parts: unknown[]) => {
    if (!condition) lines("error", `Assertion failed: ${formatWithOptions(options, ...parts)}`);
  };
  const unfinished: (() => void)[] = [];
  for (const [stream, level] of [
    [process.stdout, "info"],
    [process.stderr, "error"],
  ] as const) {
    // A character may come in two chunks.
    const decoder = new StringDecoder("utf8");
    let rest = "";
    unfinished.push(() => {
      lines(level, rest);
      rest = "";
    });
    stream.write = ((chunk: Uint8Array | string, encoding?: unknown, done?: unknown): boolean => {
      rest += typeof chunk === "string" ? chunk : decoder.write(Buffer.from(chunk));
      const cut = rest.length > OUTPUT_LINE_LENGTH * 2 ? rest.length : rest.lastIndexOf("\n") + 1;
      if (cut > 0) {
        lines(level, rest.slice(0, cut));
        rest = rest.slice(cut);
      }
      const callback = [encoding, done].find((candidate) => typeof candidate === "function") as
        | (() => void)
        | undefined;
      if (callback) queueMicrotask(callback);
      return true;
    }) as typeof stream.write;
  }
  return () => {
    for (const offerRest of unfinished) offerRest();
  };
}
