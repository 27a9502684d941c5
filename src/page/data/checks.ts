/** What the built-in sense `host-health` says of the numbers of other senses. Pure. */
import type { Json } from "../../base/json.ts";
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
export function checksIn(payload: Json): readonly Check[] {
  const checks = isObject(payload) ? payload.checks : null;
  return Array.isArray(checks)
    ? (checks as unknown as readonly Check[]).filter((one) => typeof one?.value === "number")
    : [];
}

export const checksOf = (sense: SenseRow | null): readonly Check[] => checksIn(sense?.last?.payload ?? null);
