/**
 * Cron expressions as Debian's cron(8) reads them: five fields or a nickname. Names what is wrong with one; which times an
 * expression stands for is Bun's to say. Pure.
 */
import { nearest } from "./nearest.ts";

export interface CronFields {
  readonly minute: string;
  readonly hour: string;
  readonly day: string;
  readonly month: string;
  readonly weekday: string;
}

export type CronField = keyof CronFields;

interface Range {
  readonly least: number;
  readonly most: number;
  /** Names of the values from `least` on; a value may be its number or its name. */
  readonly names: readonly string[];
  readonly words: string;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const LONG_MONTHS = [
  "january",
  "february",
  "march",
  "april",
  "may",
  "june",
  "july",
  "august",
  "september",
  "october",
  "november",
  "december",
];
const LONG_WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

const RANGES: Readonly<Record<CronField, Range>> = {
  minute: { least: 0, most: 59, names: [], words: "0 to 59" },
  hour: { least: 0, most: 23, names: [], words: "0 to 23" },
  day: { least: 1, most: 31, names: [], words: "1 to 31" },
  month: { least: 1, most: 12, names: MONTHS, words: "1 to 12 or jan to dec" },
  weekday: { least: 0, most: 7, names: WEEKDAYS, words: "0 to 7 (0 and 7 are Sunday) or sun to sat" },
};

const LONG_NAMES: Readonly<Record<string, readonly string[]>> = { month: LONG_MONTHS, weekday: LONG_WEEKDAYS };

const FIELDS = Object.keys(RANGES) as CronField[];

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/** What is wrong with an expression. */
export type CronFault =
  | { readonly kind: "reboot" }
  /** `@every 5m`: `interval` is how long, or null when that cannot be told. */
  | { readonly kind: "every"; readonly interval: string | null }
  | { readonly kind: "nickname"; readonly meant: string | null }
  | { readonly kind: "count"; readonly count: number }
  | {
      readonly kind: "field";
      readonly field: CronField;
      /** The part of the field that is wrong. */
      readonly value: string;
      readonly range: string;
      /** What is wrong with the value, to follow it. */
      readonly reason: string;
      readonly hint: string | null;
    };

const words = (expression: string): string[] => expression.trim().split(/[ \t]+/);

/** The five fields, a nickname written out; null when there are not five. */
export function cronFields(expression: string): CronFields | null {
  const written = NICKNAMES.get(expression.trim().toLowerCase()) ?? expression;
  const [minute, hour, day, month, weekday, ...more] = words(written);
  if (minute === undefined || hour === undefined || day === undefined || month === undefined) return null;
  return weekday === undefined || more.length > 0 ? null : { minute, hour, day, month, weekday };
}

/**
 * Whether its times are so many of elapsed time, whatever is done to the clock on the wall: cron(8) calls them wildcard
 * jobs. The others are fixed times of the wall clock.
 */
export function followsElapsedTime(expression: string): boolean {
  const fields = cronFields(expression);
  return fields !== null && (fields.minute.startsWith("*") || fields.hour.startsWith("*"));
}

/**
 * The day field `*` + a step beside another day field, which is read in two ways: here either field is enough, cronie and
 * vixie-cron want both. Null when there is none.
 */
export function ambiguousDayField(expression: string): "day" | "weekday" | null {
  const fields = cronFields(expression);
  if (fields === null) return null;
  const isStep = (text: string): boolean => text.startsWith("*/") && text !== "*/1";
  if (isStep(fields.day) && fields.weekday !== "*") return "day";
  return isStep(fields.weekday) && fields.day !== "*" ? "weekday" : null;
}

/** A step so long that its field has only its first value: `*` + `/70` as minute is each full hour. */
export function idleStep(expression: string): { readonly field: CronField; readonly part: string } | null {
  const fields = cronFields(expression);
  if (fields === null) return null;
  for (const field of FIELDS) {
    const { least, most } = RANGES[field];
    for (const part of fields[field].split(",")) {
      const [range = "", step] = part.split("/");
      if (step !== undefined && range === "*" && Number(step) > most - least) return { field, part };
    }
  }
  return null;
}

/** Null when there is nothing wrong with it. */
export function faultOfCron(expression: string): CronFault | null {
  const given = expression.trim();
  if (given.startsWith("@")) return faultOfNickname(given);
  const count = given === "" ? 0 : words(given).length;
  const fields = cronFields(given);
  if (fields === null) return { kind: "count", count };
  for (const field of FIELDS) {
    for (const part of fields[field].split(",")) {
      const fault = faultOfPart(field, part);
      if (fault !== null) return { kind: "field", field, range: RANGES[field].words, ...fault };
    }
  }
  return null;
}

function faultOfNickname(given: string): CronFault | null {
  const name = given.toLowerCase();
  if (NICKNAMES.has(name)) return null;
  if (name === "@reboot") return { kind: "reboot" };
  const every = /^@every(?:[ \t]+(\S+))?$/.exec(name);
  if (every) return { kind: "every", interval: every[1] ?? null };
  return { kind: "nickname", meant: nearest(name, [...NICKNAMES.keys()]) };
}

interface PartFault {
  readonly value: string;
  readonly reason: string;
  readonly hint: string | null;
}

const NUMBER = /^\d{1,9}$/;

/** `*`, `5`, `1-5`, any of them with a step. */
function faultOfPart(field: CronField, part: string): PartFault | null {
  const fault = (reason: string, hint: string | null = null): PartFault => ({ value: part, reason, hint });
  if (part === "") return fault("is empty", "remove the comma");
  const [range = "", step, ...more] = part.split("/");
  if (more.length > 0) return fault("has two steps");
  if (step !== undefined && (!NUMBER.test(step) || Number(step) === 0)) {
    return fault("has a step that is no whole number from 1 on");
  }
  if (range === "*") return null;
  const [first = "", last, ...further] = range.split("-");
  if (further.length > 0) return fault("is no number, range or `*`");
  const from = numberOf(field, first);
  if (from === null) return fault(reasonOf(first));
  if (last === undefined) return null;
  const to = numberOf(field, last);
  if (to === null) return fault(reasonOf(last));
  return to < from ? fault("goes backwards", `write \`${unwrapped(field, first, last)}\``) : null;
}

const reasonOf = (value: string): string => (NUMBER.test(value) ? "is out of range" : "is no number, range or `*`");

function numberOf(field: CronField, text: string): number | null {
  const { least, most, names } = RANGES[field];
  const lower = text.toLowerCase();
  const named = [names.indexOf(lower), (LONG_NAMES[field] ?? []).indexOf(lower)].find((index) => index >= 0);
  if (named !== undefined) return least + named;
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return value >= least && value <= most ? value : null;
}

/** `FRI-MON` as the two ranges that are meant. */
function unwrapped(field: CronField, first: string, last: string): string {
  const { least, most, names } = RANGES[field];
  const isNamed = /\D/.test(first);
  const [lowest, highest] = isNamed ? [names[0], names.at(-1)] : [least, field === "weekday" ? 6 : most];
  const span = (from: string | number | undefined, to: string | number | undefined): string => {
    const [a, b] = [String(from), String(to)];
    const shownAs = isNamed && a === a.toUpperCase() ? b.toUpperCase() : b;
    return a.toLowerCase() === b.toLowerCase() ? a : `${a}-${shownAs}`;
  };
  const low = isNamed && first === first.toUpperCase() ? String(lowest).toUpperCase() : lowest;
  return `${span(first, highest)},${span(low, last)}`;
}
