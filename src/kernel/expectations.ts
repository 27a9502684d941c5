/**
 * Owns `expect_every`: a sense from which neither a signal nor an item has come for that long, or a workflow of which no run has
 * completed, is stale, until something comes. Time is elapsed time: downtime counts, and a clock that is set does not. What
 * came last is read off what the kernel counts anyway, and noted in `meta` once a minute; a start reads the signals, items and
 * runs after the note.
 */
import { formatDuration } from "../base/duration.ts";
import { isJsonObject, type Json, readJson } from "../base/json.ts";
import { duration } from "../base/times.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Store } from "../store/open.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import type { Journal } from "./commits/journal.ts";
import type { Ledger } from "./commits/ledger.ts";
import type { Inboxes } from "./inbox/inboxes.ts";
import type { Workflows } from "./runs/workflows.ts";
import type { Senses } from "./senses/senses.ts";
import type { Lifetime } from "./time/lifetime.ts";
import type { Handle, Ticker } from "./time/ticker.ts";

const LOOK_MS = 1_000;
/** Nothing becomes stale so soon after a start: what is late then has only just begun. */
const GRACE_MS = 300_000;
const NOTE = "expected";
/** A start looks for completed runs among so many. */
const RUNS_READ = 1_000;

export interface ExpectationsParts {
  readonly lifetime: Lifetime;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly senses: Pick<Senses, "byName">;
  readonly workflows: Pick<Workflows, "countsOf">;
  readonly inboxes: Pick<Inboxes, "newestAt">;
}

/** Something that is to come again and again. */
interface Expected {
  readonly kind: "sense" | "workflow";
  readonly name: string;
  readonly everyMs: number;
  /** Elapsed milliseconds from which it counts. */
  since: number;
  isStale: boolean;
  /** What was seen of it at the last look: a change is something that came. */
  seen: string;
  /** A disabled sense is not expected to do anything. */
  isOff: boolean;
}

type Noted = Readonly<Record<string, { readonly since: number; readonly stale: boolean }>>;

const idOf = ({ kind, name }: Pick<Expected, "kind" | "name">): string => `${kind}:${name}`;

export class Expectations {
  readonly #parts: ExpectationsParts;
  readonly #expected = new Map<string, Expected>();
  /** What an earlier kernel noted, until the first configuration is in force. */
  #noted: Noted | null;
  /** What is known of all that came up to these ids; what came after them, a start reads. */
  #known = { signals: 0, items: 0, logs: 0 };
  #next: Handle | null = null;

  constructor(parts: ExpectationsParts) {
    this.#parts = parts;
    this.#noted = this.#readNote();
  }

  /** A configuration is in force. */
  listen({ senses, workflows }: NerveConfig): void {
    // The note counts what came until now as known: whoever is expected before has seen it.
    for (const expected of this.#expected.values()) this.#takeNews(expected);
    const before = new Map(this.#expected);
    this.#expected.clear();
    const wanted = [
      ...[...senses.values()].map((config) => ({ kind: "sense" as const, ...config })),
      ...[...workflows.values()].map((config) => ({ kind: "workflow" as const, ...config })),
    ];
    for (const { kind, name, expectEveryMs: everyMs } of wanted) {
      if (everyMs === null) continue;
      const id = idOf({ kind, name });
      const known = before.get(id);
      this.#expected.set(id, known === undefined ? this.#begin(kind, name, everyMs) : { ...known, everyMs });
    }
    this.#knowsAll();
    this.#noted = null;
    this.#next?.cancel();
    this.#next = null;
    if (this.#expected.size > 0) this.#wait();
    if (this.#expected.size > 0 || before.size > 0) this.#parts.ledger.write(() => this.keep());
  }

  stop(): void {
    this.#next?.cancel();
    this.#next = null;
  }

  /** Why it is stale, in words; null where it is not. */
  staleness(kind: Expected["kind"], name: string): string | null {
    const expected = this.#expected.get(idOf({ kind, name }));
    return expected?.isStale === true ? this.#wordsOf(expected) : null;
  }

  /** The ids of what is stale: `sense:backup`. */
  get stale(): readonly string[] {
    return [...this.#expected].flatMap(([id, { isStale }]) => (isStale ? [id] : []));
  }

  /** Notes where everything stands. Inside a transaction of the store. */
  keep(): void {
    const { signals, items, logs } = this.#known;
    if (this.#expected.size === 0 && signals + items + logs === 0) return;
    const entries = [...this.#expected].map(([id, { since, isStale }]) => [id, { since, stale: isStale }] as const);
    const upTo = { up_to: signals, items_up_to: items, logs_up_to: logs };
    this.#parts.store.meta.set(NOTE, JSON.stringify({ ...upTo, expected: Object.fromEntries(entries) }));
  }

  // ── what came ────────────────────────────────────────────────────────

  #begin(kind: Expected["kind"], name: string, everyMs: number): Expected {
    const now = this.#parts.lifetime.now();
    const expected: Expected = { kind, name, everyMs, since: now, isStale: false, seen: "", isOff: false };
    expected.seen = this.#seenOf(expected);
    expected.isOff = this.#isOff(expected);
    const noted = this.#noted?.[idOf(expected)];
    if (noted === undefined) return expected;
    const came = this.#cameAfterNote(expected);
    // By a wall clock that may have been set since: no earlier than what the note knows of.
    const since = Math.max(came ?? noted.since, noted.since);
    return { ...expected, since: Math.min(now, since), isStale: noted.stale && came === null };
  }

  /** When something came that the note does not know of; null: nothing did. */
  #cameAfterNote({ kind, name }: Expected): number | null {
    const { store, lifetime } = this.#parts;
    const elapsedAt = (at: number | null): number | null => (at === null ? null : at - lifetime.aheadMs);
    if (kind === "sense") {
      const page = { ...ALL_SIGNALS, senses: [name], after: this.#known.signals, limit: 1, newest: true };
      const signal = elapsedAt(store.signals.list(page)[0]?.at ?? null);
      const item = elapsedAt(store.inbox.newestAfter(name, this.#known.items));
      return signal === null || item === null ? (signal ?? item) : Math.max(signal, item);
    }
    const ended = store.runs.endedAs(["completed"], Math.max(0, store.runs.lastId() - RUNS_READ));
    const after = ended.filter((run) => run.workflow === name && run.last_log_id > this.#known.logs);
    const times = after.flatMap(({ ended_at: at }) => at ?? []);
    return elapsedAt(times.length === 0 ? null : Math.max(...times));
  }

  /** Changes with everything that comes. */
  #seenOf({ kind, name }: Pick<Expected, "kind" | "name">): string {
    const { senses, workflows, inboxes } = this.#parts;
    if (kind === "workflow") return String(workflows.countsOf(name).ended.completed);
    return `${senses.byName.get(name)?.stats.lastSignal?.id ?? 0} ${inboxes.newestAt(name) ?? 0}`;
  }

  #isOff({ kind, name }: Pick<Expected, "kind" | "name">): boolean {
    return kind === "sense" && this.#parts.senses.byName.get(name)?.enabled === false;
  }

  // ── looks ────────────────────────────────────────────────────────────

  #wait(): void {
    this.#next = this.#parts.ticker.look(LOOK_MS, () => {
      for (const expected of this.#expected.values()) this.#look(expected);
      this.#wait();
    });
  }

  /** What has come since the last look counts from now. Null where nothing has come, else what it was like before. */
  #takeNews(expected: Expected): Expected | null {
    const seen = this.#seenOf(expected);
    const isOff = this.#isOff(expected);
    if (seen === expected.seen && isOff === expected.isOff) return null;
    const before = { ...expected };
    Object.assign(expected, { seen, isOff, since: this.#parts.lifetime.now(), isStale: false });
    return before;
  }

  #look(expected: Expected): void {
    const { lifetime, ledger } = this.#parts;
    const before = this.#takeNews(expected);
    if (before !== null) {
      this.#knowsAll();
      // A start finds signals again, and items that still wait.
      const isWorthNoting = before.isStale || expected.kind === "workflow" || !expected.seen.endsWith(" 0");
      if (isWorthNoting) ledger.write(() => this.keep());
    }
    const now = lifetime.now();
    const graceMs = Math.min(GRACE_MS, expected.everyMs);
    if (expected.isOff || expected.isStale || ledger.troubled || now - lifetime.began.elapsedMs < graceMs) return;
    if (now - expected.since >= expected.everyMs) this.#becomesStale(expected);
  }

  /** What came up to here is seen: by a start, or by a look, since memory follows each commit. */
  #knowsAll(): void {
    const { signals, inbox, logs } = this.#parts.store;
    this.#known = { signals: signals.lastId(), items: inbox.lastId(), logs: logs.lastId() };
  }

  #becomesStale(expected: Expected): void {
    const { ledger, journal } = this.#parts;
    const { kind, everyMs } = expected;
    expected.isStale = true;
    ledger.write((draft) => {
      const data = { expect_every_ms: everyMs };
      journal.within(draft, idOf(expected)).warn(`${kind}.stale`, this.#wordsOf(expected), data);
      this.keep();
    });
  }

  #wordsOf({ kind, everyMs, since }: Expected): string {
    const what = kind === "sense" ? "no signal and no item" : "no completed run";
    const forMs = Math.max(0, this.#parts.lifetime.now() - since);
    return `${what} for ${duration(forMs)}: its \`expect_every\` is ${formatDuration(everyMs)}`;
  }

  /** A note that cannot be read is none: everything counts from now. */
  #readNote(): Noted {
    const note = readJson(this.#parts.store.meta.get(NOTE) ?? "null");
    if (!isJsonObject(note) || !Number.isInteger(note.up_to) || !isJsonObject(note.expected)) return {};
    const { inbox, logs } = this.#parts.store;
    const known = (value: Json | undefined, usual: number): number =>
      Number.isInteger(value) ? (value as number) : usual;
    // A note of an earlier build knows of signals alone.
    this.#known = {
      signals: note.up_to as number,
      items: known(note.items_up_to, inbox.lastId()),
      logs: known(note.logs_up_to, logs.lastId()),
    };
    const isNoted = (entry: Json): boolean =>
      isJsonObject(entry) && Number.isFinite(entry.since) && typeof entry.stale === "boolean";
    return Object.fromEntries(Object.entries(note.expected).filter(([, entry]) => isNoted(entry))) as unknown as Noted;
  }
}
