/**
 * Owns room that is held back for a full disk: a file of allocated blocks in the data directory. When a commit finds no
 * room, the file goes, so that waiting entries, checkpoints and retention have room. {@link Space} decides when.
 */
import type { Files } from "../../base/files.ts";
import type { World } from "../world.ts";

const CHUNK_BYTES = 256 * 1024;
/** The unit of blocks in stat(2), on every file system. */
const STAT_BLOCK_BYTES = 512;

function isWhole(files: Files, file: string, bytes: number): boolean {
  const stats = files.stats(file);
  return stats?.isFile() === true && stats.size === bytes && stats.blocks * STAT_BLOCK_BYTES >= bytes;
}

/** True when a file was removed. */
function remove(files: Files, file: string): boolean {
  try {
    files.remove(file);
    return true;
  } catch {
    // There is no file, or it cannot be removed: then there is no ballast, and nerve goes on.
    return false;
  }
}

type BallastWorld = Pick<World, "files" | "chance">;

export class Ballast {
  readonly file: string;
  readonly bytes: number;
  readonly #world: BallastWorld;
  #held: boolean;
  #making: symbol | null = null;

  /** Takes over a whole ballast of an earlier kernel. */
  constructor(world: BallastWorld, file: string, bytes: number) {
    this.#world = world;
    this.file = file;
    this.bytes = bytes;
    this.#held = isWhole(world.files, file, bytes);
  }

  get held(): boolean {
    return this.#held;
  }

  /** Writes the ballast piece by piece beside other work, all of it or nothing. Resolves to true when it is there. */
  async make(): Promise<boolean> {
    if (this.#held || this.#making !== null) return this.#held;
    const mine = Symbol();
    this.#making = mine;
    try {
      remove(this.#world.files, this.file);
      await this.#write(() => this.#making === mine);
      this.#held = this.#making === mine;
      // The ballast was released before there was a file to remove.
      if (this.#making === null) remove(this.#world.files, this.file);
    } catch {
      // There is no room for it. A ballast that was released meanwhile is gone already.
      if (this.#making === mine) remove(this.#world.files, this.file);
    }
    if (this.#making === mine) this.#making = null;
    return this.#held;
  }

  async #write(goOn: () => boolean): Promise<void> {
    // A file system that compresses would store almost nothing for zeros.
    const chunk = this.#world.chance.bytes(Math.min(CHUNK_BYTES, this.bytes));
    const file = await this.#world.files.create(this.file);
    try {
      for (let left = this.bytes; left > 0 && goOn(); ) {
        left -= await file.write(left < chunk.length ? chunk.subarray(0, left) : chunk, 0);
      }
      // Nobody reads it, and a memory limit of the kernel would count it.
      if (goOn()) await file.letGo();
    } finally {
      await file.close();
    }
  }

  /** Gives the room back, also of an unfinished ballast. True when there was some. */
  release(): boolean {
    const some = this.#held || this.#making !== null;
    this.#held = false;
    this.#making = null;
    return some && remove(this.#world.files, this.file);
  }
}
