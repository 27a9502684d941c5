/**
 * Checks the `with` of nerve.yaml against what a module exports as `options`, by the Standard Schema interface, which
 * ArkType types have (and Zod's and Valibot's): nothing of ArkType is needed here.
 * Source: https://standardschema.dev
 */
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

interface StandardSchema {
  readonly "~standard": {
    validate(value: unknown): { value: unknown } | { issues: readonly Issue[] } | Promise<unknown>;
  };
}

export const isSchema = (value: unknown): value is StandardSchema =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  typeof (value as Partial<StandardSchema>)["~standard"]?.validate === "function";

const place = (issue: Issue): string =>
  (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");

const sentence = (issue: Issue): string => {
  const at = place(issue);
  return at === "" || issue.message.startsWith(at) ? issue.message : `${at}: ${issue.message}`;
};

/** The validated value with its defaults filled in, or every issue as one sentence. Without a schema only {} is valid. */
export function validateOptions(schema: StandardSchema | null, options: unknown): Result<unknown, string> {
  if (schema === null) {
    const given = Object.keys(options as object);
    return given.length === 0 ? ok({}) : err(`it takes no options, and \`with\` gives ${given.join(", ")}`);
  }
  try {
    const outcome = schema["~standard"].validate(options);
    if (outcome instanceof Promise) {
      outcome.catch(() => {});
      return err("its `options` validate asynchronously, which is not supported");
    }
    if ("issues" in outcome && outcome.issues) return err(outcome.issues.map(sentence).join("; "));
    return ok((outcome as { value: unknown }).value);
  } catch (error) {
    return err(`its \`options\` threw: ${describeThrown(error).message}`);
  }
}
