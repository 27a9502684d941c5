/**
 * The files that a simulated host has, and how a kernel watches them. They change by chance, come and go; what the kernel hears
 * of a change is lost, doubled or late by chance, as inotify may do.
 */
import type { PathNews, PathWatch, WatchedPath } from "../../src/kernel/world.ts";
import type { Below } from "../rules/random.ts";
import { FILES, FOLDER, JOURNAL } from "./source-plan.ts";

/** What changes: `name` lies in the folder `path`; null: `path` is a file. */
export interface Place {
  readonly path: string;
  readonly name: string | null;
}

const PLACES: readonly Place[] = [
  ...FILES.map((path) => ({ path, name: null })),
  { path: FOLDER, name: "one.job" },
  { path: FOLDER, name: "notes.txt" },
  { path: JOURNAL, name: "system.journal" },
];
/** Once in so many looks one of them changes. */
const CHANGES = 80;
const LATEST_LOOKS = 20;
const LIMIT = "the table of inotify is full: /srv is not watched";

/** Who knows what has happened to files, and what of it the kernel is about to hear. */
export interface HostWatcher {
  changed(place: Place): void;
  heard(place: Place): void;
}

/** Outlives kernels. */
export class WatchedHost {
  readonly #chance: Below;
  readonly #watcher: HostWatcher;
  readonly #gone = new Set<Place>();
  isLimited = false;

  constructor(chance: Below, watcher: HostWatcher) {
    this.#chance = chance;
    this.#watcher = watcher;
  }

  /** What has changed since the last question; null: nothing has. */
  change(): Place | null {
    if (this.#chance(CHANGES) > 0) return null;
    const place = PLACES[this.#chance(PLACES.length)] ?? null;
    if (place === null) return null;
    // What is not there can only come back.
    if (!this.#gone.delete(place) && this.#chance(6) === 0) this.#gone.add(place);
    if (this.#chance(40) === 0) this.isLimited = !this.isLimited;
    this.#watcher.changed(place);
    return place;
  }

  heard(place: Place): void {
    this.#watcher.heard(place);
  }

  watch(): SimPathWatch {
    return new SimPathWatch(this.#chance, this);
  }
}

const isOf = ({ path, match }: WatchedPath, place: Place): boolean =>
  path === place.path &&
  (place.name === null ? match === null : match !== null && new Bun.Glob(match).match(place.name));

/** As one kernel watches them. */
export class SimPathWatch implements PathWatch {
  readonly #chance: Below;
  readonly #host: WatchedHost;
  #paths: readonly WatchedPath[] = [];
  /** Whose watch has begun. */
  readonly #begun = new Set<string>();
  /** Changes that the kernel hears of after so many looks. */
  #coming: { readonly place: Place; looks: number }[] = [];

  constructor(chance: Below, host: WatchedHost) {
    this.#chance = chance;
    this.#host = host;
  }

  watch(paths: readonly WatchedPath[]): void {
    const known = new Set(this.#paths.map(({ id, path, match }) => `${id}\0${path}\0${match}`));
    for (const { id, path, match } of paths) if (!known.has(`${id}\0${path}\0${match}`)) this.#begun.add(id);
    this.#paths = paths;
  }

  news(): PathNews {
    const change = this.#paths.length === 0 ? null : this.#host.change();
    if (change !== null) this.#comes(change);
    const changed = new Set(this.#begun);
    this.#begun.clear();
    if (this.#coming.length > 0) {
      for (const { place, looks } of this.#coming) {
        if (looks > 0) continue;
        this.#host.heard(place);
        for (const path of this.#paths) if (isOf(path, place)) changed.add(path.id);
      }
      this.#coming = this.#coming.filter(({ looks }) => looks > 0);
      for (const one of this.#coming) one.looks--;
    }
    return { changed, limits: this.#host.isLimited ? [{ id: null, text: LIMIT }] : [] };
  }

  #comes(place: Place): void {
    const fate = this.#chance(10);
    if (fate === 0) return;
    this.#coming.push({ place, looks: fate < 3 ? this.#chance(LATEST_LOOKS) : 0 });
    if (fate === 1) this.#coming.push({ place, looks: 1 });
  }

  journalFolders(): readonly string[] {
    return [JOURNAL];
  }

  stop(): void {
    this.#paths = [];
    this.#coming = [];
  }
}
