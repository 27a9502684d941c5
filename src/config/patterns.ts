/**
 * Whether `when` and `clear` are patterns that can be matched. Apart from the rest, since it loads ArkType: a verb that
 * only looks for the data of a running nerve does without.
 */
import { patternsOverlap } from "../rules/overlap.ts";
import { compilePattern } from "../rules/pattern.ts";
import { foundText, partAt } from "./pattern-parts.ts";
import { textOf } from "./reflex-words.ts";
import type { WrittenPattern, WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { found, isFilled } from "./tree.ts";

export function checkPatterns(reflexes: readonly WrittenReflex[], report: Report): void {
  for (const { patterns } of reflexes) {
    const areFine = patterns.map((pattern) => checkPattern(pattern, report));
    const [when, clear] = (["when", "clear"] as const).map((word) => patterns.find((one) => one.word === word));
    if (when !== undefined && clear !== undefined && !areFine.includes(false)) warnOfOverlap(when, clear, report);
  }
}

/** Between the two there is meant to be a gap, or the ends touch: `> 90` and `< 80`. */
function warnOfOverlap(when: WrittenPattern, clear: WrittenPattern, report: Report): void {
  if (!patternsOverlap(when.definition, clear.definition)) return;
  const message = `\`${clear.label}\` overlaps \`${when.label}\`: a payload can match both, and then \`clear\` wins`;
  const hint = "leave a gap, as between `when: { used: number > 90 }` and `clear: { used: number < 80 }`";
  report.warn("overlapping-clear", clear.tree.place, message, hint);
}

/** Whether it is one; reports everything that is refused about it. */
function checkPattern({ label, tree, definition }: WrittenPattern, report: Report): boolean {
  const compiled = compilePattern(definition);
  if (compiled.ok) return true;
  for (const { path, message, hint } of compiled.error) {
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
  return false;
}
