/** YAML text as its lexer cuts it, each piece with its place. */
import { CST, Lexer } from "yaml";

export const MAX_NODES = 20_000;
/** Every value takes at most four of the counted lexemes, so more of them are more than `MAX_NODES` values. */
export const MAX_LEXEMES = MAX_NODES * 4;

export interface Lexeme {
  readonly text: string;
  /** A token type of `yaml`, or `plain` for the text of a plain or block scalar. */
  readonly type: string | null;
  readonly offset: number;
}

/** The lexer marks the text of a scalar by a lexeme of its own before it. */
export function* lexemes(text: string): Generator<Lexeme> {
  let offset = 0;
  let isScalarText = false;
  for (const lexeme of new Lexer().lex(text)) {
    const type: string | null = isScalarText ? "plain" : CST.tokenType(lexeme);
    yield { text: lexeme, type, offset };
    isScalarText = type === "scalar";
    // Marks stand for no text of the file.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += lexeme.length;
  }
}
