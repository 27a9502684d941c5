/** Which senses are asked, and from where on their answers are a warning or critical. */
import { duration, type Field, flag, type Infer, number, orNull, record, where, words } from "nerve/options";

interface Limits {
  readonly warning: number;
  readonly critical: number;
}

/** `{ warning, critical }`, each with its default; null switches the check off. */
const limits = (warning: number, critical: number, max = 100): Field<Limits | null> => {
  const both = record({ warning: number(warning, { min: 0, max }), critical: number(critical, { min: 0, max }) });
  const ordered = where(both, (given) => given.warning <= given.critical, "have warning at or under critical");
  return orNull<Limits>(ordered, { warning, critical });
};

export const options = record({
  // Names in nerve.yaml of the senses that use cpu-usage, memory, load, disk-usage and pressure.
  cpu: words(["cpu-usage"]),
  memory: words(["memory"]),
  load: words(["load"]),
  disks: words(["disk-usage"]),
  pressure: words(["pressure"]),

  cpu_percent: limits(90, 98),
  memory_percent: limits(85, 95),
  swap_percent: limits(60, 90),
  load5_per_core: limits(2, 5, 10_000),
  disk_percent: limits(85, 95),
  inodes_percent: limits(85, 95),
  cpu_pressure_percent: limits(60, 90),
  memory_pressure_percent: limits(10, 40),
  io_pressure_percent: limits(50, 80),

  // The time that cpu_percent is averaged over, and the age from which a sample no longer counts.
  window: duration("1m", { min: "1s", max: "1h" }),
  stale_after: duration("15m", { min: "1s", max: "7d" }),
  changes_only: flag(false),
});

export type HealthOptions = Infer<typeof options>;

/** The options that hold limits: each is a check. */
export const CHECKS = [
  "cpu_percent",
  "memory_percent",
  "swap_percent",
  "load5_per_core",
  "disk_percent",
  "inodes_percent",
  "cpu_pressure_percent",
  "memory_pressure_percent",
  "io_pressure_percent",
] as const satisfies readonly (keyof HealthOptions)[];

export type Check = (typeof CHECKS)[number];
