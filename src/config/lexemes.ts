/** Owns the split of YAML text into the pieces of its lexer, each with its place. */
import { CST, Lexer } from "yaml";

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
