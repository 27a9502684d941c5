/** Owns the numbers of a payload that `metrics` of a sense asks for. */
import type { Json } from "../base/json.ts";
import type { MetricPaths } from "../model/config.ts";

/** So many series a sense. A payload with a list of everything would fill the memory of whoever scrapes. */
export const MOST_SERIES = 100;

export interface Numbers {
  /** Dotted path → number, in the order of the payload. */
  readonly values: ReadonlyMap<string, number>;
  /** How many more numbers there are. */
  readonly leftOut: number;
}

export function numbersOf(payload: Json, paths: MetricPaths): Numbers {
  const values = new Map<string, number>();
  let leftOut = 0;
  const walk = (value: Json, path: string): void => {
    // A payload may have 100,000 numbers: the rest of them get no path.
    if (values.size === MOST_SERIES) leftOut += countIn(value);
    else if (typeof value === "number") values.set(path, values.get(path) ?? value);
    else if (value !== null && typeof value === "object") {
      for (const [key, part] of Object.entries(value)) walk(part, path === "" ? key : `${path}.${key}`);
    }
  };
  if (paths === "all") walk(payload, "");
  else for (const path of outermost(paths)) walk(valueAt(payload, path), path);
  return { values, leftOut };
}

function countIn(value: Json): number {
  if (typeof value === "number") return 1;
  if (value === null || typeof value !== "object") return 0;
  let count = 0;
  for (const part of Array.isArray(value) ? value : Object.values(value)) count += countIn(part);
  return count;
}

/** Each path once, without those that lie under another one. */
const outermost = (paths: readonly string[]): string[] =>
  [...new Set(paths)].filter((path) => !paths.some((other) => path.startsWith(`${other}.`)));

/** Null where the path leads nowhere. */
function valueAt(payload: Json, path: string): Json {
  let value: Json = payload;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return null;
    value = (value as Readonly<Record<string, Json>>)[part] ?? null;
  }
  return value;
}
