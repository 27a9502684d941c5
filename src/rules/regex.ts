/**
 * Regular expressions that cannot hang: JavaScript's syntax, matched in time linear in the text.
 *
 * A backtracking engine may need exponential time for a text somebody else wrote. Here an expression becomes a
 * nondeterministic automaton of at most MAX_STATES states, which reads each character once and keeps the set of states it
 * can be in: at most states × characters steps, whatever the expression and the text are. Sets that were met are
 * remembered with where they lead, so that the usual character costs one look-up.
 *
 * What no such automaton can do is refused: look-around and back-references. Nested quantifiers could be matched, but are
 * refused as well: they are nearly always a mistake. Which characters a class such as `[^\w-]` holds is asked of
 * JavaScript's own engine, one character at a time, so its rules are the only ones.
 */
import { err, ok, type Result } from "../base/result.ts";

export interface Regex {
  /** States of the automaton: what a character can cost at most. */
  readonly states: number;
  readonly test: (text: string) => boolean;
  /** At most how many steps a backtracking engine could need for a text of this length; may be Infinity. */
  readonly backtracks: (length: number) => number;
}

export interface RegexRefusal {
  readonly message: string;
  readonly hint: string | null;
}

export const MAX_STATES = 250;
const MAX_SOURCE = 1_024;

type Assertion = "^" | "$" | "\\b" | "\\B";
type Part =
  /** One character: a literal, an escape, a class or `.`, as it is written. */
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

/** Recursive descent over a source that JavaScript has accepted already, so only what it allows has to be told apart. */
function parse(source: string): Result<Part, RegexRefusal> {
  let at = 0;
  let refusal: RegexRefusal | null = null;
  const refuse = (why: RegexRefusal): Part => {
    refusal ??= why;
    at = source.length;
    return { kind: "sequence", parts: [] };
  };
  const taken = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    if (found) at = pattern.lastIndex;
    return found;
  };

  const either = (): Part => {
    const branches = [sequence()];
    while (source[at] === "|") {
      at++;
      branches.push(sequence());
    }
    const [only] = branches;
    return branches.length === 1 && only ? only : { kind: "either", branches };
  };

  const sequence = (): Part => {
    const parts: Part[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") parts.push(quantified(operand()));
    return { kind: "sequence", parts };
  };

  const quantified = (body: Part): Part => {
    const found = taken(/(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/y);
    if (!found) return body;
    const [, sign, from = "", comma, to = ""] = found;
    const min = sign === undefined ? Number(from) : sign === "+" ? 1 : 0;
    const max = sign === "?" ? 1 : sign !== undefined || (comma !== "" && to === "") ? Infinity : Number(to || from);
    const inner = repetition(body);
    if (max > 1 && inner > 1 && (max === Infinity || inner === Infinity)) return refuse(NESTED);
    return { kind: "repeat", body, min, max };
  };

  const operand = (): Part => {
    const char = source[at];
    if (char === "^" || char === "$") {
      at++;
      return { kind: "assertion", assertion: char };
    }
    if (char === "(") return group();
    if (char === "\\") return escaped();
    const found = taken(/\[\^?(?:[^\]\\]|\\[\s\S])*\]|[\s\S]/y);
    return { kind: "char", source: found?.[0] ?? "" };
  };

  const group = (): Part => {
    if (taken(/\(\?<?[=!]/y)) return refuse(LOOK_AROUND);
    if (!taken(/\((?:\?:|\?<[^>]*>|(?!\?))/y)) return refuse(UNKNOWN_GROUP);
    const body = either();
    at++;
    return body;
  };

  const escaped = (): Part => {
    const edge = taken(/\\[bB]/y);
    if (edge) return { kind: "assertion", assertion: edge[0] as Assertion };
    if (taken(/\\(?:[1-9]|k)/y)) return refuse(BACK_REFERENCE);
    const found = taken(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|c[a-zA-Z]|0(?!\d)|[dDwWsStnrfv]|[^\da-zA-Z])/y);
    return found ? { kind: "char", source: found[0] } : refuse(UNKNOWN_ESCAPE);
  };

  const whole = either();
  return refusal === null ? ok(whole) : err(refusal);
}

/** How often the most repeated thing in it is repeated; a fixed number of times is no repetition in this sense. */
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

/** States the automaton will have. */
function size(part: Part): number {
  switch (part.kind) {
    case "sequence":
      return part.parts.reduce((sum, one) => sum + size(one), 0);
    case "either":
      return part.branches.reduce((sum, one) => sum + size(one) + 1, 0);
    case "repeat": {
      const body = size(part.body);
      // A body without states counts as well: it is written out like any other.
      const fixed = part.min * Math.max(1, body);
      return fixed + (part.max === Infinity ? 1 : part.max - part.min) * (body + 1);
    }
    default:
      return 1;
  }
}

/** In how many ways a text of this length can be divided among the parts: what backtracking may have to try. */
function ways(part: Part, length: number): number {
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

/** A state reads one character (an index into `atoms`), checks where it stands, forks, or is the end. */
type State =
  | { readonly kind: "char"; readonly atom: number; readonly next: number }
  | { readonly kind: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "fork"; readonly next: number[] }
  | { readonly kind: "match" };

interface Automaton {
  readonly states: readonly State[];
  readonly start: number;
  /** Each distinct way to write one character, as JavaScript's own test for it. */
  readonly atoms: readonly RegExp[];
}

function automaton(whole: Part): Automaton {
  const states: State[] = [{ kind: "match" }];
  const atoms = new Map<string, number>();
  const add = (state: State): number => states.push(state) - 1;
  const atomOf = (source: string): number => {
    const known = atoms.get(source) ?? atoms.size;
    atoms.set(source, known);
    return known;
  };
  /** Adds what matches `part` and goes on to `next`; its first state. */
  const emit = (part: Part, next: number): number => {
    switch (part.kind) {
      case "char":
        return add({ kind: "char", atom: atomOf(part.source), next });
      case "assertion":
        return add({ kind: "assertion", assertion: part.assertion, next });
      case "sequence":
        return part.parts.reduceRight((after, one) => emit(one, after), next);
      case "either":
        return add({ kind: "fork", next: part.branches.map((branch) => emit(branch, next)) });
      case "repeat": {
        let after = next;
        if (part.max === Infinity) {
          const ends: number[] = [next];
          after = add({ kind: "fork", next: ends });
          ends.push(emit(part.body, after));
        } else {
          for (let count = part.min; count < part.max; count++) {
            after = add({ kind: "fork", next: [next, emit(part.body, after)] });
          }
        }
        for (let count = 0; count < part.min; count++) after = emit(part.body, after);
        return after;
      }
    }
  };
  const start = emit(whole, 0);
  return { states, start, atoms: [...atoms.keys()].map((source) => new RegExp(`^(?:${source})$`)) };
}

/** Characters that every part of the expression treats alike. */
interface CharClass {
  readonly index: number;
  readonly isWord: boolean;
  /** By atom. */
  readonly fits: readonly boolean[];
}

/** Where the automaton can be after some characters. */
interface Situation {
  /** States that are entered next, with the start among them: a match may begin anywhere. */
  readonly entered: readonly number[];
  readonly isStart: boolean;
  readonly afterWord: boolean;
  /** By class index: what was found out already; null where situations are not remembered any more. */
  readonly next: (Outcome | undefined)[] | null;
}

type Outcome = Situation | "match" | "no match";

const MAX_SITUATIONS = 200;
const MAX_CLASSES = 1_000;
const WORD = /\w/;

function matcher({ states, start, atoms }: Automaton): (text: string) => boolean {
  // `$` holds before this class alone.
  const end: CharClass = { index: 0, isWord: false, fits: [] };
  const begin: Situation = { entered: [start], isStart: true, afterWord: false, next: [] };
  let situations = new Map<string, Situation>();
  let classOfCode = new Map<number, CharClass>();
  let classes = new Map<string, CharClass>();
  // The step in which a state was last seen. Not 32 bits: a counter that came round would loop.
  const visited = new Float64Array(states.length);
  const entered = new Float64Array(states.length);
  let round = 0;

  const forget = (): void => {
    situations = new Map();
    classOfCode = new Map();
    classes = new Map();
    (begin.next as unknown[]).length = 0;
  };

  const classify = (code: number): CharClass => {
    const char = String.fromCharCode(code);
    const fits = atoms.map((atom) => atom.test(char));
    const isWord = WORD.test(char);
    const key = `${isWord ? "w" : ""}${fits.map(Number).join("")}`;
    const found = classes.get(key) ?? { index: classes.size + 1, isWord, fits };
    classes.set(key, found);
    classOfCode.set(code, found);
    return found;
  };

  const holds = (assertion: Assertion, from: Situation, ahead: CharClass): boolean => {
    if (assertion === "^") return from.isStart;
    if (assertion === "$") return ahead === end;
    return (from.afterWord !== ahead.isWord) === (assertion === "\\b");
  };

  const step = (from: Situation, ahead: CharClass): Outcome => {
    round++;
    const pending = [...from.entered];
    const reached: number[] = [start];
    entered[start] = round;
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (visited[index] === round) continue;
      visited[index] = round;
      const state = states[index] as State;
      if (state.kind === "match") return "match";
      if (state.kind === "fork") for (const one of state.next) pending.push(one);
      else if (state.kind === "assertion") {
        if (holds(state.assertion, from, ahead)) pending.push(state.next);
      } else if (ahead.fits[state.atom] && entered[state.next] !== round) {
        entered[state.next] = round;
        reached.push(state.next);
      }
    }
    if (ahead === end) return "no match";
    const afterWord = ahead.isWord;
    if (situations.size >= MAX_SITUATIONS) return { entered: reached, isStart: false, afterWord, next: null };
    const key = `${afterWord ? "w" : ""}${reached.sort((a, b) => a - b).join()}`;
    const known = situations.get(key) ?? { entered: reached, isStart: false, afterWord, next: [] };
    situations.set(key, known);
    return known;
  };

  const follow = (from: Situation, ahead: CharClass): Outcome => {
    const known = from.next?.[ahead.index];
    if (known !== undefined) return known;
    const found = step(from, ahead);
    if (from.next) from.next[ahead.index] = found;
    return found;
  };

  return (text) => {
    if (situations.size >= MAX_SITUATIONS || classOfCode.size >= MAX_CLASSES) forget();
    let current = begin;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const outcome = follow(current, classOfCode.get(code) ?? classify(code));
      if (typeof outcome === "string") return outcome === "match";
      current = outcome;
    }
    return follow(current, end) === "match";
  };
}

/** A regular expression without flags. */
export function compileRegex(source: string): Result<Regex, RegexRefusal> {
  if (source.length > MAX_SOURCE) return err({ message: `is longer than ${MAX_SOURCE} characters`, hint: null });
  try {
    new RegExp(source);
  } catch (error) {
    return err({
      message: `cannot be read: ${(error as Error).message.replace(/^Invalid regular expression: /, "")}`,
      hint: null,
    });
  }
  const parsed = parse(source);
  if (!parsed.ok) return parsed;
  const count = size(parsed.value) + 1;
  if (count > MAX_STATES) {
    return err({
      message: `is too large: written out without counts it has ${count} parts, and ${MAX_STATES} is the limit`,
      hint: "use smaller counts, or * and +",
    });
  }
  return ok({
    states: count,
    test: matcher(automaton(parsed.value)),
    backtracks: (length) => ways(parsed.value, length) * (length + count) * (length + 1),
  });
}
