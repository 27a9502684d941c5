/**
 * Owns the check that `when` and `clear` are patterns that can be matched. The check has its own file because it loads
 * ArkType: a verb that only needs the data of a running nerve does not load this file.
 */
import { patternsOverlap } from "../rules/overlap.ts";
import { compilePattern } from "../rules/pattern.ts";
import { foundText, partAt } from "./pattern-parts.ts";
import { textOf } from "./reflex-words.ts";
import type { WrittenPattern, WrittenReflex } from "./reflexes.ts";
import type { Report } from "./report.ts";
import { found, isFilled } from "./tree.ts";

/** `warns`: also of what is allowed. To compare two patterns takes ArkType, however plain they are. */
export function checkPatterns(reflexes: readonly WrittenReflex[], warns: boolean, report: Report): void {
  for (const { patterns } of reflexes) {
    const areFine = patterns.map((pattern) => checkPattern(pattern, report));
    const [when, clear] = (["when", "clear"] as const).map((word) => patterns.find((one) => one.word === word));
    if (warns && when !== undefined && clear !== undefined && !areFine.includes(false))
      warnOfOverlap(when, clear, report);
  }
}

/** A gap should lie between the two patterns, or their ends may touch: `> 90` and `< 80`. */
function warnOfOverlap(when: WrittenPattern, clear: WrittenPattern, report: Report): void {
  if (!patternsOverlap(when.definition, clear.definition)) return;
  const message = `\`${clear.label}\` overlaps \`${when.label}\`: a payload can match both, and then \`clear\` wins`;
  const hint = "leave a gap, as between `when: { used: number > 90 }` and `clear: { used: number < 80 }`";
  report.warn("overlapping-clear", clear.tree.place, message, hint);
}

/** Returns whether the pattern compiles, and reports every fault in the pattern. */
function checkPattern({ label, tree, definition }: WrittenPattern, report: Report): boolean {
  const compiled = compilePattern(definition);
  if (compiled.ok) return true;
  for (const { path, message, hint } of compiled.error) {
    const part = partAt(tree, path);
    const at = `\`${path === "" ? label : `${label}.${path}`}\``;
    const text = foundText(part);
    const isEnd = part.tree.kind === "scalar" || part.tree.kind === "broken";
    // `readPattern` has already reported an end that is no text.
    if (isEnd && textOf(part.tree) === null) continue;
    if (isFilled(part.tree)) {
      // ArkType's message may quote a secret from a variable. A secret is never printed.
      report.add("bad-pattern", part.tree.place, `${at} is ${found(part.tree)}, and no ArkType definition`, null);
    } else {
      const what = text === null ? `${at}: ${message}` : `${at} is ${text}: ${message}`;
      report.add("bad-pattern", part.tree.place, what, hint);
    }
  }
  return false;
}
