/**
 * Group commit: what arrives together is one transaction and one fsync. A lone entry does not wait; one whose batch is
 * still coming in waits for it, for a moment, unless it is the first of all. When SQLite cannot write, entries are kept and tried again, nothing is
 * announced, and the kernel takes in nothing new.
 */
import { Histogram } from "../../base/histogram.ts";
import type { Store } from "../../store/open.ts";
import type { Batch } from "../memory/flight.ts";
import type { World } from "../world.ts";
import { Draft } from "./draft.ts";

/** Runs inside the transaction. It may run again, with a new draft, when the commit failed. */
export type Change = (draft: Draft) => void;

export interface Entry {
  readonly write: Change;
  /** After the commit, and after what `write` put off with `draft.afterwards`. */
  readonly kept: () => void;
}

/** How long the first result of a batch waits for the others. */
const BATCH_WINDOW_MS = 25;
/** The batch of an entry that nobody waits for: it commits with the next one, or after the window. */
export const PATIENT: Batch = Object.freeze({ left: 1 });
const RETRY_MS = 1_000;
/** Bounds of the durations of commits. */
const SECONDS = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** What the disk or another process can do to us and time can heal; anything else is damage, or a bug. */
const HEALS = /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN|LOCKED|PROTOCOL|NOMEM)/;

export type LedgerWorld = Pick<World, "clock" | "alarm" | "turns">;

export interface LedgerEvents {
  /** The store refused a commit, with SQLite's code for it, or takes them again (null). */
  readonly trouble: (message: string | null, code: string) => void;
}

export class Ledger {
  /** How long commits took. */
  readonly seconds = new Histogram(SECONDS);
  readonly #store: Store;
  readonly #world: LedgerWorld;
  readonly #events: LedgerEvents;
  #entries: Entry[] = [];
  /** What takes the flush back that is to come in the next turn, and the flush that is to come later. */
  #cancelNext: (() => void) | null = null;
  #cancelLater: (() => void) | null = null;
  #isJudging = false;
  /** Whether an entry has ever had to wait for its batch. */
  #hasWaited = false;
  #troubled = false;
  #slowestCommitMs = 0;

  constructor(store: Store, world: LedgerWorld, events: LedgerEvents) {
    this.#store = store;
    this.#world = world;
    this.#events = events;
  }

  /** Since the kernel started. */
  get slowestCommitMs(): number {
    return this.#slowestCommitMs;
  }

  /** True while commits fail: nothing new may be started. */
  get troubled(): boolean {
    return this.#troubled;
  }

  /** True while an entry waits for its commit. */
  get isWaiting(): boolean {
    return this.#entries.length > 0;
  }

  add(entry: Entry, batch: Batch | null = null): void {
    this.#entries.push(entry);
    if (batch === null || batch.left === 0) return this.hurry();
    if (this.#isJudging) return;
    this.#isJudging = true;
    this.#world.turns.atEnd(() => this.#judge(batch));
  }

  /** What there is waits for no batch. */
  hurry(): void {
    if (this.#troubled || this.#cancelNext !== null) return;
    this.#cancelNext = this.#world.turns.next(() => this.flush());
  }

  /** The turn is over in which the first entry came that waits for its batch. Most often the whole batch came in it. */
  #judge(batch: Batch): void {
    this.#isJudging = false;
    if (this.#entries.length === 0) return;
    // At a start the rest of the batch takes its time, for no code has run yet.
    const isFirst = !this.#hasWaited;
    this.#hasWaited = true;
    if (batch.left === 0 || isFirst) return this.hurry();
    if (this.#troubled || this.#cancelNext !== null) return;
    this.#cancelLater ??= this.#world.alarm(BATCH_WINDOW_MS, () => this.flush());
  }

  /** Adds a change that nobody waits for. */
  write(change: Change): void {
    this.add({ write: change, kept: () => {} });
  }

  /** Adds a change; resolves once it is committed. What must be true at that moment, `draft.afterwards` does. */
  commit(change: Change): Promise<void> {
    return new Promise((kept) => this.add({ write: change, kept }));
  }

  /** Resolves once everything that was added so far is committed. */
  committed(): Promise<void> {
    return this.#entries.length === 0 ? Promise.resolve() : this.commit(() => {});
  }

  /** Commits what there is. False when the store refused; it is tried again by itself. */
  flush(): boolean {
    this.#cancelNext?.();
    this.#cancelLater?.();
    this.#cancelNext = null;
    this.#cancelLater = null;
    if (this.#entries.length === 0) return true;
    const entries = this.#entries;
    const { clock } = this.#world;
    const draft = new Draft(this.#store, clock.wallMs());
    const beganAt = clock.monotonicMs();
    try {
      this.#store.commit(() => {
        for (const entry of entries) {
          entry.write(draft);
          draft.afterwards(entry.kept);
        }
        draft.finish();
      });
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      if (!HEALS.test(code)) throw error;
      this.#cancelLater = this.#world.alarm(RETRY_MS, () => this.flush());
      if (!this.#troubled) {
        this.#troubled = true;
        this.#events.trouble(`${(error as Error).message} (${code})`, code);
      }
      return false;
    }
    const tookMs = clock.monotonicMs() - beganAt;
    this.seconds.observe(tookMs / 1_000);
    this.#slowestCommitMs = Math.max(this.#slowestCommitMs, tookMs);
    this.#entries = [];
    draft.keep();
    if (this.#troubled) {
      this.#troubled = false;
      this.#events.trouble(null, "");
    }
    draft.conclude();
    return true;
  }
}
