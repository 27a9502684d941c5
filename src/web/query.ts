/** Owns the reading of parameters: what is not known, or is no value of its kind, is refused by name. */
import { choiceSchema, type JsonSchema, rangeSchema } from "../base/json-schema.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";

/** One parameter: how its values are read, and what the document of the API says of them. */
export interface Reader<T> {
  readonly read: (values: readonly string[], name: string) => Result<T, Problem>;
  readonly schema: JsonSchema;
}

const bad = (name: string, what: string): { readonly ok: false; readonly error: Problem } =>
  err(problem("bad-parameter", `\`${name}\` must be ${what}`));

const one = <T>(read: (value: string) => T | undefined, what: string, schema: JsonSchema): Reader<T | null> => ({
  schema,
  read(values, name) {
    const [value, ...more] = values;
    if (value === undefined) return ok(null);
    if (more.length > 0) return bad(name, "given once");
    const found = read(value);
    return found === undefined ? bad(name, what) : ok(found);
  },
});

export const whole = (least: number, most: number): Reader<number | null> =>
  one(
    (value) => {
      const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most ? number : undefined;
    },
    `a whole number from ${least} to ${most}`,
    rangeSchema("integer", least, most),
  );

/** Unix milliseconds. */
export const time: Reader<number | null> = whole(0, 8_640_000_000_000_000);
export const id: Reader<number | null> = whole(0, Number.MAX_SAFE_INTEGER);

const LONGEST = 300;
export const words: Reader<string | null> = one(
  (value) => (value.length > 0 && value.length <= LONGEST ? value : undefined),
  `a text of at most ${LONGEST} characters`,
  { type: "string", minLength: 1, maxLength: LONGEST },
);

/** A text of one form. */
export const form = (pattern: RegExp, what: string): Reader<string | null> =>
  one((value) => (pattern.test(value) ? value : undefined), what, { type: "string", pattern: pattern.source });

export const trace: Reader<string | null> = form(/^[0-9a-f]{32}$/, "a trace of 32 hex digits");

export const choice = <const T extends string>(...choices: readonly T[]): Reader<T | null> =>
  one((value) => choices.find((known) => known === value), `one of ${choices.join(", ")}`, choiceSchema(choices));

const MOST = 100;

export const many: Reader<readonly string[]> = {
  schema: { type: "array", items: { type: "string", maxLength: LONGEST }, maxItems: MOST },
  read: (values, name) =>
    values.length > MOST || values.some((value) => value.length > LONGEST)
      ? bad(name, `given ${MOST} times at most, each time with at most ${LONGEST} characters`)
      : ok(values),
};

export const manyOf = <const T extends string>(...choices: readonly T[]): Reader<readonly T[]> => ({
  schema: { type: "array", items: choiceSchema(choices) },
  read: (values, name) =>
    values.every((value) => (choices as readonly string[]).includes(value))
      ? ok(values as readonly T[])
      : bad(name, `one of ${choices.join(", ")}`),
});

export type Shape = Readonly<Record<string, Reader<unknown>>>;
export type Parameters<S extends Shape> = { readonly [N in keyof S]: S[N] extends Reader<infer T> ? T : never };

export function readQuery<S extends Shape>(query: URLSearchParams, shape: S): Result<Parameters<S>, Problem> {
  const names = Object.keys(shape);
  for (const name of query.keys()) {
    if (!names.includes(name)) {
      const hint = names.length === 0 ? "this path takes none" : `known are ${names.join(", ")}`;
      return err(problem("unknown-parameter", `there is no parameter \`${name.slice(0, LONGEST)}\``, hint));
    }
  }
  const read: Record<string, unknown> = {};
  for (const [name, reader] of Object.entries(shape)) {
    const value = reader.read(query.getAll(name), name);
    if (!value.ok) return value;
    read[name] = value.value;
  }
  return ok(read as Parameters<S>);
}
