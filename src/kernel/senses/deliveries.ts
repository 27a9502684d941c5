/**
 * Owns which signals a sense with `deliver` gets, and how far it is. Invariants kept here (G12):
 * - The cursor, the last signal looked at, is in the sense's own database, written in the transaction of the compute that was
 *   handed the signals. What is known here of it comes from there: at the start of a worker, and with each result.
 * - Signals are handed over in the order of their ids, each that `when` lets through, from the first after the reflex was loaded.
 * - While more waits than one compute is handed, the next compute is owed in the transaction of the result.
 */
import { counted } from "../../base/counted.ts";
import { isJsonObject, type Json, parseStored, readJson } from "../../base/json.ts";
import type { NerveConfig, SenseReflexConfig } from "../../model/config.ts";
import { fullyNamed, type Signal } from "../../model/signal.ts";
import { MAX_SIGNALS, MAX_SIGNALS_BYTES } from "../../model/value.ts";
import { compilePattern, type Pattern } from "../../rules/pattern.ts";
import { DELIVERIES } from "../../store/delivered.ts";
import { EPOCHS, survivorsOf } from "../../store/epochs.ts";
import type { Store } from "../../store/open.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { TakenUpTo } from "../inbox/takings.ts";
import type { Delivery, Flight } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import type { Reflexes } from "../reflexes/reflexes.ts";

export interface DeliveriesParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly reflexes: Pick<Reflexes, "byName">;
  readonly senses: { readonly byName: ReadonlyMap<string, Sense>; dueByWatch(sense: Sense): void };
}

/** A sense, and the reflex that hands signals to it. */
interface Line {
  readonly reflex: string;
  readonly on: readonly string[];
  readonly pattern: Pattern | null;
  readonly bounds: Bounds;
  cursor: number;
  /** A gap up to this signal is said. */
  missedUpTo: number;
}

export interface WaitingDelivery {
  readonly sense: string;
  readonly waiting: number;
  /** Unix milliseconds at which the oldest came. */
  readonly since: number;
}

/** Which signals a reflex was loaded and enabled for. */
interface Bounds {
  /** Signals up to this one were committed when the reflex was loaded. */
  readonly begin: number;
  /** The newest signal when the reflex was disabled; null: it is enabled. */
  readonly off: number | null;
  /** Signals of times in which the reflex was disabled, each from one to another. */
  readonly gaps: readonly (readonly [number, number])[];
}

/** How many ids one look passes by: commits wait meanwhile (G15). */
const WINDOW = 20_000;
/** What waits is counted up to this. */
const MOST_COUNTED = 10_000;
const PREFIX = "signals:";

const isId = (value: Json | undefined): boolean => Number.isSafeInteger(value);

const areBounds = (value: Json): boolean =>
  isJsonObject(value) &&
  isId(value.begin) &&
  (value.off === null || isId(value.off)) &&
  Array.isArray(value.gaps) &&
  value.gaps.every((gap) => Array.isArray(gap) && gap.length === 2 && gap.every(isId));

export class Deliveries {
  readonly #parts: DeliveriesParts;
  readonly #lines = new Map<string, Line>();
  /** What the databases of all senses say, by the sense. */
  readonly #taken = new Map<string, readonly TakenUpTo[]>();

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  get #origin(): string {
    return `${PREFIX}${this.#parts.store.epoch}`;
  }

  /** A configuration is in force. */
  listen(config: NerveConfig): void {
    const { store, ledger } = this.#parts;
    const begun = this.#beginnings();
    const delivering = config.reflexes.filter(
      (one): one is SenseReflexConfig => one.kind === "sense" && one.deliver === true,
    );
    const before = new Map(this.#lines);
    this.#lines.clear();
    const beginnings: Record<string, Bounds> = {};
    for (const { name: reflex, sense, on, when } of delivering) {
      const bounds = this.#boundsOf(reflex, begun[sense] ?? null);
      const compiled = when === null ? null : compilePattern(when);
      const pattern = compiled?.ok === true ? compiled.value : null;
      beginnings[sense] = bounds;
      const known = before.get(sense) ?? { cursor: 0, missedUpTo: 0 };
      const cursor = Math.max(this.#cursorOf(sense, bounds), known.cursor);
      this.#lines.set(sense, { reflex, on, pattern, bounds, cursor, missedUpTo: known.missedUpTo });
    }
    const text = JSON.stringify(beginnings);
    if (text !== JSON.stringify(begun)) ledger.write(() => store.meta.set(DELIVERIES, text));
    this.resume();
  }

  /** A sense may have another reflex than before, and one that is loaded may have been disabled since it was there last. */
  #boundsOf(reflex: string, known: Bounds | null): Bounds {
    const lastId = this.#parts.store.signals.lastId();
    const isEnabled = this.#parts.reflexes.byName.get(reflex)?.enabled !== false;
    const { begin, off, gaps } = known ?? { begin: lastId, off: null, gaps: [] };
    if (isEnabled === (off === null)) return { begin, off, gaps };
    return off === null ? { begin, off: lastId, gaps } : { begin, off: null, gaps: [...gaps, [off + 1, lastId]] };
  }

  #beginnings(): Readonly<Record<string, Bounds>> {
    const known = readJson(this.#parts.store.meta.get(DELIVERIES) ?? "{}");
    if (!isJsonObject(known)) return {};
    return Object.fromEntries(Object.entries(known).filter(([, bounds]) => areBounds(bounds))) as unknown as Record<
      string,
      Bounds
    >;
  }

  /** Within the transaction in which `reflex` is switched: it looks at nothing that is committed while it is off. */
  switched(draft: Draft, reflex: string, enabled: boolean): void {
    const { store } = this.#parts;
    const lastId = store.signals.lastId();
    for (const [sense, line] of this.#lines) {
      const { begin, off, gaps } = line.bounds;
      if (line.reflex !== reflex || enabled === (off === null)) continue;
      const open = gaps.filter(([, to]) => to > line.cursor);
      const bounds = {
        begin,
        off: enabled ? null : lastId,
        gaps: off === null ? open : [...open, [off + 1, lastId] as const],
      };
      store.meta.set(DELIVERIES, JSON.stringify({ ...this.#beginnings(), [sense]: bounds }));
      draft.afterwards(() => this.#lines.set(sense, { ...line, bounds }));
    }
  }

  /** Its worker has loaded `sense`, and says how far its database is. */
  opened({ name }: Sense, taken: readonly TakenUpTo[]): void {
    this.#taken.set(
      name,
      taken.filter(({ origin }) => origin.startsWith(PREFIX)),
    );
    const line = this.#lines.get(name);
    if (line !== undefined) line.cursor = this.#cursorOf(name, line.bounds);
  }

  /** Ids that did not survive an epoch are given again: who took those has not seen the signals of today. */
  #cursorOf(sense: string, { begin }: Bounds): number {
    const taken = this.#taken.get(sense) ?? [];
    const own = taken.find(({ origin }) => origin === this.#origin);
    if (own !== undefined) return Math.max(begin, own.upTo);
    const { meta } = this.#parts.store;
    const epochs = meta.get(EPOCHS);
    const earlier = taken.map(({ origin, upTo }) => survivorsOf(epochs, origin.slice(PREFIX.length), upTo));
    return Math.max(begin, Math.min(Math.max(0, ...earlier), meta.count("epoch_from") ?? 0));
  }

  /** What waits for senses is owed. */
  resume(): void {
    const { senses, reflexes, store } = this.#parts;
    for (const [name, { reflex, on, cursor }] of this.#lines) {
      const sense = senses.byName.get(name);
      if (!sense?.loaded || !sense.mayCompute || sense.pending !== null || !reflexes.byName.get(reflex)?.enabled)
        continue;
      if (store.signals.lastId() <= cursor) continue;
      const next = store.signals.list({ ...ALL_SIGNALS, senses: on, after: cursor, limit: 1 });
      if (next.length > 0) senses.dueByWatch(sense);
    }
  }

  /** What has not been looked at yet, of each sense for which something waits. */
  waiting(): readonly WaitingDelivery[] {
    return [...this.#lines].flatMap(([sense, { on, cursor }]) => {
      const next = this.#parts.store.signals.following(on, cursor, MOST_COUNTED);
      return next === null ? [] : [{ sense, waiting: next.count, since: next.at }];
    });
  }

  /** What the next compute of `sense` is handed; null: nothing. */
  pick(sense: Sense): Delivery | null {
    if (this.#lines.size === 0) return null;
    const line = this.#lines.get(sense.name);
    if (line === undefined || this.#parts.reflexes.byName.get(line.reflex)?.enabled !== true) return null;
    const lastId = this.#parts.store.signals.lastId();
    if (line.cursor >= lastId) return null;
    this.#sayMissed(sense, line);
    const signals: Signal[] = [];
    const upTo = this.#look(line, lastId, signals);
    // A cursor that passed nothing by but signals of others is worth no transaction.
    if (signals.length === 0) line.cursor = upTo;
    return signals.length === 0 && upTo === lastId
      ? null
      : { origin: this.#origin, upTo, signals, isBehind: upTo < lastId };
  }

  /** Adds to `signals` what `line` lets through. Returns the last id that was looked at. */
  #look({ on, pattern, cursor, bounds }: Line, lastId: number, signals: Signal[]): number {
    const end = Math.min(lastId, cursor + WINDOW);
    const page = { ...ALL_SIGNALS, senses: on, after: cursor, before: end + 1, limit: MAX_SIGNALS };
    const rows = this.#parts.store.signals.list(page);
    let upTo = cursor;
    let bytes = 0;
    for (const row of rows) {
      const isOutside = bounds.gaps.some(([from, to]) => row.id >= from && row.id <= to);
      if (!isOutside && row.late === null && (pattern === null || pattern.matches(parseStored(row.payload)))) {
        bytes += Buffer.byteLength(row.payload);
        if (bytes > MAX_SIGNALS_BYTES) return upTo;
        signals.push(fullyNamed(row));
      }
      upTo = row.id;
    }
    return rows.length < MAX_SIGNALS ? end : upTo;
  }

  /** Retention has removed what comes next. */
  #sayMissed({ name }: Sense, line: Line): void {
    const [first] = this.#parts.store.signals.list({ ...ALL_SIGNALS, limit: 1 });
    if (first === undefined || first.id <= line.cursor + 1 || line.missedUpTo >= first.id - 1) return;
    line.missedUpTo = first.id - 1;
    const from = line.cursor + 1;
    const message = `signals ${from} to ${line.missedUpTo} were removed by retention before ${name} was handed them`;
    this.#parts.journal.of(`sense:${name}`).warn("signals.missed", message, { from, to: line.missedUpTo });
  }

  /** Within the transaction of the result of a compute that succeeded. */
  taken(draft: Draft, sense: Sense, { delivered, trigger, due }: Flight): void {
    if (delivered === null) return;
    const { signals, upTo, isBehind } = delivered;
    const [first = null, last = null] = [signals[0], signals.at(-1)];
    if (first !== null && last !== null && signals.length > 1) {
      const data = { first: first.id, last: last.id, count: signals.length };
      const message = `${counted(signals.length, "signal")} delivered to one compute`;
      draft.log(`sense:${sense.name}`, trigger.trace).debug("compute.took", message, data);
    }
    if (isBehind) draft.owe(sense, { ...due, reason: "watch", at: draft.now, cause: null });
    draft.afterwards(() => {
      const line = this.#lines.get(sense.name);
      this.#taken.set(sense.name, [{ origin: delivered.origin, upTo }]);
      if (line !== undefined) line.cursor = Math.max(line.cursor, upTo);
    });
  }
}
