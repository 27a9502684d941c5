/** The most that senses compute and workflows start in an hour, by the table. */
import { describe, expect, test } from "bun:test";
import { graphOf } from "../../src/config/graph.ts";
import { parseWholeContract } from "../../src/config/parse.ts";
import { worstCaseRates } from "../../src/config/rates.ts";
import type { NerveConfig } from "../../src/model/config.ts";

function configOf(reflexes: readonly string[], senses = ""): NerveConfig {
  const parsed = parseWholeContract(`
senses: { a: {}, b: {}, c: {}, t: { throttle: 1m }${senses} }
workflows: { w: {}, other: {} }
reflexes:
${reflexes.map((reflex) => `  - { ${reflex} }`).join("\n")}
`);
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
  return parsed.value;
}

const A_EACH_SECOND = "sense: a, interval: 1s";
const MATCHING = `when: { x: "1" }`;
const UNBOUNDED = Number.POSITIVE_INFINITY;

describe("a sense computes at most", () => {
  test.each<[what: string, most: number, reflexes: string[]]>([
    ["never, when nothing triggers it", 0, ["sense: b, interval: 1s"]],
    ["never, when it is triggered at starts only", 0, ["sense: a, on_start: true"]],
    ["once an interval", 3_600, [A_EACH_SECOND]],
    ["once in an interval longer than an hour", 1, ["sense: a, interval: 7h"]],
    ["once more than an interval goes into an hour", 2, ["sense: a, interval: 40m"]],
    ["as often as cron names a minute", 12, [`sense: a, cron: "*/5 * * * *"`]],
    ["as often as cron names a minute, whatever the hours", 3, [`sense: a, cron: "0,15,59 3 * * mon"`]],
    ["once, by a nickname", 1, [`sense: a, cron: "@daily"`]],
    ["as often as interval and cron together", 62, [`sense: a, interval: 1m, cron: "5,10 * * * *"`]],
    ["once a second, where something wakes it", 3_600, ["sense: a, watch: true"]],
    ["as often as its interval and what wakes it", 3_660, ["sense: a, interval: 1m, watch: true"]],
    ["as often as all its reflexes together", 66, ["sense: a, interval: 1m", "sense: a, interval: 10m"]],
    [
      "as often as what it listens to",
      120,
      [`sense: b, interval: 1m`, "sense: c, interval: 1m", "sense: a, on: [b, c]"],
    ],
  ])("%s: %i", (_, most, reflexes) => {
    expect(worstCaseRates(configOf(reflexes)).senses.get("a")).toBe(most);
  });

  test("once in its throttle, and so do those who listen to it", () => {
    const { senses } = worstCaseRates(configOf(["sense: t, interval: 1s", "sense: a, on: [t]"]));
    expect([senses.get("t"), senses.get("a")]).toEqual([60, 60]);
  });

  test("as often as the slowest in a cycle lets it", () => {
    const cycle = ["sense: a, interval: 1h", "sense: a, on: [b]", "sense: b, on: [t]", "sense: t, on: [a]"];
    const { senses, unbounded } = worstCaseRates(configOf(cycle));
    expect(Object.fromEntries(senses)).toEqual({ a: 61, b: 60, c: 0, t: 60 });
    expect(unbounded).toEqual([]);
  });

  test("as often as a cycle through an edge can go on, which halves what it gets and rounds up", () => {
    const cycle = [
      "sense: b, interval: 1h",
      `sense: b, on: [a], ${MATCHING}, edge: rising, throttle: 1s`,
      "sense: a, on: [b]",
    ];
    const { senses } = worstCaseRates(configOf(cycle));
    expect([senses.get("a"), senses.get("b")]).toEqual([3, 3]);
  });

  test("without a bound, where a cycle is slowed for each key only", () => {
    const cycle = [
      "sense: a, on: [b], key: host, throttle: 1h",
      "sense: b, on: [a]",
      "sense: c, on: [a], throttle: 1h",
    ];
    const { senses, unbounded } = worstCaseRates(configOf(cycle));
    expect(Object.fromEntries(senses)).toEqual({ a: UNBOUNDED, b: UNBOUNDED, c: 1, t: 0 });
    expect(unbounded).toEqual([["b", "a"]]);
  });
});

describe("of 3600 signals an hour a reflex fires at most for", () => {
  test.each<[words: string, most: number, mostPerKey: number]>([
    ["", 3_600, 3_600],
    [MATCHING, 3_600, 3_600],
    [`${MATCHING}, edge: rising`, 1_800, 1_800],
    [`${MATCHING}, edge: falling`, 1_800, 1_800],
    [`${MATCHING}, clear: { x: "2" }`, 1_800, 1_800],
    [`${MATCHING}, clear: { x: "2" }, edge: level`, 3_600, 3_600],
    [`${MATCHING}, for: 1s`, 1_800, 1_800],
    [`${MATCHING}, for: 30s`, 120, 120],
    [`${MATCHING}, for: 0s`, 3_600, 3_600],
    ["count: { n: 7, within: 1m }", 515, 515],
    [`${MATCHING}, edge: rising, count: { n: 9, within: 1m }`, 200, 200],
    ["debounce: { wait: 5s, max: 1m }", 720, 720],
    ["throttle: 10m", 6, 6],
    ["throttle: 45m", 2, 2],
    ["throttle: 0s", 3_600, 3_600],
    ["count: { n: 2, within: 1m }, debounce: { wait: 5s }, throttle: 30m", 2, 2],
    [`${MATCHING}, for: 30s, throttle: 10m, key: host`, 3_600, 6],
    [`${MATCHING}, key: host`, 3_600, 3_600],
  ])("%j: %i, and for one key %i", (words, most, mostPerKey) => {
    const { reflexes, workflows } = worstCaseRates(
      configOf([A_EACH_SECOND, `name: r, workflow: w, on: [a], ${words}`]),
    );
    expect(reflexes.get("r")).toEqual({ most, mostPerKey });
    expect(workflows.get("w")).toBe(most);
  });
});

describe("a workflow starts at most", () => {
  test("as often as all its reflexes fire", () => {
    const config = configOf([
      A_EACH_SECOND,
      "workflow: w, on: [a], throttle: 10m",
      "workflow: w, on: [a], throttle: 20m",
      "workflow: other, on: [b]",
    ]);
    expect(Object.fromEntries(worstCaseRates(config).workflows)).toEqual({ w: 9, other: 0 });
  });

  test("once in the throttle of its reflex, also on what nothing bounds", () => {
    const cycle = ["sense: a, on: [b], key: host, throttle: 1h", "sense: b, on: [a]"];
    const config = configOf([...cycle, "workflow: w, on: [a], throttle: 10m", "workflow: other, on: [a]"]);
    expect(Object.fromEntries(worstCaseRates(config).workflows)).toEqual({ w: 6, other: UNBOUNDED });
  });
});

test("the graph leads from each sense through reflexes to what they trigger, words in the order they are applied", () => {
  const graph = graphOf(
    configOf([
      `sense: a, interval: 90s, cron: "5 * * * *", tz: Europe/Berlin, on_start: true, watch: true`,
      `name: r, workflow: w, on: [a, b], when: { x: "'1'", y: { z: number > 5 } }, clear: "'off' | unknown[]", edge: falling, for: 2m, debounce: { wait: 5s, max: 1m }, throttle: 10m, key: host.name`,
      "sense: c, on: [a], count: { n: 3, within: 1m }, debounce: { wait: 1s }",
    ]),
  );
  expect(graph.reflexes.map(({ clocks, words }) => [clocks, words])).toEqual([
    [["every 90s", "cron 5 * * * * (Europe/Berlin)", "at start", "watch"], []],
    [
      [],
      [
        "when x '1', y.z number > 5",
        "clear 'off' | unknown[]",
        "edge falling",
        "for 2m",
        "debounce 5s up to 1m",
        "throttle 10m",
        "per host.name",
      ],
    ],
    [[], ["3 within 1m", "debounce 1s"]],
  ]);
  expect(graph.edges.map(({ from, to }) => `${from} ${to}`)).toEqual([
    "reflex:a#1 sense:a",
    "sense:a reflex:r",
    "sense:b reflex:r",
    "reflex:r workflow:w",
    "sense:a reflex:c#1",
    "reflex:c#1 sense:c",
  ]);
  expect(graph.workflows.map(({ config, reflexes }) => [config.name, reflexes.map(({ id }) => id)])).toEqual([
    ["w", ["reflex:r"]],
    ["other", []],
  ]);
});

test("a long pattern is cut", () => {
  const [node] = graphOf(configOf([`workflow: w, on: [a], when: { x: "'${"💥".repeat(200)}'" }`])).reflexes;
  expect(node?.words[0]).toMatch(/^when x '(?:💥)+\ufffd?…$/u);
  expect(node?.words[0]?.length).toBeLessThan(120);
});
