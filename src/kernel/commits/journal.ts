/**
 * Owns the kernel's voice: every record goes to the log table and to stderr. Repeats of one message by one source are
 * folded: the first is a row, and further repeats are counted into one more row a minute.
 */
import type { JsonObject } from "../../base/json.ts";
import type { Logger } from "../../base/logger.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Draft } from "./draft.ts";
import type { Ledger } from "./ledger.ts";
import { type JournalEntry, rowOf, Voice } from "./voice.ts";

interface Fold {
  readonly entry: JournalEntry;
  count: number;
  /** True when no repeat came since the last look. */
  isQuiet: boolean;
}

/**
 * At most this many messages are remembered for folding. Beyond it the oldest is forgotten, and its repeats become rows
 * again.
 */
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

  /** `source` speaks: to the log table and to stderr. */
  of(source: string, trace: string | null = null): Voice {
    return new Voice(source, trace, (entry) => this.#log(entry));
  }

  /** The twin of `of` about the past moment `at`. */
  ofMoment(at: number, source: string): Voice {
    return new Voice(source, null, (entry) => this.#log(entry, at));
  }

  /** `source` speaks; a repeat of the same message within the minute is only counted. */
  folding(source: string, trace: string | null = null): Voice {
    return new Voice(source, trace, (entry) => this.#fold(entry));
  }

  /** `source` speaks as a part of `draft`: a row in its transaction, a line on stderr after the commit. */
  within(draft: Draft, source: string, trace: string | null = null): Voice {
    return new Voice(source, trace, (entry) => {
      draft.append(rowOf(entry, this.#now()));
      draft.afterwards(() => this.say(entry));
    });
  }

  /** `source` speaks to stderr alone: for what cannot be stored, and for what the store already holds. */
  aside(source: string, trace: string | null = null): Voice {
    return new Voice(source, trace, (entry) => this.say(entry));
  }

  /** Prints to stderr alone, with `data` of the caller's own. The store already holds the event. */
  say(entry: JournalEntry): void {
    this.#print(entry, this.#now());
  }

  #print({ level, source, event, message, data }: JournalEntry, at: number): void {
    this.#logger.write({ at, level, source, event, message, data });
  }

  #log(entry: JournalEntry, at = this.#now()): void {
    const row = rowOf(entry, at);
    this.#ledger.write((draft) => draft.append(row));
    this.#print(entry, at);
  }

  /**
   * Takes a line that user code logged or printed, and calls `taken` once the line is a row. While the store cannot be
   * written the line is not stored, because it is not worth queueing, and `taken` is called at once.
   */
  relay(entry: JournalEntry, run: number | null, taken: () => void): void {
    this.say(entry);
    if (this.#ledger.troubled) return taken();
    const row = { ...rowOf(entry, this.#now()), run };
    this.#ledger.add({ write: (draft) => draft.append(row), kept: taken });
  }

  /** Logs that something does not load, and why. */
  logProblem(source: string, event: "sense.failed" | "sense.series-refused" | "workflow.failed", found: Problem): void {
    const { kind, file, line, column } = found;
    this.folding(source).error(event, formatProblem(found), { kind, file, line, column });
  }

  #fold(entry: JournalEntry): void {
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
    this.#log(entry);
  }

  /**
   * Writes a row for folded messages, once a minute and at the end. A message without repeats since the last look is
   * forgotten.
   */
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
    const data = { ...(entry.data as JsonObject | null), count };
    this.#log({ ...entry, message: `${entry.message} (${times})`, data });
  }
}
