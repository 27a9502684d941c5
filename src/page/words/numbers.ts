/** How numbers are written: three significant digits, a unit, a thin space in thousands. */

const THIN = "\u202f";
/** What is not there. */
export const NONE = "–";

/** 3984 → `3 984`. */
export function count(value: number): string {
  const text = String(Math.round(Math.abs(value))).replace(/\B(?=(\d{3})+$)/g, THIN);
  return value < 0 ? `-${text}` : text;
}

/** Three significant digits; whole numbers stay whole: 0.7432 → `0.743`, 954 → `954`, 12345.6 → `12 346`. */
export function digits(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (Number.isInteger(value) || Math.abs(value) >= 999.5) return count(value);
  if (Math.abs(value) < 0.0005) return "0";
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  return size >= 100
    ? rounded.toFixed(0)
    : size >= 10
      ? rounded.toFixed(1)
      : size >= 1
        ? rounded.toFixed(2)
        : String(rounded);
}

/** One digit behind the point, so that a column of them stands in line: `37.3 %`, `100.0 %`. */
export const percent = (value: number): string => `${value.toFixed(1)} %`;

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** Of 1000s: 4567890 → `4.57 MB`. */
export function bytes(value: number): string {
  let size = Math.abs(value);
  let unit = 0;
  while (size >= 999.5 && unit < SIZES.length - 1) {
    size /= 1_000;
    unit += 1;
  }
  const text = unit === 0 ? size.toFixed(0) : size.toPrecision(3);
  return `${value < 0 ? "-" : ""}${text} ${SIZES[unit]}`;
}

const UNITS = [
  { ms: 86_400_000, name: "d" },
  { ms: 3_600_000, name: "h" },
  { ms: 60_000, name: "min" },
  { ms: 1_000, name: "s" },
] as const;

/** How long something took: `0.40 ms`, `141 ms`, `2.0 s`, `1 min 29 s`, `3 d 4 h`. Two units at most. */
export function took(ms: number): string {
  if (ms < 0) return took(0);
  if (ms < 10) return `${ms === 0 ? "0" : ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  return span(ms);
}

/** How long something lasts, in whole seconds: `0 s`, `38 s`, `4 min 54 s`, `3 d`. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const at = UNITS.findIndex((unit) => whole >= unit.ms);
  const unit = UNITS[at];
  if (unit === undefined) return "0 s";
  const next = UNITS[at + 1];
  const first = Math.floor(whole / unit.ms);
  const rest = next === undefined ? 0 : Math.floor((whole % unit.ms) / next.ms);
  return rest === 0 || next === undefined ? `${first} ${unit.name}` : `${first} ${unit.name} ${rest} ${next.name}`;
}

/** In a sentence days have their whole name: `3 days 4 h`. */
export const spoken = (ms: number): string =>
  span(ms).replace(/^(\d+) d\b/, (_, days: string) => `${days} day${days === "1" ? "" : "s"}`);

/** A duration as people write it in nerve.yaml, in words: `5s` → `5 s`, `1m` → `1 min`. */
export const spelled = (text: string): string =>
  text.replace(
    /\b(\d+)(ms|s|m|h|d)\b/g,
    (_, amount: string, unit: string) => `${amount} ${unit === "m" ? "min" : unit}`,
  );

const PER_SECOND = "/s";

/** A value of a series, by its unit. */
export function valued(value: number | null, unit: string | null): string {
  if (value === null) return NONE;
  if (unit === "percent") return percent(value);
  if (unit === "bytes") return bytes(value);
  if (unit === "bytes_per_second") return bytes(value) + PER_SECOND;
  if (unit === "seconds") return took(value * 1_000);
  if (unit === "ms") return took(value);
  return digits(value);
}

/** `1 run`, `3 runs`. */
export const counted = (amount: number, noun: string): string => `${count(amount)} ${noun}${amount === 1 ? "" : "s"}`;

/** The unit that the name of a field ends with, where it does. */
export function unitOf(field: string): string | null {
  if (/_percent$/.test(field)) return "percent";
  if (/_bytes_per_second$/.test(field)) return "bytes_per_second";
  if (/_bytes$/.test(field)) return "bytes";
  if (/_seconds$/.test(field)) return "seconds";
  return /_ms$/.test(field) ? "ms" : null;
}
