/**
 * What must be of senses: what is owed is computed (G1), an outbox row becomes one signal (G7), one compute a sense at a
 * time and one worker a group (G4), a throttle is kept, nobody is blamed who was not alone (G5), a due time is decided once
 * (G14).
 */
import type { NerveConfig } from "../../../src/model/config.ts";
import { MINUTE } from "../words.ts";
import { violation } from "./report.ts";

interface Watched {
  /** Signals that it is owed a compute for, and since when. */
  readonly causes: Map<number, number>;
  /** Of them, those whose compute has settled without a signal, and that is not committed yet. */
  readonly settled: Set<number>;
  /** Numbers of payloads that its outbox holds, and nobody has taken; and since when. */
  readonly kept: Map<number, number>;
  readonly taken: Set<number>;
  /** Of its payloads that are signals. */
  newest: number;
  /** The signal of the compute that is under way, and whether one more is owed for the same signal. */
  underWay: { readonly cause: number; readonly worker: { readonly isGone: boolean }; isOwedAgain: boolean } | null;
  isQuarantined: boolean;
  isDisabled: boolean;
  isQuarantineStored: boolean;
  computeBeganAt: number | null;
}

/** A disk that takes nothing puts it off. */
const CANCELLED_WITHIN_MS = 5 * MINUTE;

export class SenseOracle {
  readonly #senses = new Map<string, Watched>();
  readonly #groups = new Map<string, object>();
  #config: NerveConfig | null = null;
  /** Due times of reflexes with a cron, the newest. */
  readonly #newestDue = new Map<string, number>();
  #setBackMs = 0;
  /** Senses that were removed while they were owed computes, and since when. */
  readonly #removed = new Map<string, number>();

  of(name: string): Watched {
    const known = this.#senses.get(name);
    if (known !== undefined) return known;
    const made: Watched = {
      causes: new Map<number, number>(),
      settled: new Set<number>(),
      kept: new Map<number, number>(),
      taken: new Set<number>(),
      newest: 0,
      underWay: null,
      isQuarantined: false,
      isDisabled: false,
      isQuarantineStored: false,
      computeBeganAt: null,
    };
    this.#senses.set(name, made);
    return made;
  }

  /** A removed sense is owed nothing: what it was owed is cancelled soon after the configuration came into force. */
  #cancels(config: NerveConfig, realMs: number): void {
    for (const [name, since] of this.#removed) {
      const causes = [...this.of(name).causes.keys()];
      if (causes.length > 0 && realMs - since > CANCELLED_WITHIN_MS)
        violation("owed", `${name} was removed ${realMs - since} ms ago, and is still owed computes for ${causes}`);
      if (causes.length === 0 || config.senses.has(name)) this.#removed.delete(name);
    }
    for (const [name, { causes }] of this.#senses)
      if (causes.size > 0 && !config.senses.has(name) && !this.#removed.has(name)) this.#removed.set(name, realMs);
  }

  configured(config: NerveConfig, realMs: number): void {
    this.#cancels(config, realMs);
    // What is kept in memory alone is gone with a sense that was removed.
    for (const name of config.senses.keys()) {
      const known = this.#config?.senses.has(name) === false ? this.#senses.get(name) : undefined;
      if (known !== undefined) known.isQuarantined = known.isQuarantineStored;
    }
    this.#config = config;
  }

  // ── workers ──────────────────────────────────────────────────────────

  /** A worker of `group` is started. */
  begins(group: string, worker: object): void {
    if (this.#groups.has(group))
      violation("one-worker", `a worker of ${group} is started, and the one before is not reaped`);
    this.#groups.set(group, worker);
  }

  gone(group: string, worker: object): void {
    if (this.#groups.get(group) === worker) this.#groups.delete(group);
  }

  /** The kernel has crashed: its workers end with it. */
  crashed(): void {
    this.#groups.clear();
    // What was to be cancelled, the next kernel cancels.
    this.#removed.clear();
    for (const sense of this.#senses.values()) {
      sense.settled.clear();
      sense.isQuarantined = sense.isQuarantineStored;
    }
  }

  // ── computes ─────────────────────────────────────────────────────────

  computeAsked(name: string, cause: number | null, realMs: number, worker: { readonly isGone: boolean }): void {
    const sense = this.of(name);
    sense.underWay = cause === null ? null : { cause, worker, isOwedAgain: false };
    const throttleMs = this.#config?.senses.get(name)?.throttleMs ?? null;
    const { computeBeganAt } = sense;
    if (throttleMs !== null && computeBeganAt !== null && realMs - computeBeganAt < throttleMs - 150)
      violation(
        "throttle",
        `${name} computes ${realMs - computeBeganAt} ms after it did, its throttle is ${throttleMs} ms`,
      );
    // Of a sense without a throttle nobody keeps when it began.
    sense.computeBeganAt = throttleMs === null ? null : realMs;
    if (cause !== null && !sense.causes.has(cause))
      violation("owed-twice", `${name} computes for signal ${cause}, which it is owed nothing for`);
  }

  /** Between two boots the wall clock alone can tell how long ago a compute was, and somebody may have set that. */
  rebooted(): void {
    for (const sense of this.#senses.values()) sense.computeBeganAt = null;
  }

  owes(name: string, cause: number, realMs: number): void {
    const sense = this.of(name);
    if (sense.isDisabled || sense.isQuarantined) return;
    sense.causes.set(cause, realMs);
    // Two reflexes may decide for one signal at different times.
    const { underWay } = sense;
    if (underWay?.cause === cause && !underWay.worker.isGone) underWay.isOwedAgain = true;
  }

  answered(name: string, cause: number | null): void {
    if (cause === null) return;
    const sense = this.of(name);
    const { causes, underWay } = sense;
    if (underWay?.cause !== cause) causes.delete(cause);
    else {
      if (!underWay.isOwedAgain) causes.delete(cause);
      sense.underWay = null;
    }
  }

  cancelled(name: string): void {
    this.of(name).causes.clear();
    this.of(name).underWay = null;
  }

  /** A compute for `cause` settles without a signal: the kernel hears of it. */
  settles(name: string, cause: number | null): void {
    if (cause !== null) this.of(name).settled.add(cause);
  }

  /** What is owed to it is committed. */
  owed(name: string, cause: number | null): void {
    const sense = this.of(name);
    for (const settled of sense.settled) {
      if (settled === cause) continue;
      sense.settled.delete(settled);
      sense.causes.delete(settled);
      if (sense.underWay?.cause === settled) sense.underWay = null;
    }
  }

  /** Everything is well since `wellSince`, and has had the time it needs. */
  rested(before: number): void {
    for (const [name, { causes, kept, isDisabled, isQuarantined }] of this.#senses) {
      if (this.#config?.senses.has(name) === false) {
        if (causes.size > 0) violation("owed", `${name}, which is removed, is owed computes for ${[...causes.keys()]}`);
        continue;
      }
      if (isDisabled || isQuarantined) continue;
      const old = (since: ReadonlyMap<number, number>): number[] =>
        [...since].flatMap(([id, at]) => (at < before ? id : []));
      const unanswered = old(causes);
      const untaken = old(kept);
      if (unanswered.length > 0)
        violation("owed", `${name} was never computed for the signals ${unanswered.slice(0, 5)}`);
      if (untaken.length > 0)
        violation("outbox", `rows of the outbox of ${name} were never taken: payloads ${untaken.slice(0, 5)}`);
    }
  }

  // ── signals ──────────────────────────────────────────────────────────

  rowKept(name: string, n: number, realMs: number): void {
    this.of(name).kept.set(n, realMs);
  }

  signal(name: string, n: number): void {
    const sense = this.of(name);
    if (sense.taken.has(n)) violation("outbox", `payload ${n} of ${name} became two signals`);
    if (n < sense.newest) violation("outbox-order", `payload ${n} of ${name} comes after ${sense.newest}`);
    sense.newest = n;
    sense.taken.add(n);
    sense.kept.delete(n);
  }

  // ── blame ────────────────────────────────────────────────────────────

  /** `known`: what the kernel knew to be under way when it heard of the death. */
  struck(name: string, known: ReadonlySet<string>): void {
    if (known.size !== 1 || !known.has(name))
      violation("blame", `${name} is struck for a death at which ${[...known].join(", ") || "nothing"} was under way`);
  }

  // ── due times ────────────────────────────────────────────────────────

  setBack(ms: number): void {
    this.#setBackMs += ms;
  }

  due(reflex: string, definition: string, due: number): void {
    // The times of an interval follow a clock that is set back.
    if (this.#config?.reflexes.some((one) => one.name === reflex && one.cron !== null) !== true) return;
    const name = `${reflex} ${definition}`;
    const newest = this.#newestDue.get(name);
    if (newest !== undefined && due <= newest && this.#setBackMs < 3 * 3_600_000)
      violation("due-twice", `${reflex} is due at ${new Date(due).toISOString()} again, or before`);
    this.#newestDue.set(name, Math.max(newest ?? 0, due));
  }
}
