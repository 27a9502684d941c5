/** Owns the ids of the runs and incidents that a command is about. */
import { ok, type Result } from "../../base/result.ts";
import { parseNamed } from "../../model/named.ts";
import { type Failure, usageError } from "../frame/outcome.ts";

export function parseRunId(word: string): Result<number, Failure> {
  const named = parseNamed(word);
  return named?.kind === "run" || named?.kind === "number"
    ? ok(named.id)
    : usageError(`\`${word}\` is not the id of a run`, "`nerve runs` shows them");
}

export function parseIncidentId(word: string): Result<number, Failure> {
  const named = parseNamed(word);
  return named?.kind === "incident" || named?.kind === "number"
    ? ok(named.id)
    : usageError(`\`${word}\` is not the id of an incident`, "`nerve incidents` shows them");
}
