/** What a program printed, as the payload its `parse` option asks for. */
import { type Payload, type Signals, signals } from "nerve";
import type { Definition } from "nerve/payload";
import { losesDigits } from "./digits.ts";
import { type Output, parseNagios } from "./nagios.ts";

export const PARSES = ["json", "jsonl", "lines", "number", "nagios"] as const;
export type Parse = (typeof PARSES)[number];

const RANGE = "number | string | null";

export const PAYLOADS: Readonly<Record<Parse, Definition | null>> = {
  json: null,
  jsonl: null,
  lines: { lines: "string[]" },
  number: { value: "number" },
  nagios: {
    status: "'ok' | 'warning' | 'critical' | 'unknown'",
    code: "0 <= number.integer <= 255",
    message: "string",
    perf: {
      "[string]": {
        value: "number | null",
        unit: "string | null",
        warn: RANGE,
        crit: RANGE,
        min: "number | null",
        max: "number | null",
      },
    },
    "details?": "string",
    "unread?": "string[]",
  },
};

/** Throws when the output is not what was asked for, quoting how it begins. */
export function parseOutput(parse: Parse, output: Output): Payload | Signals<Payload> | null {
  // A byte order mark is nothing that is printed.
  const stdout = output.stdout.replace(/^\ufeff/, "");
  switch (parse) {
    case "json":
      return parseJson(stdout);
    case "jsonl":
      return signals(parseJsonLines(stdout));
    case "lines":
      return { lines: parseLines(stdout) };
    case "number":
      return { value: parseNumber(stdout) };
    case "nagios":
      return parseNagios({ ...output, stdout });
  }
}

function parseJson(stdout: string): Payload | null {
  if (stdout.trim() === "") return null;
  try {
    return JSON.parse(stdout, refuseLossy) as Payload | null;
  } catch (error) {
    if (error instanceof LossyNumber) throw error;
    const hint = isJsonLines(stdout) ? "; several values, one a line, are for `parse: jsonl`" : "";
    throw new Error(`stdout is not one JSON value (${(error as Error).message}): ${beginning(stdout)}${hint}`);
  }
}

class LossyNumber extends Error {
  constructor(name: string, digits: string) {
    const what = name === "" ? "it" : JSON.stringify(name);
    super(`stdout holds a whole number beyond 2^53, which would be changed: ${what} is ${digits}; print it as a text`);
  }
}

/** A reviver: it is given each number as it was printed. */
function refuseLossy(key: string, value: unknown, ...[context]: readonly unknown[]): unknown {
  const { source } = context as { readonly source?: string };
  if (typeof value === "number" && source !== undefined && losesDigits(source)) throw new LossyNumber(key, source);
  return value;
}

/** As many payloads as one compute may return. */
const MOST_VALUES = 500;

function parseJsonLines(stdout: string): Payload[] {
  const payloads: Payload[] = [];
  for (const [index, line] of stdout.split("\n").entries()) {
    if (line.trim() === "") continue;
    const payload = parseJsonLine(line, index + 1);
    if (payload !== null) payloads.push(payload);
  }
  if (payloads.length <= MOST_VALUES) return payloads;
  const remedy = "print fewer, and the rest at the next run";
  throw new Error(
    `stdout holds ${payloads.length} values, and at most ${MOST_VALUES} are signals of one run; ${remedy}`,
  );
}

function parseJsonLine(line: string, number: number): Payload | null {
  try {
    return JSON.parse(line, refuseLossy) as Payload | null;
  } catch (error) {
    if (error instanceof LossyNumber) throw new Error(`line ${number}: ${error.message}`);
    throw new Error(`line ${number} of stdout is not one JSON value (${(error as Error).message}): ${beginning(line)}`);
  }
}

function isJsonLines(stdout: string): boolean {
  const lines = stdout.split("\n").filter((line) => line.trim() !== "");
  try {
    for (const line of lines) JSON.parse(line);
    return lines.length > 1;
  } catch {
    return false;
  }
}

function parseLines(stdout: string): string[] {
  const lines = stdout.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function parseNumber(stdout: string): number {
  const word = stdout.trim();
  if (losesDigits(word)) throw new LossyNumber("", word);
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
  if (!Number.isFinite(value)) throw new Error(`stdout is not a number: ${beginning(stdout)}`);
  return value;
}

const beginning = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
