/** Owns what keeps the tables of the inbox small: items that are old enough to go, and requests that are no longer known. */
import type { Clock } from "../../base/clock.ts";
import { DEFAULT_RETENTION_SIGNALS_MS } from "../../config/defaults.ts";
import type { NerveConfig } from "../../model/config.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Handle, Ticker } from "../time/ticker.ts";
import { TrustedClock } from "../time/trusted-clock.ts";
import { KNOWN_MS } from "./box.ts";
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

/** Requests that are known of a sense. */
const KNOWN = 100_000;

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
    const requests = store.inboxRequests;
    const senses = inboxes.boxes().map(({ sense }) => sense);
    const before = lifetime.now() - KNOWN_MS;
    const beyond = senses.flatMap((sense) => requests.newestBeyond(sense, KNOWN) ?? []);
    const isOld = requests.isOlderThan(before);
    if (!isOld && beyond.length === 0) return false;
    let gone = 0;
    ledger.write(() => {
      gone = isOld ? requests.forgetBefore(before, REQUESTS) : 0;
      for (const { sense, first } of beyond) gone += requests.forgetUpTo(sense, first, REQUESTS);
    });
    return ledger.flush() && gone >= REQUESTS;
  }
}
