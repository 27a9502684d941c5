/**
 * One worker process from spawn to reaped. It runs this executable's own image, leads its own process group, and is
 * killed as a group. The exit event is the authority on its end; frames that were under way are delivered before it is
 * told.
 */
import { closeSync } from "node:fs";
import { CHANNELS } from "../base/jit.ts";
import { clipLine, droppedLines, OUTPUT_ROWS_PER_SECOND, type RowLimiter, rowLimiter } from "../base/row-limiter.ts";
import { makeSharedPage, type SharedPage } from "../base/shared-page.ts";
import { countMessages } from "../ipc/definitions.ts";
import { bytesOfNotes, type Notes, readNotes } from "../ipc/notes.ts";

/** A module that loops at its top level is killed this long after it began to load. */
export const LOAD_HARD_MS = 15_000;

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** True when it was killed because its channel broke, and nothing else had ended it. */
  readonly channelBroke: boolean;
}

export const describeExit = ({ code, signal }: WorkerExit): string =>
  signal === null ? `it exited with code ${code ?? "unknown"}` : `killed by ${signal}`;

export interface WorkerEvents {
  /** One message of a frame, unchecked. */
  readonly message: (raw: unknown) => void;
  /** A line on the process's own stdout or stderr: native code, or a child that inherited it. */
  readonly output: (stream: "stdout" | "stderr", line: string) => void;
  /** Once, after the process was reaped and its channel drained. */
  readonly exit: (exit: WorkerExit) => void;
}

export interface WorkerProcess<Message> {
  readonly pid: number;
  /** What the process notes of its tasks; readable also once the process is gone. Null where it notes nothing. */
  readonly notes: Notes | null;
  /** One frame. False when the process is gone. */
  send(messages: Message[]): boolean;
  /** SIGKILL to the whole process group. */
  kill(): void;
}

export interface WorkerCommand {
  /** argv, the first the executable. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** How long after the exit the channel may still deliver. */
const DRAIN_MS = 250;

/** Longest line that is kept whole while waiting for its end. */
const LONGEST_PENDING = 64 * 1024;
const NEWLINE = 10;

function countNewlines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** So much is read of a stream in such a time; what else it has waits in the pipe, and its writer with it (G15). */
const READ_BYTES = 1024 * 1024;
const READ_MS = 25;

/** Pauses whoever reads more than {@link READ_BYTES} in {@link READ_MS}, for the rest of that time. */
function paced(): (bytes: number) => Promise<void> | null {
  let beganAt = performance.now();
  let read = 0;
  return (bytes) => {
    const now = performance.now();
    if (now - beganAt >= READ_MS) {
      beganAt = now;
      read = 0;
    }
    read += bytes;
    return read < READ_BYTES ? null : Bun.sleep(beganAt + READ_MS - now);
  };
}

/** Always read, so that no worker waits for long on its own output; what `lines` does not want is not even decoded. */
async function readLines(stream: ReadableStream<Uint8Array>, lines: RowLimiter<string>): Promise<void> {
  const pace = paced();
  let rest = "";
  for await (const chunk of stream) {
    const pause = pace(chunk.length);
    if (pause !== null) await pause;
    if (lines.skip(0) && lines.skip(countNewlines(chunk))) {
      rest = "";
      continue;
    }
    rest += Buffer.from(chunk).toString("utf8");
    let start = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", start)) {
      if (end > start) lines.offer(clipLine(rest.slice(start, end)));
      start = end + 1;
    }
    rest = rest.slice(start);
    if (rest.length <= LONGEST_PENDING) continue;
    lines.offer(clipLine(rest));
    rest = "";
  }
  if (rest !== "") lines.offer(clipLine(rest));
  lines.finish();
}

function killGroup(pid: number): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, "SIGKILL");
    } catch {
      // No such process: it is what was wanted.
    }
  }
}

type Hooks = Pick<Bun.Spawn.SpawnOptions<"pipe", "pipe", "pipe">, "ipc" | "onDisconnect" | "onExit">;

/** The descriptor of the page is the child's alone, also where there is no child. */
function spawnWith(page: SharedPage | null, { command, env, cwd }: WorkerCommand, hooks: Hooks) {
  try {
    return Bun.spawn([...command], {
      ...hooks,
      env: { ...env },
      cwd,
      stdio: page === null ? ["pipe", "pipe", "pipe"] : ["pipe", "pipe", "pipe", page.descriptor],
      serialization: "json",
      detached: true,
      killSignal: "SIGKILL",
    });
  } finally {
    if (page !== null) closeSync(page.descriptor);
  }
}

/** How a worker is started; `places`: for notes of its tasks. Tests of what follows give a scripted child. */
export type Spawn = <Message>(command: WorkerCommand, events: WorkerEvents, places: number) => WorkerProcess<Message>;

export function spawnWorker<Message>(command: WorkerCommand, events: WorkerEvents, places = 0): WorkerProcess<Message> {
  const page = places === 0 ? null : makeSharedPage(bytesOfNotes(places));
  let exited: { code: number | null; signal: string | null } | null = null;
  let disconnected = false;
  let killedForIt = false;
  let told = false;

  const tell = (): void => {
    if (told || exited === null) return;
    told = true;
    events.exit({ ...exited, channelBroke: killedForIt && exited.signal === "SIGKILL" });
  };
  const endDeaf = (): void => {
    if (exited !== null) return;
    killedForIt = true;
    killGroup(child.pid);
  };

  const child = spawnWith(page, command, {
    ipc(frame: unknown) {
      CHANNELS.handled(countMessages(frame));
      if (Array.isArray(frame)) for (const raw of frame) events.message(raw);
      else events.message(frame);
    },
    onDisconnect() {
      disconnected = true;
      // A worker nobody can talk to is of no use; one that is leaving, or was killed, is gone in a moment anyway.
      if (exited === null) setTimeout(endDeaf, DRAIN_MS);
      tell();
    },
    onExit(_, code, signal) {
      exited = { code, signal: signal === null ? null : String(child.signalCode ?? signal) };
      // What it started and left in its group goes with it.
      killGroup(child.pid);
      if (disconnected) tell();
      else setTimeout(tell, DRAIN_MS);
    },
  });
  for (const stream of ["stdout", "stderr"] as const) {
    const lines = rowLimiter<string>({
      perSecond: OUTPUT_ROWS_PER_SECOND,
      credit: Number.POSITIVE_INFINITY,
      post: (line) => events.output(stream, line),
      dropped: droppedLines,
    });
    // A stream that breaks is the end of what can be read; the exit tells the rest.
    readLines(child[stream], lines).catch(() => lines.finish());
  }

  return {
    pid: child.pid,
    notes: page === null ? null : readNotes(page.bytes),
    send(messages) {
      if (exited !== null || disconnected) return false;
      try {
        child.send(messages);
        return true;
      } catch {
        return false;
      }
    },
    kill: () => killGroup(child.pid),
  };
}
