/**
 * `nerve/exec`: one program, from start to end, and the options that name it. Owns the program's whole process tree:
 * however the run ends, nothing of the tree lives on.
 *
 * 1. Never a shell: arguments reach the program as they are.
 * 2. The program stays in the worker's process group, so it dies with the worker whoever kills that.
 * 3. Every descendant carries NERVE_EXEC=<uuid> in its environment, which is how those are found that left the tree.
 * 4. Output beyond the limits costs no memory.
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { killMarked, killTree, listPids } from "../base/processes.ts";
import { mapping, orNull, text, where, words } from "./options.ts";

/** The options that name a program and how to run it. */
export const COMMAND = {
  command: where(words(), ([program = ""]) => program !== "", "begin with the program to run"),
  env: where(mapping(), (env) => Object.keys(env).every((name) => !/[=\0]/.test(name)), "have no `=` in a name"),
  cwd: orNull(text()),
} as const;

export interface Command {
  readonly command: readonly string[];
  /** On top of the worker's own. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | null;
}

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  /** Its last 2 KiB, trimmed. */
  readonly stderr: string;
  /** How many descendants were still alive once it had ended. */
  readonly leftBehind: number;
}

/** Why a program that ended with `code` failed. */
export const exitError = (program: string, { code, stderr }: Finished): Error =>
  new Error(`${program} exited with ${code}${stderr === "" ? "" : `: ${stderr}`}`);

export const leftBehindWords = (program: string, { leftBehind }: Finished): string =>
  `${program} left ${leftBehind} processes behind, which were killed`;

const MAX_STDOUT_BYTES = 1024 * 1024;
const STDERR_TAIL_BYTES = 2048;
/** How long a descendant may go on writing after the program has ended. */
const DRAIN_MS = 1000;

/**
 * Throws when it cannot start, is ended by a signal, prints too much, or `signal` fires. `stdoutTailBytes`: how much of the
 * end of stdout is kept; null for all of it, and then over 1 MiB is too much.
 */
export async function runCommand(
  { command, env, cwd }: Command,
  signal: AbortSignal,
  stdoutTailBytes: number | null,
): Promise<Finished> {
  signal.throwIfAborted();
  const program = command[0] ?? "";
  const marker = `NERVE_EXEC=${crypto.randomUUID()}`;
  const bystanders = new Set(listPids());
  const child = start(command, { ...process.env, ...env, NERVE_EXEC: marker.slice("NERVE_EXEC=".length) }, cwd);

  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const abort = (): void => failed.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });

  const tooMuch = (): void => failed.reject(new Error(`${program} printed more than 1 MiB to stdout`));
  const output = stdoutTailBytes === null ? whole(MAX_STDOUT_BYTES, tooMuch) : tail(stdoutTailBytes);
  const errors = tail(STDERR_TAIL_BYTES);
  const stdout = collect(child.stdout, output.add);
  const stderr = collect(child.stderr, errors.add);

  let drained: Timer | undefined;
  let ended = false;
  try {
    await Promise.race([failed.promise, child.exited]);
    const patience = new Promise<void>((resolve) => {
      drained = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([failed.promise, patience, Promise.all([stdout.end, stderr.end])]);
    ended = true;
  } finally {
    clearTimeout(drained);
    signal.removeEventListener("abort", abort);
    stdout.cancel();
    stderr.cancel();
    if (child.exitCode === null && child.signalCode === null) killTree(child.pid);
    // A pid from before the start may have become a descendant's only if they ran out, which takes a hostile program.
    if (!ended) killMarked(marker);
  }
  const leftBehind = killMarked(marker, bystanders).length;
  if (child.exitCode === null) throw new Error(`${program} was killed by ${child.signalCode}`);
  return {
    code: child.exitCode,
    stdout: output.text(),
    stderr: errors.text().trim(),
    leftBehind,
  };
}

type Environment = Record<string, string | undefined>;

function start(command: readonly string[], env: Environment, cwd: string | null) {
  // Spawn reports this in words that blame the program.
  if (cwd !== null && statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new Error(`cwd "${cwd}" is not a directory`);
  }
  try {
    return Bun.spawn([...command], {
      env,
      ...(cwd === null ? {} : { cwd }),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      killSignal: "SIGKILL",
    });
  } catch (error) {
    const program = command[0] ?? "";
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot run "${program}": ${explain(code, program, env, cwd) ?? message}`);
  }
}

function explain(code: string | undefined, program: string, env: Environment, cwd: string | null): string | undefined {
  if (code === "EACCES") return "it may not be executed (chmod +x, a directory, or a noexec mount)";
  if (code === "ENOEXEC") return "it is no program: a script needs a first line such as #!/bin/sh";
  if (code === "E2BIG") return "its arguments and environment are too long";
  if (code !== "ENOENT") return undefined;
  const inPath = !program.includes("/");
  const found = inPath
    ? Bun.which(program, { PATH: env.PATH ?? "" }) !== null
    : existsSync(resolve(cwd ?? "", program));
  if (found) return "the interpreter on its first line does not exist";
  return inPath ? "there is no such program in PATH" : "there is no such file";
}

interface Kept {
  add(chunk: Uint8Array): void;
  text(): string;
}

function whole(limitBytes: number, tooMuch: () => void): Kept {
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add(chunk) {
      bytes += chunk.byteLength;
      if (bytes <= limitBytes) chunks.push(Buffer.from(chunk));
      else tooMuch();
    },
    text: () => Buffer.concat(chunks).toString(),
  };
}

const isInsideCharacter = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The last bytes, from the begin of a character. */
function tail(limitBytes: number): Kept {
  let kept = Buffer.alloc(0);
  let cut = false;
  return {
    add(chunk) {
      cut ||= kept.byteLength + chunk.byteLength > limitBytes;
      kept = Buffer.concat([kept, chunk]).subarray(-limitBytes);
    },
    text() {
      let begin = 0;
      while (cut && begin < 3 && isInsideCharacter(kept[begin])) begin++;
      return kept.toString("utf8", begin);
    },
  };
}

/** Hands over a stream piece by piece, until its end or `cancel`. */
function collect(stream: ReadableStream<Uint8Array>, take: (chunk: Uint8Array) => void) {
  const reader = stream.getReader();
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      take(value);
    }
  };
  const end = read();
  end.catch(() => {});
  return { end, cancel: () => void reader.cancel().catch(() => {}) };
}
