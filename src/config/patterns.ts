/**
 * Whether `when` and `clear` are patterns that can be matched. Apart from the rest, since it loads ArkType: a verb that
 * only looks for the data of a running nerve does without.
 */
import { compilePattern } from "../rules/pattern.ts";
import { foundText, partAt } from "./pattern-parts.ts";
import { textOf } from "./reflex-words.ts";
import type { WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { found, isFilled } from "./tree.ts";

export function checkPatterns(reflexes: readonly WrittenReflex[], report: Report): void {
  for (const { label, tree, definition } of reflexes.flatMap(({ patterns }) => patterns)) {
    const compiled = compilePattern(definition);
    for (const { path, message, hint } of compiled.ok ? [] : compiled.error) {
      const part = partAt(tree, path);
      const at = `\`${path === "" ? label : `${label}.${path}`}\``;
      const text = foundText(part);
      const isEnd = part.tree.kind === "scalar" || part.tree.kind === "broken";
      // Its reader has reported what is no text.
      if (isEnd && textOf(part.tree) === null) continue;
      if (isFilled(part.tree)) {
        // ArkType's words may hold what was filled in, which is never printed.
        report.add("bad-pattern", part.tree.place, `${at} is ${found(part.tree)}, and no ArkType definition`, null);
      } else {
        const what = text === null ? `${at}: ${message}` : `${at} is ${text}: ${message}`;
        report.add("bad-pattern", part.tree.place, what, hint);
      }
    }
  }
}
