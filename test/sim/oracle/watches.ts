/**
 * What must be of senses that watch the host (spec: `watch`): a change that the kernel hears of is followed by a compute, soon; one
 * that it does not hear of within the interval of the reflex; a watch wakes its sense once when it begins; a disabled reflex
 * wakes nobody, and no reflex wakes a sense twice within a second. Time counts in which the sense could begin a compute.
 */
import type { NerveConfig, Watching } from "../../../src/model/config.ts";
import type { SeatWatch } from "../../../src/model/watched.ts";
import type { Machine } from "../machine.ts";
import type { Place } from "../paths.ts";
import { JOURNAL } from "../source-plan.ts";
import { MINUTE, SECOND } from "../words.ts";
import { violation } from "./report.ts";

/** A second between two, a look, and a pause of the kernel that is counted too long. */
const SOON_MS = 4 * SECOND;
/** The interval of a minute, of which a compute under way may have missed one time. */
const NET_MS = 2 * MINUTE + SOON_MS;
const REST_MS = SECOND;

interface Watcher {
  readonly reflex: string;
  readonly sense: string;
  readonly watch: readonly Watching[];
}

interface Due {
  readonly what: string;
  /** How long its sense could have begun a compute since, and may. */
  freeMs: number;
  readonly limitMs: number;
}

/** A worker of a group, as far as the kernel can have a compute of it. */
interface Crew {
  isUp: boolean;
  readonly busy: Set<string>;
  readonly unloaded: Set<string>;
}

const placesOf = (one: Watching | SeatWatch): string[] => {
  switch (one.kind) {
    case "file":
      return [`${one.path}`];
    case "dir":
      return [`${one.path}/${one.match}`];
    case "journal":
      return [`${JOURNAL}/*.journal`];
    default:
      return [];
  }
};

const isAt = (watched: string, { path, name }: Place): boolean =>
  name === null ? watched === path : new Bun.Glob(watched).match(`${path}/${name}`);

export class WatchOracle {
  readonly #machine: Machine;
  readonly #canCompute: (sense: string) => boolean;
  #config: NerveConfig | null = null;
  #watchers: readonly Watcher[] = [];
  /** What modules name, as their workers have said. */
  readonly #named = new Map<string, readonly SeatWatch[]>();
  /** What each reflex watches at the moment. */
  #begun = new Map<string, ReadonlySet<string>>();
  readonly #disabled = new Set<string>();
  readonly #due = new Map<string, Due>();
  readonly #crews = new Map<string, Crew>();
  #isWell = false;
  #isLow = false;
  #isPaused = false;
  #lastAt = 0;
  /** Of each sense: when its newest wake was committed, and which that was. */
  readonly #woken = new Map<string, { readonly trace: string; readonly at: number }>();
  #refusedAt = Number.NEGATIVE_INFINITY;
  readonly #limits = new Set<string>();

  constructor(machine: Machine, canCompute: (sense: string) => boolean) {
    this.#machine = machine;
    this.#canCompute = canCompute;
  }

  // ── when a sense could compute ───────────────────────────────────────

  /** Called before anything changes of what keeps a sense from its compute. */
  #passes(): void {
    const { now } = this.#machine;
    const ms = now - this.#lastAt;
    this.#lastAt = now;
    if (ms <= 0 || this.#due.size === 0 || !this.#isWell || this.#isLow || this.#isPaused) return;
    for (const [sense, due] of this.#due) {
      if (!this.#isFree(sense)) continue;
      due.freeMs += ms;
      if (due.freeMs > due.limitMs)
        violation("watch", `${sense} does not compute within ${due.freeMs} ms of ${due.what}`);
    }
  }

  #isFree(sense: string): boolean {
    const group = this.#config?.senses.get(sense)?.group;
    const crew = group === undefined ? undefined : this.#crews.get(group);
    if (crew === undefined || !crew.isUp || crew.busy.size > 0) return false;
    return !crew.unloaded.has(sense) && this.#canCompute(sense);
  }

  #crew(group: string): Crew {
    const known = this.#crews.get(group);
    if (known !== undefined) return known;
    const made: Crew = { isUp: false, busy: new Set(), unloaded: new Set() };
    this.#crews.set(group, made);
    return made;
  }

  starts(): void {
    this.#passes();
    this.#isWell = true;
    this.#isLow = false;
    this.#isPaused = false;
    this.#begun = new Map();
    this.#woken.clear();
    this.#limits.clear();
  }

  /** The kernel ends, or begins to. */
  ends(): void {
    this.#passes();
    this.#isWell = false;
    this.#crews.clear();
  }

  /** Whether SQLite takes commits. */
  takes(isWell: boolean): void {
    if (!isWell) this.#refusedAt = this.#machine.now;
    if (this.#isWell === isWell) return;
    this.#passes();
    this.#isWell = isWell;
  }

  isLowOnSpace(isLow: boolean): void {
    this.#passes();
    this.#isLow = isLow;
  }

  pauses(isPaused: boolean): void {
    this.#passes();
    this.#isPaused = isPaused;
  }

  workerIs(group: string, isUp: boolean, unloaded: readonly string[] = []): void {
    this.#passes();
    const crew = this.#crew(group);
    crew.isUp = isUp;
    crew.busy.clear();
    crew.unloaded.clear();
    for (const sense of unloaded) crew.unloaded.add(sense);
    if (!isUp) this.#mayBeginAnew(group);
  }

  /** A compute that the worker never heard of counts for the throttle of its sense. */
  #mayBeginAnew(group: string): void {
    for (const [sense, due] of this.#due) {
      const config = this.#config?.senses.get(sense);
      if (config?.group === group && config.throttleMs !== null) due.freeMs = 0;
    }
  }

  computeAsked(group: string, sense: string): void {
    this.#passes();
    this.#crew(group).busy.add(sense);
    this.#due.delete(sense);
  }

  settled(group: string, sense: string): void {
    this.#passes();
    this.#crew(group).busy.delete(sense);
  }

  // ── what is watched ──────────────────────────────────────────────────

  configured(config: NerveConfig): void {
    this.#passes();
    this.#config = config;
    this.#watchers = config.reflexes.flatMap(({ name: reflex, ...rest }) =>
      rest.kind === "sense" && rest.watch !== null ? [{ reflex, sense: rest.sense, watch: rest.watch }] : [],
    );
    for (const sense of this.#due.keys())
      if (!this.#watchers.some((one) => one.sense === sense)) this.#due.delete(sense);
    // Whoever watches the kernel is woken once after each reload.
    for (const { sense, watch } of this.#watchers)
      if (watch.some(({ kind }) => kind === "module")) this.#woken.delete(sense);
    for (const sense of this.#named.keys()) if (!config.senses.has(sense)) this.#named.delete(sense);
    this.#begins();
  }

  /** The worker of `sense` says what its module exports. */
  names(sense: string, named: readonly SeatWatch[]): void {
    this.#named.set(sense, named);
    this.#begins();
  }

  #placesOf({ sense, watch }: Watcher): ReadonlySet<string> {
    const isNamed = watch.some(({ kind }) => kind === "module");
    const named = isNamed ? (this.#named.get(sense) ?? []) : [];
    return new Set([...watch, ...named].flatMap((one) => placesOf(one)));
  }

  #begins(): void {
    const before = this.#begun;
    this.#begun = new Map(this.#watchers.map((watcher) => [watcher.reflex, this.#placesOf(watcher)]));
    for (const watcher of this.#watchers) {
      const known = before.get(watcher.reflex);
      const isNew = [...(this.#begun.get(watcher.reflex) ?? [])].some((place) => known?.has(place) !== true);
      if (isNew) this.#falls(watcher, "the beginning of its watch", SOON_MS);
    }
  }

  /** A limit that the host has: said once by each kernel. */
  limited(message: string): void {
    if (this.#limits.has(message)) violation("watch-limited", `a kernel says twice: ${message}`);
    this.#limits.add(message);
  }

  switched(reflex: string, enabled: boolean): void {
    if (enabled) this.#disabled.delete(reflex);
    else this.#disabled.add(reflex);
    const watcher = this.#watchers.find((one) => one.reflex === reflex);
    if (watcher !== undefined && !enabled) this.#due.delete(watcher.sense);
  }

  // ── what changes ─────────────────────────────────────────────────────

  /** Something changes on the host, and the kernel may never hear of it. */
  changed(place: Place): void {
    this.#happens(place, "a change that nobody reported", NET_MS);
  }

  heard(place: Place): void {
    this.#happens(place, "a change", SOON_MS);
  }

  #happens(place: Place, what: string, limitMs: number): void {
    for (const watcher of this.#watchers)
      if ([...(this.#begun.get(watcher.reflex) ?? [])].some((watched) => isAt(watched, place)))
        this.#falls(watcher, `${what} of ${place.path}`, limitMs);
  }

  #falls({ reflex, sense }: Watcher, what: string, limitMs: number): void {
    if (this.#disabled.has(reflex)) return;
    this.#passes();
    const throttleMs = this.#config?.senses.get(sense)?.throttleMs ?? 0;
    const due = this.#due.get(sense);
    const limit = limitMs + throttleMs;
    // The earlier of two stays, unless the later is to be answered before it.
    if (due === undefined || due.limitMs - due.freeMs > limit)
      this.#due.set(sense, { what, freeMs: 0, limitMs: limit });
  }

  /** A compute is owed to `sense` because something that it watches has changed. */
  woken(sense: string, trace: string): void {
    const watchers = this.#watchers.filter((one) => one.sense === sense);
    const reflexes = this.#config?.reflexes ?? [];
    const hasOther = reflexes.some((one) => one.kind === "sense" && one.sense === sense && one.deliver === true);
    // What waits for the sense wakes it as well.
    if (hasOther || watchers.some(({ watch }) => watch.some(({ kind }) => kind === "inbox"))) return;
    if (watchers.every(({ reflex }) => this.#disabled.has(reflex)))
      violation("watch-off", `${sense} is woken, and no reflex that watches for it is enabled`);
    const before = this.#woken.get(sense);
    if (before?.trace === trace) return;
    const { now } = this.#machine;
    this.#woken.set(sense, { trace, at: now });
    if (before === undefined || this.#config?.senses.get(sense)?.throttleMs !== null) return;
    const since = now - before.at;
    if (since < REST_MS && now - this.#refusedAt > 3 * SECOND && watchers.length === 1)
      violation("watch-rest", `${sense} is woken ${since} ms after it was`);
  }

  /** Nothing is to change any more. */
  look(): void {
    this.#passes();
  }
}
