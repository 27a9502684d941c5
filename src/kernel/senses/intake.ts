/**
 * Owns the step from a payload to a signal: the payload's bound, the decisions of the listening reflexes, and one
 * transaction for all of that (G1). The payloads of one turn go together. The payloads come from results of computes, and from rows that an earlier worker left
 * in its outbox.
 */
import type { Clock } from "../../base/clock.ts";
import { exceedsBytes, type Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Turns } from "../../base/turns.ts";
import { MADE_HERE, type Signal } from "../../model/signal.ts";
import { MAX_VALUE_BYTES } from "../../model/value.ts";
import type { NewSignal } from "../../store/signals.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Batch } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import type { Heard, Reflexes } from "../reflexes/reflexes.ts";
import type { World } from "../world.ts";

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
  readonly world: Pick<World, "clock" | "turns">;
  readonly ledger: Ledger;
  readonly reflexes: Reflexes;
  /** Called with each signal after its commit, null to call nobody. */
  readonly onSignal: ((signal: Signal) => void) | null;
}

/** A payload as it is stored, or the reason why the value is no payload. */
export function payloadText(payload: unknown): Result<string, string> {
  const text = JSON.stringify(payload);
  // A number that is not finite becomes null as well.
  if (text === "null") return err("the payload null");
  return exceedsBytes(text, MAX_VALUE_BYTES) ? err("a payload over 64 KiB") : ok(text);
}

/** A payload on its way into a transaction. */
interface Taking {
  readonly arrival: Arrival;
  readonly consequences: Consequences;
  readonly heard: Heard | null;
  /** The id of its signal, 0 before; it stays 0 for a row that was taken before. */
  id: number;
}

interface TurnEntry {
  readonly takings: Taking[];
  /** Wall clock, when the first of them came. */
  readonly at: number;
}

export class Intake {
  readonly #clock: Clock;
  readonly #turns: Turns;
  readonly #ledger: Ledger;
  readonly #reflexes: Reflexes;
  readonly #onSignal: IntakeParts["onSignal"];
  /** What this turn has brought so far, as one entry of the ledger. Null: nothing, or the entry takes no more. */
  #open: TurnEntry | null = null;

  constructor({ world, ledger, reflexes, onSignal }: IntakeParts) {
    this.#clock = world.clock;
    this.#turns = world.turns;
    this.#ledger = ledger;
    this.#reflexes = reflexes;
    this.#onSignal = onSignal;
  }

  /** What arrives in one turn, which is a frame most often, is one entry of the ledger. */
  take(arrival: Arrival, consequences: Consequences): void {
    const { batch } = consequences;
    const entry = this.#open ?? this.#enter(batch);
    const heard = this.#reflexes.hear(arrival.sense.name, arrival.payload, entry.at);
    entry.takings.push({ arrival, consequences, heard, id: 0 });
    if (batch === null || batch.left === 0) this.#ledger.hurry();
  }

  #enter(batch: Batch | null): TurnEntry {
    const entry: TurnEntry = { takings: [], at: this.#clock.wallMs() };
    this.#open = entry;
    this.#turns.atEnd(() => this.#close(entry));
    this.#ledger.add({ write: (draft) => this.#write(draft, entry), kept: () => this.#kept(entry) }, batch);
    return entry;
  }

  #close(entry: TurnEntry): void {
    if (this.#open === entry) this.#open = null;
  }

  #write(draft: Draft, entry: TurnEntry): void {
    this.#close(entry);
    const { takings, at } = entry;
    const fresh: Taking[] = [];
    const signals: NewSignal[] = [];
    for (const taking of takings) {
      const { sense, text: payload, outbox, cause, trace } = taking.arrival;
      const isNew = outbox === null || draft.takeOutbox(sense, outbox);
      taking.consequences.write(draft);
      taking.id = 0;
      if (!isNew) continue;
      fresh.push(taking);
      signals.push({ sense: sense.name, at, payload, cause, trace });
    }
    if (signals.length === 0) return;
    let id = draft.signals(signals);
    for (const taking of fresh) {
      taking.id = id++;
      const { sense, trace } = taking.arrival;
      if (taking.heard === null) continue;
      this.#reflexes.decide(draft, taking.heard, { id: taking.id, sense: sense.name, at, trace });
    }
  }

  #kept({ takings, at }: TurnEntry): void {
    for (const { arrival, consequences, id } of takings) {
      consequences.kept();
      if (id === 0) continue;
      const { sense, text: payload, cause, trace } = arrival;
      sense.stats.lastSignal = { id, at };
      sense.stats.signals++;
      sense.stats.succeeded();
      this.#onSignal?.({ id, sense: sense.name, at, payload, cause, trace, ...MADE_HERE });
    }
  }
}
