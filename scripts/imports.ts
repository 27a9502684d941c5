/** The imports of a source, and which of them are gone at run time. */

export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

// `import … from "x"`, `export … from "x"`, `import "x"`; then `import("x")` and `require("x")`, in types as well.
const STATEMENT = /^(?:import|export)\b(?:[^"';=]*?\bfrom)?\s*"([^"]+)"/gm;
const CALL = /\b(?:import|require)\(\s*"([^"]+)"/g;
const COMMENT = /^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm;

const TRANSPILERS = { ts: new Bun.Transpiler({ loader: "ts" }), tsx: new Bun.Transpiler({ loader: "tsx" }) } as const;

/** What the transpiler adds to a source with JSX. */
const ADDED = /^react(\/|$)/;

/** Every import of a source. An import that is in the text, and that the transpiler does not list, is there for its types only. */
export function importsOf(source: string, loader: keyof typeof TRANSPILERS): Import[] {
  const scanned = TRANSPILERS[loader].scanImports(source).map(({ path }) => path);
  const atRunTime = new Set(scanned.filter((path) => !ADDED.test(path)));
  const text = source.replace(COMMENT, "");
  const written = [...text.matchAll(STATEMENT), ...text.matchAll(CALL)].flatMap(([, specifier]) => specifier ?? []);
  return [...new Set([...atRunTime, ...written])].map((specifier) => ({
    specifier,
    typeOnly: !atRunTime.has(specifier),
  }));
}
