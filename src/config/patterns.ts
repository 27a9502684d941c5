/**
 * Whether `when` and `clear` are patterns that can be matched. Apart from the rest, since it loads ArkType: a verb that
 * only looks for the data of a running nerve does without.
 */
import { compilePattern } from "../rules/pattern.ts";
import { endsOf, type WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { found } from "./tree.ts";

export function checkPatterns(reflexes: readonly WrittenReflex[], report: Report): void {
  for (const { label, tree, definition } of reflexes.flatMap(({ patterns }) => patterns)) {
    const compiled = compilePattern(definition);
    if (compiled.ok) continue;
    const { path, message, hint } = compiled.error;
    const end = [...endsOf(tree, "")].find((one) => one.label === path);
    const at = path === "" ? label : `${label}.${path}`;
    // What was filled in is never printed.
    const isFilled = end?.tree.kind === "scalar" && end.tree.filled;
    const [what, remedy] = isFilled ? [`is ${found(end.tree)}, and no ArkType definition`, null] : [message, hint];
    report.add("bad-pattern", end?.tree.place ?? tree.place, `\`${at}\`: ${what}`, remedy);
  }
}
