/** What the words of a reflex mean, said without `src/rules`. */
import type { Json } from "../../../src/base/json.ts";
import type { ReflexConfig } from "../../../src/model/config.ts";
import type { Rule } from "../../../src/rules/decision.ts";
import { type Fields, PATTERNS } from "../words.ts";

export function ruleOf(config: ReflexConfig): Rule {
  const { when, clear, edge, forMs, count, debounce, throttleMs } = config;
  const isHeld = clear !== null || forMs !== null;
  return {
    edge: edge ?? (isHeld ? "rising" : "level"),
    hasWhen: when !== null,
    hasClear: clear !== null,
    forMs,
    count,
    debounce,
    throttleMs,
    incident: null,
  };
}

export const wordsOf = (config: ReflexConfig): string => {
  const { when, clear, forMs, count, debounce, throttleMs, key, each } = config;
  const { edge } = ruleOf(config);
  return JSON.stringify([
    [...config.on].sort(),
    when,
    clear,
    edge,
    forMs,
    count,
    debounce,
    throttleMs,
    key === "$one" ? null : key,
    each,
  ]);
};

/** Whether what follows from a signal depends on the signals before it. */
export function hasWords({ kind, key, each, when, count, debounce, throttleMs }: ReflexConfig): boolean {
  if (each !== null || (kind === "workflow" && key !== null && key !== "$one")) return true;
  return when !== null || count !== null || debounce !== null || throttleMs !== null;
}

type Pattern = (typeof PATTERNS)[number];

const meanings = new WeakMap<object, Pattern>();

function meaningOf(definition: Json): Pattern {
  const known = meanings.get(Object(definition));
  if (known !== undefined) return known;
  const text = JSON.stringify(definition);
  const pattern = PATTERNS.find((one) => JSON.stringify(one.definition) === text);
  if (pattern === undefined) throw new Error(`nobody knows what ${text} means`);
  meanings.set(Object(definition), pattern);
  return pattern;
}

export const isMet = (definition: Json, payload: Fields): boolean => meaningOf(definition).isMet(payload);

/** As `reflex.fired` says it; null where the reflex has one state. */
export function keyOf(word: ReflexConfig["key"], sense: string, payload: object): Json {
  if (word === null || word === "$one") return null;
  const part = (name: string): Json => {
    if (name === "$sense") return sense;
    if (name === "$host") return sense.includes("/") ? (sense.split("/")[0] ?? null) : "here";
    return (payload as Record<string, Json>)[name] ?? null;
  };
  return typeof word === "string" ? part(word) : word.map(part);
}
