/** Owns the input of a run as a person writes it: JSON, @FILE or - for stdin. */
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
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    const why = isMissing ? "there is no such file" : (error as Error).message;
    return usageError(`the input \`${given}\` cannot be read: ${why}`);
  }
  let input: unknown;
  try {
    input = JSON.parse(written);
  } catch (error) {
    const hint = `as in '{"host":"db1"}'; a text has quotes of its own: '"db1"'; --input takes @FILE, and - for stdin, too`;
    return usageError(`the input is not JSON: ${(error as Error).message}`, hint);
  }
  const fault = faultOfInput(input);
  return fault === null ? ok(input as Json) : usageError(`the input ${fault}`);
}
