/** The files of `data/blobs`: which there are, how old, and how one goes. */
import type { Dirent, Stats } from "node:fs";
import { join } from "node:path";
import type { World } from "../world.ts";

/** File times and the clock are this far apart at most, while neither was set. */
const AHEAD_MS = 60_000;

const PREFIX = /^[0-9a-f]{2}$/;
const REST = /^[0-9a-f]{62}$/;
/** Half a file of a put that died. */
const UNFINISHED = /^[0-9a-f]{62}\.[0-9a-f]{12}\.tmp$/;
/** A file on its way out: whoever died at that moment had not looked at it for the last time. */
const LEAVING = ".leaving";

export interface Swept {
  blobs: number;
  unfinished: number;
  bytes: number;
}

export type BlobFile =
  | { readonly kind: "blob"; readonly digest: string }
  /** Half a file of a put that died. */
  | { readonly kind: "unfinished"; readonly path: string }
  /** A file on its way out. */
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

  /** The first two digits of digests there are. */
  prefixes(): string[] {
    const folders = this.#entriesOf(this.#folder).filter((entry) => entry.isDirectory() && PREFIX.test(entry.name));
    return folders.map(({ name }) => name);
  }

  /** What nerve wrote there; anything else is left alone. */
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

  /** Aside first: a `put` after that finds no file and writes it, one before that has made it young. */
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

  /** False for one that is gone, too. One from the future was written before the clock was set: its day begins now. */
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

  /** Nothing when there is no such folder. */
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
