/**
 * Wakes the senses whose reflexes watch files, folders or the journal: a change is an owed compute, soon, and at most once a
 * second unless the sense has a throttle. A path rings once when its watch begins, for what happened before. Nothing is kept on
 * disk: the sense has a cursor of its own, and an interval finds what nobody saw. What watches the kernel itself: `bell.ts`.
 */
import { isWatching, type NerveConfig, type SenseReflexConfig, type Watching } from "../model/config.ts";
import type { SeatWatch } from "../model/watched.ts";
import type { Journal } from "./commits/journal.ts";
import type { Reflex } from "./reflexes/reflex.ts";
import type { Reflexes } from "./reflexes/reflexes.ts";
import type { Handle, Ticker } from "./time/ticker.ts";
import type { PathWatch, WatchedPath, WatchLimit } from "./world.ts";

const LOOK_MS = 500;
/** Between two rings for a sense without a throttle. */
const REST_MS = 1_000;
/** The interval of a reflex without one, where its module names what to watch. */
const NET_MS = 60_000;

type Seen = readonly SeatWatch[];

export interface WatchesParts {
  readonly paths: PathWatch;
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly reflexes: Pick<Reflexes, "byName" | "ring">;
  /** Nothing new is started. */
  readonly isHeld: () => boolean;
}

export class Watches {
  readonly #parts: WatchesParts;
  /** What was seen of a reflex, and is not rung for yet. */
  readonly #changed = new Set<string>();
  /** Awake milliseconds of the newest ring, by reflex. */
  readonly #rungAt = new Map<string, number>();
  /** What modules named when the paths were last gathered. */
  readonly #named = new Map<string, Seen>();
  readonly #said = new Set<string>();
  #watching: readonly SenseReflexConfig[] = [];
  /** Awake milliseconds. */
  #beganAt = 0;
  #next: Handle | null = null;

  constructor(parts: WatchesParts) {
    this.#parts = parts;
  }

  /** A configuration is in force. */
  listen(config: NerveConfig): void {
    this.#watching = config.reflexes.flatMap((reflex) =>
      reflex.kind === "sense" && reflex.watch?.some(({ kind }) => kind !== "inbox") === true ? reflex : [],
    );
    this.#beganAt = this.#parts.ticker.awakeMs();
    this.#named.clear();
    this.#gather();
    this.#next?.cancel();
    this.#next = null;
    if (this.#watching.length > 0) this.#wait();
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = null;
    this.#parts.paths.stop();
  }

  #wait(): void {
    this.#next = this.#parts.ticker.look(LOOK_MS, () => {
      this.#look();
      this.#wait();
    });
  }

  #look(): void {
    if (this.#watching.some((reflex) => this.#named.get(reflex.name) !== this.#namedBy(reflex))) this.#gather();
    const { changed, limits } = this.#parts.paths.news();
    for (const name of changed) this.#changed.add(name);
    for (const limit of limits) this.#say(limit);
    const now = this.#parts.ticker.awakeMs();
    for (const config of this.#watching) if (this.#isOverdue(config, now)) this.#changed.add(config.name);
    if (this.#changed.size > 0 && !this.#parts.isHeld()) for (const name of this.#changed) this.#ring(name, now);
  }

  /** When a reflex without an interval is woken by time, in milliseconds from now; null: no time wakes it. */
  wakesInMs(name: string): number | null {
    const config = this.#watching.find((one) => one.name === name);
    if (config === undefined || config.intervalMs !== null || !this.#namesPaths(name)) return null;
    return Math.max(0, (this.#rungAt.get(name) ?? this.#beganAt) + NET_MS - this.#parts.ticker.awakeMs());
  }

  #namesPaths(name: string): boolean {
    return this.#named.get(name)?.some(({ kind }) => kind !== "kernel" && kind !== "inbox") === true;
  }

  /** A reflex whose module names paths has no interval of its own: this one takes its place. */
  #isOverdue({ name, intervalMs }: SenseReflexConfig, now: number): boolean {
    return this.#namesPaths(name) && intervalMs === null && now - (this.#rungAt.get(name) ?? this.#beganAt) >= NET_MS;
  }

  #ring(name: string, now: number): void {
    const reflex = this.#parts.reflexes.byName.get(name);
    if (reflex === undefined || !reflex.enabled) {
      this.#changed.delete(name);
      return;
    }
    if (!canCompute(reflex) || now - (this.#rungAt.get(name) ?? Number.NEGATIVE_INFINITY) < restOf(reflex)) return;
    this.#changed.delete(name);
    this.#rungAt.set(name, now);
    this.#parts.reflexes.ring(reflex);
  }

  #say({ id, text }: WatchLimit): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#parts.journal.of("kernel").warn("watch.limited", text, { reflex: id });
  }

  /** What the module of the reflex's sense names, where the reflex asks for that. */
  #namedBy(reflex: SenseReflexConfig): Seen {
    if (!isWatching(reflex, "module")) return NOTHING;
    return this.#parts.reflexes.byName.get(reflex.name)?.sense?.exported.watched ?? NOTHING;
  }

  #gather(): void {
    const journal = (): readonly string[] => this.#parts.paths.journalFolders();
    const paths: WatchedPath[] = [];
    for (const reflex of this.#watching) {
      const named = this.#namedBy(reflex);
      this.#named.set(reflex.name, named);
      for (const one of [...(reflex.watch ?? []), ...named]) paths.push(...pathsOf(reflex.name, one, journal));
    }
    this.#parts.paths.watch(paths);
  }
}

const NOTHING: Seen = [];

const canCompute = ({ sense }: Reflex): boolean => sense?.loaded === true && sense.mayCompute;

const restOf = ({ sense }: Reflex): number => (sense?.config.throttleMs === null ? REST_MS : 0);

function pathsOf(id: string, one: SeatWatch | Watching, journalFolders: () => readonly string[]): WatchedPath[] {
  switch (one.kind) {
    case "file":
      return [{ id, path: one.path ?? "", match: null }];
    case "dir":
      return [{ id, path: one.path ?? "", match: one.match ?? "*" }];
    case "journal":
      return journalFolders().map((path) => ({ id, path, match: "*.journal" }));
    default:
      return [];
  }
}
