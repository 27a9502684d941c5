/**
 * Owns the room on the file system of the data directory. When room is low nothing new is begun, so that runs, computes and
 * retention have the rest. Once there is enough again, nerve goes on by itself. Two marks, far apart, keep it from
 * wavering. A commit that found no room gets the room of the ballast.
 */
import { join } from "node:path";
import type { Room } from "../../base/files.ts";
import { formatSize } from "../../base/size.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";
import { Ballast } from "./ballast.ts";

const MB = 1024 ** 2;
const LEAST_BALLAST_BYTES = 256 * 1024;
const MOST_BALLAST_BYTES = 16 * MB;
const BLOCK_BYTES = 4096;

const LOOK_EVERY_MS = 5_000;
/** The interval while something is wrong, or may soon be, or while there is no ballast. */
const LOOK_AGAIN_MS = 1_000;
/** After the last need of a ballast, or a failed try to make one, no new ballast is made for this long. */
const CALM_MS = 10_000;
const AFTER_START_MS = 2_000;

/** SQLite does not report a full disk when the index of the WAL, or a file, finds no room. */
const MAY_BE_FULL = /^SQLITE_(IOERR|CANTOPEN)/;

export interface Marks {
  readonly ballastBytes: number;
  /** Less room than this is low. */
  readonly lowBytes: number;
  /** Room stays low until there is this much again. */
  readonly enoughBytes: number;
}

/** The marks by the size of the file system: a small one is no reason to hold back, and a share of a large one is a lot. */
export function marksFor(totalBytes: number): Marks {
  const share = Math.floor(totalBytes / 100 / BLOCK_BYTES) * BLOCK_BYTES;
  const ballastBytes = Math.min(MOST_BALLAST_BYTES, Math.max(LEAST_BALLAST_BYTES, share));
  return {
    ballastBytes,
    lowBytes: Math.min(2 * ballastBytes, totalBytes / 16),
    enoughBytes: Math.min(4 * ballastBytes, totalBytes / 8),
  };
}

export interface LowSpace {
  readonly folder: string;
  readonly freeBytes: number;
  readonly enoughBytes: number;
}

export interface SpaceParts {
  /** The data directory. */
  readonly folder: string;
  readonly world: Pick<World, "files" | "chance">;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly store: Store;
  /** Called when there is too little room from now on, and when there is enough again (null). */
  readonly changed: (low: LowSpace | null) => void;
}

export class Space {
  readonly ballast: Ballast;
  readonly #parts: SpaceParts;
  readonly #marks: Marks;
  #low: LowSpace | null = null;
  #next: Handle | null = null;
  #calming = false;
  #stopped = false;

  constructor(parts: SpaceParts) {
    this.#parts = parts;
    this.#marks = marksFor(parts.world.files.room(parts.folder)?.totalBytes ?? 0);
    this.ballast = new Ballast(parts.world, join(parts.folder, "ballast"), this.#marks.ballastBytes);
    // The pages of the WAL must find room in the database before the WAL begins anew. The ballast must be enough for that.
    parts.store.checkpointAbove(this.#marks.ballastBytes / 4);
  }

  /** True while there is too little room to begin anything new. */
  get low(): boolean {
    return this.#low !== null;
  }

  /** A sentence for people. Null while there is enough room. */
  get trouble(): string | null {
    return this.#low === null ? null : describeLowSpace(this.#low);
  }

  /** Looks at once, and then every few seconds. The ballast waits until the start of the kernel is over. */
  start(): void {
    this.#calmDown(AFTER_START_MS);
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
  }

  /** A commit failed with `code`. True when room was made for another try. */
  refused(code: string): boolean {
    const room = this.#parts.world.files.room(this.#parts.folder);
    const isLow = room !== null && room.totalBytes > 0 && room.freeBytes < this.#marks.lowBytes;
    if (code !== "SQLITE_FULL" && !(isLow && MAY_BE_FULL.test(code))) return false;
    const made = this.#makeRoom();
    if (room !== null && room.freeBytes < this.#marks.enoughBytes) this.#enter(room);
    return made;
  }

  #makeRoom(): boolean {
    const released = this.ballast.release();
    if (released) this.#calmDown(CALM_MS);
    // Pages that are back in the database let the WAL begin anew instead of growing.
    this.#parts.store.checkpoint();
    return released;
  }

  #look(): void {
    if (this.#stopped) return;
    const { folder, world, ledger } = this.#parts;
    const room = world.files.room(folder);
    if (room !== null && room.totalBytes > 0) this.#judge(room);
    const isNear = room !== null && room.freeBytes < 2 * this.#marks.enoughBytes;
    const isWell = !isNear && !this.low && !ledger.troubled && this.ballast.held;
    const afterMs = isWell ? LOOK_EVERY_MS : LOOK_AGAIN_MS;
    this.#next = this.#parts.ticker.look(afterMs, () => this.#look());
  }

  #judge(room: Room): void {
    const { ledger } = this.#parts;
    const { lowBytes, enoughBytes, ballastBytes } = this.#marks;
    if (this.low) {
      if (this.#isEnough(room, enoughBytes, lowBytes / 2)) this.#leave();
      else {
        this.#enter(room);
        // A database gives no room back to the disk. The room that retention has freed in it is of use beside the ballast's
        // room.
        if (this.#isEnough(room, enoughBytes, 0)) this.#makeRoom();
      }
    } else if (!this.#isEnough(room, lowBytes, lowBytes / 4)) this.#enter(room);
    if (ledger.troubled && room.freeBytes < lowBytes && this.#makeRoom()) ledger.flush();
    const wanted = !this.low && !ledger.troubled && !this.ballast.held && !this.#calming;
    if (wanted && room.freeBytes >= enoughBytes + ballastBytes) this.#makeBallast();
  }

  /** Pages that retention has freed in the store count as room too. All other writes still need `leastBytes`. */
  #isEnough({ freeBytes }: Room, bytes: number, leastBytes: number): boolean {
    if (freeBytes >= bytes) return true;
    return freeBytes >= leastBytes && freeBytes + this.#parts.store.reusableBytes() >= bytes;
  }

  #enter({ freeBytes }: Room): void {
    const isNew = this.#low === null;
    this.#low = { folder: this.#parts.folder, freeBytes, enoughBytes: this.#marks.enoughBytes };
    if (isNew) this.#parts.changed(this.#low);
  }

  #leave(): void {
    this.#low = null;
    this.#parts.changed(null);
  }

  #makeBallast(): void {
    void this.ballast.make().then((made) => {
      if (!made) this.#calmDown(CALM_MS);
    });
  }

  #calmDown(ms: number): void {
    if (this.#calming) return;
    this.#calming = true;
    this.#parts.ticker.after(ms, () => {
      this.#calming = false;
    });
  }
}

export const describeLowSpace = ({ folder, freeBytes, enoughBytes }: LowSpace): string =>
  `the file system of ${folder} is nearly full, ${formatSize(freeBytes)} are left: nothing new is computed until there are ${formatSize(enoughBytes)}; free some room on it, or keep less (\`retention\`)`;
