/** The key `metrics` of a sense. */
import { expect, test } from "bun:test";
import { parseWholeContract } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";

const metricsOf = (written: string) => {
  const result = parseWholeContract(
    `senses: { load: { metrics: ${written} } }\nreflexes: [{ sense: load, interval: 1s }]`,
  );
  return result.ok ? result.value.senses.get("load")?.metrics : result.error.map(formatProblem);
};

test("true is every number, false is none, and a list is these paths", () => {
  expect(metricsOf("true")).toBe("all");
  expect(metricsOf("false")).toBeNull();
  expect(metricsOf("[used_percent, swap.used]")).toEqual(["used_percent", "swap.used"]);
});

test.each([
  ["yes", "`senses.load.metrics` must be true, or a list of dotted payload paths"],
  ["[a..b]", "`senses.load.metrics[0]` must be a dotted"],
  ["[constructor.x]", "`senses.load.metrics[0]` must be a dotted"],
])("%s is refused, with its place", (written, message) => {
  const [found = "", ...more] = metricsOf(written) as string[];
  expect(more).toEqual([]);
  expect(found).toStartWith("nerve.yaml:1:");
  expect(found).toContain(message);
});
