/** Checks the `with` of nerve.yaml against what a module exports as `options`. */
import { err, ok, type Result } from "../base/result.ts";
import { type StandardSchema, validateWith } from "./schema.ts";

/** The validated value with its defaults filled in, or every issue as one sentence. Without a schema only {} is valid. */
export function validateOptions(schema: StandardSchema | null, options: unknown): Result<unknown, string> {
  if (schema !== null) return validateWith(schema, "options", options);
  const given = Object.keys(options as object);
  return given.length === 0 ? ok({}) : err(`it takes no options, and \`with\` gives ${given.join(", ")}`);
}
