/**
 * Owns the senses that killed their worker alone: their strikes, and the quarantine after three. Both take effect at once
 * and are stored after, because they only hold something back.
 */
import { type Clock, elapsedSince, momentOf } from "../../base/clock.ts";
import { formatDuration } from "../../base/duration.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import type { Ticker } from "../time/ticker.ts";
import { quarantineMs, STRIKES } from "../workers/blame.ts";

/** A worker's death with one compute under way. */
export interface LoneDeath {
  /** A sentence about the end of the worker. */
  readonly how: string;
  /** The compute. Null while the module was being loaded. */
  readonly compute: number | null;
  /** Milliseconds since the start of the compute. */
  readonly afterMs: number;
}

export interface QuarantinesParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** True while `sense` is the sense with its name. */
  readonly isCurrent: (sense: Sense) => boolean;
  /** Gives up what is owed to `sense`. */
  readonly cancel: (sense: Sense) => void;
  readonly released: (sense: Sense) => void;
}

export class Quarantines {
  readonly #parts: QuarantinesParts;

  constructor(parts: QuarantinesParts) {
    this.#parts = parts;
  }

  /** `sense` was alone when its worker died. True when it is quarantined for that. */
  strike(sense: Sense, { how, compute, afterMs }: LoneDeath): boolean {
    const { clock, ledger, journal } = this.#parts;
    const strikes = sense.strikes + 1;
    const forMs = quarantineMs(strikes);
    const quarantine = forMs === null ? null : { since: momentOf(clock), forMs };
    sense.strike(quarantine);
    const source = `sense:${sense.name}`;
    const { trace = null } = sense.pending ?? {};
    const what = compute === null ? "while it was being loaded" : `in its compute ${compute}`;
    const message = `its worker died ${afterMs} ms ${what}, nothing else was under way: ${how} (strike ${Math.min(strikes, STRIKES)} of ${STRIKES})`;
    const data = { compute, after_ms: afterMs, strikes };
    sense.stats.failed(message, sense.diedInFlight?.items ?? []);
    if (compute !== null) sense.stats.killed++;
    journal.of(source, trace).error("compute.killed", message, data);
    ledger.write((draft) => draft.strikes(sense, strikes, quarantine));
    if (quarantine === null) return false;
    const text = `quarantined for ${formatDuration(quarantine.forMs)}; \`nerve enable ${sense.name}\` lifts it`;
    journal.of(source).error("sense.quarantined", text, { for_ms: quarantine.forMs });
    this.#parts.cancel(sense);
    this.arm(sense);
    return true;
  }

  /** Releases `sense` when its quarantine is over. Does nothing for a sense that is not quarantined. */
  arm(sense: Sense): void {
    const { quarantine } = sense;
    if (quarantine === null) return;
    const { clock, ticker, isCurrent } = this.#parts;
    const left = quarantine.forMs - elapsedSince(quarantine.since, clock);
    ticker.after(Math.max(0, left), () => {
      if (sense.quarantine === quarantine && isCurrent(sense)) this.release(sense, "its time is over", sense.strikes);
    });
  }

  release(sense: Sense, why: string, strikes: number): void {
    const { ledger, journal, isCurrent, released } = this.#parts;
    sense.release(strikes);
    ledger.write((draft) => draft.strikes(sense, strikes, null));
    journal.of(`sense:${sense.name}`).info("sense.released", `released from quarantine: ${why}`, null);
    if (isCurrent(sense)) released(sense);
  }
}
