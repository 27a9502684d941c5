/** A worker of nerve's and a bare child, spoken to over ipc as the kernel does, one question at a time or many. */
import { join } from "node:path";
import type { ParentMessage, WorkerMessage } from "../../src/ipc/definitions.ts";
import { SENSE_WORKER_ROLE } from "../../src/spawn/own-image.ts";
import { spawnWorker } from "../../src/spawn/worker-process.ts";
import { TRACE } from "./floor/shape.ts";
import type { Site } from "./site.ts";

export interface Child extends AsyncDisposable {
  readonly pid: number;
  /** Asks each slot once, in one go. */
  ask(slots: readonly number[]): void;
}

/** Gives on together what comes in one frame: the messages of one frame are handed over in one turn. */
function inFrames(take: (slots: readonly number[]) => void): (slot: number) => void {
  let frame: number[] = [];
  return (slot) => {
    if (frame.length === 0) {
      queueMicrotask(() => {
        const full = frame;
        frame = [];
        take(full);
      });
    }
    frame.push(slot);
  };
}

/** Spawns a sense worker whose `senses` senses all are the module in `folder`; resolves at its `ready`. */
export async function startWorker(
  nerve: string,
  site: Site,
  folder: string,
  senses: number,
  answered: (slots: readonly number[]) => void,
): Promise<Child> {
  const generation = 1;
  let id = 0;
  const signals = inFrames(answered);
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<void>();
  const worker = spawnWorker<ParentMessage>(
    {
      command: [nerve, SENSE_WORKER_ROLE, String(process.pid)],
      env: { PATH: "/usr/bin:/bin", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      cwd: site.folder,
    },
    {
      message(raw) {
        const message = raw as WorkerMessage;
        if (message.type === "ready") {
          const problem = message.senses.find((sense) => sense.problem !== null)?.problem;
          if (problem) ready.reject(new Error(problem.message));
          else ready.resolve();
        }
        if (message.type === "signal") for (const { sense } of message.signals) signals(Number(sense.slice(1)));
        if (message.type === "error") throw new Error(message.message);
      },
      output: () => {},
      exit: () => exited.resolve(),
    },
  );
  const names = Array.from({ length: senses }, (_, at) => `s${at}`);
  worker.send([
    {
      type: "init",
      generation,
      senses: names.map((name) => ({
        name,
        folder,
        use: "fact",
        database: join(site.folder, `${name}.db`),
        options: {},
        timeoutMs: 30_000,
        durability: "normal",
        outboxTaken: 0,
        inbox: null,
        patterns: [],
      })),
      peers: names.map((name) => ({ name, database: join(site.folder, `${name}.db`) })),
      blobs: join(site.folder, "blobs"),
      lock: join(site.folder, "worker.lock"),
      logCredit: 256,
    },
  ]);
  await ready.promise;
  return {
    pid: worker.pid,
    ask: (slots) =>
      void worker.send([
        {
          type: "compute",
          generation,
          computes: slots.map((slot) => ({
            id: ++id,
            sense: `s${slot}`,
            now: Date.now(),
            cause: null,
            trace: TRACE,
            inbox: null,
            delivered: null,
          })),
        },
      ]),
    async [Symbol.asyncDispose]() {
      worker.kill();
      await exited.promise;
    },
  };
}

/** Spawns the echo child: one message asks, one answers. */
export function startEcho(echo: string, answered: (slots: readonly number[]) => void): Child {
  const child = Bun.spawn([echo], {
    serialization: "json",
    stdio: ["ignore", "ignore", "ignore"],
    ipc: ({ id }: { id: number }) => answered([id]),
  });
  return {
    pid: child.pid,
    ask(slots) {
      for (const id of slots) child.send({ id });
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
