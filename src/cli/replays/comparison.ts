/**
 * Replayed reflexes held against what the daemon decided, or against those of another configuration: a row a reflex, with
 * what differs and why it may.
 */
import type { NerveConfig, ReflexConfig } from "../../model/config.ts";
import { BEGINNING, momentAt } from "../../rules/course.ts";
import { isSameReflex } from "../../rules/same-reflex.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { type Agreement, BesideLive, BesideOther, type Edges, NONE, type Sample } from "./agreement.ts";
import { type Backtest, backtest, type Firing, isRecorded, type Range, type Side, type Tested } from "./backtest.ts";
import { gapsOf } from "./gaps.ts";
import { type Fired, type Occurrence, type Recorded, readRecorded } from "./recorded.ts";
import { beganAfter, type Standing, standingsIn } from "./standing.ts";

export interface Row {
  readonly name: string;
  readonly here: Tested | null;
  readonly other: Tested | null;
  /** Null without a second configuration. */
  readonly change: "same" | "changed" | "new" | "gone" | null;
  readonly onlyHere: Sample;
  readonly onlyOther: Sample;
  /** Null where nothing was recorded of it. */
  readonly live: Agreement | null;
  /** The signal after which it has these rules, and is held against live; null for all. */
  readonly beginsAfter: number | null;
  /** Why live and replay may differ. */
  readonly reasons: Reasons;
}

export interface Reasons {
  /** Of what the replay does not have. */
  readonly gaps: readonly Occurrence[];
  readonly occurrences: readonly Occurrence[];
}

/** Its configuration where it has one; that of the other where it has none. */
export const configOf = ({ here, other }: Row) => (here ?? other)?.config;

export interface ComparisonParts {
  readonly store: StoreReader;
  readonly range: Range;
  readonly here: NerveConfig;
  /** Null: held against what the daemon decided. */
  readonly other: NerveConfig | null;
  /** Reflexes that are asked about; empty for all. */
  readonly names: readonly string[];
  /** What the wall clock is ahead of the axis of elapsed time by now. */
  readonly aheadMs: number;
  readonly fired: (side: Side, reflex: string, firing: Firing) => void;
}

/** One reflex beside what it is held against. */
interface Beside {
  readonly live: BesideLive;
  readonly other: BesideOther;
}

export class Comparison {
  readonly #parts: ComparisonParts;
  readonly #live = new Map<string, Fired[]>();
  readonly #recorded: Recorded;
  readonly #standings: ReadonlyMap<string, Standing>;
  /** By name the signal after which a reflex has the rules it has. */
  readonly #begun: ReadonlyMap<string, number>;
  readonly #edges: Edges;
  readonly #besides = new Map<string, Beside>();

  constructor(parts: ComparisonParts) {
    const { store, range, here, other, aheadMs } = parts;
    this.#parts = parts;
    const { warmFrom } = range;
    // All there is needs no search by time, which a set clock may mislead.
    const warmSince = this.#isOldest ? 0 : (store.signals.byId(warmFrom)?.at ?? 0);
    this.#recorded = readRecorded(store, warmSince, aheadMs, (row) => {
      if (other === null && (row.due !== null || row.signal >= range.from)) this.#keep(row);
    });
    const standingOf = standingsIn(store);
    this.#standings = new Map(here.reflexes.map((reflex) => [reflex.name, standingOf(reflex)]));
    const begun = [...this.#standings].map(([name, standing]) => [name, beganAfter(standing)] as const);
    this.#begun = new Map(begun.flatMap(([name, after]) => (after === null ? [] : [[name, after]])));
    this.#edges = edgesOf(store, range, this.#recorded);
  }

  /** Nothing is kept of what came before the first signal that is replayed. */
  get #isOldest(): boolean {
    const { store, range } = this.#parts;
    return store.signals.byId(range.warmFrom - 1) === null;
  }

  #keep(row: Fired): void {
    const rows = this.#live.get(row.reflex);
    if (rows === undefined) this.#live.set(row.reflex, [row]);
    else rows.push(row);
  }

  #isAsked(name: string): boolean {
    const { names } = this.#parts;
    return names.length === 0 || names.includes(name);
  }

  /** Replays all of it; once. */
  run(): { readonly rows: readonly Row[]; readonly done: Backtest } {
    const { store, range, here, other, names, fired } = this.#parts;
    // Of rules that were not there nobody knows what would have been done to them.
    const changes = other === null ? { begun: this.#begun } : { turns: [] };
    const done = backtest({
      store,
      range,
      course: { ...this.#recorded.course, ...changes },
      people: this.#recorded,
      here,
      other,
      names,
      fired: (side, reflex, firing, elapsed) => {
        if (!this.#isAsked(reflex.name)) return;
        const beside = this.#besideOf(reflex.name);
        if (other === null) beside.live.replayed(firing, elapsed);
        else beside.other.fired(side, firing);
        fired(side, reflex.name, firing);
      },
    });
    return { rows: this.#rows(done), done };
  }

  #besideOf(name: string): Beside {
    const known = this.#besides.get(name);
    if (known !== undefined) return known;
    const common = Math.max(this.#parts.range.warmFrom, (this.#begun.get(name) ?? 0) + 1);
    const live = new BesideLive(this.#live.get(name) ?? [], { ...this.#edges, common });
    const made = { live, other: new BesideOther(this.#hasElements(name)) };
    this.#besides.set(name, made);
    return made;
  }

  #hasElements(name: string): boolean {
    const { here, other } = this.#parts;
    const isIt = (reflex: ReflexConfig): boolean => reflex.name === name && reflex.each !== null;
    return here.reflexes.some(isIt) || (other?.reflexes.some(isIt) ?? false);
  }

  #rows(done: Backtest): Row[] {
    const { here, other } = done.sides;
    const names = [...new Set([...here.keys(), ...other.keys()])].filter((name) => this.#isAsked(name));
    return names.map((name) => this.#row(name, here.get(name) ?? null, other.get(name) ?? null, done.unreadable));
  }

  #row(name: string, here: Tested | null, other: Tested | null, unreadable: readonly number[]): Row {
    const isTwo = this.#parts.other !== null;
    const isLive = !isTwo && here !== null && isRecorded(here.config);
    const beside = isTwo || isLive ? this.#besideOf(name) : null;
    return {
      name,
      here,
      other,
      change: isTwo ? changeOf(here, other) : null,
      onlyHere: isTwo && beside ? beside.other.only("here") : NONE,
      onlyOther: isTwo && beside ? beside.other.only("other") : NONE,
      live: isLive && beside ? beside.live.result() : null,
      beginsAfter: isLive ? (this.#begun.get(name) ?? null) : null,
      reasons: isLive ? this.#reasonsOf(name, unreadable) : { gaps: [], occurrences: [] },
    };
  }

  #reasonsOf(name: string, unreadable: readonly number[]): Reasons {
    const { warmFrom, since, until } = this.#parts.range;
    const standing = this.#standings.get(name) ?? { kind: "unknown" };
    const begunAt = standing.kind === "loaded" ? Math.max(since, standing.at) : since;
    const concerns = ({ source, at }: Occurrence): boolean =>
      (source === "kernel" || source === `reflex:${name}`) && at >= begunAt && at <= until;
    const from = { id: warmFrom, at: since, isOldest: this.#isOldest };
    const gaps = gapsOf({ reflex: name, standing, from, unreadable, now: until });
    return { gaps, occurrences: this.#recorded.occurrences.filter(concerns) };
  }
}

function changeOf(one: Tested | null, two: Tested | null): "same" | "changed" | "new" | "gone" {
  if (one === null) return "new";
  if (two === null) return "gone";
  return isSameReflex(one.config, two.config) ? "same" : "changed";
}

/** What is compared with what was recorded: of younger deadlines than anything that is, nobody knows yet. */
function edgesOf({ signals }: StoreReader, range: Range, { course, first, lastElapsed }: Recorded): Edges {
  const { from, to, warmFrom, since, until } = range;
  const begin = momentAt(BEGINNING, since, course.steps);
  const newest = { ...begin, elapsed: Math.max(begin.elapsed, lastElapsed) };
  const last = momentAt(newest, signals.byId(to)?.at ?? 0, course.steps).elapsed;
  const end = Math.min(momentAt(begin, until, course.steps).elapsed, Math.max(lastElapsed, last));
  return { firstLog: first ?? 0, common: warmFrom, from, to, begin: begin.elapsed, end };
}
