/**
 * Room held back for a full disk: a file of blocks that are really allocated, in the data directory. When a commit finds
 * no room it is let go, so that what waits, checkpoints and retention have some. Who decides when is {@link Space}.
 */
import { randomBytes } from "node:crypto";
import { constants, lstatSync, unlinkSync } from "node:fs";
import { open } from "node:fs/promises";

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const CHUNK_BYTES = 256 * 1024;
/** What stat(2) counts blocks in, whatever the file system's own are. */
const STAT_BLOCK_BYTES = 512;

function isWhole(file: string, bytes: number): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size === bytes && stats.blocks * STAT_BLOCK_BYTES >= bytes;
}

/** True when something was removed. */
function remove(file: string): boolean {
  try {
    unlinkSync(file);
    return true;
  } catch {
    // None there, or it cannot be: then there is no ballast, which is nothing to die of.
    return false;
  }
}

export class Ballast {
  readonly file: string;
  readonly bytes: number;
  #held: boolean;
  #making: symbol | null = null;

  /** One that an earlier kernel left whole is taken over. */
  constructor(file: string, bytes: number) {
    this.file = file;
    this.bytes = bytes;
    this.#held = isWhole(file, bytes);
  }

  get held(): boolean {
    return this.#held;
  }

  /** Writes it piece by piece beside other work, all of it or nothing. Resolves to whether it is there. */
  async make(): Promise<boolean> {
    if (this.#held || this.#making !== null) return this.#held;
    const mine = Symbol();
    this.#making = mine;
    try {
      remove(this.file);
      await this.#write(() => this.#making === mine);
      this.#held = this.#making === mine;
      // Released before there was a file to remove.
      if (this.#making === null) remove(this.file);
    } catch {
      // No room for it after all. What was released meanwhile is gone already.
      if (this.#making === mine) remove(this.file);
    }
    if (this.#making === mine) this.#making = null;
    return this.#held;
  }

  async #write(goOn: () => boolean): Promise<void> {
    // A file system that compresses would make next to nothing of zeros.
    const chunk = randomBytes(Math.min(CHUNK_BYTES, this.bytes));
    const handle = await open(this.file, NEW_FILE, 0o600);
    try {
      for (let left = this.bytes; left > 0 && goOn(); ) {
        left -= (await handle.write(chunk, 0, Math.min(left, chunk.length))).bytesWritten;
      }
    } finally {
      await handle.close();
    }
  }

  /** Gives its room back, also what is in the making. True when there was some. */
  release(): boolean {
    const some = this.#held || this.#making !== null;
    this.#held = false;
    this.#making = null;
    return some && remove(this.file);
  }
}
