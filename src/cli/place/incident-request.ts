/** Owns the request of `ack` and `resolve`: the incident, the person and the reason. */
import { ok, type Result } from "../../base/result.ts";
import type { IncidentRequest } from "../../control/contract.ts";
import { type Failure, usageError } from "../frame/outcome.ts";
import { parseIncidentId } from "./ids.ts";
import { login } from "./login.ts";

const LONGEST_WHY = 1_000;

export function incidentRequest(word: string, why: string | null): Result<IncidentRequest, Failure> {
  const incident = parseIncidentId(word);
  if (!incident.ok) return incident;
  const reason = why?.trim() ?? "";
  if (reason.length > LONGEST_WHY) return usageError(`\`--why\` takes at most ${LONGEST_WHY} characters`);
  return ok({ incident: incident.value, by: login(), why: reason === "" ? null : reason });
}
