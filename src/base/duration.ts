/** Durations as people write them (`250ms 5s 10m 1h 7d`), as the milliseconds nerve counts in, and back. */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PATTERN = /^(\d{1,12})(ms|s|m|h|d)$/;

export const DURATION_SCHEMA = { type: "string", pattern: PATTERN.source } as const;

/** Milliseconds, or null when `text` is not a whole number followed by ms, s, m, h or d. */
export function parseDuration(text: string): number | null {
  const match = PATTERN.exec(text);
  if (!match) return null;
  const ms = Number(match[1]) * (UNITS[match[2] as string] as number);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** The largest unit that divides `ms` evenly: 90000 → `90s`, 3600000 → `1h`. */
export function formatDuration(ms: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const size = UNITS[unit] as number;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}
