/**
 * The paths that a simulated kernel watches. They change by chance; what the kernel hears of a change is lost, doubled or late
 * by chance, as inotify may do. An interval has to find what is lost.
 */
import type { PathNews, PathWatch, WatchedPath } from "../../src/kernel/world.ts";

const CHANGES = 400;
const LATEST_LOOKS = 20;

export class SimPathWatch implements PathWatch {
  readonly #chance: (below: number) => number;
  #paths: readonly WatchedPath[] = [];
  /** Ids, and after how many looks the kernel hears of them. */
  #coming: { readonly id: string; looks: number }[] = [];

  constructor(chance: (below: number) => number) {
    this.#chance = chance;
  }

  watch(paths: readonly WatchedPath[]): void {
    const known = new Set(this.#paths.map(({ id, path }) => `${id}\0${path}`));
    for (const { id, path } of paths) if (!known.has(`${id}\0${path}`)) this.#coming.push({ id, looks: 0 });
    this.#paths = paths;
  }

  news(): PathNews {
    for (const { id } of this.#paths) if (this.#chance(CHANGES) === 0) this.#changes(id);
    const changed = new Set(this.#coming.filter(({ looks }) => looks <= 0).map(({ id }) => id));
    this.#coming = this.#coming.filter(({ looks }) => looks > 0);
    for (const one of this.#coming) one.looks--;
    return { changed, limits: [] };
  }

  #changes(id: string): void {
    const fate = this.#chance(10);
    if (fate === 0) return;
    this.#coming.push({ id, looks: fate < 3 ? this.#chance(LATEST_LOOKS) : 0 });
    if (fate === 1) this.#coming.push({ id, looks: 1 });
  }

  journalFolders(): readonly string[] {
    return ["/var/log/journal/sim"];
  }

  stop(): void {
    this.#paths = [];
    this.#coming = [];
  }
}
