/**
 * Keys that the reader checks like any other, but that this build does not act on. A configuration that uses such a key is
 * refused; the key is never ignored. A build that learns a key deletes its line here, and nothing else.
 */
import type { Report } from "./report.ts";
import { child, type MapTree, type Tree } from "./tree.ts";

/** `*` stands for any name, `[]` for the items of a list. */
export const NOT_YET: readonly string[] = [];

export function reportNotYet(root: MapTree, notYet: readonly string[], report: Report): void {
  if (notYet.length === 0) return;
  const known = new Set(notYet);
  const hasBelow = (pattern: string): boolean =>
    notYet.some((entry) => entry.startsWith(`${pattern}.`) || entry.startsWith(`${pattern}[]`));

  const visit = (tree: Tree, pattern: string, label: string): void => {
    if (tree.kind === "list") {
      tree.items.forEach((item, index) => {
        visit(item, `${pattern}[]`, child(label, index));
      });
    }
    if (tree.kind !== "map") return;
    for (const { key, keyPlace, value } of tree.entries) {
      const exact = pattern === "" ? key : `${pattern}.${key}`;
      const path = child(label, key);
      const match = [exact, `${pattern}.*`].find((one) => known.has(one));
      if (match !== undefined) report.add("not-yet", keyPlace, `\`${path}\` is not yet supported by this build`, null);
      else for (const below of [exact, `${pattern}.*`]) if (hasBelow(below)) visit(value, below, path);
    }
  };
  visit(root, "", "");
}
