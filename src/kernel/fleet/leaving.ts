/**
 * Owns how far the signals of this host have left: the cursor in logs.db, written before the fleet process goes on. What was made
 * before `fleet` was first loaded does not leave.
 */
import { isJsonObject, type Json, readJson } from "../../base/json.ts";
import type { Store } from "../../store/open.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { FleetBooks, Forwarded } from "./books.ts";

type Cursor = ReturnType<FleetBooks["beginning"]>["cursor"];

export interface LeavingParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
}

/** In `meta`. */
const CURSOR = "fleet.out";

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export class Leaving {
  readonly #parts: LeavingParts;
  /** Until it is written. */
  #beginning: Cursor;
  /** Signals since the kernel started. */
  signals = 0;
  lost = 0;

  constructor(parts: LeavingParts) {
    this.#parts = parts;
    this.#beginning = { epoch: parts.store.epoch, since: 0, upto: 0, sequence: 0 };
  }

  /** Where this host begins to send, where it has not begun before. */
  begin(): void {
    const { store, ledger } = this.#parts;
    if (this.#read() !== null) return;
    const newest = store.signals.lastId();
    this.#beginning = { epoch: store.epoch, since: newest, upto: newest, sequence: 0 };
    const beginning = this.#beginning;
    ledger.write(() => {
      if (store.meta.get(CURSOR) === null) this.#write(beginning);
    });
  }

  get cursor(): Cursor {
    return this.#read() ?? this.#beginning;
  }

  #read(): Cursor | null {
    const { meta } = this.#parts.store;
    const written = meta.get(CURSOR);
    if (written === null) return null;
    const value = readJson(written);
    const { epoch, since, upto, sequence } = isJsonObject(value) ? value : {};
    if (typeof epoch !== "string" || !isCount(since) || !isCount(upto) || !isCount(sequence))
      throw meta.damaged(CURSOR, written);
    return { epoch, since, upto, sequence };
  }

  #write(cursor: Cursor): void {
    this.#parts.store.meta.set(CURSOR, JSON.stringify(cursor));
  }

  /** The engine has acknowledged all up to `upto`. `kept` is called after the commit. */
  forwarded({ since, upto, sequence, signals, lost }: Forwarded, kept: () => void): void {
    const { store, ledger, journal } = this.#parts;
    ledger.add({
      write: (draft) => {
        this.#write({ epoch: store.epoch, since, upto, sequence });
        if (lost === 0) return;
        const message = `retention has removed ${lost} ids before they could leave: at most so many signals are lost to other hosts`;
        journal.within(draft, "kernel").warn("fleet.lost", message, { lost });
      },
      kept: () => {
        this.signals += signals;
        this.lost += lost;
        kept();
      },
    });
  }
}
