/**
 * What must be of delivered signals (G12): a sense has each signal that its reflex was loaded and enabled for, and that `when`
 * lets through, once in what it keeps, in the order of their ids.
 */
import type { Json } from "../../../src/base/json.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import type { Machine } from "../machine.ts";
import type { Fields } from "../words.ts";
import { isMet } from "./reflex-words.ts";
import { violation } from "./report.ts";

interface Seen {
  readonly id: number;
  readonly sense: string;
  readonly fields: Fields;
}

/** `must`: it is delivered. `may`: it was passed by under earlier words, or is removed. `never`: it does not match. */
type Fate = "must" | "may" | "never";

interface Waiting extends Seen {
  readonly fate: Fate;
  readonly since: number;
}

interface Line {
  readonly reflex: string;
  readonly on: readonly string[];
  readonly when: Json | null;
  /** The newest signal that the sense has looked at, by what it keeps. */
  upTo: number;
  waiting: Waiting[];
}

/** What a compute under way must take. */
interface Handed {
  readonly upTo: number;
  readonly must: readonly number[];
  readonly may: ReadonlySet<number>;
}

/** A configuration that changed just before a compute was asked for may not be the one of what it was handed. */
const MAIL_MS = 50;

export class DeliveryOracle {
  readonly #machine: Machine;
  #lines = new Map<string, Line>();
  #disabled = new Set<string>();
  readonly #handed = new Map<string, Handed>();
  #lastSignal = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  #removedUpTo = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  configured({ reflexes }: NerveConfig): void {
    this.#changedAt = this.#machine.now;
    const before = this.#lines;
    this.#lines = new Map();
    for (const reflex of reflexes) {
      if (reflex.kind !== "sense" || reflex.deliver !== true) continue;
      const { name, on, when, sense } = reflex;
      const known = before.get(sense) ?? { upTo: this.#lastSignal, waiting: [] };
      const waiting = known.waiting.map((one) => ({ ...one, fate: later(one.fate, isFor(on, when, one)) }));
      this.#lines.set(sense, { reflex: name, on, when, upTo: known.upTo, waiting });
    }
  }

  switched(reflex: string, enabled: boolean): void {
    this.#changedAt = this.#machine.now;
    if (enabled) this.#disabled.delete(reflex);
    else this.#disabled.add(reflex);
  }

  signal(id: number, sense: string, payload: string): void {
    this.#lastSignal = id;
    if (this.#lines.size === 0) return;
    const seen = { id, sense, fields: JSON.parse(payload) as Fields };
    for (const { reflex, on, when, waiting } of this.#lines.values()) {
      if (this.#disabled.has(reflex)) continue;
      const fate = isFor(on, when, seen) ? "must" : "never";
      waiting.push({ ...seen, fate, since: this.#machine.realMs });
    }
  }

  /** Retention has removed every signal up to `id`. */
  removed(id: number): void {
    // What went just now may be on its way.
    const gone = this.#removedUpTo;
    this.#removedUpTo = id;
    for (const line of this.#lines.values()) {
      if ((line.waiting[0]?.id ?? id + 1) > id) continue;
      line.waiting = line.waiting.flatMap((one) =>
        one.id <= gone ? [] : one.id > id ? one : { ...one, fate: later(one.fate, false) },
      );
    }
  }

  /** A compute of `sense` is asked for that is handed the signals up to `upTo`. */
  asked(sense: string, upTo: number): void {
    const line = this.#lines.get(sense);
    const isSettled = this.#machine.now - this.#changedAt > MAIL_MS;
    if (line === undefined) {
      if (isSettled) violation("delivered", `${sense} is handed signals, and no reflex delivers to it`);
      this.#handed.delete(sense);
      return;
    }
    const range = line.waiting.filter(({ id }) => id <= upTo);
    const must = isSettled ? range.flatMap(({ id, fate }) => (fate === "must" ? id : [])) : [];
    const isPossible = (one: Waiting): boolean =>
      !isSettled || (one.fate !== "never" && isFor(line.on, line.when, one));
    const may = new Set(range.flatMap((one) => (isPossible(one) ? one.id : [])));
    this.#handed.set(sense, { upTo, must, may });
  }

  /** That compute has kept what it did, and that it had the signals `ids`. */
  taken(sense: string, ids: readonly number[]): void {
    const handed = this.#handed.get(sense);
    const line = this.#lines.get(sense);
    this.#handed.delete(sense);
    if (handed === undefined || line === undefined) return;
    let newest = line.upTo;
    for (const id of ids) {
      if (id <= newest) violation("delivered-twice", `${sense} has signal ${id} after signal ${newest}`);
      if (!handed.may.has(id)) violation("delivered", `${sense} has signal ${id}, which is not for it`);
      newest = id;
    }
    const known = new Set(ids);
    const missed = handed.must.filter((id) => !known.has(id));
    if (missed.length > 0)
      violation("delivered-all", `${sense} has seen all up to ${handed.upTo} without ${missed.slice(0, 5)}`);
    line.waiting = line.waiting.filter(({ id }) => id > handed.upTo);
    line.upTo = Math.max(line.upTo, handed.upTo);
  }

  /** Everything is well, and has had the time it needs. `mayWait`: the sense does not compute. */
  rested(before: number, mayWait: (sense: string) => boolean): void {
    for (const [sense, { reflex, waiting }] of this.#lines) {
      if (mayWait(sense) || this.#disabled.has(reflex)) continue;
      const old = waiting.flatMap(({ id, fate, since }) => (fate === "must" && since < before ? id : []));
      if (old.length > 0) violation("delivered-all", `${sense} was never handed the signals ${old.slice(0, 5)}`);
    }
  }

  // ── logs.db is put back ──────────────────────────────────────────────

  /** What is in a copy of logs.db that is made now. */
  copied(): (keepsSenses: boolean) => void {
    const [lines, disabled, lastSignal] = [this.#lines, new Set(this.#disabled), this.#lastSignal];
    const copied = new Map([...lines].map(([sense, line]) => [sense, { ...line, waiting: [...line.waiting] }]));
    const removedUpTo = this.#removedUpTo;
    return (keepsSenses) => {
      const since = keepsSenses ? this.#lines : copied;
      this.#handed.clear();
      this.#removedUpTo = removedUpTo;
      this.#disabled = disabled;
      this.#lastSignal = lastSignal;
      this.#lines = new Map(
        [...copied].map(([sense, line]) => {
          const upTo = Math.min(lastSignal, Math.max(line.upTo, since.get(sense)?.upTo ?? 0));
          return [sense, { ...line, upTo, waiting: line.waiting.filter(({ id }) => id > upTo) }];
        }),
      );
    };
  }
}

const isFor = (on: readonly string[], when: Json | null, { sense, fields }: Seen): boolean =>
  on.includes(sense) && (when === null || isMet(when, fields));

/** What was not to be delivered under earlier words may have been passed by; what is not to be now may be on its way. */
const later = (fate: Fate, isFor: boolean): Fate => (fate === "must" ? (isFor ? "must" : "may") : isFor ? "may" : fate);
