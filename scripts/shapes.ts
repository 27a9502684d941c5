/**
 * Holds the shapes of our own to `T | null`: a property is always there, and says that it holds nothing. Optional properties
 * and `Partial` are refused, save where a value of somebody else's is looked at, behind `as`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT } from "./toolchain.ts";

/** Shapes that may leave properties out, by file and name. */
const MAY_LEAVE_OUT: Readonly<Record<string, readonly string[]>> = {
  // Authors write options by hand beside each step, and say only what differs. A payload is an author's own object.
  "src/sdk/index.ts": ["StepOptions", "Settled", "Series"],
};

const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`/g;

/** The source with comments and texts as blanks, line by line where it was. */
const bare = (source: string): string => source.replace(COMMENT_OR_TEXT, (text) => text.replace(/[^\n"'`]/g, " "));

interface Shape {
  /** `{`, `(` or `[`. */
  readonly bracket: string;
  /** What stands before the bracket in its statement. */
  readonly before: string;
}

/** The brackets that are open at `at`, the outermost first. */
function openAt(source: string, at: number): Shape[] {
  const open: Shape[] = [];
  for (let index = 0; index < at; index++) {
    const char = source[index] ?? "";
    if ("{([".includes(char)) {
      const start = Math.max(...[";", "\n\n"].map((end) => source.lastIndexOf(end, index)), 0);
      open.push({ bracket: char, before: source.slice(start, index) });
    } else if ("})]".includes(char)) open.pop();
  }
  return open;
}

const isForeign = (shapes: readonly Shape[]): boolean =>
  shapes.some(({ bracket, before }) => bracket === "{" && /\bas\s[^{};=]*$/.test(before));

/** What a source says of its shapes that it should not, one sentence each. */
export function looseShapes(file: string, source: string): string[] {
  const text = bare(source);
  const allowed = MAY_LEAVE_OUT[file] ?? [];
  const place = (index: number): string => `${file}:${text.slice(0, index).split("\n").length}`;
  const optional = [...text.matchAll(/[\w"'\]]\?:/g)].flatMap(({ index }) => {
    const shapes = openAt(text, index);
    if (shapes.at(-1)?.bracket !== "{" || isForeign(shapes)) return [];
    if (allowed.some((name) => shapes.some(({ before }) => before.trimEnd().endsWith(`interface ${name}`)))) return [];
    return [`${place(index)}: a property of our own is always there: write \`T | null\` instead of \`?:\``];
  });
  const partial = [...text.matchAll(/(\bas\s+)?\bPartial</g)].flatMap(({ index, 1: cast }) =>
    cast === undefined
      ? [`${place(index)}: \`Partial<\` makes properties of our own optional: name those there are`]
      : [],
  );
  return [...optional, ...partial];
}

export const allLooseShapes = (): string[] =>
  [...new Glob("{src,senses}/**/*.{ts,tsx}").scanSync(ROOT)]
    .sort()
    .flatMap((file) => looseShapes(file, readFileSync(join(ROOT, file), "utf8")));

if (import.meta.main) {
  const found = allLooseShapes();
  for (const problem of found) console.error(problem);
  process.exitCode = found.length > 0 ? 1 : 0;
}
