/**
 * What a module exports as a type, by the Standard Schema interface, which ArkType types have (and Zod's and Valibot's):
 * nothing of ArkType is needed here. Foreign code, whose faults are caught here.
 * Source: https://standardschema.dev
 */
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";

interface Issue {
  readonly message: string;
}

type Path = ReadonlyArray<PropertyKey | { readonly key: PropertyKey }>;

export interface StandardSchema {
  readonly "~standard": {
    validate(value: unknown): { value: unknown } | { issues: readonly Issue[] } | Promise<unknown>;
  };
}

export const isSchema = (value: unknown): value is StandardSchema =>
  (typeof value === "object" || typeof value === "function") &&
  value !== null &&
  typeof (value as Partial<StandardSchema>)["~standard"]?.validate === "function";

/** `n.list[1]`. Not by `map`, which would make another of ArkType's own lists, with an item in an empty one. */
const place = (issue: Issue): string =>
  Array.from((issue as { readonly path?: Path }).path ?? [], (part) => (typeof part === "object" ? part.key : part))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");

/** ArkType begins with the place itself; `value at ["a b"]` is how it writes one that does not begin with a word. */
const sentence = (issue: Issue): string => {
  const at = place(issue);
  const isNamed = at === "" || issue.message.startsWith(at) || issue.message.startsWith("value at ");
  return isNamed ? issue.message : `${at}: ${issue.message}`;
};

/** What `schema`, exported under `name`, makes of the value, or every issue as one sentence. */
export function validateWith(schema: StandardSchema, name: string, value: unknown): Result<unknown, string> {
  try {
    const outcome = schema["~standard"].validate(value);
    if (outcome instanceof Promise) {
      outcome.catch(() => {});
      return err(`its \`${name}\` is validated asynchronously, which is not supported`);
    }
    if ("issues" in outcome && outcome.issues) return err(outcome.issues.map(sentence).join("; "));
    return ok((outcome as { value: unknown }).value);
  } catch (error) {
    return err(`its \`${name}\` threw: ${describeThrown(error).message}`);
  }
}
