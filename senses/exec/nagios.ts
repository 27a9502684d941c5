/**
 * The output of a monitoring plugin: a status in the exit code, a line for people, and performance data after `|`.
 * Source: https://www.monitoring-plugins.org/doc/guidelines.html
 */
export interface Nagios {
  readonly status: "ok" | "warning" | "critical" | "unknown";
  readonly code: number;
  /** The first line, without its performance data. */
  readonly message: string;
  readonly perf: Readonly<Record<string, Perf>>;
  /** The further lines, where the plugin printed any. */
  readonly details?: string;
}

export interface Perf {
  /** Null is the plugin's `U`: it could not tell. */
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

export function parseNagios(stdout: string, code: number): Nagios {
  // LINE | PERF, then lines of text, of which one may have a `|`: after it everything is performance data.
  const [first = "", ...more] = stdout.trimEnd().split(/\r?\n/);
  const [message, perf] = cut(first);
  const [details, morePerf] = cut(more.join("\n"));
  return {
    status: STATUSES[code] ?? "unknown",
    code,
    message: message.trim(),
    perf: parsePerf(`${perf} ${morePerf}`),
    ...(details.trim() === "" ? {} : { details: details.trim() }),
  };
}

const cut = (text: string): [before: string, after: string] => {
  const at = text.indexOf("|");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
};

const LABEL = /\s*(?:'((?:[^']|'')+)'|([^\s='|]+))=(\S*)/y;
const NUMBER = "[-+]?(?:\\d+(?:[.,]\\d*)?|[.,]\\d+)(?:[eE][-+]?\\d+)?";
const VALUE = new RegExp(`^(?:U|(${NUMBER})(\\D*))$`);
const PLAIN = new RegExp(`^${NUMBER}$`);

/** `'label'=value[unit];[warn];[crit];[min];[max]`, separated by white space. What is malformed is passed over. */
export function parsePerf(text: string): Record<string, Perf> {
  const found: [string, Perf][] = [];
  for (let at = 0; at < text.length; ) {
    LABEL.lastIndex = at;
    const match = LABEL.exec(text);
    if (!match) {
      at += /^\s*\S+|^\s+/.exec(text.slice(at))?.[0].length ?? 1;
      continue;
    }
    at = LABEL.lastIndex;
    const label = match[1]?.replaceAll("''", "'") ?? match[2] ?? "";
    const [value = "", warn, crit, min, max] = (match[3] ?? "").split(";");
    const amount = VALUE.exec(value);
    if (!amount) continue;
    found.push([
      label,
      {
        value: toNumber(amount[1]),
        unit: amount[2] || null,
        warn: toRange(warn),
        crit: toRange(crit),
        min: toNumber(min),
        max: toNumber(max),
      },
    ]);
  }
  return Object.fromEntries(found);
}

/** Some plugins print numbers in the language of the host: 0,5. */
const toNumber = (text: string | undefined): number | null =>
  text !== undefined && PLAIN.test(text) ? Number(text.replace(",", ".")) : null;

const toRange = (text: string | undefined): Range => toNumber(text) ?? (text || null);
