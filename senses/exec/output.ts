/** What a program printed, as the payload its `parse` option asks for. */
import type { Payload } from "nerve";
import { parseNagios } from "./nagios.ts";

export type Parse = "json" | "lines" | "number" | "nagios";

/** Throws when the output is not what was asked for, quoting how it begins. */
export function parseOutput(parse: Parse, stdout: string, code: number): Payload | null {
  switch (parse) {
    case "json":
      return parseJson(stdout);
    case "lines":
      return { lines: parseLines(stdout) };
    case "number":
      return { value: parseNumber(stdout) };
    case "nagios":
      return parseNagios(stdout, code);
  }
}

function parseJson(stdout: string): Payload | null {
  if (stdout.trim() === "") return null;
  try {
    return JSON.parse(stdout) as Payload | null;
  } catch (error) {
    throw new Error(`stdout is not one JSON value (${(error as Error).message}): ${beginning(stdout)}`);
  }
}

function parseLines(stdout: string): string[] {
  const lines = stdout.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function parseNumber(stdout: string): number {
  const word = stdout.trim();
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(word) ? Number(word) : Number.NaN;
  if (!Number.isFinite(value)) throw new Error(`stdout is not a number: ${beginning(stdout)}`);
  return value;
}

const beginning = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
