/** The names of one folder as they were at one moment, and the files behind them. */
import { basename } from "node:path";
import { type Entry, entryAt, namesIn, orRefused, Refused } from "./folder.ts";
import { isChosen } from "./names.ts";

const ATTEMPTS = 3;

export class Look {
  /** By the names of files of which not even the size may be known: links into a closed folder. */
  readonly refused = new Map<string, Refused>();
  readonly #folder: string;
  readonly #names: ReadonlySet<string>;
  readonly #entries = new Map<string, Entry | null>();

  private constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = new Set(names);
  }

  static async in(folder: string): Promise<Look> {
    return new Look(folder, await namesIn(folder));
  }

  async at(name: string): Promise<Entry | null> {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const found = this.#names.has(name) ? await orRefused(entryAt(this.#folder, name)) : null;
    if (found instanceof Refused) this.refused.set(name, found);
    const entry = found instanceof Refused ? null : found;
    this.#entries.set(name, entry);
    return entry;
  }

  async chosen(pattern: string): Promise<readonly Entry[]> {
    return this.#those([...this.#names].filter((name) => isChosen(name, pattern)));
  }

  all(): Promise<readonly Entry[]> {
    return this.#those([...this.#names]);
  }

  /** A file under its last name, or under another of its folder. */
  async find({ path, identity }: Sought): Promise<Entry | null> {
    const there = await this.at(basename(path));
    if (there?.identity === identity) return there;
    return (await this.all()).find((entry) => entry.identity === identity) ?? null;
  }

  async #those(names: readonly string[]): Promise<readonly Entry[]> {
    return (await Promise.all(names.map((name) => this.at(name)))).filter((entry) => entry !== null);
  }
}

interface Sought {
  readonly path: string;
  readonly identity: string;
}

/** A file that is renamed while the names are read is in none of them: it is looked for again before it counts as gone. */
export async function lookAround(sought: readonly Sought[], folder: string): Promise<Look> {
  for (let attempt = 1; ; attempt++) {
    const look = await Look.in(folder);
    const places = await Promise.all(sought.map((file) => look.find(file)));
    if (attempt === ATTEMPTS || !places.includes(null)) return look;
  }
}
