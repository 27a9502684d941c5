/**
 * Owns the refusals of a definition before ArkType reads it: its size, operators that change values or need code, and
 * regular expressions that are not bounded. While ArkType reads, it compares literals with expressions by JavaScript's own
 * engine. So a definition must be harmless to that engine as well.
 */
import type { Json } from "../base/json.ts";
import { compileRegex, type Regex } from "../base/regex/regex.ts";
import { at, type Part, type Refusing, tokensOf } from "./definition.ts";

const MAX_DEPTH = 16;
const MAX_ENTRIES = 256;
const MAX_TEXT = 1_024;
const MAX_BRANCHES = 100;
/** ArkType compares each branch with each other branch. */
const MAX_BRANCHES_IN_ALL = 500;
const MAX_LISTS = 100;
const MAX_BACKTRACKS = 10_000_000;
/** The cost of one character of a payload, over all expressions. */
const MAX_STATES_IN_ALL = 1_000;

const TUPLE_OPERATORS: ReadonlySet<string> = new Set(["[]", "|", "&", "?"]);
const REFUSED_OPERATORS: ReadonlySet<string> = new Set(["=>", "|>", ":", "=", "@"]);
const CHANGES_NOTHING = "a pattern only looks: compare the value as it is";

/** The contents of a part of a definition, as far as they matter to the whole definition. */
interface Contents {
  readonly regexes: readonly { readonly path: string; readonly regex: Regex }[];
  /** Length of the longest literal or key that may be compared with an expression. */
  readonly longest: number;
  /** The highest number of alternatives that ArkType makes of the part. */
  readonly branches: number;
}

const NOTHING: Contents = { regexes: [], longest: 0, branches: 1 };

const joined = (parts: readonly Contents[], branches: number): Contents => ({
  regexes: parts.flatMap((part) => part.regexes),
  longest: Math.max(0, ...parts.map((part) => part.longest)),
  branches,
});

/** Reports to `refusing`, and takes the definition apart. Null where the definition is too large to be read. */
export const vetDefinition = (definition: Json, refusing: Refusing): Part | null =>
  new Vetting(refusing).whole(definition);

class Vetting {
  readonly #refusing: Refusing;
  #siblings: Part[] = [];
  #entries = 0;
  #states = 0;
  #lists = 0;
  #alternatives = 0;
  #isTooMuch = false;

  constructor(refusing: Refusing) {
    this.#refusing = refusing;
  }

  whole(definition: Json): Part | null {
    this.#vet(definition, "", 0);
    if (this.#states > MAX_STATES_IN_ALL) {
      this.#refuseAll("", "its regular expressions are too large together", "use fewer, or smaller counts");
    }
    return this.#isTooMuch ? null : (this.#siblings[0] ?? null);
  }

  #refuse(path: string, message: string, hint: string | null): Contents {
    this.#refusing.add({ path, message, hint });
    return NOTHING;
  }

  /** Reported once, where the limit was passed. */
  #refuseAll(path: string, message: string, hint: string | null): Contents {
    if (!this.#isTooMuch) this.#refuse(path, message, hint);
    this.#isTooMuch = true;
    return NOTHING;
  }

  /** A part whose contents ArkType compares with one another. */
  #compared(path: string, contents: Contents): Contents {
    if (contents.branches > MAX_BRANCHES) {
      return this.#refuse(path, `it has more than ${MAX_BRANCHES} alternatives when written out`, "split the reflex");
    }
    const slow = contents.regexes.find(({ regex }) => regex.backtracks(contents.longest) > MAX_BACKTRACKS);
    if (!slow) return contents;
    const message = "the regular expression takes too long to be compared with the texts beside it";
    return this.#refuse(slow.path, message, "write the texts into the expression, or simplify it");
  }

  #vetText(text: string, path: string): Contents {
    if (text.length > MAX_TEXT) return this.#refuse(path, `it is longer than ${MAX_TEXT} characters`, null);
    const regexes: { path: string; regex: Regex }[] = [];
    let longest = 0;
    let forks = 0;
    let joins = 0;
    for (const token of tokensOf(text)) {
      if (token.kind === "literal") longest = Math.max(longest, token.text.length);
      if (token.kind === "word" && token.text === "boolean") forks++;
      if (token.kind === "operator" && token.text === "|") forks++;
      if (token.kind === "operator" && token.text === "&") joins++;
      // Lists of lists cost ArkType far more than their depth.
      if (token.kind === "operator" && token.text === "[" && ++this.#lists > MAX_LISTS) {
        return this.#refuseAll(path, `it has more than ${MAX_LISTS} lists`, null);
      }
      if (token.kind !== "regex") continue;
      const regex = compileRegex(token.source);
      if (!regex.ok) return this.#refuse(path, `the regular expression ${regex.error.message}`, regex.error.hint);
      this.#states += regex.value.states;
      regexes.push({ path, regex: regex.value });
    }
    this.#alternatives += forks;
    if (this.#alternatives > MAX_BRANCHES_IN_ALL) {
      const message = `it has more than ${MAX_BRANCHES_IN_ALL} alternatives in all its fields`;
      return this.#refuseAll(path, message, "split the reflex");
    }
    // The largest product of sums: the alternatives spread evenly.
    const branches = (forks / (joins + 1) + 1) ** (joins + 1);
    return this.#compared(path, { regexes, longest, branches });
  }

  #vetLeaf(text: string, path: string): Contents {
    if (text.trim() === "")
      return this.#refuse(path, "it is empty", "write \"''\" for the empty text, or unknown for any value");
    return this.#vetText(text, path);
  }

  #vetTuple(items: readonly Json[], path: string, depth: number): Contents {
    const [first, second] = items;
    if (first === "instanceof")
      return this.#refuse(path, "`instanceof` needs code", "say which fields the payload has");
    if (first === "===") {
      const longest = Math.max(0, ...items.map((item) => String(item).length));
      return this.#compared(path, { regexes: [], longest, branches: items.length });
    }
    if (typeof second === "string" && REFUSED_OPERATORS.has(second)) {
      return this.#refuse(path, `\`${second}\` changes the value or needs code`, CHANGES_NOTHING);
    }
    const operator =
      first === "keyof" ? "keyof" : typeof second === "string" && TUPLE_OPERATORS.has(second) ? second : null;
    const skipped = operator === null ? null : operator === "keyof" ? 0 : 1;
    const parts = items.map((item, index) =>
      index === skipped || item === "..." ? NOTHING : this.#vet(item, at(path, index), depth + 1),
    );
    const each = parts.map((part) => part.branches);
    if (operator === "|") return this.#compared(path, joined(parts, each.reduce((sum, one) => sum + one, 0) - 1));
    if (operator === "&")
      return this.#compared(
        path,
        joined(
          parts,
          each.reduce((product, one) => product * one, 1),
        ),
      );
    return joined(parts, Math.max(1, ...each));
  }

  #vet(part: Json, path: string, depth: number): Contents {
    const outer = this.#siblings;
    this.#siblings = [];
    const contents = this.#vetPart(part, path, depth);
    outer.push({ path, definition: part, inner: this.#siblings });
    this.#siblings = outer;
    return contents;
  }

  #vetPart(part: Json, path: string, depth: number): Contents {
    if (depth > MAX_DEPTH) return this.#refuse(path, `it is nested deeper than ${MAX_DEPTH} levels`, null);
    if (++this.#entries > MAX_ENTRIES)
      return this.#refuseAll("", `it has more than ${MAX_ENTRIES} entries`, "split the reflex");
    if (typeof part === "string") return this.#vetLeaf(part, path);
    if (Array.isArray(part)) return this.#vetTuple(part, path, depth);
    if (typeof part !== "object" || part === null) {
      return this.#refuse(path, `${JSON.stringify(part)} is not text`, `quote it: "${JSON.stringify(part)}"`);
    }
    const parts: Contents[] = [];
    for (const [key, value] of Object.entries(part)) {
      if (key === "+") {
        if (value !== "reject" && value !== "ignore") {
          this.#refuse(
            at(path, key),
            "what is not declared can only be refused or ignored",
            'write "+": reject, or leave it out',
          );
        }
        continue;
      }
      // `[string]: …` and the like are definitions themselves. Other keys are compared with their expressions.
      const keyContents = key.startsWith("[")
        ? this.#vetText(key.slice(1, -1), at(path, key))
        : { ...NOTHING, longest: key.length };
      if (key.startsWith("[")) this.#siblings.push({ path: at(path, key), definition: key.slice(1, -1), inner: [] });
      if (key.length > MAX_TEXT) return this.#refuse(path, `a key is longer than ${MAX_TEXT} characters`, null);
      parts.push(keyContents, this.#vet(value, at(path, key), depth + 1));
    }
    this.#compared(
      path,
      joined(
        parts.filter((_, index) => index % 2 === 0),
        1,
      ),
    );
    return joined(parts, Math.max(1, ...parts.map((one) => one.branches)));
  }
}
