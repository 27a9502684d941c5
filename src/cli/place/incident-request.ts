/** Owns the request of `ack` and `resolve`: the incident, the person and the reason. */
import { readFileSync } from "node:fs";
import { ok, type Result } from "../../base/result.ts";
import type { IncidentRequest } from "../../control/contract.ts";
import { type Failure, usageError } from "../frame/outcome.ts";
import { parseIncidentId } from "./ids.ts";

const LONGEST_WHY = 1_000;

/** The person at the terminal, also behind `sudo`. A user without a line in the list of users is a number. */
function login(): string {
  const { SUDO_USER: behind = "" } = process.env;
  if (behind !== "") return behind;
  const uid = String(process.getuid?.() ?? "");
  return users().find(([, , id]) => id === uid)?.[0] ?? uid;
}

function users(): string[][] {
  try {
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

export function incidentRequest(word: string, why: string | null): Result<IncidentRequest, Failure> {
  const incident = parseIncidentId(word);
  if (!incident.ok) return incident;
  const reason = why?.trim() ?? "";
  if (reason.length > LONGEST_WHY) return usageError(`\`--why\` takes at most ${LONGEST_WHY} characters`);
  return ok({ incident: incident.value, by: login(), why: reason === "" ? null : reason });
}
