/**
 * The kernel's voice: every record goes to the log table and to stderr. Repeats of one message by one source are folded:
 * the first is a row, the following ones are counted into one more row a minute.
 */
import type { Json, JsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/logger.ts";
import type { LogLevel, NewLog } from "../../model/log.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Ledger } from "./ledger.ts";

export interface JournalEntry {
  readonly level: LogLevel;
  /** `kernel`, `sense:NAME`, `reflex:NAME`, `workflow:NAME`. */
  readonly source: string;
  readonly event: string;
  readonly message: string;
  readonly data: JsonObject | null;
  readonly trace: string | null;
}

/** What user code said: its `data` is whatever it gave. */
export type Said = Omit<JournalEntry, "data"> & { readonly data: Json };

interface Fold {
  readonly entry: JournalEntry;
  count: number;
  /** Not repeated since the last look. */
  isQuiet: boolean;
}

/** Distinct messages remembered for folding; beyond it the oldest is forgotten (its repeats become rows again). */
const REMEMBERED = 1_000;

export class Journal {
  readonly #ledger: Ledger;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #folds = new Map<string, Fold>();

  constructor(ledger: Ledger, logger: Logger, now: () => number) {
    this.#ledger = ledger;
    this.#logger = logger;
    this.#now = now;
  }

  /** To stderr alone: for what cannot be stored, and what the store already holds. */
  say(entry: Said): void {
    this.#logger.write({ at: this.#now(), ...entry });
  }

  row(entry: Said): NewLog {
    const { level, source, event, message, trace, data } = entry;
    return {
      at: this.#now(),
      level,
      source,
      event,
      run: null,
      trace,
      message,
      data: data === null ? null : JSON.stringify(data),
    };
  }

  log(entry: JournalEntry): void {
    const row = this.row(entry);
    this.#ledger.write((draft) => draft.log(row));
    this.say(entry);
  }

  /**
   * What user code said; `taken` is called once that is a row. While the store takes nothing it becomes none, for it is
   * not worth piling up, and `taken` is called at once.
   */
  relay(said: Said, run: number | null, taken: () => void): void {
    this.say(said);
    if (this.#ledger.troubled) return taken();
    const row = { ...this.row(said), run };
    this.#ledger.add({ write: (draft) => draft.log(row), kept: taken });
  }

  /** Something does not load, and why. */
  logProblem(source: string, event: string, found: Problem): void {
    const { kind, file, line, column } = found;
    const data = { kind, file, line, column };
    this.logFolded({ level: "error", source, event, message: formatProblem(found), data, trace: null });
  }

  /** As `log`, but a repeat of the same message within the minute is only counted. */
  logFolded(entry: JournalEntry): void {
    const key = `${entry.source}\0${entry.event}\0${entry.message}`;
    const fold = this.#folds.get(key);
    if (fold) {
      fold.count++;
      fold.isQuiet = false;
      return;
    }
    if (this.#folds.size >= REMEMBERED) {
      const [oldest] = this.#folds;
      if (oldest !== undefined) {
        this.#folds.delete(oldest[0]);
        this.#report(oldest[1]);
      }
    }
    this.#folds.set(key, { entry, count: 0, isQuiet: false });
    this.log(entry);
  }

  /** Once a minute and at the end: a row for what was folded. What was not repeated from one look to the next is forgotten. */
  unfold(): void {
    for (const [key, fold] of this.#folds) {
      if (fold.isQuiet) {
        this.#folds.delete(key);
        continue;
      }
      this.#report(fold);
      fold.count = 0;
      fold.isQuiet = true;
    }
  }

  #report({ entry, count }: Fold): void {
    if (count === 0) return;
    const times = count === 1 ? "once more" : `${count} more times`;
    this.log({ ...entry, message: `${entry.message} (${times})`, data: { ...entry.data, count } });
  }
}
