/** From readings to a verdict. Pure. */
import type { HealthOptions } from "./options.ts";
import type { Reading } from "./peers.ts";

export interface Judged extends Reading {
  readonly status: "ok" | "warning" | "critical";
  readonly warning: number;
  readonly critical: number;
}

/** Every reading whose check is on, against its limits; at a limit counts as over it. */
export function assess(readings: readonly Reading[], options: HealthOptions): Judged[] {
  return readings.flatMap((reading) => {
    const limits = options[reading.check];
    if (limits === null) return [];
    const { warning, critical } = limits;
    const status = reading.value >= critical ? "critical" : reading.value >= warning ? "warning" : "ok";
    return [{ ...reading, status, warning, critical } as const];
  });
}

export function overall(checks: readonly Judged[]): Judged["status"] {
  if (checks.some(({ status }) => status === "critical")) return "critical";
  return checks.some(({ status }) => status === "warning") ? "warning" : "ok";
}

/** `disk-root: disk_percent is 91.2, a warning from 85`. */
export const reason = ({ sense, check, value, status, warning, critical }: Judged): string =>
  `${sense}: ${check} is ${value}, ${status === "critical" ? `critical from ${critical}` : `a warning from ${warning}`}`;

/** The same while the same checks of the same senses are as bad as before, whatever their values. */
export const fingerprint = (checks: readonly Judged[]): string =>
  checks
    .filter(({ status }) => status !== "ok")
    .map(({ sense, check, status }) => `${sense} ${check} ${status}`)
    .sort()
    .join("\n");
