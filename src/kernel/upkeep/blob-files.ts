/** Owns the files of `data/blobs`: their list, their age, and their removal. */
import type { Dirent, Stats } from "node:fs";
import { join } from "node:path";
import type { World } from "../world.ts";

/** File times and the clock differ by at most this much, unless somebody set one of them. */
const AHEAD_MS = 60_000;

const PREFIX = /^[0-9a-f]{2}$/;
const REST = /^[0-9a-f]{62}$/;
/** An unfinished file of a put that died. */
const UNFINISHED = /^[0-9a-f]{62}\.[0-9a-f]{12}\.tmp$/;
/**
 * The ending of a file that is being removed. A kernel that died at that moment had not taken its last look at the file.
 */
const LEAVING = ".leaving";

export interface Swept {
  blobs: number;
  unfinished: number;
  bytes: number;
}

export type BlobFile =
  | { readonly kind: "blob"; readonly digest: string }
  /** An unfinished file of a put that died. */
  | { readonly kind: "unfinished"; readonly path: string }
  /** A file that is being removed. */
  | { readonly kind: "leaving"; readonly path: string };

type BlobWorld = Pick<World, "clock" | "files">;

export class BlobFiles {
  /** `data/blobs/sha256`. */
  readonly #folder: string;
  readonly #world: BlobWorld;
  readonly #youngMs: number;

  constructor(folder: string, world: BlobWorld, youngMs: number) {
    this.#folder = folder;
    this.#world = world;
    this.#youngMs = youngMs;
  }

  /** The first two digits of all digests. */
  prefixes(): string[] {
    const folders = this.#entriesOf(this.#folder).filter((entry) => entry.isDirectory() && PREFIX.test(entry.name));
    return folders.map(({ name }) => name);
  }

  /** The files that nerve wrote. Any other file is left alone. */
  filesOf(prefix: string): BlobFile[] {
    const files = this.#entriesOf(join(this.#folder, prefix)).filter((entry) => entry.isFile());
    return files.flatMap(({ name }): BlobFile[] => {
      const path = join(this.#folder, prefix, name);
      if (name.endsWith(LEAVING)) return [{ kind: "leaving", path }];
      if (UNFINISHED.test(name)) return [{ kind: "unfinished", path }];
      return REST.test(name) ? [{ kind: "blob", digest: prefix + name }] : [];
    });
  }

  has(digest: string): boolean {
    return this.#world.files.stats(this.#pathOf(digest)) !== null;
  }

  #pathOf(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest.slice(2));
  }

  /** Renames the file aside first. A later `put` finds no file and writes it; an earlier `put` has made it young. */
  remove(digest: string, swept: Swept): boolean {
    const { files } = this.#world;
    const path = this.#pathOf(digest);
    if (!this.#isOld(path)) return false;
    const aside = path + LEAVING;
    files.rename(path, aside);
    const stats = files.stats(aside);
    if (stats === null || !this.#isOldAt(stats)) {
      this.bringBack(aside);
      return false;
    }
    files.remove(aside);
    swept.blobs++;
    swept.bytes += stats.size;
    return true;
  }

  bringBack(aside: string): void {
    const { files } = this.#world;
    const path = aside.slice(0, -LEAVING.length);
    if (files.stats(path) === null) files.rename(aside, path);
    else files.remove(aside);
  }

  removeUnfinished(path: string, swept: Swept): void {
    if (!this.#isOld(path)) return;
    swept.bytes += this.#world.files.stats(path)?.size ?? 0;
    swept.unfinished++;
    this.#world.files.remove(path);
  }

  /**
   * False also for a file that is gone. A file from the future was written before the clock was set, so its day begins now.
   */
  #isOld(path: string): boolean {
    const stats = this.#world.files.stats(path);
    if (stats === null) return false;
    const now = this.#world.clock.wallMs();
    if (stats.mtimeMs > now + AHEAD_MS) this.#world.files.touch(path, now);
    return this.#isOldAt(stats);
  }

  #isOldAt({ mtimeMs }: Stats): boolean {
    return this.#world.clock.wallMs() - mtimeMs >= this.#youngMs;
  }

  /** Empty where there is no such folder. */
  #entriesOf(folder: string): Dirent[] {
    const { files } = this.#world;
    if (files.stats(folder)?.isDirectory() !== true) return [];
    try {
      return files.list(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }
}
