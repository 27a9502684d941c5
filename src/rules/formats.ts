/**
 * Owns formats of ArkType, such as `string.ip`, whose expressions are larger than an author's expression may be. They are
 * known, so JavaScript's own engine may match them. A test shows that no text of 4 KiB makes them slow.
 */
import { nodeOf, readType, type TypeNode } from "./arktype.ts";

const FORMATS = ["string.ip.v6"];

let sources: ReadonlySet<string> | null = null;

const sourceOf = (format: string): string => {
  const [pattern] = nodeOf(readType(format)).inner.pattern as readonly TypeNode[];
  return String(pattern?.inner.rule);
};

/** Null when `source` is not the expression of such a format. */
export function formatOf(source: string): ((text: string) => boolean) | null {
  sources ??= new Set(FORMATS.map(sourceOf));
  if (!sources.has(source)) return null;
  const expression = new RegExp(source);
  return (text) => expression.test(text);
}
