/** Owns references: names of things that are defined elsewhere. */
import { name, type Reader, reader, readText } from "./fields.ts";
import type { Tree } from "./tree.ts";

export interface Reference {
  readonly name: string;
  readonly label: string;
  readonly tree: Tree;
}

export const reference: Reader<Reference> = reader(name.schema, (tree, label, report) => {
  const value = readText("a name", tree, label, report);
  return value === null ? null : { name: value, label, tree };
});
