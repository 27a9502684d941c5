/** A payload on one line, for people: `usage_percent 3.1 · cores 2`. */
import { escapeForTerminal } from "../../base/escape.ts";
import { type Json, readJson } from "../../base/json.ts";
import { type Span, span } from "./terminal.ts";

const SEPARATOR = " · ";
/** More than any terminal shows; a payload may hold 64 KiB. */
const MAX_FIELDS = 60;
const MAX_TEXT = 400;

function numeral(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Math.abs(value) >= 1 ? Math.round(value * 100) / 100 : Number(value.toPrecision(3)));
}

const shorten = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);

const WORDS = /^[\p{L}\p{N}_./:@%+-]+$/u;
const isWords = (text: string): boolean =>
  WORDS.test(text) && text !== "null" && text !== "true" && text !== "false" && Number.isNaN(Number(text));

/** A text that could be taken for another value, or for none, is in quotes. */
export function shownScalar(value: Json): string {
  const text = typeof value === "string" && isWords(value) ? value : JSON.stringify(value);
  return escapeForTerminal(shorten(text));
}

const scalar = (value: Json): string => (typeof value === "number" ? numeral(value) : shownScalar(value));

const isPlain = (value: Json): boolean => typeof value !== "object" || value === null;

function inline(value: Json): string {
  if (!Array.isArray(value)) return scalar(value);
  if (value.every(isPlain)) return `[${value.slice(0, MAX_FIELDS).map(scalar).join(", ")}]`;
  return `[${value.length}]`;
}

/** Fields of nested objects come under their dotted path, lists of objects as their length. */
function collect(value: Json, path: string, fields: [string, string][]): void {
  if (fields.length > MAX_FIELDS) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fields.push([escapeForTerminal(shorten(path)), inline(value)]);
    return;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) fields.push([escapeForTerminal(shorten(path)), "{}"]);
  for (const [key, inner] of entries) collect(inner, path === "" ? key : `${path}.${key}`, fields);
}

export function payloadSpans(payload: Json): Span[] {
  const fields: [string, string][] = [];
  collect(payload, "", fields);
  return fields.flatMap(([name, shown], index) => [
    ...(index === 0 ? [] : [span(SEPARATOR, "dim")]),
    ...(name === "" ? [] : [span(`${name} `, "dim")]),
    span(shown),
  ]);
}

/** JSON text that a store holds, or the text itself should it be damaged. */
export function parseStored(text: string): Json {
  const value = readJson(text);
  return value === undefined ? text : value;
}
