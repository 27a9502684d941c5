/** Owns a payload as one line for people: `usage_percent 3.1 · cores 2`, on a terminal `usage_percent 3.1 %`. */
import { escapeForTerminal } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { shorten, shownScalar } from "../../base/shown-scalar.ts";
import { formatSize } from "../../base/size.ts";
import { duration } from "../../base/times.ts";
import { type Screen, type Span, span } from "./terminal.ts";

const SEPARATOR = " · ";
/** No terminal shows more. A payload may hold 64 KiB. */
const MAX_FIELDS = 60;

function numeral(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Math.abs(value) >= 1 ? Math.round(value * 100) / 100 : Number(value.toPrecision(3)));
}

const scalar = (value: Json): string => (typeof value === "number" ? numeral(value) : shownScalar(value));

const isPlain = (value: Json): boolean => typeof value !== "object" || value === null;

function inline(value: Json): string {
  if (!Array.isArray(value)) return scalar(value);
  if (value.every(isPlain)) return `[${value.slice(0, MAX_FIELDS).map(scalar).join(", ")}]`;
  return `[${value.length}]`;
}

interface Field {
  readonly name: string;
  readonly value: Json;
  readonly text: string;
}

/** Adds fields of nested objects under their dotted path, and lists of objects as their length. */
function collect(value: Json, path: string, fields: Field[]): void {
  if (fields.length > MAX_FIELDS) return;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fields.push({ name: escapeForTerminal(shorten(path)), value, text: inline(value) });
    return;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) fields.push({ name: escapeForTerminal(shorten(path)), value, text: "{}" });
  for (const [key, inner] of entries) collect(inner, path === "" ? key : `${path}.${key}`, fields);
}

/** On a terminal important fields come first, and numbers have units. Elsewhere fields stand in the order of the payload. */
export function payloadSpans(payload: Json, { terminal }: Screen): Span[] {
  const fields: Field[] = [];
  collect(payload, "", fields);
  const shown = terminal ? fields.map(withUnit).sort((a, b) => weight(a) - weight(b)) : fields;
  return shown.flatMap(({ name, text }, index) => [
    ...(index === 0 ? [] : [span(SEPARATOR, "dim")]),
    ...(name === "" ? [] : [span(`${name} `, "dim")]),
    span(text),
  ]);
}

/** Fields on how the figures were made: the span of time, slower averages of the same figure, omitted parts. */
const ASIDE = /^seconds$|avg(?:60|300)|_(?:omitted|reset)$/;

/** 0 for a verdict or a percentage, which say most in the least space. */
function weight({ name, value }: Field): number {
  if (ASIDE.test(name)) return 2;
  return value !== null && /(?:^|[._])(?:percent|status|state)$/.test(name) ? 0 : 1;
}

/** The end of a field's name decides how its number is shown. */
const UNITS: readonly (readonly [name: RegExp, show: (value: number) => string])[] = [
  [/(?:^|[._])percent$/, (value) => `${numeral(value)} %`],
  [/(?:^|_)bytes_per_second$/, (value) => `${formatSize(value)}/s`],
  [/(?:^|[._])bytes$/, formatSize],
  [/(?:^|[._])ms$/, duration],
  [/(?:^|[._])seconds$/, (value) => duration(value * 1_000)],
];

function withUnit(field: Field): Field {
  const { name, value } = field;
  if (typeof value !== "number" || value < 0) return field;
  const unit = UNITS.find(([ends]) => ends.test(name));
  return unit === undefined ? field : { ...field, text: unit[1](value) };
}
