/**
 * Owns how far the signals of this host have left: the cursor in logs.db, written before the fleet process goes on. What was made
 * before `fleet` was first loaded does not leave. The epoch in which frames leave is that of logs.db, until another copy of the same
 * data has sent under it; from then on frames have an epoch of their own.
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

/** What `meta` holds. */
interface Kept {
  readonly cursor: Cursor;
  /** The epoch of logs.db in which the cursor was written. */
  readonly within: string;
  /** The newest signal when the first kernel started since `cursor.upto`. */
  readonly firstStartedAt: number;
}

/** In `meta`. */
const CURSOR = "fleet.out";
const FRESH = { sequence: 0, proof: null, others: [] } as const;

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export class Leaving {
  readonly #parts: LeavingParts;
  /** Until it is written. */
  #beginning: Cursor;
  readonly #startedAt: number;
  readonly #firstStartedAt: number;
  #isStartWritten: boolean;
  /** Signals since the kernel started. */
  signals = 0;
  lost = 0;

  constructor(parts: LeavingParts) {
    const { epoch, signals } = parts.store;
    this.#parts = parts;
    this.#beginning = { ...FRESH, epoch, since: 0, upto: 0, others: [] };
    const kept = this.#read();
    const isFirst = kept === null || kept.firstStartedAt < kept.cursor.upto;
    this.#startedAt = signals.lastId();
    this.#firstStartedAt = isFirst ? this.#startedAt : kept.firstStartedAt;
    this.#isStartWritten = kept === null || !isFirst;
  }

  /** This kernel begins. What it makes from now on another copy of this data does not have. */
  started(): void {
    if (this.#isStartWritten) return;
    this.#isStartWritten = true;
    this.#parts.ledger.write(() => this.#write(this.cursor, this.#within));
  }

  /** Where this host begins to send, where it has not begun before. */
  begin(): void {
    const { store, ledger } = this.#parts;
    if (this.#read() !== null) return;
    const newest = store.signals.lastId();
    const beginning = { ...FRESH, epoch: store.epoch, since: newest, upto: newest, others: [] };
    this.#beginning = beginning;
    ledger.write(() => {
      if (store.meta.get(CURSOR) === null) this.#write(beginning, store.epoch);
    });
  }

  get cursor(): Cursor {
    return this.#read()?.cursor ?? this.#beginning;
  }

  get #within(): string {
    return this.#read()?.within ?? this.#parts.store.epoch;
  }

  /** With what a fleet process begins. */
  get beginning(): Pick<
    ReturnType<FleetBooks["beginning"]>,
    "epoch" | "epochFrom" | "startedAt" | "firstStartedAt" | "cursor"
  > {
    const { store } = this.#parts;
    const [cursor, within] = [this.cursor, this.#within];
    const isSame = within === store.epoch;
    const epochFrom = isSame ? 0 : store.survivors(within);
    const [startedAt, firstStartedAt] = [this.#startedAt, this.#firstStartedAt];
    return { epoch: isSame ? cursor.epoch : store.epoch, epochFrom, startedAt, firstStartedAt, cursor };
  }

  #read(): Kept | null {
    const { meta } = this.#parts.store;
    const written = meta.get(CURSOR);
    if (written === null) return null;
    const value = readJson(written);
    const { epoch, since, upto, sequence, proof, others, within, firstStartedAt } = isJsonObject(value) ? value : {};
    if (typeof epoch !== "string" || !isCount(since) || !isCount(upto) || !isCount(sequence))
      throw meta.damaged(CURSOR, written);
    return {
      cursor: { epoch, since, upto, sequence, proof: proofIn(proof), others: othersIn(others) },
      within: typeof within === "string" ? within : epoch,
      firstStartedAt: isCount(firstStartedAt) ? firstStartedAt : 0,
    };
  }

  #write(cursor: Cursor, within: string): void {
    this.#parts.store.meta.set(CURSOR, JSON.stringify({ ...cursor, within, firstStartedAt: this.#firstStartedAt }));
  }

  /** The engine has acknowledged all up to `upto`. `kept` is called after the commit. */
  forwarded({ cursor, signals, lost, copied }: Forwarded, kept: () => void): void {
    const { store, ledger, journal } = this.#parts;
    ledger.add({
      write: (draft) => {
        this.#write(cursor, store.epoch);
        const within = journal.within(draft, "kernel");
        if (copied !== null) within.warn("fleet.copied", copied, { epoch: cursor.epoch });
        if (lost === 0) return;
        const message = `retention has removed ${lost} ids before they could leave: at most so many signals are lost to other hosts`;
        within.warn("fleet.lost", message, { lost });
      },
      kept: () => {
        this.signals += signals;
        this.lost += lost;
        kept();
      },
    });
  }
}

/** Nothing where it is none: what a nerve of before wrote has neither. */
function proofIn(value: Json | undefined): Cursor["proof"] {
  const { id, mark } = isJsonObject(value) ? value : {};
  return isCount(id) && typeof mark === "string" ? { id, mark } : null;
}

function othersIn(value: Json | undefined): Cursor["others"] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one) => {
    const { epoch, to, proof, start } = isJsonObject(one) ? one : {};
    if (typeof epoch !== "string" || !isCount(to)) return [];
    return [{ epoch, to, proof: proofIn(proof), start: proofIn(start) }];
  });
}
