/**
 * Owns a command while it runs under `nerve wrap`: its streams, signals and exit code are its own. Only the end of what it prints
 * is kept beside.
 */
import { closeSync, existsSync } from "node:fs";
import { isatty } from "node:tty";
import { openPipe, pieces, writeAll } from "../../base/pipes.ts";
import { MAX_OUTPUT_BYTES, outputOf } from "../../inbox/pings.ts";
import { exitCodeOf, passSignals } from "../frame/behind.ts";

/** How a command ended. */
export interface Ended {
  /** As a shell has it: 128 and the signal's number for a command that a signal ended, 127 or 126 for a command that cannot be run. */
  readonly exitCode: number;
  readonly durationMs: number;
  /** Null: nothing of it could be seen, because a terminal has it. */
  readonly output: string | null;
  /** Why it could not be run, or null. */
  readonly problem: string | null;
}

const STDOUT = 1;
const STDERR = 2;
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
/** What its children print after its end is passed on for so long. */
const AFTER_END_MS = 1_000;

/** The end of what came, in the order in which it came. */
class Tail {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  add(piece: Uint8Array): void {
    const end = piece.slice(Math.max(0, piece.length - MAX_OUTPUT_BYTES));
    this.#pieces.push(end);
    this.#bytes += end.length;
    for (let first = this.#pieces[0]; first !== undefined && this.#bytes - first.length >= MAX_OUTPUT_BYTES; ) {
      this.#pieces.shift();
      this.#bytes -= first.length;
      first = this.#pieces[0];
    }
  }

  get text(): string {
    return outputOf(Buffer.concat(this.#pieces));
  }
}

/** A stream of the command: a terminal is the command's own, anything else is passed on. */
interface Stream {
  readonly given: "inherit" | number;
  /** Call it once the command has its own copy. */
  readonly passOn: () => Promise<void>;
}

function streamTo(descriptor: number, tail: Tail): Stream {
  const pipe = isatty(descriptor) ? null : openPipe();
  if (pipe === null) return { given: "inherit", passOn: async () => {} };
  return {
    given: pipe.writeEnd,
    passOn: async () => {
      closeSync(pipe.writeEnd);
      for await (const piece of pieces(pipe.readEnd)) {
        tail.add(piece);
        // Who does not read any more is no reader of the command either: its next write says so.
        if (!(await writeAll(descriptor, piece))) return;
      }
    },
  };
}

type Child = Bun.Subprocess<"inherit", "inherit" | number, "inherit" | number>;

/** A script without `#!` is the shell's, as everywhere else. */
function spawn(command: readonly string[], stdout: "inherit" | number, stderr: "inherit" | number): Child {
  const options = { stdin: "inherit" as const, stdout, stderr } as const;
  try {
    return Bun.spawn([...command], options) as Child;
  } catch (error) {
    const [file = ""] = command;
    if ((error as NodeJS.ErrnoException).code !== "ENOEXEC") throw error;
    return Bun.spawn(["/bin/sh", Bun.which(file) ?? file, ...command.slice(1)], options) as Child;
  }
}

export async function runThrough(command: readonly string[]): Promise<Ended> {
  const began = performance.now();
  const tail = new Tail();
  const streams = [streamTo(STDOUT, tail), streamTo(STDERR, tail)] as const;
  let child: Child;
  try {
    child = spawn(command, streams[0].given, streams[1].given);
  } catch {
    // The runtime knows no difference between a file that is not there and a file that may not be run.
    const isAbsent = !(command[0]?.includes("/") && existsSync(command[0]));
    const problem = isAbsent ? "there is no such command" : "it is no executable file";
    return { exitCode: isAbsent ? NOT_FOUND : NOT_EXECUTABLE, durationMs: 0, output: null, problem };
  }
  passSignals((signal) => child.kill(signal));
  const passed = Promise.all(streams.map(({ passOn }) => passOn()));
  await child.exited;
  const durationMs = Math.round(performance.now() - began);
  await Promise.race([passed, Bun.sleep(AFTER_END_MS)]);
  const isSeen = streams.some(({ given }) => given !== "inherit");
  return { exitCode: exitCodeOf(child), durationMs, output: isSeen ? tail.text : null, problem: null };
}
