/**
 * Room held back for a full disk: a file of blocks that are really allocated, in the data directory. When a commit finds
 * no room it is let go, so that what waits, checkpoints and retention have some. Who decides when is {@link Space}.
 */
import type { Files } from "../../base/files.ts";
import type { World } from "../world.ts";

const CHUNK_BYTES = 256 * 1024;
/** What stat(2) counts blocks in, whatever the file system's own are. */
const STAT_BLOCK_BYTES = 512;

function isWhole(files: Files, file: string, bytes: number): boolean {
  const stats = files.stats(file);
  return stats?.isFile() === true && stats.size === bytes && stats.blocks * STAT_BLOCK_BYTES >= bytes;
}

/** True when something was removed. */
function remove(files: Files, file: string): boolean {
  try {
    files.remove(file);
    return true;
  } catch {
    // None there, or it cannot be: then there is no ballast, which is nothing to die of.
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

  /** One that an earlier kernel left whole is taken over. */
  constructor(world: BallastWorld, file: string, bytes: number) {
    this.#world = world;
    this.file = file;
    this.bytes = bytes;
    this.#held = isWhole(world.files, file, bytes);
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
      remove(this.#world.files, this.file);
      await this.#write(() => this.#making === mine);
      this.#held = this.#making === mine;
      // Released before there was a file to remove.
      if (this.#making === null) remove(this.#world.files, this.file);
    } catch {
      // No room for it after all. What was released meanwhile is gone already.
      if (this.#making === mine) remove(this.#world.files, this.file);
    }
    if (this.#making === mine) this.#making = null;
    return this.#held;
  }

  async #write(goOn: () => boolean): Promise<void> {
    // A file system that compresses would make next to nothing of zeros.
    const chunk = this.#world.chance.bytes(Math.min(CHUNK_BYTES, this.bytes));
    const file = await this.#world.files.create(this.file);
    try {
      for (let left = this.bytes; left > 0 && goOn(); ) {
        left -= await file.write(left < chunk.length ? chunk.subarray(0, left) : chunk, 0);
      }
    } finally {
      await file.close();
    }
  }

  /** Gives its room back, also what is in the making. True when there was some. */
  release(): boolean {
    const some = this.#held || this.#making !== null;
    this.#held = false;
    this.#making = null;
    return some && remove(this.#world.files, this.file);
  }
}
