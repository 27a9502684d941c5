/** The input of a run as a person writes it: JSON, @FILE or - for stdin. */
import { readFileSync } from "node:fs";
import type { Json } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import { faultOfInput } from "../../control/run-input.ts";
import { type Failure, usageError } from "../frame/outcome.ts";

export function readInput(given: string | null): Result<Json, Failure> {
  if (given === null) return ok(null);
  let written = given;
  const file = given === "-" ? "/dev/stdin" : given.startsWith("@") ? given.slice(1) : null;
  try {
    if (file !== null) written = readFileSync(file, "utf8");
  } catch (error) {
    return usageError(`\`--input\` cannot be read: ${(error as Error).message}`);
  }
  let input: unknown;
  try {
    input = JSON.parse(written);
  } catch (error) {
    const hint = 'as in --input \'{"host":"db1"}\', --input @FILE, or --input - for stdin; a text needs its quotes';
    return usageError(`\`--input\` is not JSON: ${(error as Error).message}`, hint);
  }
  const fault = faultOfInput(input);
  return fault === null ? ok(input as Json) : usageError(`\`--input\` ${fault}`);
}
