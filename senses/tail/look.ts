/** The names of a folder as they were at one moment, and the files behind them; and of the folders that links lead into. */
import { basename, dirname, join } from "node:path";
import { type Entry, entryAt, namesIn, orRefused, Refused } from "./folder.ts";
import { isChosen, isFormer } from "./names.ts";

const ATTEMPTS = 3;

/** Where a log is, and the pattern of its name: its rotated files are beside it. */
export interface Site {
  readonly folder: string;
  readonly pattern: string;
}

/** What is looked for by its number. */
interface Sought {
  readonly path: string;
  readonly identity: string;
  readonly target: string | null;
}

export class Look {
  /** By the names of files of which not even the size may be known: links into a closed folder. */
  readonly refused = new Map<string, Refused>();
  readonly #site: Site;
  readonly #names: ReadonlySet<string>;
  readonly #entries = new Map<string, Entry | null>();
  /** Where links lead to, by the path behind the link. */
  readonly #beyond = new Map<string, Site>();
  #others: Promise<readonly Entry[]> | null = null;

  private constructor(site: Site, names: readonly string[]) {
    this.#site = site;
    this.#names = new Set(names);
  }

  static async at(site: Site, sought: readonly Sought[]): Promise<Look> {
    const look = new Look(site, await namesIn(site.folder));
    for (const { target } of [...sought, ...(await look.chosen())]) {
      if (target !== null) look.#beyond.set(target, { folder: dirname(target), pattern: basename(target) });
    }
    return look;
  }

  async named(name: string): Promise<Entry | null> {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const found = this.#names.has(name) ? await orRefused(entryAt(this.#site.folder, name)) : null;
    if (found instanceof Refused) this.refused.set(name, found);
    const entry = found instanceof Refused ? null : found;
    this.#entries.set(name, entry);
    return entry;
  }

  /** Those whose names the path chooses. */
  chosen(): Promise<readonly Entry[]> {
    return this.#those([...this.#names].filter((name) => isChosen(name, this.#site.pattern)));
  }

  /** Of the folder, and of those that links lead into. */
  async all(): Promise<readonly Entry[]> {
    this.#others ??= this.#inOthers();
    return [...(await this.#those([...this.#names])), ...(await this.#others)];
  }

  /** Whether a file has the name of a rotated log. */
  isFormer({ path, name }: Entry): boolean {
    const sites = [this.#site, ...this.#beyond.values()];
    return sites.some(({ folder, pattern }) => join(folder, name) === path && isFormer(name, pattern));
  }

  /** A file under its last name, or under another. */
  async find({ path, identity }: Sought): Promise<Entry | null> {
    const there = await this.named(basename(path));
    if (there?.identity === identity) return there;
    return (await this.all()).find((entry) => entry.identity === identity) ?? null;
  }

  async #those(names: readonly string[]): Promise<readonly Entry[]> {
    return (await Promise.all(names.map((name) => this.named(name)))).filter((entry) => entry !== null);
  }

  /** A folder that may not be read has no names. */
  async #inOthers(): Promise<readonly Entry[]> {
    const folders = new Set([...this.#beyond.values()].map(({ folder }) => folder));
    folders.delete(this.#site.folder);
    const entries: Entry[] = [];
    for (const folder of folders) {
      const names = await orRefused(namesIn(folder));
      if (names instanceof Refused) continue;
      for (const found of await Promise.all(names.map((name) => orRefused(entryAt(folder, name))))) {
        if (found !== null && !(found instanceof Refused)) entries.push(found);
      }
    }
    return entries;
  }
}

/** A file that is renamed while the names are read is in none of them: it is looked for again before it counts as gone. */
export async function lookAround(sought: readonly Sought[], site: Site): Promise<Look> {
  for (let attempt = 1; ; attempt++) {
    const look = await Look.at(site, sought);
    const found = await Promise.all(sought.map((file) => look.find(file)));
    if (attempt === ATTEMPTS || !found.includes(null)) return look;
  }
}
