/** What a reload does, decided in one place. */
import { expect, test } from "bun:test";
import { parseWholeContract } from "../../src/config/parse.ts";
import { planReload, planStart } from "../../src/config/reload-plan.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";

const BEFORE = `
senses:
  a: { group: one }
  b: { group: one }
  c: { group: two }
reflexes:
  - { name: tick, sense: a, interval: 1s }
  - { name: held, sense: b, on: [a, c], when: { v: number }, key: $sense, for: 5s, throttle: 1m }
workflows: { page: }
`;
const config = (text: string): NerveConfig => {
  const result = parseWholeContract(text, around({ file: "/etc/nerve.yaml" }));
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
};
const prints = { sense: new Map<string, string>(), workflow: new Map<string, string>() };
const plan = (from: string, to: string, restart: readonly string[] = []) =>
  planReload({ config: config(BEFORE), prints }, { config: config(BEFORE.replace(from, to)), prints }, restart);

test("a reload that changes nothing keeps everything", () => {
  const { changes: _, ...same } = plan("", "");
  expect(same).toEqual({
    restart: new Set(),
    keepSenses: new Set(["a", "b", "c"]),
    reflexes: { begin: new Set(), keep: new Set(["tick", "held"]), end: new Set() },
    renewWorkflows: new Set(),
    tellPeers: false,
  });
});

test("senses of a group that restarts are not kept, and those of others are", () => {
  expect(plan("", "", ["two"])).toMatchObject({ restart: new Set(["two"]), keepSenses: new Set(["a", "b"]) });
  expect(plan("a: { group: one }", "a: { group: two }")).toMatchObject({
    restart: new Set(["one", "two"]),
    keepSenses: new Set(),
    tellPeers: false,
  });
});

test("a sense that appears or goes is told to every worker", () => {
  expect(plan("  c: { group: two }", "  c: { group: two }\n  d: { group: three }").tellPeers).toBe(true);
});

test.each([
  ["`on` in another order", "on: [a, c]", "on: [c, a]", []],
  ["another target", "sense: b, on", "workflow: page, on", ["held"]],
  ["another interval", "interval: 1s", "interval: 2s", ["tick"]],
])("a reflex goes on with %s", (_, from, to, changed) => {
  const { reflexes, changes } = plan(from, to);
  expect(reflexes.keep).toEqual(new Set(["tick", "held"]));
  expect(changes.reflexes.changed).toEqual(changed);
});

test.each([
  ["for: 5s", "for: 6s"],
  ["throttle: 1m", "throttle: 2m"],
  ["key: $sense", "key: $one"],
  ["v: number", "v: number > 1"],
])("a reflex begins anew where %s becomes %s", (from, to) => {
  const { reflexes } = plan(from, to);
  expect(reflexes).toEqual({ begin: new Set(["held"]), keep: new Set(["tick"]), end: new Set() });
});

test("a reflex that is renamed ends, and another begins", () => {
  const { reflexes } = plan("name: held", "name: kept");
  expect(reflexes).toEqual({ begin: new Set(["kept"]), keep: new Set(["tick"]), end: new Set(["held"]) });
});

test("at a start every reflex begins", () => {
  expect(planStart(config(BEFORE)).begin).toEqual(new Set(["tick", "held"]));
});
