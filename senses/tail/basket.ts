/** What the lines of one compute become: a signal each, or one summary. */
import { fieldsOf, groupsIn, patternOf } from "nerve/pattern";
import type { Line } from "./lines.ts";
import type { Basket } from "./reader.ts";

export interface LinePayload {
  readonly file: string;
  readonly line: string;
  readonly cut: boolean;
  /** By the names of the groups of `match`; null where a group took no part. */
  readonly fields: Readonly<Record<string, string | null>>;
}

export interface Limits {
  readonly signals: number;
  /** Of JSON. */
  readonly bytes: number;
  /** A reading of performance.now(). */
  readonly until: number;
}

export class Collected implements Basket {
  readonly #match: string | null;
  readonly #test: (text: string) => boolean;
  readonly #groups: readonly string[];
  readonly #isSummary: boolean;
  readonly #limits: Limits;
  #bytes = 0;
  /** True where a limit of the compute left something unread. */
  isFull = false;
  lines = 0;
  matched = 0;
  payloads: LinePayload[] = [];
  /** The first line and the last one that matched. */
  first: string | null = null;
  last: string | null = null;

  constructor(match: string | null, isSummary: boolean, limits: Limits) {
    this.#groups = match === null ? [] : groupsIn(match);
    this.#match = match;
    this.#test = match === null ? () => true : patternOf(match).test;
    this.#isSummary = isSummary;
    this.#limits = limits;
  }

  readonly goesOn = (): boolean => {
    this.isFull ||= performance.now() >= this.#limits.until;
    return !this.isFull;
  };

  readonly take = (path: string, line: Line): boolean => {
    if (!this.#test(line.text)) {
      this.lines++;
      return true;
    }
    if (!this.#isSummary) {
      const payload = {
        file: path,
        line: line.text,
        cut: line.cut,
        fields: fieldsOf(this.#match, this.#groups, line.text),
      };
      const bytes = Buffer.byteLength(JSON.stringify(payload));
      if (this.payloads.length === this.#limits.signals || this.#bytes + bytes > this.#limits.bytes) {
        this.isFull = true;
        return false;
      }
      this.#bytes += bytes;
      this.payloads.push(payload);
    }
    this.lines++;
    this.matched++;
    this.first ??= line.text;
    this.last = line.text;
    return true;
  };

  readonly mark = (): (() => void) => {
    const { lines, matched, payloads, first, last } = this;
    const [count, bytes] = [payloads.length, this.#bytes];
    return () => {
      this.payloads.length = count;
      this.#bytes = bytes;
      Object.assign(this, { lines, matched, first, last });
    };
  };
}
