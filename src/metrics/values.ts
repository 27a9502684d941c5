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
  const seen = new Set<string>();
  let leftOut = 0;
  const walk = (value: Json, path: string): void => {
    if (typeof value === "number") {
      if (seen.has(path)) return;
      seen.add(path);
      if (values.size < MOST_SERIES) values.set(path, value);
      else leftOut++;
    } else if (value !== null && typeof value === "object") {
      for (const [key, part] of Object.entries(value)) walk(part, path === "" ? key : `${path}.${key}`);
    }
  };
  if (paths === "all") walk(payload, "");
  else for (const path of paths) walk(valueAt(payload, path), path);
  return { values, leftOut };
}

/** Null where the path leads nowhere. */
function valueAt(payload: Json, path: string): Json {
  let value: Json = payload;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) return null;
    value = (value as Readonly<Record<string, Json>>)[part] ?? null;
  }
  return value;
}
