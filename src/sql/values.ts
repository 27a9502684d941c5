/** Owns the text of a value of SQLite: for JSON, for CSV, and for a table. */
import { escapeForTerminal, safeJson } from "../base/escape.ts";
import type { Cell } from "./messages.ts";

export type Value = null | number | bigint | string | Uint8Array;

/** No value of nerve's is larger; a larger one would fill the memory of everyone who hands it on. */
export const MOST_CHARACTERS = 1024 * 1024;
/** Longest text of a value in a table. */
const MOST_SHOWN = 1_000;

/** The columns of logs.db that hold JSON. */
const JSON_COLUMNS: ReadonlySet<string> = new Set(["payload", "data", "input", "output", "state", "trigger", "owed"]);

export const sizeOf = (value: Value): number =>
  typeof value === "string" ? value.length : value instanceof Uint8Array ? 2 * value.length : 0;

const hex = (bytes: Uint8Array): string => `x'${Buffer.from(bytes).toString("hex")}'`;

/** SQLite prints an infinite number so, and JSON reads it as one. */
const numeral = (value: number | bigint): string =>
  value === Number.POSITIVE_INFINITY ? "9e999" : value === Number.NEGATIVE_INFINITY ? "-9e999" : String(value);

function jsonOf(column: string, value: Value): string {
  if (value === null) return "null";
  if (typeof value === "number" || typeof value === "bigint") return numeral(value);
  if (value instanceof Uint8Array) return safeJson(hex(value));
  if (!JSON_COLUMNS.has(column) || !/^[{[]/.test(value)) return safeJson(value);
  try {
    return safeJson(JSON.parse(value));
  } catch {
    return safeJson(value);
  }
}

/** Names for the keys of an object: of two columns with one name the second is `NAME_2`. */
export function distinct(names: readonly string[]): string[] {
  const taken = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let free = name;
    for (let nth = 2; used.has(free); nth++) free = taken.has(`${name}_${nth}`) ? free : `${name}_${nth}`;
    used.add(free);
    return free;
  });
}

export const jsonLine = (names: readonly string[], row: readonly Value[]): string =>
  `{${names.map((name, at) => `${safeJson(name)}:${jsonOf(name, row[at] ?? null)}`).join(",")}}`;

/** RFC 4180: NULL is an empty field, and an empty text is `""`. */
function csvOf(value: Value): string {
  if (value === null) return "";
  if (typeof value === "number" || typeof value === "bigint") return numeral(value);
  const text = value instanceof Uint8Array ? hex(value) : value;
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csvLine = (row: readonly Value[]): string => row.map(csvOf).join(",");

/** `text` for a terminal, cut where it is long. */
const shown = (text: string): string => {
  const short = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  return escapeForTerminal(short.replaceAll("\t", " "));
};

export function cellOf(value: Value): Cell {
  if (value === null) return { text: "NULL", kind: "null" };
  if (typeof value === "number" || typeof value === "bigint") return { text: numeral(value), kind: "number" };
  const text = value instanceof Uint8Array ? hex(value.subarray(0, MOST_SHOWN)) : value;
  return { text: shown(text), kind: "text" };
}
