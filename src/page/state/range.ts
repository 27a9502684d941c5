/** The time range that all views show: the newest minutes, or a stretch that was drawn by hand. */
import { computed } from "@preact/signals";
import { now } from "./clock.ts";
import { param, setParams } from "./route.ts";

export const RANGES = [
  { name: "5m", label: "5 min", ms: 300_000 },
  { name: "1h", label: "1 h", ms: 3_600_000 },
  { name: "6h", label: "6 h", ms: 21_600_000 },
  { name: "24h", label: "24 h", ms: 86_400_000 },
  { name: "7d", label: "7 d", ms: 604_800_000 },
] as const;

const DEFAULT = RANGES[0];

export interface Range {
  /** Null: a stretch that was drawn by hand. */
  readonly name: string | null;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  /** Whether it ends now, and moves on. */
  readonly live: boolean;
}

const number = (text: string): number | null => (/^\d{1,16}$/.test(text) ? Number(text) : null);

export const range = computed<Range>(() => {
  const from = number(param("from"));
  const to = number(param("to"));
  if (from !== null && to !== null && from < to) return { name: null, label: "chosen stretch", from, to, live: false };
  const chosen = RANGES.find(({ name }) => name === param("range")) ?? DEFAULT;
  const end = now.value;
  return { name: chosen.name, label: `last ${chosen.label}`, from: end - chosen.ms, to: end, live: true };
});

export const chooseRange = (name: string): void =>
  setParams({ range: name === DEFAULT.name ? null : name, from: null, to: null }, "push");

export const chooseStretch = (from: number, to: number): void =>
  setParams({ from: String(Math.round(from)), to: String(Math.round(to)) }, "push");

/** `[` and `]`: half a range earlier or later; past now it goes along with it again. */
export function moveRange(direction: -1 | 1): void {
  const { from, to } = range.peek();
  const by = ((to - from) / 2) * direction;
  if (to + by >= now.peek()) setParams({ from: null, to: null }, "push");
  else chooseStretch(from + by, to + by);
}
