/**
 * The output of a monitoring plugin: a status in the exit code, a line for people, and performance data after `|`.
 * Source: https://www.monitoring-plugins.org/doc/guidelines.html
 */
import { losesDigits } from "./digits.ts";

export interface Nagios {
  readonly status: "ok" | "warning" | "critical" | "unknown";
  readonly code: number;
  /** The first line, without its performance data; the end of stderr where nothing was printed. */
  readonly message: string;
  readonly perf: Readonly<Record<string, Perf>>;
}

/** What a payload has only where the plugin printed it: further lines, and performance data that could not be read. */
type Further =
  | object
  | { readonly details: string }
  | { readonly unread: readonly string[] }
  | { readonly details: string; readonly unread: readonly string[] };

export interface Perf {
  /** Null stands for the plugin's `U`: the plugin does not know. */
  readonly value: number | null;
  /** `s`, `%`, `B`, `c` …; null for a plain number. */
  readonly unit: string | null;
  readonly warn: Range;
  readonly crit: Range;
  readonly min: number | null;
  readonly max: number | null;
}

/** A number N is the range from 0 to N; any other range is left as the plugin wrote it: `10:`, `~:5`, `@1:2`. */
type Range = number | string | null;

const STATUSES = ["ok", "warning", "critical", "unknown"] as const;

export interface Output {
  readonly stdout: string;
  /** Its end. */
  readonly stderr: string;
  readonly code: number;
}

export function parseNagios({ stdout, stderr, code }: Output): Nagios & Further {
  // LINE | PERF, then lines of text, of which one may have a `|`: after it everything is performance data.
  const [first = "", ...more] = stdout.trim().split(/\r?\n/);
  const [message, perf] = cut(first);
  const [details, morePerf] = cut(more.join("\n"));
  const found = parsePerf(`${perf} ${morePerf}`);
  return {
    status: STATUSES[code] ?? "unknown",
    code,
    // A plugin that cannot even start writes the reason to stderr.
    message: stdout.trim() === "" ? stderr : message.trim(),
    perf: found.perf,
    ...(details.trim() === "" ? {} : { details: details.trim() }),
    ...(found.unread.length === 0 ? {} : { unread: found.unread }),
  };
}

const cut = (text: string): [before: string, after: string] => {
  const at = text.indexOf("|");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
};

/** What separates is white space; some plugins write a `|`. */
const SPACE = /[\s|]*/y;
const PLAIN_LABEL = /[^\s='|]+(?==)/y;
const REST = /[^\s|]*/y;

const NUMBER = "[-+]?(?:\\d+(?:[.,]\\d*)?|[.,]\\d+)(?:[eE][-+]?\\d+)?";
const VALUE = new RegExp(`^(?:U|(${NUMBER})([^\\d.,+-][^.,]*)?)$`);
const PLAIN = new RegExp(`^${NUMBER}$`);

/** So many things that were passed over are named, each as it begins. */
const MOST_UNREAD = 20;
const UNREAD_LENGTH = 80;

export interface PerfData {
  readonly perf: Readonly<Record<string, Perf>>;
  /** What was passed over: malformed, or a whole number that JavaScript would change. */
  readonly unread: readonly string[];
}

const endOf = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
};

/** `'label'=value[unit];[warn];[crit];[min];[max]`, separated by white space. */
export function parsePerf(text: string): PerfData {
  const found: [string, Perf][] = [];
  const unread: string[] = [];
  for (let at = endOf(SPACE, text, 0); at < text.length; ) {
    const { label, from } = labelAt(text, at);
    const end = endOf(REST, text, from);
    const perf = label === null ? null : perfOf(text.slice(from, end));
    if (perf !== null && label !== null && label !== "__proto__") found.push([label, perf]);
    else if (unread.length < MOST_UNREAD) unread.push(text.slice(at, Math.min(end, at + UNREAD_LENGTH)));
    at = endOf(SPACE, text, end);
  }
  return { perf: Object.fromEntries(found), unread };
}

/** The label that begins at `at`, and where its value does; null where there is no label with a `=`. */
function labelAt(text: string, at: number): { readonly label: string | null; readonly from: number } {
  const isQuoted = text[at] === "'";
  let end = isQuoted ? text.indexOf("'", at + 1) : endOf(PLAIN_LABEL, text, at);
  // A quote inside is written twice.
  while (isQuoted && end > 0 && text[end + 1] === "'") end = text.indexOf("'", end + 2);
  const label = isQuoted ? text.slice(at + 1, end).replaceAll("''", "'") : text.slice(at, end);
  const from = isQuoted ? end + 1 : end;
  return end < 0 || label === "" || text[from] !== "=" ? { label: null, from: at } : { label, from: from + 1 };
}

/** Null for what is malformed. */
function perfOf(text: string): Perf | null {
  const [value = "", warn, crit, min, max] = text.split(";");
  const amount = VALUE.exec(value);
  if (!amount || [amount[1], warn, crit, min, max].some(isTooLarge)) return null;
  return {
    value: toNumber(amount[1]),
    unit: amount[2] || null,
    warn: toRange(warn),
    crit: toRange(crit),
    min: toNumber(min),
    max: toNumber(max),
  };
}

const isTooLarge = (text: string | undefined): boolean => text !== undefined && losesDigits(text);

/** Some plugins print numbers in the language of the host: 0,5. */
const toNumber = (text: string | undefined): number | null =>
  text !== undefined && PLAIN.test(text) ? Number(text.replace(",", ".")) : null;

const toRange = (text: string | undefined): Range => toNumber(text) ?? (text || null);
