/**
 * `nerve/template`: `{{ payload.x }}`, `{{ signal.x }}`, `{{ incident.x }}`, `{{ batch.x }}`, `{{ sense }}`, `{{ host }}`, `{{ at }}`,
 * `{{ id }}`, `{{ key }}` and `{{ due }}` in texts of options, filled in from what started a run. A path through the items of a batch is a
 * list: `{{ batch.items.payload.x }}`.
 *
 * 1. A text is filled once: what is filled in is never read as a template.
 * 2. Payloads are anyone's: only own keys are looked up.
 * 3. Errors show what stands between the braces and nothing around them, which may be a secret.
 */
import type { Json } from "../base/json.ts";
import type { Trigger } from "./index.ts";

const TEMPLATE = /\{\{([^{}]*)\}\}/g;
const WHOLE = /^\{\{([^{}]*)\}\}$/;
const WORD = /^(?:(?:payload|signal|incident|batch)(?:\.[^.\s]+)*|sense|host|at|id|key|due)$/;

/** What the braces may hold, for messages: completes "fill in only …". */
export const TEMPLATE_WORDS =
  "{{ payload.PATH }}, {{ signal.PATH }}, {{ incident.PATH }}, {{ batch.PATH }}, {{ sense }}, {{ host }}, {{ at }}, {{ id }}, {{ key }} and {{ due }}";

const wordsIn = (text: string): string[] => [...text.matchAll(TEMPLATE)].map(([, word = ""]) => word.trim());

/** Whether everything between braces is something that can be filled in. */
export const isTemplate = (text: string): boolean =>
  wordsIn(text).every((word) => WORD.test(word)) && !text.replaceAll(TEMPLATE, "").includes("{{");

export const hasNoTemplate = (text: string): boolean => wordsIn(text).length === 0;

/** The text with everything filled in, each part as `as` makes it. Throws for what is not there. */
export const fillText = (text: string, trigger: Trigger, as: (part: string) => string = (part) => part): string =>
  text.replaceAll(TEMPLATE, (_, word: string) => as(textIn(word.trim(), trigger)));

/** The value with its texts filled in; a text that is exactly one `{{ … }}` becomes the value. Throws for what is not there. */
export function fillJson(value: Json, trigger: Trigger): Json {
  if (typeof value === "string") {
    const word = WHOLE.exec(value)?.[1];
    return word === undefined ? fillText(value, trigger) : lookUp(word.trim(), trigger);
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fillJson(item, trigger));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillJson(inner ?? null, trigger)]));
}

/** The texts of a value, at any depth. */
export function textsIn(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((inner) => textsIn(inner ?? null));
}

type Root = "payload" | "signal" | "incident" | "batch" | "sense" | "host" | "at" | "id" | "key" | "due";

/** What it means that there is none; null: a payload may be null. */
const MISSING: Readonly<Record<Root, string | null>> = {
  payload: null,
  signal: "the reflex has no `each`, or its signal is no longer kept",
  incident: "the run reports no incident, for its reflex has no `incident`",
  batch: "the run waited for no others: a person started the run, or its workflow has no `batch`",
  sense: "no signal started this run",
  host: null,
  at: "no signal started this run",
  id: "no signal started this run",
  key: "the reflex has no `key`, or its signal has no such field",
  due: "no due time started this run",
};

function lookUp(word: string, trigger: Trigger): Json {
  const [root, ...path] = word.split(".") as [Root, ...string[]];
  const missing = MISSING[root];
  if (missing !== null && trigger[root] === null) throw new Error(`{{ ${word} }}: ${missing}`);
  return listIn(word, trigger) ?? valueAt(trigger[root], path, { word, where: `the ${root}` });
}

/** Where a value is looked for, for the error: `the payload`. */
interface Sought {
  readonly word: string;
  readonly where: string;
}

function valueAt(from: unknown, path: readonly string[], { word, where }: Sought): Json {
  let value = from;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
      throw new Error(`{{ ${word} }}: ${where} has no ${path.join(".")}`);
    }
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value as Json;
}

const NUMBER = /^\d+$/;

/** What each item of a batch has at the path; null: the path goes to one of them, or leads elsewhere. */
function listIn(word: string, { batch }: Trigger): Json[] | null {
  const [root, items, ...inner] = word.split(".");
  const [first] = inner;
  if (batch === null || root !== "batch" || items !== "items" || first === undefined || NUMBER.test(first)) return null;
  return batch.items.map((item, at) => valueAt(item, inner, { word, where: `item ${at} of the batch` }));
}

function textIn(word: string, trigger: Trigger): string {
  const list = listIn(word, trigger);
  return list === null ? textOf(lookUp(word, trigger)) : listed(list.map(textOf), trigger.batch?.more ?? 0);
}

/** One argument of a command holds no more than four times as much. */
const MAX_LIST = 32 * 1024;

/** `/srv, /var and 7 more`: what has no room is counted as well. */
function listed(texts: readonly string[], more: number): string {
  let shown = 0;
  for (let bytes = 0; shown < texts.length; shown++) {
    bytes += Buffer.byteLength(texts[shown] ?? "") + 2;
    if (shown > 0 && bytes > MAX_LIST) break;
  }
  const others = more + texts.length - shown;
  return `${texts.slice(0, shown).join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
}

const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));
