/**
 * What is refused about a definition before ArkType reads it: its size, operators that change values or need code, and
 * regular expressions that are not bounded. ArkType compares literals with expressions while it reads, with JavaScript's
 * own engine, so what reaches it has to be harmless to that as well.
 */
import type { Json } from "../base/json.ts";
import { compileRegex, type Regex } from "./regex.ts";

export interface PatternRefusal {
  /** Within the definition: `status`, `disks[0].name`, `` for the definition itself. */
  readonly path: string;
  /** A sentence without the path, no trailing stop. */
  readonly message: string;
  readonly hint: string | null;
}

/** Every thing that is refused: one a place, the first that was found there. */
export type PatternRefusals = readonly [PatternRefusal, ...PatternRefusal[]];

/** Collects refusals of one pattern. */
export class Refusing {
  readonly #byPath = new Map<string, PatternRefusal>();

  add(refusal: PatternRefusal): void {
    if (!this.#byPath.has(refusal.path)) this.#byPath.set(refusal.path, refusal);
  }

  /** Null when there is nothing. */
  get all(): PatternRefusals | null {
    const [first, ...others] = this.#byPath.values();
    return first === undefined ? null : [first, ...others];
  }

  /** Whether anything of the part at `path` is refused. */
  hasWithin(path: string): boolean {
    if (path === "") return this.#byPath.size > 0;
    const isWithin = (one: string): boolean => one.startsWith(path) && ["", ".", "["].includes(one.charAt(path.length));
    return this.#byPath.keys().some(isWithin);
  }
}

/** A text, where ArkType's notation begins, or a map or list that stands for a type by itself. */
export interface Part {
  readonly path: string;
  readonly definition: Json;
  readonly inner: readonly Part[];
}

const MAX_DEPTH = 16;
const MAX_ENTRIES = 256;
const MAX_TEXT = 1_024;
const MAX_BRANCHES = 100;
/** ArkType compares each with each. */
const MAX_BRANCHES_IN_ALL = 500;
const MAX_LISTS = 100;
const MAX_BACKTRACKS = 10_000_000;
/** A character of a payload costs at most so many steps, whichever fields the expressions look at. */
const MAX_STATES_IN_ALL = 1_000;

const TUPLE_OPERATORS: ReadonlySet<string> = new Set(["[]", "|", "&", "?"]);
const REFUSED_OPERATORS: ReadonlySet<string> = new Set(["=>", "|>", ":", "=", "@"]);
const CHANGES_NOTHING = "a pattern only looks: compare the value as it is";

export const at = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;

export type Token =
  | { readonly kind: "regex"; readonly source: string }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "word"; readonly text: string; readonly from: number }
  | { readonly kind: "operator"; readonly text: string };

const SPACE_OR_OPERATOR = /[\s<>=|&()[\]%,:?#]/;
const WORD_END = /[\s<>=|&)[%,:?#]/;

/** The parts of a text as ArkType tells them apart: quotes and slashes open something only where an operand may stand. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let index = 0;
  const enclosed = (close: string): string => {
    const from = ++index;
    while (index < text.length && text[index] !== close) index += text[index] === "\\" ? 2 : 1;
    return text.slice(from, Math.min(index++, text.length));
  };
  while (index < text.length) {
    const char = text[index] as string;
    if (char === "'" || char === '"') tokens.push({ kind: "literal", text: enclosed(char) });
    else if (char === "/") tokens.push({ kind: "regex", source: enclosed("/") });
    else if (SPACE_OR_OPERATOR.test(char)) {
      tokens.push({ kind: "operator", text: char });
      index++;
    } else {
      const from = index;
      const next = text[index + 1];
      if ((char === "x" && next === "/") || (char === "d" && (next === "'" || next === '"'))) index++;
      else while (index < text.length && !WORD_END.test(text[index] as string)) index++;
      tokens.push({ kind: "word", text: text.slice(from, index), from });
    }
  }
  return tokens;
}

/** What a part of a definition holds that matters to the whole it stands in. */
interface Contents {
  readonly regexes: readonly { readonly path: string; readonly regex: Regex }[];
  /** Length of the longest literal or key that may be compared with an expression. */
  readonly longest: number;
  /** At most how many alternatives ArkType makes of it. */
  readonly branches: number;
}

const NOTHING: Contents = { regexes: [], longest: 0, branches: 1 };

/** Reports to `refusing`, and takes the definition apart; null where it has too much of anything to be read at all. */
export function vetDefinition(definition: Json, refusing: Refusing): Part | null {
  let siblings: Part[] = [];
  let entries = 0;
  let states = 0;
  let lists = 0;
  let alternatives = 0;
  let isTooMuch = false;
  const refuse = (path: string, message: string, hint: string | null): Contents => {
    refusing.add({ path, message, hint });
    return NOTHING;
  };
  /** Said once, where the limit was passed. */
  const refuseAll = (path: string, message: string, hint: string | null): Contents => {
    if (!isTooMuch) refuse(path, message, hint);
    isTooMuch = true;
    return NOTHING;
  };

  const joined = (parts: readonly Contents[], branches: number): Contents => ({
    regexes: parts.flatMap((part) => part.regexes),
    longest: Math.max(0, ...parts.map((part) => part.longest)),
    branches,
  });

  /** For what ArkType compares as one. */
  const compared = (path: string, contents: Contents): Contents => {
    if (contents.branches > MAX_BRANCHES) {
      return refuse(path, `it has more than ${MAX_BRANCHES} alternatives when written out`, "split the reflex");
    }
    const slow = contents.regexes.find(({ regex }) => regex.backtracks(contents.longest) > MAX_BACKTRACKS);
    if (!slow) return contents;
    const message = "the regular expression takes too long to be compared with the texts beside it";
    return refuse(slow.path, message, "write the texts into the expression, or simplify it");
  };

  const vetText = (text: string, path: string): Contents => {
    if (text.length > MAX_TEXT) return refuse(path, `it is longer than ${MAX_TEXT} characters`, null);
    const regexes: { path: string; regex: Regex }[] = [];
    let longest = 0;
    let forks = 0;
    let joins = 0;
    for (const token of tokensOf(text)) {
      if (token.kind === "literal") longest = Math.max(longest, token.text.length);
      if (token.kind === "word" && token.text === "boolean") forks++;
      if (token.kind === "operator" && token.text === "|") forks++;
      if (token.kind === "operator" && token.text === "&") joins++;
      // Lists of lists cost ArkType far more than they are deep.
      if (token.kind === "operator" && token.text === "[" && ++lists > MAX_LISTS) {
        return refuseAll(path, `it has more than ${MAX_LISTS} lists`, null);
      }
      if (token.kind !== "regex") continue;
      const regex = compileRegex(token.source);
      if (!regex.ok) return refuse(path, `the regular expression ${regex.error.message}`, regex.error.hint);
      states += regex.value.states;
      regexes.push({ path, regex: regex.value });
    }
    alternatives += forks;
    if (alternatives > MAX_BRANCHES_IN_ALL) {
      const message = `it has more than ${MAX_BRANCHES_IN_ALL} alternatives in all its fields`;
      return refuseAll(path, message, "split the reflex");
    }
    // The most a product of sums can be: its alternatives spread evenly.
    const branches = (forks / (joins + 1) + 1) ** (joins + 1);
    return compared(path, { regexes, longest, branches });
  };

  const vetLeaf = (text: string, path: string): Contents => {
    if (text.trim() === "")
      return refuse(path, "it is empty", "write \"''\" for the empty text, or unknown for any value");
    return vetText(text, path);
  };

  const vetTuple = (items: readonly Json[], path: string, depth: number): Contents => {
    const [first, second] = items;
    if (first === "instanceof") return refuse(path, "`instanceof` needs code", "say which fields the payload has");
    if (first === "===") {
      const longest = Math.max(0, ...items.map((item) => String(item).length));
      return compared(path, { regexes: [], longest, branches: items.length });
    }
    if (typeof second === "string" && REFUSED_OPERATORS.has(second)) {
      return refuse(path, `\`${second}\` changes the value or needs code`, CHANGES_NOTHING);
    }
    const operator =
      first === "keyof" ? "keyof" : typeof second === "string" && TUPLE_OPERATORS.has(second) ? second : null;
    const skipped = operator === null ? null : operator === "keyof" ? 0 : 1;
    const parts = items.map((item, index) =>
      index === skipped || item === "..." ? NOTHING : vet(item, at(path, index), depth + 1),
    );
    const each = parts.map((part) => part.branches);
    if (operator === "|") return compared(path, joined(parts, each.reduce((sum, one) => sum + one, 0) - 1));
    if (operator === "&")
      return compared(
        path,
        joined(
          parts,
          each.reduce((product, one) => product * one, 1),
        ),
      );
    return joined(parts, Math.max(1, ...each));
  };

  const vet = (part: Json, path: string, depth: number): Contents => {
    const outer = siblings;
    siblings = [];
    const contents = vetPart(part, path, depth);
    outer.push({ path, definition: part, inner: siblings });
    siblings = outer;
    return contents;
  };

  const vetPart = (part: Json, path: string, depth: number): Contents => {
    if (depth > MAX_DEPTH) return refuse(path, `it is nested deeper than ${MAX_DEPTH} levels`, null);
    if (++entries > MAX_ENTRIES) return refuseAll("", `it has more than ${MAX_ENTRIES} entries`, "split the reflex");
    if (typeof part === "string") return vetLeaf(part, path);
    if (Array.isArray(part)) return vetTuple(part, path, depth);
    if (typeof part !== "object" || part === null) {
      return refuse(path, `${JSON.stringify(part)} is not text`, `quote it: "${JSON.stringify(part)}"`);
    }
    const parts: Contents[] = [];
    for (const [key, value] of Object.entries(part)) {
      if (key === "+") {
        if (value !== "reject" && value !== "ignore") {
          refuse(
            at(path, key),
            "what is not declared can only be refused or ignored",
            'write "+": reject, or leave it out',
          );
        }
        continue;
      }
      // `[string]: …` and the like are definitions themselves; other keys are compared with their expressions.
      const keyContents = key.startsWith("[")
        ? vetText(key.slice(1, -1), at(path, key))
        : { ...NOTHING, longest: key.length };
      if (key.startsWith("[")) siblings.push({ path: at(path, key), definition: key.slice(1, -1), inner: [] });
      if (key.length > MAX_TEXT) return refuse(path, `a key is longer than ${MAX_TEXT} characters`, null);
      parts.push(keyContents, vet(value, at(path, key), depth + 1));
    }
    compared(
      path,
      joined(
        parts.filter((_, index) => index % 2 === 0),
        1,
      ),
    );
    return joined(parts, Math.max(1, ...parts.map((one) => one.branches)));
  };

  vet(definition, "", 0);
  if (states > MAX_STATES_IN_ALL) {
    refuseAll("", "its regular expressions are too large together", "use fewer, or smaller counts");
  }
  return isTooMuch ? null : (siblings[0] ?? null);
}
