/** What the entries of one compute become: a signal each, or one summary. */
import { fieldsOf, groupsIn, patternOf } from "nerve/pattern";
import { type Entry, parseEntry } from "./entry.ts";

/** What nerve takes of one compute, with room to spare, and a part of the timeout of a sense. */
const MOST_SIGNALS = 500;
const MOST_JSON_BYTES = 960 * 1024;
const LONGEST_MS = 5_000;
/** `first` and `last` of a summary. */
const LONGEST_SHOWN = 1_000;
const ERROR = 3;
const WARNING = 4;

interface Wanted {
  readonly match: string | null;
  readonly summary: boolean;
}

type EntryPayload = Omit<Entry, "cursor"> & { readonly fields: Readonly<Record<string, string | null>> };

export class Collected {
  readonly #wanted: Wanted;
  readonly #groups: readonly string[];
  readonly #until = performance.now() + LONGEST_MS;
  #bytes = 0;
  #errors = 0;
  #warnings = 0;
  #first: string | null = null;
  #last: string | null = null;
  readonly payloads: EntryPayload[] = [];
  /** True where a limit of the compute left something unread. */
  isFull = false;
  entries = 0;
  matched = 0;
  /** Of the last entry that was taken; null where none was. */
  cursor: string | null = null;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    this.#groups = wanted.match === null ? [] : groupsIn(wanted.match);
  }

  /** False leaves the entry, and all behind it, to the next compute. */
  readonly take = (line: string): boolean => {
    const found = parseEntry(line);
    if (found === null) return true;
    const { cursor, ...entry } = found;
    const { match, summary } = this.#wanted;
    const isMatch = match === null || patternOf(match).test(entry.message);
    if (isMatch && !summary && !this.#holds({ ...entry, fields: fieldsOf(match, this.#groups, entry.message) })) {
      this.isFull = true;
      return false;
    }
    this.entries++;
    this.cursor = cursor;
    if (isMatch) this.#count(entry);
    this.isFull = performance.now() >= this.#until;
    return !this.isFull;
  };

  summary() {
    const [first, last] = [this.#first, this.#last].map((message) => message?.slice(0, LONGEST_SHOWN) ?? null);
    const counts = { entries: this.entries, matched: this.matched, errors: this.#errors, warnings: this.#warnings };
    return { ...counts, first: first ?? null, last: last ?? null };
  }

  #count({ priority, message }: Omit<Entry, "cursor">): void {
    this.matched++;
    if (priority <= ERROR) this.#errors++;
    if (priority === WARNING) this.#warnings++;
    this.#first ??= message;
    this.#last = message;
  }

  #holds(payload: EntryPayload): boolean {
    this.#bytes += Buffer.byteLength(JSON.stringify(payload));
    if (this.payloads.length === MOST_SIGNALS || this.#bytes > MOST_JSON_BYTES) return false;
    this.payloads.push(payload);
    return true;
  }
}
