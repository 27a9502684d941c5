/** Believes nothing that came over a channel until it is a well-formed message: what both ends call first. */
import { err, ok, type Result } from "../base/result.ts";
import type { MalformedMessage } from "./definitions.ts";
import { lightGuard } from "./light-guard.ts";

export type Parse<Message> = (raw: unknown) => Result<Message, MalformedMessage>;

const LONGEST_QUOTE = 80;

const quote = (value: unknown): string => {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, LONGEST_QUOTE))
    : String(value).slice(0, LONGEST_QUOTE);
};

export function parser<Message>(
  definitions: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Parse<Message> {
  // Made at the first message of a type: a process gets few of the types that there are.
  const guards = new Map<unknown, ReturnType<typeof lightGuard>>();
  const guardOf = (name: unknown): ReturnType<typeof lightGuard> | null => {
    const definition = typeof name === "string" && Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (definition === undefined) return null;
    const guard = lightGuard(definition);
    guards.set(name, guard);
    return guard;
  };
  const explain = (name: string, raw: Record<string, unknown>): string => {
    for (const [key, definition] of Object.entries(definitions[name] ?? {})) {
      if (!(key in raw)) return `"${name}" without ${key}`;
      if (lightGuard(definition)(raw[key])) continue;
      const expected = typeof definition === "string" ? `, expected ${definition}` : "";
      return `"${name}" whose ${key} is ${quote(raw[key])}${expected}`;
    }
    return `a malformed "${name}"`;
  };
  return (raw) => {
    if (typeof raw !== "object" || raw === null) return err({ what: `${quote(raw)} instead of a message` });
    const name = (raw as { type?: unknown }).type;
    const guard = guards.get(name) ?? guardOf(name);
    if (guard === null) return err({ what: `a message of unknown type ${quote(name)}` });
    return guard(raw) ? ok(raw as Message) : err({ what: explain(name as string, raw as Record<string, unknown>) });
  };
}
