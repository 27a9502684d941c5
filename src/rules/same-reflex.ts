/**
 * Owns the question which reflexes are the same. It is three questions: whether the memory of signals still belongs to a
 * reflex (`definitionOf`), whether its due times do (`scheduleOf`), and whether anything changed at all (`isSameReflex`).
 */
import { sha256 } from "../base/digest.ts";
import { canonicalJson, type Json } from "../base/json.ts";
import type { ReflexConfig } from "../model/config.ts";
import { ONE_STATE } from "./key.ts";
import { ruleOf } from "./rule.ts";

const digestOf = (prefix: string, value: unknown): string => sha256(prefix + canonicalJson(value as Json)).slice(0, 16);

/** Absent words count for nothing, so a new word of a later build changes no digest. */
const present = (words: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(words).filter(([, value]) => value !== null));

const listenedTo = ({ on }: ReflexConfig): string[] => [...new Set(on)].sort();

/** Changes with the shape of a reflex's stored memory. */
const FORMAT = "words-1";

/** Digest of the words that decide. The memory of signals belongs to these words alone. */
export function definitionOf(config: ReflexConfig): string {
  const { each, key, host, when, clear, forMs, count, debounce, throttleMs } = config;
  const { edge } = ruleOf(config);
  const words = {
    each,
    key: key === ONE_STATE ? null : key,
    host,
    when,
    clear,
    edge: edge === ruleOf({ ...config, edge: null }).edge ? null : edge,
    forMs,
    count,
    debounce,
    throttleMs,
  };
  return digestOf(FORMAT, { on: listenedTo(config), ...present(words) });
}

/** Digest of the words that define the keys. The incident of a key belongs to these words. */
export const scopeOf = (config: ReflexConfig): string => {
  const { each, key, host } = config;
  const words = { each, key: key === ONE_STATE ? null : key, host };
  return digestOf(FORMAT, { on: listenedTo(config), ...present(words) });
};

/**
 * The digest of builds before `each`: of the whole reflex as it was then. Null for a reflex that such a build could not
 * have.
 */
function formerDefinitionOf(config: ReflexConfig): string | null {
  const { kind, name, when, clear, forMs, count, debounce, throttleMs, key, each } = config;
  if (each !== null || (key !== null && (typeof key !== "string" || key.startsWith("$")))) return null;
  const words = { kind, name, when, clear, forMs, count, debounce, throttleMs, key };
  const all = { ...words, on: listenedTo(config), edge: ruleOf(config).edge };
  if (config.kind === "workflow") return digestOf("3", { ...all, workflow: config.workflow });
  const { sense, intervalMs, align, jitterMs, cron, tz, catchUp, onStart } = config;
  return digestOf("3", { ...all, sense, intervalMs, align, jitterMs, cron, tz, catchUp, onStart });
}

/** True when a row with `digest` belongs to the words of `config`, as this build or an earlier build spelled them. */
export const isDefinitionOf = (config: ReflexConfig, digest: string): boolean =>
  digest === definitionOf(config) || digest === formerDefinitionOf(config);

/** Digest of the words that say when a reflex is due. */
export function scheduleOf(config: ReflexConfig): string {
  const { intervalMs, align, jitterMs, cron, tz } = config;
  // The default is to be aligned.
  const words = { intervalMs, align: align === true ? null : align, jitterMs, cron, tz };
  return digestOf(FORMAT, present(words));
}

/** The twin of `isDefinitionOf` for the newest due time. */
export const isScheduleOf = (config: ReflexConfig, digest: string): boolean =>
  digest === scheduleOf(config) || digest === formerDefinitionOf(config);

/** One text for all spellings of one reflex. */
export const spelledOut = (config: ReflexConfig): string =>
  canonicalJson(present({ ...config, on: listenedTo(config), edge: ruleOf(config).edge }) as unknown as Json);

export const isSameReflex = (a: ReflexConfig, b: ReflexConfig): boolean => spelledOut(a) === spelledOut(b);
