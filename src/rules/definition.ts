/** Owns the notation of a definition: its parts, the tokens of its texts, and its refusals. */
import type { Json } from "../base/json.ts";

export interface PatternRefusal {
  /** Path within the definition: `status`, `disks[0].name`. `` is the definition itself. */
  readonly path: string;
  /** A sentence without the path and without a trailing stop. */
  readonly message: string;
  readonly hint: string | null;
}

/** All refusals, one for each place: the first that was found there. */
export type PatternRefusals = readonly [PatternRefusal, ...PatternRefusal[]];

/** Collects refusals of one pattern. */
export class Refusing {
  readonly #byPath = new Map<string, PatternRefusal>();

  add(refusal: PatternRefusal): void {
    if (!this.#byPath.has(refusal.path)) this.#byPath.set(refusal.path, refusal);
  }

  /** Null when nothing is refused. */
  get all(): PatternRefusals | null {
    const [first, ...others] = this.#byPath.values();
    return first === undefined ? null : [first, ...others];
  }

  /** True when any place within the part at `path` is refused. */
  hasWithin(path: string): boolean {
    if (path === "") return this.#byPath.size > 0;
    const isWithin = (one: string): boolean => one.startsWith(path) && ["", ".", "["].includes(one.charAt(path.length));
    return this.#byPath.keys().some(isWithin);
  }
}

/** A text, where ArkType's notation begins, or a map or list that is a type by itself. */
export interface Part {
  readonly path: string;
  readonly definition: Json;
  readonly inner: readonly Part[];
}

export const at = (path: string, key: string | number): string =>
  typeof key === "number" ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;

export type Token =
  | { readonly kind: "regex"; readonly source: string }
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "word"; readonly text: string; readonly from: number }
  | { readonly kind: "operator"; readonly text: string };

const SPACE_OR_OPERATOR = /[\s<>=|&()[\]%,:?#]/;
const WORD_END = /[\s<>=|&)[%,:?#]/;

/** The parts of a text as ArkType tells them apart. A quote or slash opens something only where an operand may stand. */
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
