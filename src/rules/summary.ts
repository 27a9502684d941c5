/**
 * Owns the texts of an incident with values from its payload: `summary` and `severity`. A template holds paths and nothing
 * else. It is filled in once: a filled-in value is never read as a template.
 */
import type { Json } from "../base/json.ts";
import { oneLine } from "../base/one-line.ts";
import { DEFAULT_SEVERITY, SEVERITIES, type Severity } from "../model/incident.ts";
import { fieldOf } from "./field.ts";
import { shownKeyText } from "./key.ts";

const TEMPLATE = /\{\{([^{}]*)\}\}/g;
const WORD = /^(?:(?:payload|signal)(?:\.[^.\s]+)*|reflex|sense|host|key|at|id)$/;

export const FILLED_IN =
  "{{ payload.PATH }}, {{ signal.PATH }}, {{ reflex }}, {{ sense }}, {{ host }}, {{ key }}, {{ at }} and {{ id }}";

export const MAX_SUMMARY = 200;
/** Stands where there is nothing at a path. */
const MISSING = "–";

/** The values that fill in a template. */
export interface Subject {
  readonly reflex: string;
  readonly sense: string | null;
  /** The host that the signal came from. Null where its reflex names no host. */
  readonly host: string | null;
  readonly key: Json;
  /** The payload, or the element that `each` picked. */
  readonly payload: Json;
  /** The whole payload where `each` picked an element of it. Null otherwise. */
  readonly signal: Json;
  readonly at: number | null;
  readonly id: number | null;
}

const wordsIn = (text: string): string[] => [...text.matchAll(TEMPLATE)].map(([, word = ""]) => word.trim());

/** True when the text names the host of a signal. */
export const namesHost = (text: string | null): boolean => text !== null && wordsIn(text).includes("host");

export const hasTemplate = (text: string): boolean => text.includes("{{");

/** True when every expression between braces can be filled in. */
export const isSummaryTemplate = (text: string): boolean =>
  wordsIn(text).every((word) => WORD.test(word)) && !text.replaceAll(TEMPLATE, "").includes("{{");

function valueAt(word: string, subject: Subject): Json | undefined {
  const [root = "", ...path] = word.split(".");
  let value: Json | undefined = subject[root as keyof Subject];
  for (const name of path) value = value === undefined ? undefined : fieldOf(value, name);
  return value;
}

function textOf(word: string, subject: Subject): string {
  const value = valueAt(word, subject);
  if (value === undefined || value === null) return MISSING;
  if (word === "key") return shownKeyText(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

const fill = (text: string, subject: Subject): string =>
  text.replaceAll(TEMPLATE, (_, word: string) => textOf(word.trim(), subject));

/** One line, with any values. Without a template the line names the reflex, the key and the sense. */
export function summaryOf(template: string | null, subject: Subject): string {
  if (template !== null) return oneLine(fill(template, subject), MAX_SUMMARY);
  const { reflex, key, sense } = subject;
  const ofKey = key === null ? "" : `: ${shownKeyText(key)}`;
  return oneLine(`${reflex}${ofKey}${sense === null ? "" : ` (${sense})`}`, MAX_SUMMARY);
}

/** Null where the severity depends on the values. */
export const fixedSeverity = (template: string | null): Severity | null =>
  template === null ? DEFAULT_SEVERITY : (SEVERITIES.find((one) => one === template) ?? null);

/** A result that is none of the three severities becomes the default. */
export function severityOf(template: string | null, subject: Subject): Severity {
  const fixed = fixedSeverity(template);
  if (fixed !== null || template === null) return fixed ?? DEFAULT_SEVERITY;
  const text = fill(template, subject).trim();
  return SEVERITIES.find((one) => one === text) ?? DEFAULT_SEVERITY;
}
