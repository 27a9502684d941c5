/** Owns `watch` of a sense reflex: what wakes the sense when it changes. Paths are relative to the folder of nerve.yaml. */
import type { Watching } from "../model/config.ts";
import { flag, list, type Reader, reader, readFields, schemaOf, text } from "./fields.ts";
import type { Report } from "./report.ts";
import { child, type Tree } from "./tree.ts";

const WATCH = {
  file: text("a path such as /var/log/auth.log"),
  dir: text("the path of a folder, such as /var/spool/jobs"),
  match: text('a pattern for names, such as "*.log"'),
  journal: flag,
  inbox: flag,
};
const KINDS = ["file", "dir", "journal", "inbox"] as const;
const WHAT =
  "true, { file: PATH }, { dir: PATH, match: PATTERN }, { journal: true }, { inbox: true }, or a list of them";

const SCHEMA = { anyOf: [flag.schema, { ...schemaOf(WATCH), minProperties: 1 }] };

const readWatched: Reader<readonly Watching[]> = reader(SCHEMA, (tree, label, report) => {
  if (tree.kind === "map") return readMap(tree, label, report);
  if (tree.kind === "scalar" && tree.text.includes("/")) {
    report.expected("wrong-type", tree, label, WHAT, "write `{ file: … }`, or `{ dir: …, match: … }` for a folder");
    return null;
  }
  const isOn = flag(tree, label, report);
  return isOn === null ? null : isOn ? [{ kind: "module" }] : [];
});

function readMap(tree: Tree, label: string, report: Report): readonly Watching[] | null {
  const fields = readFields(tree, label, WATCH, report);
  if (fields === null) return null;
  const { values } = fields;
  const [kind, other] = KINDS.filter((key) => fields.placeOf(key) !== null);
  if (other !== undefined) {
    const place = fields.placeOf(other) ?? tree.place;
    report.add("conflict", place, `\`${label}\` names two things to watch, ${kind} and ${other}`, "make it a list");
    return null;
  }
  const matchPlace = fields.placeOf("match");
  if (matchPlace !== null && kind !== "dir" && kind !== undefined) {
    const message = `\`${child(label, "match")}\` is for names in a folder, and goes with \`dir\``;
    report.add("conflict", matchPlace, message, "remove it");
    return null;
  }
  if (kind === undefined) {
    if (tree.kind === "map" && tree.entries.every(({ key }) => key === "match")) {
      report.add("missing-key", tree.place, `\`${label}\` does not say what is watched`, `expected ${WHAT}`);
    }
    return null;
  }
  if (kind === "journal" || kind === "inbox") {
    const isOn = values[kind];
    return isOn === null ? null : isOn ? [{ kind }] : [];
  }
  return readPath(kind, fields.treeOf(kind), values, matchPlace !== null, { label, report });
}

interface At {
  readonly label: string;
  readonly report: Report;
}

function readPath(
  kind: "file" | "dir",
  tree: Tree | null,
  { [kind]: path, match }: { readonly file: string | null; readonly dir: string | null; readonly match: string | null },
  hasMatch: boolean,
  { label, report }: At,
): readonly Watching[] | null {
  if (path === null || tree?.kind !== "scalar" || (hasMatch && match === null)) return null;
  if (kind === "file" && path.includes("*")) {
    const hint = "write `{ dir: FOLDER, match: PATTERN }` for the files of a folder";
    report.add("bad-value", tree.place, `\`${child(label, "file")}\` is the path of one file, found a pattern`, hint);
    return null;
  }
  if (match?.includes("/") === true) {
    const message = `\`${child(label, "match")}\` is a pattern for names in the folder, found a path`;
    report.add("bad-value", tree.place, message, "folders in the folder are not watched: add an entry for each");
    return null;
  }
  const { written } = tree;
  return kind === "file" ? [{ kind, path, written }] : [{ kind, path, written, match: match ?? "*" }];
}

const watchedList = list(readWatched, WHAT);

export const readWatch: Reader<readonly Watching[]> = reader(
  { anyOf: [...SCHEMA.anyOf, watchedList.schema] },
  (tree, label, report) => {
    if (tree.kind !== "list") return readWatched(tree, label, report);
    const items = watchedList(tree, label, report) ?? [];
    return items.includes(null) ? null : items.flatMap((one) => one ?? []);
  },
);
