/** Owns what keeps the tables of the inbox small: items that are old enough to go, and requests that are no longer known. */
import type { Clock } from "../../base/clock.ts";
import { DEFAULT_RETENTION_SIGNALS_MS } from "../../config/defaults.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { TrustedClock } from "../time/trusted-clock.ts";
import { KNOWN_MS, MAX_KNOWN } from "./box.ts";
import type { Inboxes } from "./inboxes.ts";
import type { Leavings } from "./leavings.ts";

export interface InboxUpkeepParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly store: Store;
  readonly inboxes: Inboxes;
  readonly leavings: Leavings;
}

const LOOK_EVERY_MS = 60_000;
const AGAIN_MS = 1_000;
/** Nothing is thrown away by a clock that was set in the last hour. */
const TRUSTED_AFTER_MS = 3_600_000;
/** Of one transaction. */
const REQUESTS = 2_000;

export class InboxUpkeep {
  readonly #parts: InboxUpkeepParts;
  readonly #believed: TrustedClock;
  #keepMs = DEFAULT_RETENTION_SIGNALS_MS;
  /** Those with an inbox. */
  #senses: ReadonlySet<string> = new Set();
  #next: Handle | null = null;
  #stopped = false;

  constructor(parts: InboxUpkeepParts) {
    this.#parts = parts;
    this.#believed = new TrustedClock(parts.clock, TRUSTED_AFTER_MS);
  }

  /** A configuration is in force. */
  keepFor({ retention, senses }: NerveConfig): void {
    this.#keepMs = retention.signalsMs ?? DEFAULT_RETENTION_SIGNALS_MS;
    this.#senses = new Set([...senses.values()].flatMap(({ name, inbox }) => (inbox === null ? [] : name)));
  }

  start(): void {
    this.#lookAgain(LOOK_EVERY_MS);
  }

  clockStepped(): void {
    this.#believed.stepped();
  }

  stop(): void {
    this.#stopped = true;
    this.#next?.cancel();
  }

  #lookAgain(afterMs: number): void {
    if (!this.#stopped) this.#next = this.#parts.ticker.after(afterMs, () => this.#look());
  }

  #look(): void {
    const { clock, ledger, leavings } = this.#parts;
    if (ledger.troubled) return this.#lookAgain(LOOK_EVERY_MS);
    const isMore = this.#believed.isTrusted && leavings.expire(clock.wallMs() - this.#keepMs, this.#senses);
    const isFull = this.#forgetRequests();
    this.#lookAgain(isMore || isFull ? AGAIN_MS : LOOK_EVERY_MS);
  }

  /** Requests that came long ago, and those beyond the newest of their sense. Returns whether there may be more. */
  #forgetRequests(): boolean {
    const { ledger, lifetime, store, inboxes } = this.#parts;
    const { inboxRequests } = store;
    const before = lifetime.now() - KNOWN_MS;
    const isOld = inboxRequests.isOlderThan(before);
    const full = inboxes.boxes().filter(({ known }) => known > MAX_KNOWN);
    if (!isOld && full.length === 0) return false;
    let gone = 0;
    ledger.write((draft) => {
      const aged = isOld ? inboxRequests.forgetBefore(before, REQUESTS) : [];
      const beyond = full.map(({ sense, known }) => ({
        sense,
        requests: inboxRequests.forgetOldest(sense, Math.min(REQUESTS, known - MAX_KNOWN)),
      }));
      const forgotten = [...aged, ...beyond];
      gone = forgotten.reduce((sum, { requests }) => sum + requests, 0);
      draft.afterwards(() => {
        for (const { sense, requests } of forgotten) inboxes.boxOf(sense).known -= requests;
      });
    });
    return ledger.flush() && gone >= REQUESTS;
  }
}
