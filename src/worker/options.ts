/**
 * Checks the `with` of nerve.yaml against what a module exports as `options`. Any value in it may have been filled in from a
 * secret, and many a library quotes in its message what it refuses: such a value is taken out of it.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type StandardSchema, validateWith } from "./schema.ts";

/** The validated value with its defaults filled in, or every issue as one sentence. Without a schema only {} is valid. */
export function validateOptions(schema: StandardSchema | null, options: unknown): Result<unknown, string> {
  if (schema !== null) {
    const validated = validateWith(schema, "options", options);
    return validated.ok ? validated : err(withoutValues(validated.error, options));
  }
  const given = Object.keys(options as object);
  return given.length === 0 ? ok({}) : err(`it takes no options, and \`with\` gives ${given.join(", ")}`);
}

/** A shorter text is part of many words, and no secret. */
const LEAST_HIDDEN = 4;

function withoutValues(message: string, options: unknown): string {
  const texts = [...leavesOf(options)].flatMap((text) => [text, JSON.stringify(text).slice(1, -1)]);
  // The longest first: a value may hold another.
  const hidden = texts.filter(({ length }) => length >= LEAST_HIDDEN).sort((a, b) => b.length - a.length);
  return hidden.reduce((said, text) => said.replaceAll(text, "…"), message);
}

function* leavesOf(value: unknown): Generator<string> {
  if (typeof value === "string" || typeof value === "number") yield String(value);
  else if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) yield* leavesOf(inner);
}
