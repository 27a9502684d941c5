/**
 * Owns the addition of an entry to a map or list at the top of nerve.yaml. The text changes at only one place. The positions
 * of the parsed document give this place. Comments, order and layout of everything else stay as a person wrote them.
 */
import { isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";

/** An entry for `senses` or `workflows` under a name, or for the end of `reflexes`. */
export type Addition =
  | { readonly section: "senses" | "workflows"; readonly name: string; readonly entry: string }
  | { readonly section: "reflexes"; readonly name: null; readonly entry: string };

/** The new text; null where the layout leaves no safe place. */
export function withAddition(text: string, addition: Addition): string | null {
  const edited = edit(text, addition);
  return edited !== null && meansTheSame(text, edited, addition) ? edited : null;
}

const parse = (text: string) => parseDocument(text, { logLevel: "silent" });

function edit(text: string, addition: Addition): string | null {
  const { contents } = parse(text);
  const { section } = addition;
  if (contents !== null && !isMap(contents))
    return contents.range === null || isEmpty(contents) ? atEnd(text, addition) : null;
  const pair = (contents as YAMLMap | null)?.items.find(({ key }) => isScalar(key) && key.value === section);
  if (pair === undefined) {
    const top = contents as YAMLMap | null;
    return top?.flow ? intoFlow(text, top, `${section}: ${collection(addition)}`) : atEnd(text, addition);
  }
  const { value } = pair as Pair<unknown, unknown>;
  if (value === null || (isScalar(value) && isEmpty(value))) return belowKey(text, pair, addition);
  if (!isMap(value) && !isSeq(value)) return null;
  if (value.flow) return intoFlow(text, value, line(addition));
  return belowLast(text, value, addition);
}

const isEmpty = (node: unknown): boolean => isScalar(node) && (node.value === null || node.value === "");

/** `NAME: ENTRY`, or only the entry, as the text stands within its collection. */
const line = ({ name, entry }: Addition): string => (name === null ? entry : `${name}: ${entry}`);

const collection = (addition: Addition): string =>
  addition.name === null ? `[${addition.entry}]` : `{ ${line(addition)} }`;

/** The text of the entry as a line of a collection in block style. */
const blockLine = (addition: Addition, indent: string): string =>
  `${indent}${addition.name === null ? "- " : ""}${line(addition)}\n`;

/** Adds the final newline, unless the text is empty or has it. */
const whole = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

const atEnd = (text: string, addition: Addition): string =>
  `${whole(text)}${addition.section}:\n${blockLine(addition, "  ")}`;

/** The end of the line that holds `at`, its newline included. */
const endOfLine = (text: string, at: number): number => {
  const found = text.indexOf("\n", at);
  return found < 0 ? text.length : found + 1;
};

const insert = (text: string, at: number, added: string): string => text.slice(0, at) + added + text.slice(at);

function belowKey(text: string, { key }: Pair<unknown, unknown>, addition: Addition): string | null {
  const end = (key as { range?: readonly number[] }).range?.[1];
  if (end === undefined) return null;
  // In `senses: ~` and the like, the word for null is removed.
  const rest = text.slice(end, endOfLine(text, end)).replace(/^(\s*:\s*)(?:~|null|Null|NULL)/, "$1");
  const before = whole(text.slice(0, end) + rest.replace(/[ \t]+$/m, ""));
  return before + blockLine(addition, "  ") + text.slice(endOfLine(text, end));
}

function belowLast(text: string, value: YAMLMap | YAMLSeq, addition: Addition): string | null {
  const begin = value.range?.[0];
  const last = value.items.at(-1);
  const end = endOf(last) ?? value.range?.[1];
  if (begin === undefined || end === undefined) return null;
  const lineBegin = text.lastIndexOf("\n", begin - 1) + 1;
  const indent = text.slice(lineBegin, begin);
  if (/[^ ]/.test(indent)) return null;
  // A block scalar or collection ends at the beginning of the next line.
  const at = text[end - 1] === "\n" ? end : endOfLine(text, end);
  return (
    insert(whole(text.slice(0, at)), whole(text.slice(0, at)).length, blockLine(addition, indent)) + text.slice(at)
  );
}

/** The end of the last value in a pair or node. */
function endOf(item: unknown): number | undefined {
  const { key, value, range } = item as { key?: unknown; value?: unknown; range?: readonly number[] };
  if (range) return (isMap(item) || isSeq(item)) && !item.flow ? endOf(item.items.at(-1)) : range[1];
  return endOf(value ?? key ?? {});
}

function intoFlow(text: string, value: YAMLMap | YAMLSeq, added: string): string | null {
  const close = (value.range?.[1] ?? 0) - 1;
  const last = value.items.at(-1);
  if (last === undefined)
    return `${text.slice(0, close).trimEnd()}${isSeq(value) ? added : ` ${added} `}${text.slice(close)}`;
  const ends = endOf(last);
  if (ends === undefined) return null;
  // The range of an empty value includes the space before it.
  const end = text.slice(0, ends).trimEnd().length;
  const between = text.slice(end, close);
  const hasComma = /^\s*,/.test(between);
  const isSpread = between.includes("\n");
  if (!isSpread)
    return `${text.slice(0, end)}, ${added}${hasComma ? between.replace(",", "") : between}${text.slice(close)}`;
  const indent = /\n([ \t]*)[^\n]*$/.exec(text.slice(0, end))?.[1] ?? "  ";
  const comma = hasComma ? "" : ",";
  const rest = text.slice(end);
  const lineEnd = rest.indexOf("\n");
  return `${text.slice(0, end)}${comma}${rest.slice(0, lineEnd)}\n${indent}${added}${hasComma ? "," : ""}${rest.slice(lineEnd)}`;
}

/** True when the edited text means the same as the old text plus the addition, and nothing else. */
function meansTheSame(before: string, after: string, { section, name, entry }: Addition): boolean {
  const edited = parse(after);
  if (edited.errors.length > 0) return false;
  const expected = (parse(before).toJS() ?? {}) as Record<string, unknown>;
  const value: unknown = parse(entry).toJS();
  const there = expected[section];
  if (name === null) expected[section] = [...((there as unknown[] | null) ?? []), value];
  else expected[section] = { ...((there as object | null) ?? {}), [name]: value };
  return Bun.deepEquals(edited.toJS(), expected);
}
