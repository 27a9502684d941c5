/** Owns the words for what a rule asked and what a signal had: `used_percent was 93.1 (when: number >= 90)`. */
import { formatDuration } from "../base/duration.ts";
import type { Json } from "../base/json.ts";
import { parseStored } from "../base/json.ts";
import { shownScalar } from "../base/shown-scalar.ts";
import { type NerveConfig, type ReflexConfig, shownPatterns } from "../model/config.ts";
import type { Signal } from "../model/signal.ts";
import { elementsIn } from "../rules/each.ts";
import { fieldOf } from "../rules/field.ts";
import { isNamedKey } from "../rules/key.ts";
import { matcherOf } from "../rules/matcher.ts";
import { listed, short } from "./words.ts";

const MAX_FIELDS = 3;

interface Asked {
  readonly path: string;
  readonly pattern: string;
  readonly value: Json | undefined;
}

/** The fields that `pattern` asks about, with what `payload` has there. */
function askedOf(pattern: Json, payload: Json | undefined, path: string): Asked[] {
  if (typeof pattern !== "object" || pattern === null || Array.isArray(pattern)) {
    const text = typeof pattern === "string" ? pattern : JSON.stringify(pattern);
    return path === "" ? [] : [{ path, pattern: text, value: payload }];
  }
  return Object.entries(pattern).flatMap(([name, inner]) => {
    const field = name.replace(/\?$/, "");
    return askedOf(inner, fieldOf(payload, field), path === "" ? field : `${path}.${field}`);
  });
}

const isScalar = (value: Json | undefined): value is Json =>
  value !== undefined && (typeof value !== "object" || value === null);

/** `key` as the columns `key` have it; null where the reflex has none. */
function elementFor(reflex: ReflexConfig, { sense, payload }: Signal, key: string | null): Json | null {
  const whole = parseStored(payload);
  if (reflex.each === null) return whole;
  const matcher = matcherOf(reflex);
  const elements = matcher.ok ? elementsIn(matcher.value, sense, whole) : null;
  if (elements === null || key === null) return null;
  for (const [found, { payload: element }] of elements.byKey) if (isNamedKey(found, key)) return element;
  return null;
}

/** With the time for which it must match. Null where the rule asks about no field, or the signal has none of them. */
export function matchWords(
  config: NerveConfig,
  reflex: ReflexConfig,
  signal: Signal,
  key: string | null,
): string | null {
  const fields = fieldWords(config, reflex, signal, key);
  return fields === null || reflex.forMs === null ? fields : `${fields}, for ${formatDuration(reflex.forMs)}`;
}

export function fieldWords(
  config: NerveConfig,
  reflex: ReflexConfig,
  signal: Signal,
  key: string | null,
): string | null {
  const element = elementFor(reflex, signal, key);
  if (element === null) return null;
  const asked = askedOf(shownPatterns(config, reflex).when, element, "").filter(({ value }) => isScalar(value));
  if (asked.length === 0) return null;
  const fields = asked
    .slice(0, MAX_FIELDS)
    .map(({ path, pattern, value }) => `${short(path)} was ${shownScalar(value ?? null)} (when: ${short(pattern)})`);
  return listed(fields);
}
