/** The files of `data/blobs`: which there are, how old, and how one goes. */
import { type Dirent, lstatSync, lutimesSync, readdirSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";

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

export class BlobFiles {
  /** `data/blobs/sha256`. */
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #youngMs: number;

  constructor(folder: string, clock: Clock, youngMs: number) {
    this.#folder = folder;
    this.#clock = clock;
    this.#youngMs = youngMs;
  }

  /** The first two digits of digests there are. */
  prefixes(): string[] {
    const folders = entriesOf(this.#folder).filter((entry) => entry.isDirectory() && PREFIX.test(entry.name));
    return folders.map(({ name }) => name);
  }

  /** What nerve wrote there; anything else is left alone. */
  filesOf(prefix: string): BlobFile[] {
    const files = entriesOf(join(this.#folder, prefix)).filter((entry) => entry.isFile());
    return files.flatMap(({ name }): BlobFile[] => {
      const path = join(this.#folder, prefix, name);
      if (name.endsWith(LEAVING)) return [{ kind: "leaving", path }];
      if (UNFINISHED.test(name)) return [{ kind: "unfinished", path }];
      return REST.test(name) ? [{ kind: "blob", digest: prefix + name }] : [];
    });
  }

  has(digest: string): boolean {
    return lstatSync(this.#pathOf(digest), { throwIfNoEntry: false }) !== undefined;
  }

  #pathOf(digest: string): string {
    return join(this.#folder, digest.slice(0, 2), digest.slice(2));
  }

  /** Aside first: a `put` after that finds no file and writes it, one before that has made it young. */
  remove(digest: string, swept: Swept): boolean {
    const path = this.#pathOf(digest);
    if (!this.#isOld(path)) return false;
    const aside = path + LEAVING;
    renameSync(path, aside);
    const stats = lstatSync(aside);
    if (!this.#isOldAt(stats)) {
      this.bringBack(aside);
      return false;
    }
    unlinkSync(aside);
    swept.blobs++;
    swept.bytes += stats.size;
    return true;
  }

  bringBack(aside: string): void {
    const path = aside.slice(0, -LEAVING.length);
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) renameSync(aside, path);
    else unlinkSync(aside);
  }

  removeUnfinished(path: string, swept: Swept): void {
    if (!this.#isOld(path)) return;
    swept.bytes += lstatSync(path).size;
    swept.unfinished++;
    unlinkSync(path);
  }

  /** False for one that is gone, too. One from the future was written before the clock was set: its day begins now. */
  #isOld(path: string): boolean {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return false;
    const now = this.#clock.wallMs();
    if (stats.mtimeMs > now + AHEAD_MS) lutimesSync(path, now / 1000, now / 1000);
    return this.#isOldAt(stats);
  }

  #isOldAt({ mtimeMs }: Stats): boolean {
    return this.#clock.wallMs() - mtimeMs >= this.#youngMs;
  }
}

/** Nothing when there is no such folder. */
function entriesOf(folder: string): Dirent[] {
  try {
    if (!lstatSync(folder).isDirectory()) return [];
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
