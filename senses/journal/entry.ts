/** An entry of the journal, from a line of `journalctl -o json`. Source: https://systemd.io/JOURNAL_EXPORT_FORMATS */

export interface Entry {
  readonly cursor: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** The unit it is of, or about; null for what is of none, as the kernel's. */
  readonly unit: string | null;
  /** The name of the program. */
  readonly identifier: string | null;
  /** 0 (emerg) to 7 (debug). */
  readonly priority: number;
  readonly pid: number | null;
  readonly message: string;
  /** True where the message was longer. */
  readonly cut: boolean;
}

export const FIELDS = [
  "MESSAGE",
  "PRIORITY",
  "SYSLOG_IDENTIFIER",
  "_COMM",
  "_PID",
  "_SYSTEMD_UNIT",
  "UNIT",
  "USER_UNIT",
];

/** A longer message is cut. */
export const LONGEST_MESSAGE = 8_192;
/** `info`, as journalctl takes it where nothing is said. */
const USUAL_PRIORITY = 6;

/** Null for a line that is no entry. */
export function parseEntry(line: string): Entry | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null) return null;
  const fields = found as Readonly<Record<string, unknown>>;
  const text = (name: string): string | null => textOf(fields[name]);
  const cursor = text("__CURSOR");
  if (cursor === null) return null;
  const message = text("MESSAGE") ?? "";
  return {
    cursor,
    at: Math.floor(Number(text("__REALTIME_TIMESTAMP") ?? 0) / 1000),
    unit: text("UNIT") ?? text("USER_UNIT") ?? text("_SYSTEMD_UNIT"),
    identifier: text("SYSLOG_IDENTIFIER") ?? text("_COMM"),
    priority: countOf(text("PRIORITY")) ?? USUAL_PRIORITY,
    pid: countOf(text("_PID")),
    message: message.slice(0, LONGEST_MESSAGE),
    cut: message.length > LONGEST_MESSAGE,
  };
}

/** Bytes that are no UTF-8 text are a list of numbers; a field that is there several times is a list of its values. */
function textOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return null;
  const [first] = value;
  if (typeof first !== "number") return textOf(first);
  return Buffer.from(value.filter((byte) => typeof byte === "number")).toString();
}

const countOf = (text: string | null): number | null =>
  text !== null && /^\d{1,10}$/.test(text) ? Number(text) : null;
