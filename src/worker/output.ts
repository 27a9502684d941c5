/**
 * What user code prints, as rows of the log: whole lines, each with the sense or run that printed it, bounded in number and
 * length. What reaches the real file descriptors (native code, child processes) is the kernel's to read.
 */
import { createWriteStream, type WriteStream } from "node:fs";
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

type Print = (level: Line["level"], text: string) => void;

/** Loaded at the first print, as the streams are: few senses print, and each of the two takes half a megabyte. */
const format = (parts: readonly unknown[]): string =>
  (require("node:util") as typeof import("node:util")).formatWithOptions({ colors: false, depth: 4 }, ...parts);

/**
 * Sends what console and the two output streams are given to `offer` instead, signed with what `author` says then. The answer
 * is a function that offers unfinished lines.
 */
export function captureOutput<Whose extends object>(author: () => Whose, offer: (row: Row<Whose>) => void): () => void {
  const print: Print = (level, text) => {
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
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method as keyof typeof LEVELS] = (...parts: unknown[]) => print(level, format(parts));
  }
  console.assert = (condition?: boolean, ...parts: unknown[]) => {
    if (!condition) print("error", `Assertion failed: ${format(parts)}`);
  };
  const streams = [new Captured("stdout", 1, "info", print), new Captured("stderr", 2, "error", print)];
  return () => {
    for (const stream of streams) stream.offerRest();
  };
}

/** One of the two output streams of the process, which is made when code first looks at the stream. */
class Captured {
  readonly #level: Line["level"];
  readonly #print: Print;
  #rest = "";

  constructor(name: "stdout" | "stderr", descriptor: number, level: Line["level"], print: Print) {
    this.#level = level;
    this.#print = print;
    const become = (value: unknown): void =>
      void Object.defineProperty(process, name, { value, writable: true, enumerable: true, configurable: true });
    // A plain definition would make Bun's own stream first, to replace it: 1 MB and some milliseconds.
    (process as { stdout: unknown; stderr: unknown })[name] = undefined;
    Object.defineProperty(process, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        const stream = this.#stream(descriptor);
        become(stream);
        return stream;
      },
      set: become,
    });
  }

  offerRest(): void {
    this.#print(this.#level, this.#rest);
    this.#rest = "";
  }

  #stream(descriptor: number): WriteStream {
    const stream = createWriteStream("", { fd: descriptor, autoClose: false });
    // A character may come in two chunks.
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    stream.write = ((chunk: Uint8Array | string, encoding?: unknown, done?: unknown): boolean => {
      this.#take(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
      const callback = [encoding, done].find((candidate) => typeof candidate === "function") as
        | (() => void)
        | undefined;
      if (callback) queueMicrotask(callback);
      return true;
    }) as typeof stream.write;
    return stream;
  }

  #take(text: string): void {
    this.#rest += text;
    const cut = this.#rest.length > OUTPUT_LINE_LENGTH * 2 ? this.#rest.length : this.#rest.lastIndexOf("\n") + 1;
    if (cut === 0) return;
    this.#print(this.#level, this.#rest.slice(0, cut));
    this.#rest = this.#rest.slice(cut);
  }
}
