/** Owns the reading of parameters: what is not known, or is no value of its kind, is refused by name. */
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";

type Read<T> = (values: readonly string[], name: string) => Result<T, Problem>;

const bad = (name: string, what: string): { readonly ok: false; readonly error: Problem } =>
  err(problem("bad-parameter", `\`${name}\` must be ${what}`));

const one =
  <T>(read: (value: string) => T | undefined, what: string): Read<T | null> =>
  (values, name) => {
    const [value, ...more] = values;
    if (value === undefined) return ok(null);
    if (more.length > 0) return bad(name, "given once");
    const found = read(value);
    return found === undefined ? bad(name, what) : ok(found);
  };

export const whole = (least: number, most: number): Read<number | null> =>
  one((value) => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    return number >= least && number <= most ? number : undefined;
  }, `a whole number from ${least} to ${most}`);

/** Unix milliseconds. */
export const time: Read<number | null> = whole(0, 8_640_000_000_000_000);
export const id: Read<number | null> = whole(0, Number.MAX_SAFE_INTEGER);

const LONGEST = 300;
export const words: Read<string | null> = one(
  (value) => (value.length > 0 && value.length <= LONGEST ? value : undefined),
  `a text of at most ${LONGEST} characters`,
);

export const trace: Read<string | null> = one(
  (value) => (/^[0-9a-f]{32}$/.test(value) ? value : undefined),
  "a trace of 32 hex digits",
);

export const choice = <const T extends string>(...choices: readonly T[]): Read<T | null> =>
  one((value) => choices.find((known) => known === value), `one of ${choices.join(", ")}`);

const MOST = 100;

export const many: Read<readonly string[]> = (values, name) =>
  values.length > MOST || values.some((value) => value.length > LONGEST)
    ? bad(name, `given ${MOST} times at most, each time with at most ${LONGEST} characters`)
    : ok(values);

export const manyOf =
  <const T extends string>(...choices: readonly T[]): Read<readonly T[]> =>
  (values, name) =>
    values.every((value) => (choices as readonly string[]).includes(value))
      ? ok(values as readonly T[])
      : bad(name, `one of ${choices.join(", ")}`);

export type Shape = Readonly<Record<string, Read<unknown>>>;
export type Parameters<S extends Shape> = { readonly [N in keyof S]: S[N] extends Read<infer T> ? T : never };

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
    const value = reader(query.getAll(name), name);
    if (!value.ok) return value;
    read[name] = value.value;
  }
  return ok(read as Parameters<S>);
}
