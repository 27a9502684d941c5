/**
 * Owns the reading of plain YAML: block maps and lists, `{ }` and `[ ]`, plain and quoted words on one line, comments. Nearly
 * every configuration is written in it. A text with anything else, or with any fault, is left to `yaml-guard.ts`, whose parser takes
 * twenty times as long. A random test holds both readings of a text against each other.
 */
import { MAX_DEPTH, MAX_LEXEMES, type YamlList, type YamlMap, type YamlNode, type YamlPair } from "./yaml-node.ts";
import { valueOfWord } from "./yaml-word.ts";

/** Null: the text is not plain. */
export function readPlainYaml(text: string): YamlNode | null {
  // A tab, a carriage return and other control characters, and the mark of a byte order.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text)) return null;
  return new PlainReading(text).whole();
}

/** A key in front of its colon. */
const KEY = /(?:[A-Za-z_][\w.-]{0,127}|"[^"\\\n]{0,127}"|'[^'\n]{0,127}'):(?=[ \n]|$)/y;
/** A name alone in a map: `{ load, memory }`. */
const LONE_KEY = /[A-Za-z_][\w.-]{0,127}(?= *[,}])/y;
/** A word may follow a sign only where YAML takes the two for one word. */
const WORD = /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-[^\s,[\]{}])/y;
const QUOTED = /"(?:[^"\\\n]|\\["\\/nt])*"|'(?:[^'\n]|'')*'/y;
/** Where a plain word ends; a `:` means that the word is a key. */
const END_IN_BLOCK = /\n| #|:(?=[ \n]|$)|$/g;
const END_IN_FLOW = /[,\]}\n]| #|:(?=[ \n,\]}]|$)/g;
const BRACKET = /[[{]/;
/** The rest of a line behind a value. */
const LINE_END = / *(?: #[^\n]*|(?<= )#[^\n]*)?(?:\n|$)/y;
const ESCAPED: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", "/": "/", n: "\n", t: "\t" };

/** Every method moves `#at` behind what it has read, and returns null for what is not plain. */
class PlainReading {
  readonly #text: string;
  #at = 0;
  /** The column of the first word of the line that `#at` has come to; -1 at the end of the text. */
  #indent = -1;
  #lineStart = 0;
  /** An upper bound of the lexemes so far. */
  #lexemes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): YamlNode | null {
    this.#toNextWord();
    const node = this.#isAt(0) ? this.#block(1) : null;
    return this.#isAt(-1) && this.#lexemes <= MAX_LEXEMES ? node : null;
  }

  #isAt(indent: number): boolean {
    return this.#indent === indent;
  }

  #sees(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  /** From the beginning of a line to the first word of this line or of a later one. */
  #toNextWord(): void {
    const text = this.#text;
    for (;;) {
      this.#lineStart = this.#at;
      while (text[this.#at] === " ") this.#at++;
      const char = text[this.#at];
      if (char === undefined) {
        this.#indent = -1;
        return;
      }
      if (char !== "\n" && char !== "#") {
        this.#indent = this.#at - this.#lineStart;
        return;
      }
      const end = text.indexOf("\n", this.#at);
      this.#at = end < 0 ? text.length : end + 1;
    }
  }

  /** From behind a value to the next word, where the value ends its line. */
  #endsLine(): boolean {
    if (!this.#sees(LINE_END)) return false;
    this.#at = LINE_END.lastIndex;
    this.#toNextWord();
    return true;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #isDash(): boolean {
    return this.#text[this.#at] === "-" && this.#text[this.#at + 1] === " ";
  }

  #block(depth: number): YamlNode | null {
    if (depth >= MAX_DEPTH) return null;
    if (this.#isDash()) return this.#blockList(this.#indent, depth);
    return this.#blockMap(this.#indent, depth);
  }

  #blockMap(indent: number, depth: number): YamlMap | null {
    const offset = this.#at;
    const pairs: YamlPair[] = [];
    do {
      const key = this.#key();
      const value = key && this.#valueOfKey(indent, depth);
      if (!value) return null;
      pairs.push({ kind: "pair", key, value });
    } while (this.#indent === indent);
    return this.#indent < indent ? { kind: "map", offset, pairs } : null;
  }

  /** A key and its colon. */
  #key(): YamlNode | null {
    if (!this.#sees(KEY)) return null;
    const offset = this.#at;
    this.#at = KEY.lastIndex;
    return this.#scalar(offset, this.#text.slice(offset, this.#at - 1));
  }

  #valueOfKey(indent: number, depth: number): YamlNode | null {
    this.#skipSpaces();
    const offset = this.#at;
    const char = this.#text[offset];
    if (char !== undefined && char !== "\n" && char !== "#") return this.#inline(indent, depth);
    if (!this.#endsLine()) return null;
    if (this.#indent > indent) return this.#block(depth + 1);
    if (this.#indent === indent && this.#isDash()) return this.#blockList(indent, depth + 1);
    return this.#scalar(offset, "");
  }

  #blockList(indent: number, depth: number): YamlList | null {
    if (depth >= MAX_DEPTH) return null;
    const offset = this.#at;
    const items: YamlNode[] = [];
    do {
      this.#at++;
      this.#lexemes++;
      this.#skipSpaces();
      const item = this.#itemOf(indent, depth);
      if (item === null) return null;
      items.push(item);
    } while (this.#indent === indent && this.#isDash());
    return this.#indent <= indent ? { kind: "list", offset, items } : null;
  }

  #itemOf(indent: number, depth: number): YamlNode | null {
    if (!this.#sees(KEY)) return this.#isDash() ? null : this.#inline(indent, depth);
    this.#indent = this.#at - this.#lineStart;
    return this.#blockMap(this.#indent, depth + 1);
  }

  /** A value on the line of its key or dash, which is at `indent`. */
  #inline(indent: number, depth: number): YamlNode | null {
    const node = this.#value(indent, depth, END_IN_BLOCK, null);
    return node !== null && this.#endsLine() && this.#indent <= indent ? node : null;
  }

  /** A value that brackets or quotes enclose, or a plain word. */
  #value(indent: number, depth: number, end: RegExp, never: RegExp | null): YamlNode | null {
    const offset = this.#at;
    const char = this.#text[offset];
    if (char === "{") return this.#flowMap(indent, depth + 1);
    if (char === "[") return this.#flowList(indent, depth + 1);
    if (char !== '"' && char !== "'") return this.#word(end, never);
    if (!this.#sees(QUOTED)) return null;
    this.#at = QUOTED.lastIndex;
    return this.#scalar(offset, this.#text.slice(offset, this.#at));
  }

  /** A plain word up to `end`, and not with one of the characters of `never` inside. */
  #word(end: RegExp, never: RegExp | null): YamlNode | null {
    if (!this.#sees(WORD)) return null;
    const offset = this.#at;
    end.lastIndex = offset;
    const found = end.exec(this.#text);
    if (found === null || found[0] === ":") return null;
    const written = this.#text.slice(offset, found.index).trimEnd();
    if (never?.test(written)) return null;
    this.#at = offset + written.length;
    return this.#scalar(offset, written);
  }

  #flowValue(indent: number, depth: number): YamlNode | null {
    return this.#value(indent, depth, END_IN_FLOW, BRACKET);
  }

  /** Between the words inside brackets. */
  #skipInFlow(indent: number): boolean {
    for (;;) {
      this.#skipSpaces();
      const char = this.#text[this.#at];
      if (char === "#" && !/[ \n]/.test(this.#text[this.#at - 1] ?? "")) return false;
      if (char !== "\n" && char !== "#") return true;
      const end = this.#text.indexOf("\n", this.#at);
      if (end < 0) return false;
      this.#at = end + 1;
      this.#toNextWord();
      if (this.#indent <= indent) return false;
    }
  }

  /** The items of brackets up to `close`, each read by `item`. */
  #enclosed(close: string, indent: number, item: () => boolean): boolean {
    this.#at++;
    this.#lexemes += 2;
    for (;;) {
      if (!this.#skipInFlow(indent)) return false;
      if (this.#text[this.#at] === close) break;
      if (!item() || !this.#skipInFlow(indent)) return false;
      this.#lexemes++;
      const char = this.#text[this.#at];
      if (char === close) break;
      if (char !== ",") return false;
      this.#at++;
    }
    this.#at++;
    return true;
  }

  #flowMap(indent: number, depth: number): YamlMap | null {
    if (depth >= MAX_DEPTH) return null;
    const offset = this.#at;
    const pairs: YamlPair[] = [];
    const isWhole = this.#enclosed("}", indent, () => {
      if (this.#sees(LONE_KEY)) {
        pairs.push({ kind: "pair", key: this.#flowValue(indent, depth), value: null });
        return true;
      }
      const key = this.#key();
      if (key === null) return false;
      this.#skipSpaces();
      const isEmpty = /[,}]/.test(this.#text[this.#at] ?? "");
      if (!isEmpty && !this.#skipInFlow(indent)) return false;
      const value = isEmpty ? this.#scalar(this.#at, "") : this.#flowValue(indent, depth);
      if (value === null) return false;
      pairs.push({ kind: "pair", key, value });
      return true;
    });
    return isWhole ? { kind: "map", offset, pairs } : null;
  }

  #flowList(indent: number, depth: number): YamlList | null {
    if (depth >= MAX_DEPTH) return null;
    const offset = this.#at;
    const items: YamlNode[] = [];
    const isWhole = this.#enclosed("]", indent, () => {
      const item = this.#flowValue(indent, depth);
      if (item === null) return false;
      items.push(item);
      return true;
    });
    return isWhole ? { kind: "list", offset, items } : null;
  }

  #scalar(offset: number, written: string): YamlNode {
    this.#lexemes += 3;
    const quote = written.charAt(0);
    if (quote !== '"' && quote !== "'") {
      return { kind: "scalar", offset, value: valueOfWord(written), source: written, isPlain: true };
    }
    const inside = written.slice(1, -1);
    const text =
      quote === "'"
        ? inside.replaceAll("''", "'")
        : inside.replace(/\\(.)/g, (_, escaped: string) => ESCAPED[escaped] ?? escaped);
    return { kind: "scalar", offset, value: text, source: text, isPlain: false };
  }
}
