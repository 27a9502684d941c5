/** The table of docs/reflexes.md, run; and its recipes, read as nerve reads them. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWholeContract } from "../../src/config/parse.ts";
import type { ReflexConfig } from "../../src/model/config.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { UNEVENTFUL } from "../../src/rules/course.ts";
import type { Decision, RuleEvent } from "../../src/rules/decision.ts";
import { ONLY_KEY, shownKey } from "../../src/rules/key.ts";
import { REST } from "../../src/rules/key-state.ts";
import { compilePattern } from "../../src/rules/pattern.ts";
import { Replay } from "../../src/rules/replay.ts";
import type { Replayed } from "../../src/rules/replayed.ts";
import { decide, ruleOf } from "../../src/rules/rule.ts";
import { markdown, TRUTH_TABLE } from "./truth-table.ts";

const PAGE = readFileSync(join(import.meta.dir, "../../docs/reflexes.md"), "utf8");

/** The reflexes of a `reflexes:` section, or every problem it has. */
function reflexesOf(section: string): readonly ReflexConfig[] {
  const named = [...section.matchAll(/on: \[([^\]]*)\]|sense: ([a-z-]+)/g)];
  const senses = named.flatMap(([, list, one]) => (list === undefined ? [one] : list.split(", ")));
  const workflows = new Set([...section.matchAll(/workflow: ([a-z-]+)/g)].map(([, name]) => name));
  const text = [
    "senses:",
    ...[...new Set(senses)].filter((name) => !name?.includes("/")).map((name) => `  ${name}:`),
    "workflows:",
    ...[...workflows].map((name) => `  ${name}: { use: exec, with: { command: ["/bin/true"] } }`),
    section,
  ].join("\n");
  const result = parseWholeContract(text);
  if (!result.ok) throw new Error(`${result.error.map(formatProblem).join("\n")}\n${text}`);
  return result.value.reflexes;
}

const MARKS: Readonly<Record<string, { readonly matches: boolean; readonly clears: boolean }>> = {
  "✓": { matches: true, clears: false },
  "✗": { matches: false, clears: false },
  "○": { matches: false, clears: true },
  "●": { matches: true, clears: true },
};

function eventsOf(signals: string): RuleEvent[] {
  return signals.split(" ").map((text) => {
    const second = Number(text.slice(0, -1));
    const mark = MARKS[text.slice(-1)];
    if (!mark || !Number.isInteger(second)) throw new Error(`no signal: ${text}`);
    return { kind: "signal", id: second, elapsed: second * 1_000, element: null, ...mark };
  });
}

const shown = ({ signal, elapsed }: Decision): string =>
  elapsed === signal * 1_000 ? `${signal}` : `${elapsed / 1_000} of ${signal}`;

/** Each deadline is looked at when it is due. */
function firings(words: string, signals: string): string {
  const pattern = (name: string): string => `"'${name}'"`;
  const written = words === "(none)" ? "" : `, ${words.replace(/\b[AB]\b/g, pattern)}`;
  const [config] = reflexesOf(`reflexes:\n  - { workflow: page, on: [load]${written} }`);
  const rule = ruleOf(config as ReflexConfig);
  const decisions: Decision[] = [];
  let state = REST;
  let deadline: number | null = null;
  const take = (event: RuleEvent): void => {
    const outcome = decide(rule, state, event);
    decisions.push(...outcome.decisions);
    ({ state, deadline } = outcome);
  };
  for (const event of eventsOf(signals)) {
    while (deadline !== null && deadline < event.elapsed) take({ kind: "time", elapsed: deadline });
    take(event);
  }
  while (deadline !== null) take({ kind: "time", elapsed: deadline });
  const fired = decisions.filter(({ kind }) => kind === "fire");
  return fired.length === 0 ? "-" : fired.map(shown).join(", ");
}

/** Seconds of the signals of a row with keys, and what each holds. */
function factsOf(signals: string, isEach: boolean, isBySense: boolean) {
  return signals.split(" ").map((text, index) => {
    const second = Number.parseInt(text, 10);
    const elements = [...text.slice(String(second).length).matchAll(/([a-z])(.)/g)].map(([, k = "", sign = ""]) => {
      const mark = MARKS[sign];
      if (mark === undefined) throw new Error(`no signal: ${text}`);
      return { k, a: mark.matches, b: mark.clears };
    });
    const [first = null] = elements;
    const payload = JSON.stringify(isEach ? { list: elements } : first);
    return { id: index + 1, sense: isBySense ? (first?.k ?? "") : "load", at: second * 1_000, payload };
  });
}

/** Rows with keys, as a replay decides them. */
function keyedFirings(words: string, signals: string): string {
  const isBySense = /key: \$/.test(words);
  const written = words.replace(/\b([AB])\b/g, (_, name: string) => `{ ${name.toLowerCase()}: "true" }`);
  const [config] = reflexesOf(`reflexes:\n  - { workflow: page, on: ${isBySense ? "[a, b]" : "[load]"}, ${written} }`);
  const decisions: Replayed[] = [];
  const made = Replay.of({
    incidents: null,
    reflexes: [config as ReflexConfig],
    course: UNEVENTFUL,
    decided: (decision) => decisions.push(decision),
    observer: null,
  });
  if (!made.ok) throw new Error(made.error.message);
  const facts = factsOf(signals, words.includes("each:"), isBySense);
  for (const fact of facts) made.value.feed(fact);
  made.value.end(Number.MAX_SAFE_INTEGER);
  const secondOf = (id: number): number => (facts[id - 1]?.at ?? 0) / 1_000;
  const fired = decisions.filter(({ kind }) => kind === "fire");
  const told = fired.map(({ at, key, signal }) => {
    const own = `${at / 1_000}${key === ONLY_KEY ? "" : shownKey(key)}`;
    return at === secondOf(signal) * 1_000 ? own : `${own} of ${secondOf(signal)}`;
  });
  return told.length === 0 ? "-" : told.join(", ");
}

const isKeyedRow = (words: string): boolean => words.includes("key:");

describe("the table of truth", () => {
  test.each(TRUTH_TABLE.map((row) => [row.words, row.signals, row.because, row.fires]))(
    "%s: %s: %s",
    (words, signals, _, fires) => {
      expect(isKeyedRow(words) ? keyedFirings(words, signals) : firings(words, signals)).toBe(fires);
    },
  );

  test("stands in docs/reflexes.md (`bun test/rules/truth-table.ts` prints it)", () => {
    expect(PAGE).toContain(markdown());
  });
});

describe("every example of docs/reflexes.md", () => {
  const examples = [...PAGE.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = ""]) => text);
  const recipes = examples.filter((text) => text.includes("reflexes:"));

  test("is there", () => {
    expect(recipes.length).toBeGreaterThanOrEqual(6);
  });

  test.each(recipes.map((text) => [text.split("\n")[0] ?? "", text]))("%s is accepted, its patterns too", (_, text) => {
    for (const { when, clear } of reflexesOf(text)) {
      for (const pattern of [when, clear]) {
        if (pattern === null) continue;
        const compiled = compilePattern(pattern);
        expect(compiled.ok ? null : compiled.error).toBeNull();
      }
    }
  });
});
