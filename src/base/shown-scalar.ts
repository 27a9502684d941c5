/** Owns a value inside a sentence: a scalar of a payload as a person reads it, safe for a terminal. */
import { escapeForTerminal } from "./escape.ts";
import type { Json } from "./json.ts";

const MAX_TEXT = 400;

export const shorten = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

const WORDS = /^[\p{L}\p{N}_./:@%+-]+$/u;
const isWords = (text: string): boolean =>
  WORDS.test(text) && text !== "null" && text !== "true" && text !== "false" && Number.isNaN(Number(text));

/** Puts a text in quotes when a reader could take the text for another value, or for no value. */
export function shownScalar(value: Json): string {
  const text = typeof value === "string" && isWords(value) ? value : JSON.stringify(value);
  return escapeForTerminal(shorten(text));
}
