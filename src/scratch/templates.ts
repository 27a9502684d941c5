/** `{{ payload.x }}` and `{{ signal.x }}` in the options of a workflow. */
import type { Json } from "../base/json.ts";

export interface Template {
  /** Of the text it stands in: `command[2]`, `headers.Authorization`. */
  readonly at: string;
  readonly root: "payload" | "signal";
  /** Dotted. */
  readonly path: string;
}

const TEMPLATE = /\{\{\s*(payload|signal)\.([^{}\s]+)\s*\}\}/g;

export function templatesIn(value: Json, at = ""): Template[] {
  if (typeof value === "string") {
    return [...value.matchAll(TEMPLATE)].map(([, root, path = ""]) => ({ at, root: root as Template["root"], path }));
  }
  if (Array.isArray(value)) return value.flatMap((item, index) => templatesIn(item, `${at}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => templatesIn(inner, at === "" ? key : `${at}.${key}`));
}
