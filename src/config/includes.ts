/** Owns the key `include`: each file that it names is read once, and an included file includes no further files. */
import { resolve } from "node:path";
import { list, text } from "./fields.ts";
import type { Report } from "./report.ts";
import type { Reading } from "./source.ts";
import { child, type Entry, isFilled, type MapTree } from "./tree.ts";
import { readYaml } from "./yaml.ts";

export interface Included {
  readonly files: readonly MapTree[];
  /** False when a file could not be read: references into that file can then not be judged. */
  readonly isWhole: boolean;
}

const readPatterns = list(text("a pattern such as conf.d/*.yaml"), "a list of patterns such as [conf.d/*.yaml]");

export function readIncluded(main: MapTree, { source, report, secrets }: Reading): Included {
  const entry = main.entries.find(({ key }) => key === "include");
  if (!entry) return { files: [], isWhole: true };
  const filled = entry.value.kind === "list" ? entry.value.items.filter(isFilled) : [];
  for (const item of filled) {
    // Places name files. The value of a variable would appear in every problem of the included file.
    report.add("variable-in-include", item.place, "`include` takes no variables", "write the path out");
  }
  const patterns = readPatterns(entry.value, "include", report);
  if (patterns === null || filled.length > 0) return { files: [], isWhole: false };

  const files: MapTree[] = [];
  const seen = new Set([resolve(source.file)]);
  let isWhole = !patterns.includes(null);
  for (const [index, pattern] of patterns.entries()) {
    if (pattern === null) continue;
    const included = source.include(pattern);
    if (!included.ok) {
      const place = itemPlace(entry, index);
      for (const problem of included.error) report.adopt(problem, place);
      isWhole = false;
      continue;
    }
    if (included.value.length === 0) {
      const message = `\`${child("include", index)}\` matches no file`;
      const hint = `a relative pattern begins at the folder of ${source.file}`;
      report.warn("empty-include", itemPlace(entry, index), message, hint);
    }
    for (const { file, text } of included.value) {
      if (seen.has(resolve(file))) continue;
      seen.add(resolve(file));
      const tree = readYaml(text, { file, variables: source, report, secrets });
      if (tree) files.push(withoutInclude(tree, report));
      else isWhole = false;
    }
  }
  return { files, isWhole };
}

const itemPlace = (entry: Entry, index: number) =>
  (entry.value.kind === "list" ? entry.value.items[index]?.place : undefined) ?? entry.keyPlace;

function withoutInclude(tree: MapTree, report: Report): MapTree {
  const entries = tree.entries.filter((entry) => {
    if (entry.key !== "include") return true;
    const message = "an included file cannot include others";
    report.add("nested-include", entry.keyPlace, message, "list it in the main file's `include`");
    return false;
  });
  return { ...tree, entries };
}
