/** Owns the reading of a cron expression. A refusal names the field that is wrong and what to write instead. */
import { counted } from "../base/counted.ts";
import { ambiguousDayField, type CronFault, faultOfCron, idleStep } from "../base/cron.ts";
import { parseDuration } from "../base/duration.ts";
import { type Reader, reader } from "./fields.ts";
import type { Report } from "./report.ts";
import { found, shown, type Tree } from "./tree.ts";

const WHAT = "five cron fields or a nickname such as @hourly";
const FEWER_THAN_A_MINUTE = "cron has no seconds: write `interval`, as in `interval: 10s`, and no `cron`";

export const readCron: Reader<string> = reader({ type: "string" }, (tree, label, report) => {
  if (tree.kind === "scalar" && tree.filled && typeof tree.value !== "string") {
    report.expected("bad-cron", tree, label, WHAT, null);
    return null;
  }
  const value = tree.kind === "scalar" && typeof tree.value === "string" ? tree.value.trim() : null;
  if (value === null) {
    report.expected("bad-cron", tree, label, 'cron fields such as "*/5 * * * *"', "quote it");
    return null;
  }
  const fault = faultOfCron(value);
  if (fault !== null) {
    report.add("bad-cron", tree.place, `\`${label}\` ${wordsOf(fault, tree)}`, hintOf(fault, tree));
    return null;
  }
  const next = nextOf(value);
  if (next === "refused") report.expected("bad-cron", tree, label, WHAT, null);
  else if (next === null)
    report.add("bad-cron", tree.place, `\`${label}\` is ${found(tree)}, a time that never comes`, null);
  if (typeof next !== "number") return null;
  warnOfCron(value, tree, label, report);
  return value;
});

/** Warns of an expression that another cron reads in another way. */
function warnOfCron(expression: string, tree: Tree, label: string, report: Report): void {
  const day = ambiguousDayField(expression);
  if (day !== null) {
    const message = `\`${label}\` gives both day fields in ${found(tree)}, and a day that matches either is enough; cronie and vixie-cron read the \`*\` of its ${day} as "both must match"`;
    report.warn("ambiguous-cron", tree.place, message, "write the days out, or make it two reflexes");
  }
  const idle = idleStep(expression);
  if (idle !== null) {
    const part = isSecret(tree) ? "a value" : `\`${shown(idle.part)}\``;
    const message = `\`${label}\` has ${part} as its ${idle.field}, a step longer than the ${idle.field} goes: only its first value matches`;
    report.warn("idle-step", tree.place, message, null);
  }
}

function nextOf(expression: string): number | null | "refused" {
  try {
    return Bun.cron.parse(expression)?.getTime() ?? null;
  } catch {
    // The runtime's message quotes the expression, which may hold a secret from a variable.
    return "refused";
  }
}

const isSecret = (tree: Tree): boolean => tree.kind === "scalar" && tree.filled;

/** The words that follow the label. They quote no part of a value that a variable or credential filled in. */
function wordsOf(fault: CronFault, tree: Tree): string {
  const value = isSecret(tree) ? "a value" : `"${fault.kind === "field" ? shown(fault.value) : ""}"`;
  switch (fault.kind) {
    case "reboot":
      return `is ${found(tree)}, which is not a time`;
    case "every":
      return `is ${found(tree)}, which is an interval`;
    case "nickname":
      return `must be ${WHAT}, found ${found(tree)}`;
    case "count":
      return `must be ${WHAT}, found ${found(tree)}${isSecret(tree) ? "" : `, which has ${counted(fault.count, "field")}`}`;
    case "field":
      return `has ${value} as its ${fault.field}, which ${fault.reason} (${fault.range}), in ${found(tree)}`;
  }
}

function hintOf(fault: CronFault, tree: Tree): string | null {
  const isFilled = isSecret(tree);
  switch (fault.kind) {
    case "reboot":
      return "write `on_start: true` instead of `cron`";
    case "every": {
      const interval = fault.interval !== null && parseDuration(fault.interval) !== null ? fault.interval : "5m";
      return `write \`interval: ${isFilled ? "5m" : interval}\` instead of \`cron\``;
    }
    case "nickname":
      return isFilled || fault.meant === null ? null : `did you mean \`${fault.meant}\`?`;
    case "count":
      if (isFilled) return null;
      if (fault.count < 5) return "the fields are minute, hour, day, month and weekday";
      return fault.count === 6 && tree.kind === "scalar" && /^0\s/.test(tree.text)
        ? `cron has no seconds: write "${shown(tree.text.replace(/^0\s+/, ""))}"`
        : FEWER_THAN_A_MINUTE;
    case "field":
      return isFilled ? null : fault.hint;
  }
}
