// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** Cycles of senses: found once each, spelled out, and only where nothing slows them down. */
import { describe, expect, test } from "bun:test";
import { findCycles, formatCycle } from "../../src/config/cycles.ts";
import { parseWholeContract } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";

/** `ab bc ca` are three edges. */
const cyclesOf = (edges: string): string[] =>
  findCycles(edges.split(" ").map((edge) => ({ from: edge[0] ?? "", to: edge[1] ?? "" }))).map(formatCycle);

describe("findCycles", () => {
  test.each([
    ["ab bc cd", []],
    ["aa", ["a → a"]],
    ["ab ba", ["a → b → a"]],
    ["ab bc ca", ["a → b → c → a"]],
    ["xa ab bc ca cy", ["a → b → c → a"]],
    ["ab bc ca ac", ["a → c → a"]],
    ["ab ba cd dc bc", ["a → b → a", "c → d → c"]],
    ["ab ab ba", ["a → b → a"]],
    ["ab ac bd cd", []],
  ])("%s", (edges, expected) => {
    expect(cyclesOf(edges).sort()).toEqual(expected);
  });

  test("a chain of twenty thousand senses, closed, is one cycle", () => {
    const edges = Array.from({ length: 20_000 }, (_, index) => ({ from: `s${index}`, to: `s${(index + 1) % 20_000}` }));
    expect(findCycles(edges).map((cycle) => cycle.length)).toEqual([20_000]);
  });
});

const told = (text: string, environment: Record<string, string> = {}): string[] => {
  const result = parseWholeContract(text, around({ environment }));
  return result.ok ? [] : result.error.map(formatProblem);
};
const three = (a: string, reflex: string) => `
senses: { a: ${a}, b: , c: }
reflexes:
  - { sense: b, on: [a] }
  - { sense: c, on: [b]${reflex} }
  - { sense: a, on: [c] }
`;

describe("a configuration whose senses go round", () => {
  test("is refused at one of the reflexes", () => {
    expect(told(three("", ""))).toEqual([
      "nerve.yaml:6:5: senses trigger one another without end: a → b → c → a, with no `throttle` or `debounce` on the way; give one of these senses a `throttle`, or one of these reflexes a `throttle` or a `debounce`",
    ]);
  });

  test.each([
    ["a sense with a throttle", three("{ throttle: 1s }", "")],
    ["a reflex with a throttle", three("", ", throttle: 1s")],
    ["a reflex with a debounce", three("", ", debounce: { wait: 1s }")],
  ])("is accepted with %s", (_, text) => {
    expect(told(text)).toEqual([]);
  });

  test("is refused with a throttle of 0, which is none", () => {
    expect(told(three("{ throttle: 0s }", ""))).toHaveLength(1);
  });

  test("is spelled out without telling what a variable holds", () => {
    const text = 'senses: { a: , b: }\nreflexes: [{ sense: b, on: [a] }, { sense: "${NEXT}", on: [b] }]';
    expect(told(text, { NEXT: "a" })[0]).toContain("${NEXT} → b → ${NEXT}");
  });
});
