/** Owns durations and sizes, and the remedy for a quantity in another notation: `5 minutes`, `1h30m`, `1.5h`, `256Mi`. */
import { DURATION_SCHEMA, parseDuration } from "../base/duration.ts";
import { parseSize, SIZE_SCHEMA } from "../base/size.ts";
import { type Reader, reader } from "./fields.ts";
import type { Tree } from "./tree.ts";

export interface Units {
  /** Units from the smallest to the largest. `times` is how many of the unit before make one of this unit. */
  readonly all: readonly { readonly unit: string; readonly times: number; readonly spellings: RegExp }[];
}

export const DURATION_UNITS: Units = {
  all: [
    { unit: "ms", times: 1, spellings: /^(ms|msecs?|millis|milliseconds?)$/ },
    { unit: "s", times: 1000, spellings: /^(s|secs?|seconds?)$/ },
    { unit: "m", times: 60, spellings: /^(m|mins?|minutes?)$/ },
    { unit: "h", times: 60, spellings: /^(h|hrs?|hours?)$/ },
    { unit: "d", times: 24, spellings: /^(d|days?)$/ },
    { unit: "", times: 7, spellings: /^(w|wks?|weeks?)$/ },
  ],
};

export const SIZE_UNITS: Units = {
  all: [
    { unit: "b", times: 1, spellings: /^(b|bytes?)$/ },
    { unit: "kb", times: 1024, spellings: /^(k|kb|kib?)$/ },
    { unit: "mb", times: 1024, spellings: /^(m|mb|mib?)$/ },
    { unit: "gb", times: 1024, spellings: /^(g|gb|gib?)$/ },
    { unit: "", times: 1024, spellings: /^(t|tb|tib?)$/ },
  ],
};

const PART = /^(\d+(?:\.\d+)?)\s*([a-z]+)\s*/;

/** The remedy for a text that is no quantity of these units: the likely meaning, else the rule. A secret is not quoted. */
export function hintOn(tree: Tree, units: Units): string {
  const text = tree.kind === "scalar" && !tree.filled ? tree.text : "";
  const names = units.all.flatMap(({ unit }) => (unit === "" ? [] : unit));
  const listed = `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
  if (/^\d+$/.test(text)) return `add a unit: ${listed}`;
  const meant = meantBy(text, units);
  return meant === null ? `write a whole number and ${listed}` : `write \`${meant}\``;
}

/** The quantity in the largest unit that gives a whole number; null where the text is no quantity. */
function meantBy(text: string, { all }: Units): string | null {
  let sum = 0;
  let rest = text.trim().toLowerCase();
  if (rest === "") return null;
  while (rest !== "") {
    const [part = "", number = "", spelling = ""] = PART.exec(rest) ?? [];
    const index = all.findIndex(({ spellings }) => spellings.test(spelling));
    if (part === "" || index < 0) return null;
    sum += Number(number) * sizeOf(all, index);
    rest = rest.slice(part.length);
  }
  const fitting = all.findLastIndex(({ unit }, index) => unit !== "" && sum % sizeOf(all, index) === 0);
  return sum > 0 && fitting >= 0 && Number.isSafeInteger(sum)
    ? `${sum / sizeOf(all, fitting)}${all[fitting]?.unit}`
    : null;
}

const sizeOf = (all: Units["all"], index: number): number =>
  all.slice(0, index + 1).reduce((product, { times }) => product * times, 1);

/** With this limit every sum of a time and a duration is a valid date. */
const LONGEST_MS = 1000 * 365 * 86_400_000;

const readMs = (tree: Tree): number | null => {
  if (tree.kind !== "scalar") return null;
  return /^0+$/.test(tree.text) ? 0 : parseDuration(tree.text);
};

const OR_ZERO = { ...DURATION_SCHEMA, type: ["string", "integer"], minimum: 0, maximum: 0 };

const readDuration = (zero: "allowed" | "refused"): Reader<number> =>
  reader(zero === "refused" ? DURATION_SCHEMA : OR_ZERO, (tree, label, report) => {
    const ms = readMs(tree);
    if (ms === null) {
      report.expected("bad-duration", tree, label, "a duration such as 30s", hintOn(tree, DURATION_UNITS));
      return null;
    }
    if (ms === 0 && zero === "refused") {
      report.expected("bad-duration", tree, label, "longer than 0", null);
      return null;
    }
    if (ms > LONGEST_MS) {
      report.expected("bad-duration", tree, label, "at most 365000d", null);
      return null;
    }
    return ms;
  });

export const duration = readDuration("refused");
export const durationOrZero = readDuration("allowed");
/** 0 means that there is no duration: the result is then null. */
export const durationOrNone: Reader<number> = reader(
  OR_ZERO,
  (tree, label, report) => durationOrZero(tree, label, report) || null,
);

export const size: Reader<number> = reader(SIZE_SCHEMA, (tree, label, report) => {
  const bytes = tree.kind === "scalar" ? parseSize(tree.text) : null;
  if (bytes !== null && bytes > 0) return bytes;
  report.expected("bad-size", tree, label, "a size such as 256mb, more than 0", hintOn(tree, SIZE_UNITS));
  return null;
});
