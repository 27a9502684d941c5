/**
 * Owns the words of a reflex as they are applied: the key of a payload, and whether the payload starts or ends matching.
 */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Rule } from "./decision.ts";
import type { PatternRefusal } from "./definition.ts";
import { isKeyed, type Key, keyReaderOf } from "./key.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { ruleOf } from "./rule.ts";

/** One payload, or one element of it, as one reflex sees it. */
export interface Match extends Key {
  readonly matches: boolean;
  readonly clears: boolean;
}

export interface Matcher {
  readonly rule: Rule;
  readonly when: Pattern | null;
  readonly clear: Pattern | null;
  /** Path of the array whose elements the reflex looks at. Null where the reflex looks at the payload. */
  readonly each: readonly string[] | null;
  /** `payload` is the payload of a signal of `sense`, or an element of it. */
  match(sense: string, payload: Json): Match;
}

/** True when `config` has any word. A reflex without words fires at every signal and remembers nothing. */
export function hasWords({ kind, key, each, when, count, debounce, throttleMs }: ReflexConfig): boolean {
  // A run always gets its key, so the key of a workflow's reflex is read even where it is the only word.
  if (each !== null || (kind === "workflow" && isKeyed(key))) return true;
  return when !== null || count !== null || debounce !== null || throttleMs !== null;
}

function compile(definition: Json | null): Result<Pattern | null, PatternRefusal> {
  if (definition === null) return ok(null);
  const compiled = compilePattern(definition);
  return compiled.ok ? compiled : err(compiled.error[0]);
}

/** Refuses the first thing that is wrong. The patterns of a configuration were checked before, with all their refusals. */
export function matcherOf(config: ReflexConfig): Result<Matcher, PatternRefusal> {
  const when = compile(config.when);
  if (!when.ok) return err(when.error);
  const clear = compile(config.clear);
  if (!clear.ok) return err(clear.error);
  const starts = when.value;
  const ends = clear.value;
  const keyIn = keyReaderOf(config.key, config.host);
  return ok({
    rule: ruleOf(config),
    when: starts,
    clear: ends,
    each: config.each === null ? null : config.each.split("."),
    match(sense, payload) {
      // Spelled out: with many reflexes a spread takes eight times as long as all the rest.
      const { key, isMissing } = keyIn(sense, payload);
      const matches = starts === null || starts.matches(payload);
      return { key, isMissing, matches, clears: ends?.matches(payload) ?? false };
    },
  });
}
