/**
 * Owns the step from a payload to a signal: the payload's bound, the decisions of the listening reflexes, and one
 * transaction for all of that (G1). The payloads come from results of computes, and from rows that an earlier worker left
 * in its outbox.
 */
import type { Clock } from "../../base/clock.ts";
import { exceedsBytes, type Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { MADE_HERE, type Signal } from "../../model/signal.ts";
import { MAX_VALUE_BYTES } from "../../model/value.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Batch } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import type { Reflexes } from "../reflexes/reflexes.ts";

export interface Arrival {
  readonly sense: Sense;
  readonly payload: Json;
  /** The payload as {@link payloadText} gives it. */
  readonly text: string;
  /** The row of the sense's outbox that holds the payload, or null. A row is taken once. */
  readonly outbox: number | null;
  readonly cause: number | null;
  readonly trace: string;
}

/** The further changes of the transaction, and what follows from its commit. */
export interface Consequences {
  readonly write: (draft: Draft) => void;
  /** Called also for a row that was taken before. */
  readonly kept: () => void;
  /** The batch that commits together, or null. */
  readonly batch: Batch | null;
}

export interface IntakeParts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly reflexes: Reflexes;
  /** Called with each signal after its commit. */
  readonly onSignal: (signal: Signal) => void;
}

/** A payload as it is stored, or the reason why the value is no payload. */
export function payloadText(payload: unknown): Result<string, string> {
  if (payload === null) return err("the payload null");
  const text = JSON.stringify(payload);
  return exceedsBytes(text, MAX_VALUE_BYTES) ? err("a payload over 64 KiB") : ok(text);
}

export class Intake {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #reflexes: Reflexes;
  readonly #onSignal: (signal: Signal) => void;

  constructor({ clock, ledger, reflexes, onSignal }: IntakeParts) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#reflexes = reflexes;
    this.#onSignal = onSignal;
  }

  take({ sense, payload, text, outbox, cause, trace }: Arrival, { write, kept, batch }: Consequences): void {
    const at = this.#clock.wallMs();
    const heard = this.#reflexes.hear(sense.name, payload, at);
    let id = 0;
    this.#ledger.add(
      {
        write: (draft) => {
          const isNew = outbox === null || draft.takeOutbox(sense, outbox);
          write(draft);
          if (!isNew) return;
          id = draft.signal({ sense: sense.name, at, payload: text, cause, trace });
          if (heard !== null) this.#reflexes.decide(draft, heard, { id, sense: sense.name, at, trace });
        },
        kept: () => {
          kept();
          if (id === 0) return;
          sense.stats.lastSignal = { id, at };
          sense.stats.signals++;
          sense.stats.succeeded();
          this.#onSignal({ id, sense: sense.name, at, payload: text, cause, trace, ...MADE_HERE });
        },
      },
      batch,
    );
  }
}
