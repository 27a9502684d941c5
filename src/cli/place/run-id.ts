/** The run a command is about, as people write it: `42`, `#42` or `run:42`. */
import type { Result } from "../../base/result.ts";
import { ok } from "../../base/result.ts";
import { type Failure, usageError } from "../frame/outcome.ts";

export function parseRunId(word: string): Result<number, Failure> {
  const [, digits] = /^(?:#|run:)?([1-9]\d{0,14})$/.exec(word) ?? [];
  return digits === undefined
    ? usageError(`\`${word}\` is not the id of a run`, "`nerve runs` shows them")
    : ok(Number(digits));
}
