/** Owns the key `metrics` of a sense: which numbers of its payload stand on `/metrics`. */
import type { MetricPaths } from "../model/config.ts";
import { list, type Reader, reader } from "./fields.ts";
import { readEach } from "./reflex-words.ts";

const readPaths = list(readEach, "true, or a list of dotted payload paths such as [used_percent, swap.used]");

/** `true` stands for every number, and `false` is as if the key were absent. */
export const readMetrics: Reader<MetricPaths> = reader(
  { anyOf: [{ type: "boolean" }, readPaths.schema] },
  (tree, label, report) => {
    if (tree.kind === "scalar" && typeof tree.value === "boolean") return tree.value ? "all" : null;
    return readPaths(tree, label, report)?.filter((path) => path !== null) ?? null;
  },
);
