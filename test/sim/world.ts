/** The world as one simulated kernel has it: the machine's clocks, scripted workers, and a disk that can fail. */
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  type Stats,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import type { Files, NewFile } from "../../src/base/files.ts";
import type { Result } from "../../src/base/result.ts";
import type { Acts } from "../../src/control/acts.ts";
import type { Looks } from "../../src/control/looks.ts";
import type { DaemonWorld } from "../../src/kernel/world.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { type Problem, problem } from "../../src/model/problem.ts";
import type { Location } from "../../src/spawn/modules-on-disk.ts";
import type { Spawn } from "../../src/spawn/worker-process.ts";
import type { Happening, Machine, Party } from "./machine.ts";
import type { WatchedHost } from "./paths.ts";
import { Crash } from "./store.ts";

const MB = 1024 ** 2;
const FOUND: Result<Location, Problem> = { ok: true, value: { folder: null, print: "" } };

/** How the disk is. */
export interface Disk {
  freeBytes: number;
  /** What is written beside SQLite fails with this; null: it does not. */
  error: string | null;
}

export const wholeDisk = (): Disk => ({ freeBytes: 10_000 * MB, error: null });

const BALLAST = /\/ballast$/;
const BLOBS = /\/blobs\//;

/** Room that is held back, of which nothing is really written. */
class Ballast {
  isThere = false;
  bytes = 0;

  get stats(): Stats | null {
    const { bytes } = this;
    if (!this.isThere) return null;
    return { isFile: () => true, isDirectory: () => false, size: bytes, blocks: bytes / 512 } as Stats;
  }

  create(): NewFile {
    this.bytes = 0;
    this.isThere = true;
    return {
      write: async (bytes, at) => {
        this.bytes += bytes.length - at;
        return bytes.length - at;
      },
      sync: async () => {},
      syncData: async () => {},
      letGo: async () => {},
      close: async () => {},
    };
  }
}

/** What the kernel does to blobs. */
export interface BlobFate {
  /** The kernel is about to remove a file there; false: it ends at that point. */
  mayRemove(): boolean;
  removed(path: string): void;
}

function filesOn(disk: Disk, blobs: BlobFate): Files {
  const ballast = new Ballast();
  const fail = (): void => {
    if (disk.error !== null) throw Object.assign(new Error(`${disk.error}: the disk`), { code: disk.error });
  };
  const create = async (path: string): Promise<NewFile> => {
    fail();
    if (BALLAST.test(path)) return ballast.create();
    const descriptor = openSync(path, "wx", 0o600);
    return {
      async write(bytes, at) {
        fail();
        return writeSync(descriptor, bytes, at, bytes.length - at);
      },
      async sync() {
        fail();
      },
      async syncData() {
        fail();
      },
      async letGo() {
        fail();
      },
      async close() {
        closeSync(descriptor);
      },
    };
  };
  return {
    stats: (path) =>
      BALLAST.test(path)
        ? ballast.stats
        : BLOBS.test(path)
          ? (lstatSync(path, { throwIfNoEntry: false }) ?? null)
          : null,
    list: (folder) => readdirSync(folder, { withFileTypes: true }),
    rename: renameSync,
    remove(path) {
      if (BALLAST.test(path)) {
        ballast.isThere = false;
        return;
      }
      if (BLOBS.test(path) && !blobs.mayRemove()) throw new Crash();
      unlinkSync(path);
      blobs.removed(path);
    },
    touch: (path, at) => utimesSync(path, at / 1_000, at / 1_000),
    room: () => ({ totalBytes: 20_000 * MB, freeBytes: disk.freeBytes }),
    async removeAside(path) {
      fail();
      unlinkSync(path);
    },
    async renameAside(from, to) {
      fail();
      renameSync(from, to);
    },
    create,
    async syncFolder() {
      fail();
    },
  };
}

export interface WorldParts {
  readonly machine: Machine;
  readonly kernel: Party;
  /** The alarms that are set. */
  readonly alarms: Set<Happening>;
  readonly disk: Disk;
  readonly blobs: BlobFate;
  readonly host: WatchedHost;
  readonly spawn: Spawn;
  readonly heldBytes: (pid: number) => number;
  readonly config: () => NerveConfig | null;
  readonly listens: (acts: Acts, looks: Looks) => void;
}

export function worldOf({
  machine,
  kernel,
  alarms,
  disk,
  blobs,
  host,
  spawn,
  heldBytes,
  config,
  listens,
}: WorldParts): DaemonWorld {
  const files = filesOn(disk, blobs);
  return {
    clock: machine.clock(),
    alarm(delayMs, fire) {
      const alarm = machine.after(delayMs, kernel, () => {
        alarms.delete(alarm);
        fire();
      });
      alarms.add(alarm);
      return () => {
        alarm.isCancelled = true;
        alarms.delete(alarm);
      };
    },
    turns: {
      // A microtask is of this turn, and nothing else comes between.
      atEnd: (act) =>
        queueMicrotask(() => {
          if (!kernel.isOver) act();
        }),
      next: (act) => machine.next(kernel, act),
    },
    chance: {
      share: () => machine.chance(1_000_000) / 1_000_000,
      bytes(count) {
        const bytes = Buffer.alloc(count);
        if (count > 8_192) return bytes;
        for (let at = 0; at + 4 <= count; at += 4) bytes.writeUInt32LE(machine.chance(0x1_0000_0000), at);
        return bytes;
      },
    },
    files,
    modules: {
      senses: ({ senses }) => new Map([...senses.keys()].map((name) => [name, FOUND])),
      workflows: ({ workflows }) => new Map([...workflows.keys()].map((name) => [name, FOUND])),
      workflow: () => FOUND,
    },
    spawn,
    watchPaths: () => host.watch(),
    heldBytes,
    pid: 1,
    readConfig() {
      const read = config();
      if (read !== null) return { ok: true, value: read };
      return { ok: false, error: [problem("yaml", "somebody is still typing")] };
    },
    listen(_data, looks, acts) {
      listens(acts, looks);
      return { stop: () => Promise.resolve() };
    },
    watch: () => ({
      lost: () => null,
      damage: () => null,
      stop: () => {},
      isSocketGone: false,
      socketRenewed: () => {},
    }),
    describeWriter: () => "",
    notify: { send: () => {}, reloading: () => {}, watchdogMs: null },
  };
}

/** For a data directory that nobody else holds. */
export const NO_LOCK = { release: () => {} };
