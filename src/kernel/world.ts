/**
 * Owns everything that the kernel takes from outside, beside SQLite: clocks, timers, turns of the event loop, chance,
 * workers, files, the configuration, and whoever speaks to the kernel. The real world is `host/real-world.ts`. A test gives
 * another world.
 */
import type { Chance } from "../base/chance.ts";
import type { Clock } from "../base/clock.ts";
import type { Files } from "../base/files.ts";
import type { Result } from "../base/result.ts";
import type { Secrets } from "../base/secrets.ts";
import type { Alarm } from "../base/timer.ts";
import type { Turns } from "../base/turns.ts";
import type { Acts } from "../control/acts.ts";
import type { Looks } from "../control/looks.ts";
import type { NerveConfig, WorkflowConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import type { Location, Locations } from "../spawn/modules-on-disk.ts";
import type { Spawn } from "../spawn/worker-process.ts";
import type { StoreDamaged } from "../store/damage.ts";

export interface World {
  readonly clock: Clock;
  readonly alarm: Alarm;
  readonly turns: Turns;
  readonly chance: Chance;
  readonly files: Files;
  readonly modules: ModuleFinder;
  readonly spawn: Spawn;
  /** A watch over paths outside the data directory `data`. */
  watchPaths(data: string): PathWatch;
  /** Resident bytes of a process and its descendants. */
  heldBytes(pid: number): number;
}

/** A path of the host whose changes wake a sense. */
export interface WatchedPath {
  /** Whose path it is. Several paths may have the same. */
  readonly id: string;
  /** Absolute. */
  readonly path: string;
  /** Null: a file. Else the names that matter in a folder, `*` for all. */
  readonly match: string | null;
}

/** What was seen since the last question. */
export interface PathNews {
  /** Ids of paths that have changed, or may have. */
  readonly changed: ReadonlySet<string>;
  /** What cannot be seen. The same words may come again. */
  readonly limits: readonly WatchLimit[];
}

export interface WatchLimit {
  /** Of the path, as `WatchedPath` has it; null: of every path. */
  readonly id: string | null;
  readonly text: string;
}

/** Watches paths of the host. A path that is new is among the changed ones once it is watched. */
export interface PathWatch {
  /** Watches these paths, in the place of those before. */
  watch(paths: readonly WatchedPath[]): void;
  /** Never waits. */
  news(): PathNews;
  /** The folders in which the host keeps the journal of systemd. */
  journalFolders(): readonly string[];
  stop(): void;
}

/** Finds modules and their present files. */
export interface ModuleFinder {
  senses(config: NerveConfig): Locations;
  workflows(config: NerveConfig): Locations;
  workflow(config: NerveConfig, workflow: WorkflowConfig): Result<Location, Problem>;
}

/** What a whole daemon takes from outside besides. */
export interface DaemonWorld extends World {
  readonly pid: number;
  readConfig(): Result<NerveConfig, readonly Problem[]>;
  /** Offers people the kernel. */
  listen(data: string, looks: Looks, acts: Acts, secrets: Secrets): Listener;
  /** Watches `data`. Its present state is the good state. */
  watch(data: string): Watch;
  /** The process that keeps the kernel from writing `database`, in words. Empty where none is found. */
  describeWriter(database: string): string;
  readonly notify: ServiceManager;
}

export interface Listener {
  stop(): Promise<void>;
}

export interface Watch {
  /** The problem of a lost directory, or null. */
  lost(): Problem | null;
  /** The damage of a logs.db that is in its place. Null without damage. */
  damage(): StoreDamaged | null;
  /** Must be called once the store is closed. */
  stop(): void;
  /** The control socket is gone. Nothing is lost with it, and it can be made anew. */
  readonly isSocketGone: boolean;
  /** The control socket was made anew. */
  socketRenewed(): void;
}

/** The program that started the daemon as a service. */
export interface ServiceManager {
  /** `READY=1`, `STATUS=…`: one assignment a line. */
  send(...assignments: string[]): void;
  /** `RELOADING=1`, stamped with the system's monotonic clock as systemd asks. */
  reloading(): void;
  /** Milliseconds within which a `WATCHDOG=1` is wanted, or null. */
  readonly watchdogMs: number | null;
}
