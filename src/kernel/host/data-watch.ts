/**
 * Owns the watch over the data directory: it was removed, or replaced by another (G2, G9). Later commits would be in files
 * that nobody can open, and a second kernel could run on the same path. A logs.db that was cut off or written over is
 * damage.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { FileWatch } from "../../base/file-watch.ts";
import { SOCKET_NAME } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { RESTORE, StoreDamaged } from "../../store/damage.ts";
import type { Watch } from "../world.ts";

/** These must stay the same files: the folder, the lock, and logs.db with its newest commits. */
const KEPT = ["", join("locks", "kernel.lock"), "logs.db", "logs.db-wal"];

type Identity = string | null;

/**
 * Null where there is no such file. Undefined where the operating system does not answer: then nothing counts as changed.
 */
function identityOf(file: string): Identity | undefined {
  try {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
  } catch {
    return undefined;
  }
}

/** The first bytes of a database do not change while it is open: its magic, page size and versions. */
const FIRST_BYTES = 24;

/** Reads the beginning of a file through one descriptor. */
class FileHead {
  // Never closed while the store is open: that would let go of every lock which SQLite has on the file. Source: fcntl(2).
  readonly #descriptor: number | null;
  readonly #known: string;

  constructor(file: string) {
    this.#descriptor = statSync(file, { throwIfNoEntry: false }) === undefined ? null : openSync(file, "r");
    this.#known = this.#read();
  }

  #read(): string {
    if (this.#descriptor === null) return "";
    const bytes = Buffer.alloc(FIRST_BYTES);
    const read = readSync(this.#descriptor, bytes, 0, FIRST_BYTES, 0);
    return bytes.toString("latin1", 0, read);
  }

  get isOther(): boolean {
    return this.#known.length === FIRST_BYTES && this.#read() !== this.#known;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
  }
}

export class DataWatch implements Watch {
  readonly #log: FileWatch;
  readonly #head: FileHead;
  readonly #socket: string;
  #socketIdentity: Identity | undefined;
  readonly #known: readonly (readonly [file: string, identity: Identity | undefined])[];

  /** The present state of `data` is the good state. */
  constructor(data: string) {
    const log = join(data, "logs.db");
    this.#log = new FileWatch(log);
    this.#head = new FileHead(log);
    this.#socket = join(data, SOCKET_NAME);
    this.#socketIdentity = identityOf(this.#socket);
    this.#known = KEPT.map((name) => join(data, name)).map((file) => [file, identityOf(file)]);
  }

  /** The problem of a lost directory, or null. */
  lost(): Problem | null {
    for (const [file, identity] of this.#known) {
      const found = identityOf(file);
      if (typeof identity !== "string" || found === undefined || found === identity) continue;
      const message = `${file} ${found === null ? "was removed" : "was replaced by another"} while nerve ran, so what it commits may be lost: nerve ends`;
      return problem(
        "data-lost",
        message,
        "start nerve anew once `data` is as it should be; stop nerve before touching it",
      );
    }
    return null;
  }

  /**
   * The damage of a logs.db that is in its place, and was cut off or written over: no commit may follow. Null without
   * damage.
   */
  damage(): StoreDamaged | null {
    const isCut = this.#log.lost() === "was cut off";
    if (!isCut && !this.#head.isOther) return null;
    const how = isCut ? "was cut off" : "was written over";
    return new StoreDamaged(this.#log.file, `the file ${how} while nerve ran: nerve ends`, RESTORE);
  }

  /** Must be called once the store is closed. */
  stop(): void {
    this.#head.close();
  }

  /** The control socket is gone. Nothing is lost with it, and it can be made anew. */
  get isSocketGone(): boolean {
    return typeof this.#socketIdentity === "string" && identityOf(this.#socket) === null;
  }

  /** The control socket was made anew. */
  socketRenewed(): void {
    this.#socketIdentity = identityOf(this.#socket);
  }
}
