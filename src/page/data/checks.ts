/** What the built-in sense `host-health` says of the numbers of other senses. Pure. */
import type { SenseRow } from "../../web/contract.ts";
import { isObject } from "../words/payload.ts";

/** What `host-health` says of one number. */
export interface Check {
  readonly sense: string;
  readonly check: string;
  readonly value: number;
  readonly status: "ok" | "warning" | "critical";
  readonly warning: number;
  readonly critical: number;
}

/** The checks of a payload of the built-in sense `host-health`. */
export function checksOf(sense: SenseRow | null): readonly Check[] {
  const payload = sense?.last?.payload ?? null;
  const checks = isObject(payload) ? payload.checks : null;
  return Array.isArray(checks)
    ? (checks as unknown as readonly Check[]).filter((one) => typeof one?.value === "number")
    : [];
}
