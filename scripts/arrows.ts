/** Holds the imports of a source against its row in a table of layers. */
import { posix } from "node:path";
import { importsOf } from "./imports.ts";

export type Layers = Readonly<Record<string, readonly string[]>>;

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Folders whose subfolders are rooms with a row each; the files beside those rooms see a room only by their own row. */
const HOUSES: readonly string[] = ["src/kernel", "src/cli", "src/fleet"];

interface Layer {
  /** The folder whose files the file may import without a row. */
  readonly own: string;
  /** Whether `own` includes the folders below. */
  readonly deep: boolean;
  readonly row: string;
}

/** The row a file stands in: `src/config/yaml.ts` → `src/config`, `src/kernel/time/ticker.ts` → `src/kernel/time`, `senses/load/index.ts` → `senses/*`. */
function layerOf(file: string): Layer {
  const [top = "", second = "", third = "", ...deeper] = file.split("/");
  if (top === "senses") {
    const inSense = third !== "";
    return inSense ? { own: `${top}/${second}`, deep: true, row: "senses/*" } : { own: top, deep: false, row: top };
  }
  const house = `${top}/${second}`;
  if (!HOUSES.includes(house)) return { own: house, deep: true, row: house };
  const own = deeper.length > 0 ? `${house}/${third}` : house;
  return { own, deep: own !== house, row: own };
}

function allows(rule: string, target: string, typeOnly: boolean): boolean {
  if (rule.startsWith("type ")) return typeOnly && isIn(target, rule.slice("type ".length));
  return rule.endsWith("/*") ? target.startsWith(rule.slice(0, -1)) : isIn(target, rule);
}

/** What `file` (its path from the root) imports against the table, one sentence each. */
export function violationsOf(table: Layers, file: string, source: string): string[] {
  const { own, deep, row } = layerOf(file);
  const rules = table[row];
  if (rules === undefined) return [`${file}: ${row} has no row in scripts/layers/`];
  const allowed = [...rules, ...(row === file ? [] : (table[file] ?? []))];
  return importsOf(source, file.endsWith(".tsx") ? "tsx" : "ts").flatMap(({ specifier, typeOnly }) => {
    if (specifier === "bun" || specifier.startsWith("node:")) return [];
    const relative = specifier.startsWith(".");
    const target = relative ? posix.join(posix.dirname(file), specifier) : specifier;
    const isOwn = relative && (deep ? isIn(target, own) : posix.dirname(target) === own);
    if (isOwn || allowed.some((rule) => allows(rule, target, typeOnly))) return [];
    return [`${file}: ${row} may not import ${target}${typeOnly ? ", not even its types" : ""}`];
  });
}
