/**
 * Owns the comparison of replayed reflexes with the daemon's decisions, or with the reflexes of another configuration: a
 * row a reflex, with the differences and their possible reasons.
 */
import type { NerveConfig, ReflexConfig } from "../../model/config.ts";
import { gapsOf } from "../../replays/gaps.ts";
import { type Fired, isRecorded, type Occurrence, type Recorded, readRecorded } from "../../replays/recorded.ts";
import { beganAfter, type Standing, standingsIn } from "../../replays/standing.ts";
import { BEGINNING, momentAt } from "../../rules/course.ts";
import { isSameReflex } from "../../rules/same-reflex.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { type Agreement, BesideLive, BesideOther, type Edges, NONE, type Sample } from "./agreement.ts";
import { type Backtest, backtest, type Firing, type Range, type Side, type Tested } from "./backtest.ts";
import { type TimedRow, timedBacktest } from "./timed-backtest.ts";

export type { TimedRow };

export interface Row {
  readonly name: string;
  readonly here: Tested | null;
  readonly other: Tested | null;
  /** Null without a second configuration. */
  readonly change: "same" | "changed" | "new" | "gone" | null;
  readonly onlyHere: Sample;
  readonly onlyOther: Sample;
  /** Null where nothing of the reflex was recorded. */
  readonly live: Agreement | null;
  /**
   * The signal after which the reflex has these rules. Live and replay are compared from there on; null for the whole
   * range.
   */
  readonly beginsAfter: number | null;
  /** Reasons why live and replay may differ. */
  readonly reasons: Reasons;
}

export interface Reasons {
  /** Reasons that no log gives: the signals that the replay lacks. */
  readonly gaps: readonly Occurrence[];
  readonly occurrences: readonly Occurrence[];
}

/** The reflex's configuration here. Where the reflex is only in the other configuration: there. */
export const configOf = ({ here, other }: Row) => (here ?? other)?.config;

export interface ComparisonParts {
  readonly store: StoreReader;
  readonly range: Range;
  readonly here: NerveConfig;
  /** Null when the replay is compared with the daemon's decisions. */
  readonly other: NerveConfig | null;
  /** The reflexes that were asked about. Empty for all. */
  readonly names: readonly string[];
  /** How far the wall clock is now ahead of the axis of elapsed time. */
  readonly aheadMs: number;
  readonly fired: (side: Side, reflex: string, firing: Firing) => void;
}

/** The two comparisons of one reflex. */
interface Beside {
  readonly live: BesideLive;
  readonly other: BesideOther;
}

export class Comparison {
  readonly #parts: ComparisonParts;
  readonly #live = new Map<string, Fired[]>();
  readonly #recorded: Recorded;
  readonly #standings: ReadonlyMap<string, Standing>;
  /** Reflex → the signal after which it has its present rules. */
  readonly #begun: ReadonlyMap<string, number>;
  readonly #edges: Edges;
  readonly #besides = new Map<string, Beside>();

  constructor(parts: ComparisonParts) {
    const { store, range, here, other, aheadMs } = parts;
    this.#parts = parts;
    const { warmFrom } = range;
    // When all signals are replayed, no search by time is needed, which a set clock may mislead.
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

  /** True when no signal before the first replayed signal is kept. */
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

  /** Replays the range. Runs once. */
  run(): { readonly rows: readonly Row[]; readonly timed: readonly TimedRow[]; readonly done: Backtest } {
    const { store, range, here, other, names, fired } = this.#parts;
    // Rules that nerve never ran were never disabled or enabled.
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
    // Without signals the range begins with the first log.
    const since = Math.max(range.since, range.asked ?? this.#recorded.first ?? range.until);
    const { course } = this.#recorded;
    const timed = timedBacktest({ store, since, until: range.until, course, here, other, names });
    return { rows: this.#rows(done), timed, done };
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

/** The edges of the comparison with what was recorded. Of deadlines after the newest record nothing is known yet. */
function edgesOf({ signals }: StoreReader, range: Range, { course, first, lastElapsed }: Recorded): Edges {
  const { from, to, warmFrom, since, until } = range;
  const begin = momentAt(BEGINNING, since, course.steps);
  const newest = { ...begin, elapsed: Math.max(begin.elapsed, lastElapsed) };
  const last = momentAt(newest, signals.byId(to)?.at ?? 0, course.steps).elapsed;
  const end = Math.min(momentAt(begin, until, course.steps).elapsed, Math.max(lastElapsed, last));
  return { firstLog: first ?? 0, common: warmFrom, from, to, begin: begin.elapsed, end };
}
