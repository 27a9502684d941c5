/**
 * What must be of what is sent by OTLP: no row is passed over before the receiver has answered it, but what retention removed, which is
 * counted; what was refused is counted; a cursor only grows; and what waits leaves once all is well.
 */
import { LOG_LEVELS, type LogLevel } from "../../../src/model/log.ts";
import { OTLP_KINDS, type OtlpKind } from "../../../src/model/otlp.ts";
import { violation } from "./report.ts";

interface Cursor {
  readonly upto: number;
  readonly sent: number;
  readonly refused: number;
  readonly lost: number;
}

interface Row {
  readonly id: number;
  readonly realMs: number;
}

const NOTHING: Cursor = { upto: 0, sent: 0, refused: 0, lost: 0 };

/** One kind of what is sent, since it was named. */
class Kind {
  readonly #kind: OtlpKind;
  /** Null: the kind is not named. */
  #cursor: Cursor | null = null;
  /** Rows that are to be sent and that no cursor has passed, in the order of their ids. */
  #waiting: Row[] = [];
  readonly #answers = new Map<number, boolean>();
  #taken = 0;
  #refused = 0;
  #unanswered = 0;

  constructor(kind: OtlpKind) {
    this.#kind = kind;
  }

  made(id: number, realMs: number): void {
    if (this.#cursor !== null) this.#waiting.push({ id, realMs });
  }

  /** What was taken once is there, whatever becomes of it when it comes again. */
  answered(id: number, isTaken: boolean): void {
    this.#answers.set(id, isTaken || this.#answers.get(id) === true);
  }

  cursor(next: Cursor | null): void {
    const before = this.#cursor;
    this.#cursor = next;
    if (next === null || before === null) return this.#begins();
    for (const name of ["upto", "sent", "refused", "lost"] as const)
      if (next[name] < before[name])
        violation("otlp-cursor", `${this.#kind}: ${name} goes back from ${before[name]} to ${next[name]}`);
    const passed = this.#waiting.findIndex(({ id }) => id > next.upto);
    for (const { id } of this.#waiting.splice(0, passed < 0 ? this.#waiting.length : passed)) this.#passes(id);
    this.#holds(next);
  }

  #begins(): void {
    this.#waiting = [];
    this.#answers.clear();
    this.#taken = 0;
    this.#refused = 0;
    this.#unanswered = 0;
  }

  #passes(id: number): void {
    const isTaken = this.#answers.get(id);
    this.#answers.delete(id);
    if (isTaken === undefined) this.#unanswered++;
    else if (isTaken) this.#taken++;
    else this.#refused++;
  }

  #holds({ upto, sent, refused, lost }: Cursor): void {
    const kind = this.#kind;
    if (this.#unanswered > lost)
      violation(
        "otlp-all",
        `${kind}: up to ${upto} ${this.#unanswered} rows were never answered, and ${lost} ids are counted as lost`,
      );
    if (this.#unanswered + this.#refused > lost + refused)
      violation(
        "otlp-refused",
        `${kind}: up to ${upto} ${this.#refused} rows were refused, and ${refused} are counted`,
      );
    if (this.#unanswered + this.#refused + this.#taken > lost + refused + sent)
      violation("otlp-sent", `${kind}: up to ${upto} ${this.#taken} rows were taken, and ${sent} are counted`);
  }

  rested(beforeMs: number): void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined && oldest.realMs < beforeMs)
      violation("otlp-waits", `${this.#kind}: row ${oldest.id} was not sent, though all is well`);
  }
}

export class OtlpOracle {
  readonly #kinds = new Map(OTLP_KINDS.map((kind) => [`otlp.${kind}`, new Kind(kind)]));

  #of(kind: OtlpKind): Kind {
    return this.#kinds.get(`otlp.${kind}`) as Kind;
  }

  signal(id: number, realMs: number): void {
    this.#of("signals").made(id, realMs);
  }

  log(id: number, level: LogLevel, realMs: number): void {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(SENT_LOGS)) this.#of("logs").made(id, realMs);
  }

  answered(kind: OtlpKind, id: number, isTaken: boolean): void {
    this.#of(kind).answered(id, isTaken);
  }

  /** A value of `meta` is written; null: removed. */
  meta(key: string, value: string | null): void {
    this.#kinds.get(key)?.cursor(value === null ? null : { ...NOTHING, ...(JSON.parse(value) as Cursor) });
  }

  /** Everything is well, and has had the time that it needs. */
  rested(beforeMs: number): void {
    for (const kind of this.#kinds.values()) kind.rested(beforeMs);
  }
}

/** Logs from this level on are sent in these worlds. */
export const SENT_LOGS: LogLevel = "warn";
