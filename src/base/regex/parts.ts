/**
 * Owns the parts of a regular expression: JavaScript's syntax without look-around, back-references and nested quantifiers.
 * Also owns the measures of an expression: the states of its automaton, and the ways that a backtracking engine might try.
 */
import { err, ok, type Result } from "../result.ts";

export interface RegexRefusal {
  readonly message: string;
  readonly hint: string | null;
}

export type Assertion = "^" | "$" | "\\b" | "\\B";
export type Part =
  /** One character as it is written: a literal, an escape, a class or `.`. */
  | { readonly kind: "char"; readonly source: string }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Part[] }
  | { readonly kind: "either"; readonly branches: readonly Part[] }
  | { readonly kind: "repeat"; readonly body: Part; readonly min: number; readonly max: number };

const LOOK_AROUND = {
  message: "looks around, which takes no bounded time",
  hint: "match the text itself, or use several fields",
};
const BACK_REFERENCE = {
  message: "refers back to a group, which takes no bounded time",
  hint: "write out what is to be repeated",
};
const NESTED = {
  message: "repeats something that repeats",
  hint: "one of the two quantifiers is enough, or bound both, as in ([0-9]{1,3}[.]){3}",
};
const UNKNOWN_ESCAPE = {
  message: "has an escape that means nothing here",
  hint: "only punctuation, \\d \\w \\s \\b, \\t \\n \\r \\f \\v \\0, \\xHH, \\uHHHH and \\cX are escaped",
};
const UNKNOWN_GROUP = { message: "has a group of a kind that is not known here", hint: "write (…) or (?:…)" };

/**
 * Parses by recursive descent. JavaScript has accepted the source already, so only what JavaScript allows must be told
 * apart.
 */
class Parser {
  readonly #source: string;
  #at = 0;
  #refusal: RegexRefusal | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  whole(): Result<Part, RegexRefusal> {
    const whole = this.#either();
    return this.#refusal === null ? ok(whole) : err(this.#refusal);
  }

  #refuse(why: RegexRefusal): Part {
    this.#refusal ??= why;
    this.#at = this.#source.length;
    return { kind: "sequence", parts: [] };
  }

  #taken(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #either(): Part {
    const branches = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      branches.push(this.#sequence());
    }
    const [only] = branches;
    return branches.length === 1 && only ? only : { kind: "either", branches };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== "|" && this.#source[this.#at] !== ")")
      parts.push(this.#quantified(this.#operand()));
    return { kind: "sequence", parts };
  }

  #quantified(body: Part): Part {
    const found = this.#taken(/(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y);
    if (!found) return body;
    const [, sign, from = "", comma, to = ""] = found;
    const min = sign === undefined ? Number(from) : sign === "+" ? 1 : 0;
    const max = sign === "?" ? 1 : sign !== undefined || (comma !== "" && to === "") ? Infinity : Number(to || from);
    const inner = repetition(body);
    if (max > 1 && inner > 1 && (max === Infinity || inner === Infinity)) return this.#refuse(NESTED);
    return { kind: "repeat", body, min, max };
  }

  #operand(): Part {
    const char = this.#source[this.#at];
    if (char === "^" || char === "$") {
      this.#at++;
      return { kind: "assertion", assertion: char };
    }
    if (char === "(") return this.#group();
    if (char === "\\") return this.#escaped();
    const found = this.#taken(/\[\^?(?:[^\]\\]|\\[\s\S])*\]|[\s\S]/y);
    return { kind: "char", source: found?.[0] ?? "" };
  }

  #group(): Part {
    if (this.#taken(/\(\?<?[=!]/y)) return this.#refuse(LOOK_AROUND);
    if (!this.#taken(/\((?:\?:|\?<[^>]*>|(?!\?))/y)) return this.#refuse(UNKNOWN_GROUP);
    const body = this.#either();
    this.#at++;
    return body;
  }

  #escaped(): Part {
    const edge = this.#taken(/\\[bB]/y);
    if (edge) return { kind: "assertion", assertion: edge[0] as Assertion };
    if (this.#taken(/\\(?:[1-9]|k)/y)) return this.#refuse(BACK_REFERENCE);
    const found = this.#taken(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|0(?!\d)|[dDwWsStnrfv]|[^\da-zA-Z])/y);
    return found ? { kind: "char", source: found[0] } : this.#refuse(UNKNOWN_ESCAPE);
  }
}

export const parseRegex = (source: string): Result<Part, RegexRefusal> => new Parser(source).whole();

/** The highest number of repetitions in a part. A fixed number of times is no repetition here. */
function repetition(part: Part): number {
  switch (part.kind) {
    case "sequence":
      return Math.max(1, ...part.parts.map(repetition));
    case "either":
      return Math.max(1, ...part.branches.map(repetition));
    case "repeat":
      return Math.max(part.min === part.max ? 1 : part.max, repetition(part.body));
    default:
      return 1;
  }
}

/** The number of states of the automaton. */
export function size(part: Part): number {
  switch (part.kind) {
    case "sequence":
      return part.parts.reduce((sum, one) => sum + size(one), 0);
    case "either":
      return part.branches.reduce((sum, one) => sum + size(one) + 1, 0);
    case "repeat": {
      const body = size(part.body);
      // A body without states counts as well, because it is written out like any other body.
      const fixed = part.min * Math.max(1, body);
      return fixed + (part.max === Infinity ? 1 : part.max - part.min) * (body + 1);
    }
    default:
      return 1;
  }
}

/** The number of ways to divide a text of this length among the parts: the work of a backtracking engine. */
export function ways(part: Part, length: number): number {
  switch (part.kind) {
    case "sequence":
      return part.parts.reduce((product, one) => product * ways(one, length), 1);
    case "either":
      return part.branches.reduce((sum, one) => sum + ways(one, length), 0);
    case "repeat": {
      const body = ways(part.body, length);
      const most = Math.min(part.max, part.min + length);
      let sum = 0;
      for (let count = part.min; count <= most && sum < Infinity; count++) sum += body ** count;
      return sum;
    }
    default:
      return 1;
  }
}

/** The longest text that stands in every match, as far as that is seen at the top of the expression. */
export function literalIn(part: Part): string {
  let longest = "";
  let run = "";
  const walk = (one: Part): void => {
    if (one.kind === "sequence") return one.parts.forEach(walk);
    const char = one.kind === "char" ? literalOf(one.source) : null;
    run = char === null ? "" : run + char;
    if (run.length > longest.length) longest = run;
  };
  walk(part);
  return longest;
}

/** Null for what stands for several characters. */
function literalOf(source: string): string | null {
  if (/^\\[^\da-zA-Z]$/.test(source)) return source.slice(1);
  return source.length === 1 && source !== "." ? source : null;
}
