/** A reflex's words as they are applied: which key a payload belongs to, and whether it starts or ends matching. */
import type { Json } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ReflexConfig } from "../model/config.ts";
import type { Rule } from "./decision.ts";
import type { PatternRefusal } from "./definition.ts";
import { isKeyed, type Key, keyReaderOf } from "./key.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { ruleOf } from "./rule.ts";

/** What one payload, or one element of it, is to one reflex. */
export interface Match extends Key {
  readonly matches: boolean;
  readonly clears: boolean;
}

export interface Matcher {
  readonly rule: Rule;
  readonly when: Pattern | null;
  readonly clear: Pattern | null;
  /** Path of the array whose elements the reflex looks at; null where it looks at the payload. */
  readonly each: readonly string[] | null;
  /** `payload`: of a signal of `sense`, or an element of it. */
  match(sense: string, payload: Json): Match;
}

/** Whether `config` has any word at all; one without fires at every signal and remembers nothing. */
export function hasWords({ kind, key, each, when, count, debounce, throttleMs }: ReflexConfig): boolean {
  // A run is told its key, whatever else the reflex says.
  if (each !== null || (kind === "workflow" && isKeyed(key))) return true;
  return when !== null || count !== null || debounce !== null || throttleMs !== null;
}

function compile(definition: Json | null): Result<Pattern | null, PatternRefusal> {
  if (definition === null) return ok(null);
  const compiled = compilePattern(definition);
  return compiled.ok ? compiled : err(compiled.error[0]);
}

/** Or the first thing that is refused: a configuration's patterns have been checked, and all of it was said there. */
export function matcherOf(config: ReflexConfig): Result<Matcher, PatternRefusal> {
  const when = compile(config.when);
  if (!when.ok) return err(when.error);
  const clear = compile(config.clear);
  if (!clear.ok) return err(clear.error);
  const starts = when.value;
  const ends = clear.value;
  const keyIn = keyReaderOf(config.key);
  return ok({
    rule: ruleOf(config),
    when: starts,
    clear: ends,
    each: config.each === null ? null : config.each.split("."),
    match(sense, payload) {
      // Spelled out: where there are many reflexes, a spread takes eight times as long as all the rest.
      const { key, isMissing } = keyIn(sense, payload);
      const matches = starts === null || starts.matches(payload);
      return { key, isMissing, matches, clears: ends?.matches(payload) ?? false };
    },
  });
}
