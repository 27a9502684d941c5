/**
 * Owns what is said of what other hosts send: of each host and kind the first time at once, in the transaction of the frame; what
 * follows is one row a minute with the sum. No host fills the log of another one.
 */
import { counted } from "../../base/counted.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

export interface Complaint {
  readonly event: "fleet.gap" | "fleet.refused";
  /** Complaints of one kind about one host are counted together. */
  readonly kind: "gap" | "lost" | "unread";
  readonly host: string;
  readonly missing: number;
  /** `missing`: of one complaint, or of all that a row stands for. */
  readonly message: (missing: number) => string;
}

/** What came since the newest row. */
interface Open {
  readonly newest: Complaint;
  readonly count: number;
  readonly missing: number;
}

const ROW_MS = 60_000;

export class Complaints {
  readonly #ticker: Pick<Ticker, "after">;
  readonly #journal: Journal;
  readonly #open = new Map<string, Open>();
  #next: Handle | null = null;

  constructor(ticker: Pick<Ticker, "after">, journal: Journal) {
    this.#ticker = ticker;
    this.#journal = journal;
  }

  say(draft: Draft, complaint: Complaint): void {
    const key = `${complaint.kind} ${complaint.host}`;
    if (this.#open.has(key)) return draft.afterwards(() => this.#count(key, complaint));
    const { event, host, missing, message } = complaint;
    this.#journal.within(draft, "kernel").warn(event, message(missing), { host, missing });
    // A transaction that fails is tried again: its complaint is then counted, and its row comes within the minute.
    this.#open.set(key, { newest: complaint, count: 0, missing: 0 });
    this.#next ??= this.#ticker.after(ROW_MS, () => this.#minute());
  }

  /** What is counted and not said is said now. */
  stop(): void {
    this.#next?.cancel();
    this.#next = null;
    this.#report();
    this.#open.clear();
  }

  #count(key: string, complaint: Complaint): void {
    const { count, missing } = this.#open.get(key) ?? { count: 0, missing: 0 };
    const sum = Math.min(Number.MAX_SAFE_INTEGER, missing + complaint.missing);
    this.#open.set(key, { newest: complaint, count: count + 1, missing: sum });
    this.#next ??= this.#ticker.after(ROW_MS, () => this.#minute());
  }

  #minute(): void {
    this.#next = null;
    this.#report();
    if (this.#open.size > 0) this.#next = this.#ticker.after(ROW_MS, () => this.#minute());
  }

  /** A kind that nobody complained of since the last row begins anew. */
  #report(): void {
    for (const [key, { newest, count, missing }] of this.#open) {
      if (count === 0) {
        this.#open.delete(key);
        continue;
      }
      const { event, host, message } = newest;
      const text = `${message(missing)} (${counted(count, "more time")})`;
      this.#journal.of("kernel").warn(event, text, { host, missing, count });
      this.#open.set(key, { newest, count: 0, missing: 0 });
    }
  }
}
