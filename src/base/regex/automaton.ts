/**
 * Owns an expression as a nondeterministic automaton. The automaton reads each character of a text once, and keeps the set
 * of its possible states. A set that was met is remembered with its successors, so the usual character costs one look-up.
 */
import type { Assertion, Part } from "./parts.ts";

/** A state reads one character (an index into `atoms`), checks its position, forks, or is the end. */
type State =
  | { readonly kind: "char"; readonly atom: number; readonly next: number }
  | { readonly kind: "assertion"; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: "fork"; readonly next: number[] }
  | { readonly kind: "match" };

interface Automaton {
  readonly states: readonly State[];
  readonly start: number;
  /** JavaScript's own test for each distinct way to write one character. */
  readonly atoms: readonly RegExp[];
}

export function automaton(whole: Part): Automaton {
  const states: State[] = [{ kind: "match" }];
  const atoms = new Map<string, number>();
  const add = (state: State): number => states.push(state) - 1;
  const atomOf = (source: string): number => {
    const known = atoms.get(source) ?? atoms.size;
    atoms.set(source, known);
    return known;
  };
  /** Adds the states that match `part` and go on to `next`. Returns the first of them. */
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

/** The possible states of the automaton after some characters. */
interface Situation {
  /** The states that are entered next. The start is among them, because a match may begin anywhere. */
  readonly entered: readonly number[];
  readonly isStart: boolean;
  readonly afterWord: boolean;
  /** Class index → known outcome. Null where situations are no longer remembered. */
  readonly next: (Outcome | undefined)[] | null;
}

type Outcome = Situation | "match" | "no match";

const MAX_SITUATIONS = 200;
const MAX_CLASSES = 1_000;
const WORD = /\w/;

/** `$` holds before this class only. */
const END: CharClass = { index: 0, isWord: false, fits: [] };

export class RegexMatcher {
  readonly #states: readonly State[];
  readonly #start: number;
  readonly #atoms: readonly RegExp[];
  readonly #begin: Situation;
  #situations = new Map<string, Situation>();
  #classOfCode = new Map<number, CharClass>();
  #classes = new Map<string, CharClass>();
  /** The step in which a state was last met. Not 32 bits: a counter that wraps around would loop. */
  readonly #visited: Float64Array;
  readonly #entered: Float64Array;
  #round = 0;

  constructor({ states, start, atoms }: Automaton) {
    this.#states = states;
    this.#start = start;
    this.#atoms = atoms;
    this.#begin = { entered: [start], isStart: true, afterWord: false, next: [] };
    this.#visited = new Float64Array(states.length);
    this.#entered = new Float64Array(states.length);
  }

  test(text: string): boolean {
    if (this.#situations.size >= MAX_SITUATIONS || this.#classOfCode.size >= MAX_CLASSES) this.#forget();
    let current = this.#begin;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      const outcome = this.#follow(current, this.#classOfCode.get(code) ?? this.#classify(code));
      if (typeof outcome === "string") return outcome === "match";
      current = outcome;
    }
    return this.#follow(current, END) === "match";
  }

  #forget(): void {
    this.#situations = new Map();
    this.#classOfCode = new Map();
    this.#classes = new Map();
    (this.#begin.next as unknown[]).length = 0;
  }

  #classify(code: number): CharClass {
    const char = String.fromCharCode(code);
    const fits = this.#atoms.map((atom) => atom.test(char));
    const isWord = WORD.test(char);
    const key = `${isWord ? "w" : ""}${fits.map(Number).join("")}`;
    const found = this.#classes.get(key) ?? { index: this.#classes.size + 1, isWord, fits };
    this.#classes.set(key, found);
    this.#classOfCode.set(code, found);
    return found;
  }

  #follow(from: Situation, ahead: CharClass): Outcome {
    const known = from.next?.[ahead.index];
    if (known !== undefined) return known;
    const found = this.#step(from, ahead);
    if (from.next) from.next[ahead.index] = found;
    return found;
  }

  #step(from: Situation, ahead: CharClass): Outcome {
    const reached = this.#reach(from, ahead);
    if (reached === "match") return "match";
    if (ahead === END) return "no match";
    const afterWord = ahead.isWord;
    if (this.#situations.size >= MAX_SITUATIONS) return { entered: reached, isStart: false, afterWord, next: null };
    const key = `${afterWord ? "w" : ""}${reached.sort((a, b) => a - b).join()}`;
    const known = this.#situations.get(key) ?? { entered: reached, isStart: false, afterWord, next: [] };
    this.#situations.set(key, known);
    return known;
  }

  /** The states that are entered after `ahead`. The start is among them, because a match may begin anywhere. */
  #reach(from: Situation, ahead: CharClass): number[] | "match" {
    const round = ++this.#round;
    const pending = [...from.entered];
    const reached: number[] = [this.#start];
    this.#entered[this.#start] = round;
    for (let index = pending.pop(); index !== undefined; index = pending.pop()) {
      if (this.#visited[index] === round) continue;
      this.#visited[index] = round;
      const state = this.#states[index] as State;
      if (state.kind === "match") return "match";
      if (state.kind === "fork") for (const one of state.next) pending.push(one);
      else if (state.kind === "assertion") {
        if (holds(state.assertion, from, ahead)) pending.push(state.next);
      } else if (ahead.fits[state.atom] && this.#entered[state.next] !== round) {
        this.#entered[state.next] = round;
        reached.push(state.next);
      }
    }
    return reached;
  }
}

function holds(assertion: Assertion, from: Situation, ahead: CharClass): boolean {
  if (assertion === "^") return from.isStart;
  if (assertion === "$") return ahead === END;
  return (from.afterWord !== ahead.isWord) === (assertion === "\\b");
}
