/** A sense's place in a scratch folder: the copy of its database, the worker's first message about it, and the worker's answer. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatDuration } from "../base/duration.ts";
import { err, ok, type Result } from "../base/result.ts";
import { limitsOf } from "../config/defaults.ts";
import { SOCKET_NAME } from "../control/contract.ts";
import { socketPath } from "../control/socket-path.ts";
import type { ParentMessage, ParentMessageOf, WorkerMessageOf } from "../ipc/definitions.ts";
import { isWatching, type NerveConfig, type ReflexConfig, type SenseConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import { workerEnvironment } from "../spawn/environment.ts";
import { ownCommand } from "../spawn/own-image.ts";
import { type PeerFiles, peerFiles, senseDatabase } from "../spawn/peer-files.ts";
import { LOAD_HARD_MS, type WorkerCommand } from "../spawn/worker-process.ts";
import { copyDatabase, type ScratchFolder } from "./folder.ts";

export interface ScratchSense {
  readonly config: NerveConfig;
  readonly sense: SenseConfig;
  /** The user's module, or null for the built-in. */
  readonly module: string | null;
  /** Folder of the content-addressed store it may write to. */
  readonly blobs: string;
  /** To be held against the payload type it exports. */
  readonly patterns: readonly ScratchPattern[];
}

export type ScratchPattern = ParentMessageOf<"init">["senses"][number]["patterns"][number];
export type PatternFinding = WorkerMessageOf<"ready">["senses"][number]["patterns"][number];

/** A sense that is loaded. */
export interface ScratchReady {
  /** Migrations that were applied. */
  readonly applied: readonly string[];
  readonly patterns: readonly PatternFinding[];
  /** Why `series` of its module is not used; null: nothing is wrong with it. */
  readonly fault: Problem | null;
}

export interface ScratchSeat extends ScratchSense {
  /** The copy of its database. */
  readonly database: string;
}

export const NEVER_LOADED = `did not finish loading within ${formatDuration(LOAD_HARD_MS)}: its top level never yields`;
/** More rows than one compute is let to write: nothing has to be acknowledged. */
export const SCRATCH_LOG_CREDIT = 10_000;

/** A worker of `config` that keeps in `folder` what it writes. */
export const scratchCommand = (role: string, folder: ScratchFolder, { data, file }: NerveConfig): WorkerCommand => ({
  command: ownCommand(role),
  env: workerEnvironment(process.env, folder.path, existsSync(data) ? socketPath(data) : join(data, SOCKET_NAME)),
  cwd: dirname(file),
});

/** The databases of the configured senses, which a worker can only read. */
export const realPeers = ({ data, senses }: NerveConfig): PeerFiles => peerFiles(data, senses.keys());

/** Copies the sense's database into the folder `room` of `folder`, which has no copy of it yet. */
export function seatOf(folder: ScratchFolder, room: string, about: ScratchSense): Result<ScratchSeat, Problem> {
  const { config, sense } = about;
  const database = join(folder.folder(room), `${sense.name}.db`);
  const copied = copyDatabase(senseDatabase(config.data, sense.name), database);
  return copied.ok ? ok({ ...about, database }) : copied;
}

/** The first message of a worker for these senses of one config. */
export function initOf(seats: readonly [ScratchSeat, ...ScratchSeat[]], generation: number): ParentMessage {
  const [{ config, blobs, database: first }] = seats;
  return {
    type: "init",
    generation,
    senses: seats.map(({ sense, module, database, patterns }) => ({
      name: sense.name,
      folder: module,
      use: sense.use,
      database,
      options: sense.with ?? {},
      timeoutMs: limitsOf(sense).timeoutMs,
      durability: "normal",
      outboxTaken: 0,
      inbox: sense.inbox === null ? null : { origins: [], taken: null },
      patterns: [...patterns],
    })),
    peers: realPeers(config),
    blobs,
    lock: `${first}.lock`,
    logCredit: SCRATCH_LOG_CREDIT,
  };
}

/** What a worker says of a sense it has loaded, or why it has not. */
export const readyOf = (
  seat: ScratchSeat,
  { problem: found, applied, patterns, watch, fault }: WorkerMessageOf<"ready">["senses"][number],
): Result<ScratchReady, Problem> => {
  if (found !== null) return err(placed(seat, found));
  const idle = watch.length > 0 ? null : watchless(seat);
  if (idle !== null) return err(idle);
  return ok({ applied, patterns, fault: fault === null ? null : placed(seat, fault) });
};

/** A reflex waits for what the module watches, and the module watches nothing. */
function watchless({ config, sense, module }: ScratchSeat): Problem | null {
  const waits = (reflex: ReflexConfig): boolean =>
    reflex.kind === "sense" && reflex.sense === sense.name && isWatching(reflex, "module");
  const reflex = config.reflexes.find(waits);
  if (reflex === undefined) return null;
  const message = `\`watch: true\` of reflex \`${reflex.name}\` wakes nothing: the module exports no \`watch\``;
  const hint = "write `export const watch = () => ({ kernel: true })`, or remove `watch`";
  return problem("missing-export", message, hint, module === null ? null : join(module, "index.ts"));
}

/** Names of the copy mean nothing to a reader: the originals do. A migration is a file of the module. */
function placed({ config, sense, module, database }: ScratchSeat, found: Problem): Problem {
  const original = senseDatabase(config.data, sense.name);
  const named = (text: string): string => text.replaceAll(database, original);
  const isMigration = found.file?.endsWith(".sql") === true && !found.file.includes("/");
  const file = isMigration && module !== null ? join(module, "migrations", found.file ?? "") : found.file;
  return {
    ...found,
    message: named(found.message),
    file: file === null || (isMigration && module === null) ? null : named(file),
  };
}
