/** The body of a POST, read by a table of its fields. */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { isName } from "../model/name.ts";
import { faultOfInput } from "./run-input.ts";

export interface BodyField<T> {
  /** The value, or what is wrong with it, to follow "the body is not". An absent field is null. */
  read(value: unknown, name: string): Result<T, string>;
}

export type BodyShape = Readonly<Record<string, BodyField<unknown>>>;

export type Body<S extends BodyShape> = { readonly [K in keyof S]: S[K] extends BodyField<infer T> ? T : never };

/** Fields the shape does not name are passed over; a shape without fields takes any body. */
export function readBody<S extends BodyShape>(given: unknown, shape: S): Result<Body<S>, string> {
  const fields = Object.entries(shape);
  if (fields.length === 0) return ok({} as Body<S>);
  if (typeof given !== "object" || given === null || Array.isArray(given)) return err("a JSON object");
  const body: Record<string, unknown> = {};
  for (const [name, field] of fields) {
    const value = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : null;
    const read = field.read(value, name);
    if (!read.ok) return read;
    body[name] = read.value;
  }
  return ok(body as Body<S>);
}

const MAX_SHORT = 200;

export const short: BodyField<string> = {
  read: (value, name) =>
    typeof value === "string" && value.length <= MAX_SHORT
      ? ok(value)
      : err(`a JSON object with a ${name}, a text of at most ${MAX_SHORT} characters`),
};

export const shortOrNone: BodyField<string | null> = {
  read: (value, name) => (value === null ? ok(null) : short.read(value, name)),
};

const MAX_PROSE = 1_000;

export const prose: BodyField<string> = {
  read: (value, name) =>
    typeof value === "string" && value.length <= MAX_PROSE
      ? ok(value)
      : err(`a JSON object with a ${name}, a text of at most ${MAX_PROSE} characters`),
};

export const proseOrNone: BodyField<string | null> = {
  read: (value, name) => (value === null ? ok(null) : prose.read(value, name)),
};

export const positive: BodyField<number> = {
  read: (value, name) =>
    Number.isSafeInteger(value) && (value as number) > 0
      ? ok(value as number)
      : err(`a JSON object with a ${name}, a positive whole number`),
};

const MAX_IDS = 1_000;

export const ids: BodyField<readonly number[]> = {
  read: (value, name) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MAX_IDS &&
    value.every((id) => Number.isSafeInteger(id) && id > 0)
      ? ok(value as number[])
      : err(`a JSON object with ${name}, a list of 1 to ${MAX_IDS} ids`),
};

const MAX_NAMES = 1_000;

export const names: BodyField<readonly string[]> = {
  read: (value, name) =>
    Array.isArray(value) && value.length > 0 && value.length <= MAX_NAMES && value.every((item) => isName(String(item)))
      ? ok(value.map(String))
      : err(`a JSON object with ${name}, a list of 1 to ${MAX_NAMES} names`),
};

export const runInput: BodyField<Json> = {
  read: (value) => {
    const fault = faultOfInput(value);
    return fault === null ? ok(value as Json) : err(`fit: the input ${fault}`);
  },
};
