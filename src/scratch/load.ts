/**
 * Several senses loaded in one worker, for most of what a check costs is the start of a process. Whoever hangs while it is
 * loaded is named; when the worker dies nothing is known of any, and each is to be loaded by itself.
 */
import { err, type Result } from "../base/result.ts";
import type { ParentMessage } from "../ipc/definitions.ts";
import { parseWorkerMessage } from "../ipc/parse.ts";
import { type Problem, problem } from "../model/problem.ts";
import { SENSE_WORKER_ROLE } from "../spawn/own-image.ts";
import { LOAD_HARD_MS, spawnWorker, type WorkerProcess } from "../spawn/worker-process.ts";
import type { ScratchFolder } from "./folder.ts";
import { initOf, NEVER_LOADED, readyOf, type ScratchReady, type ScratchSeat, scratchCommand } from "./seat.ts";

const GENERATION = 1;

export type Loaded = ReadonlyMap<string, Result<ScratchReady, Problem>>;

/** By name, as far as it is known. */
export function loadTogether(folder: ScratchFolder, seats: readonly [ScratchSeat, ...ScratchSeat[]]): Promise<Loaded> {
  return new Promise((resolve) => {
    const known = new Map<string, Result<ScratchReady, Problem>>();
    let loading: string | null = null;
    let limit: ReturnType<typeof setTimeout> | null = null;
    let worker: WorkerProcess<ParentMessage>;
    const ends = (): void => {
      if (limit) clearTimeout(limit);
      worker.kill();
      folder.dismiss(worker);
      resolve(known);
    };
    const wait = (): void => {
      if (limit) clearTimeout(limit);
      limit = setTimeout(() => {
        if (loading !== null) known.set(loading, err(problem("never-settled", `its module ${NEVER_LOADED}`)));
        ends();
      }, LOAD_HARD_MS);
    };
    try {
      worker = spawnWorker<ParentMessage>(scratchCommand(SENSE_WORKER_ROLE, folder, seats[0].config), {
        message(raw) {
          const parsed = parseWorkerMessage(raw);
          if (!parsed.ok) return;
          const message = parsed.value;
          if (message.type === "started") {
            loading = message.sense;
            wait();
          }
          if (message.type !== "ready") return;
          for (const [index, entry] of message.senses.entries()) {
            const seat = seats[index];
            if (seat?.sense.name === entry.sense) known.set(entry.sense, readyOf(seat, entry));
          }
          ends();
        },
        output: () => {},
        exit: ends,
      });
    } catch {
      return resolve(known);
    }
    folder.admit(worker);
    worker.send([initOf(seats, GENERATION)]);
    wait();
  });
}
