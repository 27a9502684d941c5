/** Owns the split of YAML text into the pieces of its lexer, each with its place. */
import { CST, Lexer } from "yaml";

export const MAX_NODES = 20_000;
/** Every value takes at most four of the counted lexemes. More lexemes than this mean more than `MAX_NODES` values. */
export const MAX_LEXEMES = MAX_NODES * 4;

export interface Lexeme {
  readonly text: string;
  /** A token type of `yaml`, or `plain` for the text of a plain or block scalar. */
  readonly type: string | null;
  readonly offset: number;
}

/** Before the text of a scalar the lexer emits a mark as a lexeme of its own. */
export function* lexemes(text: string): Generator<Lexeme> {
  let offset = 0;
  let isScalarText = false;
  for (const lexeme of new Lexer().lex(text)) {
    const type: string | null = isScalarText ? "plain" : CST.tokenType(lexeme);
    yield { text: lexeme, type, offset };
    isScalarText = type === "scalar";
    // A mark has a length but stands for no text of the file.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += lexeme.length;
  }
}
