/**
 * `nerve/options`: what a module accepts under `with`. A field holds the type, the default and the check of an option.
 * The result follows Standard Schema, as ArkType types do, without the 100 ms that importing ArkType costs a worker.
 *
 *     export const options = record({ path: text("/"), keep: duration("7d", { min: "1m", max: "30d" }) });
 *     type Options = Infer<typeof options>; // { path: string; keep: number }
 *
 * Messages name the key and the type of what was found, never its value: it may have been filled in from a secret.
 */
import { DURATION_SCHEMA, parseDuration } from "../base/duration.ts";
import type { Json } from "../base/json.ts";
import { choiceSchema, type JsonSchema, rangeSchema } from "../base/json-schema.ts";
import { nearest } from "../base/nearest.ts";

/** Keys of mappings and places in lists. */
export type Path = readonly (string | number)[];

export interface Issue {
  readonly message: string;
  readonly path: Path;
}

type Report = (path: Path, problem: string) => void;

/** An option. `undefined` means that none is given: the field answers its default, or reports that it has none. */
export interface Field<T> {
  read(given: unknown, path: Path, report: Report): T;
  /** What may stand there, for an editor. Asked by no worker. */
  schema(): JsonSchema;
}

/** A whole `with`; also a Field, so records nest. */
export interface Options<T> extends Field<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "nerve";
    validate(given: unknown): { readonly value: T } | { readonly issues: readonly Issue[] };
  };
}

export type Infer<F> = F extends Field<infer T> ? T : never;

/** What is wrong between two options of a record. `problem` completes "KEY …". */
export interface Clash {
  readonly key: string;
  readonly problem: string;
}

/**
 * An object with exactly these keys, each optional where its field has a default. Itself it defaults to `{}`. `clash` looks at
 * a record whose options are right one by one.
 */
export function record<Fields extends Readonly<Record<string, Field<unknown>>>>(
  fields: Fields,
  clash: (value: { readonly [Key in keyof Fields]: Infer<Fields[Key]> }) => Clash | null = () => null,
): Options<{ readonly [Key in keyof Fields]: Infer<Fields[Key]> }> {
  type Value = { readonly [Key in keyof Fields]: Infer<Fields[Key]> };
  const known = Object.keys(fields);

  const readAll = (given: unknown, path: Path, report: Report): Value => {
    if (given !== undefined && !isObject(given)) report(path, `must be a map (was ${typeName(given)})`);
    const entries = isObject(given) ? given : {};
    for (const key of Object.keys(entries)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      report(
        [...path, key],
        near
          ? `is not an option: did you mean \`${near}\`?`
          : `is not an option: there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`,
      );
    }
    return Object.fromEntries(
      Object.entries(fields).map(([key, field]) => [
        key,
        field.read(Object.hasOwn(entries, key) ? entries[key] : undefined, [...path, key], report),
      ]),
    ) as Value;
  };

  const read = (given: unknown, path: Path, report: Report): Value => {
    let isRight = true;
    const value = readAll(given, path, (at, problem) => {
      isRight = false;
      report(at, problem);
    });
    const found = isRight ? clash(value) : null;
    if (found !== null) report([...path, found.key], found.problem);
    return value;
  };

  const isRequired = (name: string): boolean => {
    let missing = false;
    fields[name]?.read(undefined, [], () => {
      missing = true;
    });
    return missing;
  };

  const schema = (): JsonSchema => {
    const required = known.filter(isRequired);
    return {
      type: required.length === 0 ? ["object", "null"] : "object",
      properties: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.schema()])),
      additionalProperties: false,
      ...(required.length === 0 ? {} : { required }),
    };
  };

  return {
    read,
    schema,
    "~standard": {
      version: 1,
      vendor: "nerve",
      validate(given) {
        const issues: Issue[] = [];
        const value = read(given, [], (path, problem) => {
          issues.push({ message: `${placeOf(path)} ${problem}`, path });
        });
        return issues.length === 0 ? { value } : { issues };
      },
    },
  };
}

/** true or false. */
export const flag = (fallback: boolean): Field<boolean> =>
  field({ type: "boolean" }, fallback, "true or false", (given) => (typeof given === "boolean" ? given : undefined));

/** Text that is not empty. */
export const text = (fallback?: string): Field<string> =>
  field({ type: "string", minLength: 1 }, fallback, "text", (given) =>
    typeof given === "string" && given !== "" && !given.includes("\0") ? given : undefined,
  );

/** Any value that YAML can write. */
export const anything = (fallback: Json): Field<Json> =>
  field<Json>({}, fallback, "any value", (given) => (isJson(given) ? given : undefined));

const isJson = (given: unknown): given is Json =>
  given === null || ["string", "number", "boolean", "object"].includes(typeof given);

/** A number in a closed range. */
export const number = (fallback: number, { min, max }: { min: number; max: number }): Field<number> =>
  field(rangeSchema("number", min, max), fallback, `a number from ${min} to ${max}`, (given) =>
    typeof given === "number" && given >= min && given <= max ? given : undefined,
  );

/** A whole number in a closed range. */
export const whole = (fallback: number, { min, max }: { min: number; max: number }): Field<number> =>
  field(rangeSchema("integer", min, max), fallback, `a whole number from ${min} to ${max}`, (given) =>
    Number.isInteger(given) && Number(given) >= min && Number(given) <= max ? Number(given) : undefined,
  );

/** A port of TCP or UDP. */
export const port = (fallback?: number): Field<number> =>
  field(rangeSchema("integer", 1, 65_535), fallback, "a port from 1 to 65535", (given) =>
    Number.isInteger(given) && Number(given) >= 1 && Number(given) <= 65_535 ? Number(given) : undefined,
  );

/** A duration as nerve.yaml writes them (`250ms 5s 10m 1h 7d`), in milliseconds, in a closed range. */
export const duration = (fallback: string, { min, max }: { min: string; max: string }): Field<number> => {
  const inner = field({}, parseDuration(fallback) ?? undefined, `a duration from ${min} to ${max}`, (given) => {
    const ms = typeof given === "string" ? parseDuration(given) : null;
    return ms !== null && ms >= (parseDuration(min) ?? 0) && ms <= (parseDuration(max) ?? 0) ? ms : undefined;
  });
  return {
    ...inner,
    schema: () => ({ ...DURATION_SCHEMA, default: fallback, description: `a duration from ${min} to ${max}` }),
  };
};

/** One of several words. */
export const choice = <const Words extends readonly string[]>(
  words: Words,
  fallback: Words[number],
): Field<Words[number]> =>
  field<Words[number]>(choiceSchema(words), fallback, list(words), (given) => words.find((word) => word === given));

/** What YAML makes of a text that stands without quotes. */
const SCALAR_SCHEMA = { type: ["string", "number", "boolean"] } as const;

/** A list of texts. Numbers and booleans, which is what YAML makes of an unquoted 80 or true, become their text. */
export const words = (fallback?: readonly string[]): Field<readonly string[]> => ({
  read(given, path, report) {
    const list = given ?? fallback;
    if (Array.isArray(list)) return list.map((item, index) => readScalar(item, [...path, index], report));
    report(path, problemOf("a list of texts", given));
    return [];
  },
  schema: () => ({ type: "array", items: SCALAR_SCHEMA, ...(fallback === undefined ? {} : { default: fallback }) }),
});

/** The same, where one text stands for a list of one. */
export const wordOrWords = (fallback?: readonly string[]): Field<readonly string[]> => {
  const list = words(fallback);
  return {
    read: (given, path, report) => list.read(isScalar(given) ? [given] : given, path, report),
    schema: () => ({ anyOf: [list.schema(), SCALAR_SCHEMA] }),
  };
};

/** A mapping of names to texts, numbers and booleans as in {@link words}. */
export const mapping = (fallback: Readonly<Record<string, string>> = {}): Field<Readonly<Record<string, string>>> => ({
  read(given = fallback, path, report) {
    if (!isObject(given)) {
      report(path, problemOf("a map of names to texts", given));
      return {};
    }
    const entries = Object.entries(given).map(([key, value]): [string, string] => {
      if (key === "" || key === "__proto__") report([...path, key], "is not a name");
      return [key, readScalar(value, [...path, key], report)];
    });
    return Object.fromEntries(entries);
  },
  schema: () => ({ type: "object", additionalProperties: SCALAR_SCHEMA }),
});

/** The same, where an explicit null (or, by default, nothing) means "none". */
export const orNull = <T>(inner: Field<T>, fallback: T | null = null): Field<T | null> => ({
  read: (given, path, report) =>
    given === undefined ? fallback : given === null ? null : inner.read(given, path, report),
  schema: () => ({ anyOf: [inner.schema(), { type: "null" }] }),
});

/** The same, and one thing more that must hold. `expected` completes "must …". */
export const where = <T>(inner: Field<T>, holds: (value: T) => boolean, expected: string): Field<T> => ({
  read(given, path, report) {
    let refused = false;
    const value = inner.read(given, path, (at, problem) => {
      refused = true;
      report(at, problem);
    });
    if (!refused && !holds(value)) report(path, `must ${expected}`);
    return value;
  },
  schema: () => ({ ...inner.schema(), description: `must ${expected}` }),
});

/** A field from what it accepts; `accept` answers undefined for what it refuses. */
function field<T>(
  schema: JsonSchema,
  fallback: T | undefined,
  expected: string,
  accept: (given: unknown) => T | undefined,
): Field<T> {
  return {
    read(given, path, report) {
      const value = given === undefined ? fallback : accept(given);
      if (value === undefined) report(path, problemOf(expected, given));
      return value as T;
    },
    schema: () => ({ description: expected, ...schema, ...(fallback === undefined ? {} : { default: fallback }) }),
  };
}

/** `command[1]`, `retry.limit`; `with` for the whole. */
const placeOf = (path: Path): string =>
  path.reduce<string>(
    (place, part) => (typeof part === "number" ? `${place}[${part}]` : place === "" ? part : `${place}.${part}`),
    "",
  ) || "with";

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const problemOf = (expected: string, given: unknown): string =>
  given === undefined ? `is required: ${expected}` : `must be ${expected} (was ${typeName(given)})`;

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

/** Reports what is no scalar, or holds a NUL, which no program takes. */
function readScalar(value: unknown, path: Path, report: Report): string {
  if (!isScalar(value)) report(path, `must be text (was ${typeName(value)})`);
  else if (String(value).includes("\0")) report(path, "must be text without a NUL character");
  return isScalar(value) ? String(value) : "";
}

const typeName = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  return `a ${typeof value}`;
};

const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
