/**
 * Owns the watch over paths of the host, by inotify. What was seen is read when the kernel asks, and costs it a bounded time.
 * Where the watched folders are is found out aside, for each path by itself, and from time to time anew: a folder above them
 * may have been renamed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { matches } from "../../base/glob.ts";
import { Inotify, type Sighting } from "../../base/inotify.ts";
import { startTimer, type Timer } from "../../base/timer.ts";
import type { PathNews, PathWatch, WatchedPath, WatchLimit } from "../world.ts";
import { identityOf, type Place, placesOf } from "./watched-places.ts";

const REFRESH_MS = 10_000;
/** A place that changes while it is looked for is looked for again. */
const MOST_ROUNDS = 5;

interface Folder {
  readonly watch: number;
  readonly identity: string;
}

function readShort(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

/** A path, and where it is looked at now. */
class Watched {
  readonly id: string;
  readonly path: string;
  readonly match: string | null;
  places: readonly Place[] = [];
  isLooking = false;
  /** Its places may have changed since the look began. */
  isStale = false;

  constructor({ id, path, match }: WatchedPath) {
    this.id = id;
    this.path = path;
    this.match = match;
  }

  isSame(other: WatchedPath): boolean {
    return this.id === other.id && this.path === other.path && this.match === other.match;
  }

  /** What a name in a folder means to it. */
  hears(folders: readonly string[], name: string, isEnd: boolean): readonly Place[] {
    const isMeant = (place: Place): boolean =>
      isEnd || (place.name === null ? matches(this.match ?? "*", name) : place.name === name);
    return this.places.filter((place) => folders.includes(place.folder) && isMeant(place));
  }
}

export class InotifyPathWatch implements PathWatch {
  readonly #data: string;
  #inotify: Inotify | null = null;
  #watched: readonly Watched[] = [];
  /** By path. */
  readonly #folders = new Map<string, Folder>();
  #changed = new Set<string>();
  #limits: WatchLimit[] = [];
  #timer: Timer | null = null;

  constructor(data: string) {
    this.#data = data;
  }

  watch(paths: readonly WatchedPath[]): void {
    const before = this.#watched;
    if (paths.length === 0) return this.stop();
    if (this.#inotify === null) this.#open();
    this.#watched = paths.map((path) => before.find((known) => known.isSame(path)) ?? new Watched(path));
    this.#refresh();
  }

  #open(): void {
    const opened = Inotify.open();
    if (opened.kind === "open") this.#inotify = opened.inotify;
    else {
      const text = `nothing can be watched: ${opened.why}; only the intervals of the reflexes find changes`;
      this.#limits.push({ id: null, text });
    }
  }

  news(): PathNews {
    const look = this.#inotify?.look();
    for (const sighting of look?.sightings ?? []) this.#saw(sighting);
    if (look?.isIncomplete === true) {
      for (const watched of this.#watched) this.#changed.add(watched.id);
      this.#refresh();
    }
    const news = { changed: this.#changed, limits: this.#limits };
    this.#changed = new Set();
    this.#limits = [];
    return news;
  }

  /** Each machine writes into a folder of its own name. Without one, those above are watched for what comes. */
  journalFolders(): readonly string[] {
    const machine = readShort("/etc/machine-id");
    return ["/run/log/journal", "/var/log/journal"].map((folder) => join(folder, machine));
  }

  /** True while the places of a path are looked for. */
  get isLooking(): boolean {
    return this.#watched.some(({ isLooking }) => isLooking);
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = null;
    this.#inotify?.close();
    this.#inotify = null;
    this.#watched = [];
    this.#folders.clear();
  }

  #saw({ watch, name, isName, isEnd }: Sighting): void {
    const folders = [...this.#folders].filter(([, folder]) => folder.watch === watch).map(([path]) => path);
    for (const watched of this.#watched) {
      const heard = watched.hears(folders, name, isEnd);
      if (heard.length === 0) continue;
      this.#changed.add(watched.id);
      if (isEnd || (isName && heard.some((place) => place.name !== null))) this.#find(watched);
    }
    if (isEnd) for (const path of folders) this.#folders.delete(path);
  }

  /** Looks for the places of all paths. */
  #refresh(): void {
    this.#timer?.stop();
    this.#timer = startTimer(REFRESH_MS, () => this.#refresh());
    for (const watched of this.#watched) this.#find(watched);
  }

  /** Looks for the places of one path, beside other work. */
  #find(watched: Watched): void {
    watched.isStale = true;
    if (watched.isLooking) return;
    watched.isLooking = true;
    void this.#look(watched).finally(() => {
      watched.isLooking = false;
    });
  }

  async #look(watched: Watched): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS && watched.isStale; round++) {
      watched.isStale = false;
      const { places, limits } = await placesOf(watched, this.#data);
      if (!this.#watched.includes(watched)) return;
      this.#limits.push(...limits.map((limit) => ({ id: watched.id, text: `${watched.path}: ${limit}` })));
      const isSame = JSON.stringify(places) === JSON.stringify(watched.places);
      watched.places = places;
      const isWatched = await this.#watchFolders(watched.id, places);
      this.#leaveOthers();
      if (isSame && isWatched) continue;
      // What happened before the folders were watched was not seen.
      this.#changed.add(watched.id);
      watched.isStale = true;
    }
  }

  /** True where all of them were watched before. */
  async #watchFolders(id: string, places: readonly Place[]): Promise<boolean> {
    let isSame = true;
    for (const path of new Set(places.map(({ folder }) => folder))) {
      const identity = await identityOf(path);
      const known = this.#folders.get(path);
      if (identity === null || known?.identity === identity) continue;
      if (known !== undefined) this.#leave(path, known);
      if (this.#enter(id, path, identity)) isSame = false;
    }
    return isSame;
  }

  /** False where the folder cannot be watched. */
  #enter(id: string, path: string, identity: string): boolean {
    const added = this.#inotify?.add(path);
    if (added === undefined) return false;
    if (added.kind === "watched") this.#folders.set(path, { watch: added.watch, identity });
    else {
      const text = `${path} cannot be watched: ${added.why}; only the interval of the reflex finds changes`;
      this.#limits.push({ id, text });
    }
    return added.kind === "watched";
  }

  #leaveOthers(): void {
    const wanted = new Set(this.#watched.flatMap(({ places }) => places.map(({ folder }) => folder)));
    for (const [path, folder] of this.#folders) if (!wanted.has(path)) this.#leave(path, folder);
  }

  #leave(path: string, { watch }: Folder): void {
    this.#folders.delete(path);
    const isShared = [...this.#folders.values()].some((other) => other.watch === watch);
    if (!isShared) this.#inotify?.remove(watch);
  }
}
