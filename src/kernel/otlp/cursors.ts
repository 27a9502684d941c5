/**
 * Owns how far each kind has come by OTLP, in logs.db, with the counts of what became of its rows. A kind begins where logs.db ends when
 * `otlp.send` first names it; what was made before, or while it was not named, is not sent.
 */
import { isJsonObject, type Json, readJson } from "../../base/json.ts";
import { OTLP_KINDS, type OtlpKind } from "../../model/otlp.ts";
import type { Store } from "../../store/open.ts";
import type { Change, Ledger } from "../commits/ledger.ts";

export interface Cursor {
  readonly upto: number;
  readonly sent: number;
  readonly refused: number;
  readonly lost: number;
}

export interface CursorsParts {
  readonly ledger: Ledger;
  readonly store: Store;
}

/** In `meta`. */
const keyOf = (kind: OtlpKind): string => `otlp.${kind}`;

const isCount = (value: Json | undefined): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export class Cursors {
  readonly #parts: CursorsParts;
  readonly #cursors = new Map<OtlpKind, Cursor>();

  constructor(parts: CursorsParts) {
    this.#parts = parts;
    for (const kind of OTLP_KINDS) {
      const cursor = this.#read(kind);
      if (cursor !== null) this.#cursors.set(kind, cursor);
    }
  }

  of(kind: OtlpKind): Cursor | null {
    return this.#cursors.get(kind) ?? null;
  }

  /** The newest id of what this kind is read from. */
  newest(kind: OtlpKind): number {
    const { signals, logs } = this.#parts.store;
    return kind === "signals" ? signals.lastId() : logs.lastId();
  }

  /** From now on `kind` is sent, or is not. */
  name(kind: OtlpKind, isSent: boolean): void {
    const isKnown = this.#cursors.has(kind);
    if (isSent === isKnown) return;
    const { ledger, store } = this.#parts;
    if (!isSent) {
      this.#cursors.delete(kind);
      return ledger.write(() => store.meta.unset(keyOf(kind)));
    }
    const beginning: Cursor = { upto: this.newest(kind), sent: 0, refused: 0, lost: 0 };
    this.#cursors.set(kind, beginning);
    ledger.write(() => this.#write(kind, beginning));
  }

  /** What was answered is never asked for again by this kernel; `kept` is called when it is committed. */
  move(kind: OtlpKind, cursor: Cursor, write: Change, kept: () => void): void {
    this.#cursors.set(kind, cursor);
    this.#parts.ledger.add({
      write: (draft) => {
        if (this.#cursors.has(kind)) this.#write(kind, cursor);
        write(draft);
      },
      kept,
    });
  }

  /** Ids were passed of which nothing is sent: looking at them again after a restart costs less than a commit. */
  pass(kind: OtlpKind, cursor: Cursor): void {
    this.#cursors.set(kind, cursor);
  }

  #read(kind: OtlpKind): Cursor | null {
    const { meta } = this.#parts.store;
    const written = meta.get(keyOf(kind));
    if (written === null) return null;
    const value = readJson(written);
    const { upto, sent, refused, lost } = isJsonObject(value) ? value : {};
    if (!isCount(upto) || !isCount(sent) || !isCount(refused) || !isCount(lost))
      throw meta.damaged(keyOf(kind), written);
    return { upto, sent, refused, lost };
  }

  #write(kind: OtlpKind, cursor: Cursor): void {
    this.#parts.store.meta.set(keyOf(kind), JSON.stringify(cursor));
  }
}
