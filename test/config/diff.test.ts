/** What a reload finds changed. */
import { expect, test } from "bun:test";
import { diffConfig } from "../../src/config/diff.ts";
import { parseWholeContract } from "../../src/config/parse.ts";
import { formatProblem } from "../../src/model/problem.ts";
import { around } from "../helpers/config.ts";

const config = (text: string) => {
  const result = parseWholeContract(text, around({ file: "/etc/nerve.yaml" }));
  if (!result.ok) throw new Error(result.error.map(formatProblem).join("\n"));
  return result.value;
};
const BEFORE = `
groups: { one: { memory: 64mb }, two: { memory: 64mb } }
senses:
  a: { group: one, with: { x: 1, y: 2 } }
  b: { group: one }
  c: { group: two }
reflexes:
  - { name: tick, sense: a, interval: 1s }
  - { sense: b, on: [a] }
workflows: { page: }
`;
const NO_PRINTS = new Map<string, string>();
const NONE = { added: [], removed: [], changed: [] };
const diff = (edit: (text: string) => string, before = NO_PRINTS, after = NO_PRINTS) =>
  diffConfig(
    config(BEFORE),
    config(edit(BEFORE)),
    { sense: before, workflow: new Map([["page", before.get("page") ?? ""]]) },
    { sense: after, workflow: new Map([["page", after.get("page") ?? ""]]) },
  );

test("the same configuration, in whatever order, is unchanged", () => {
  const same = diff((text) => text.replace("{ x: 1, y: 2 }", "{ y: 2, x: 1 }"));
  expect(same).toEqual({
    groups: NONE,
    senses: NONE,
    reflexes: NONE,
    workflows: NONE,
    settings: [],
    needsRestart: [],
  });
});

test("a sense's own entry changes it and its group, and no neighbour", () => {
  const changed = diff((text) => text.replace("x: 1", "x: 3"));
  expect(changed.senses).toEqual({ ...NONE, changed: ["a"] });
  expect(changed.groups).toEqual({ ...NONE, changed: ["one"] });
});

test("what a sense or workflow needs of the host concerns the unit, and starts nothing anew", () => {
  const changed = diff((text) =>
    text
      .replace("b: { group: one }", "b: { group: one, needs: { groups: [adm] } }")
      .replace("{ page: }", "{ page: { needs: { network: true } } }"),
  );
  expect([changed.senses, changed.groups, changed.workflows]).toEqual([NONE, NONE, NONE]);
});

test("the metrics of a sense concern those who look, and start nothing anew", () => {
  const changed = diff((text) => text.replace("b: { group: one }", "b: { group: one, metrics: true }"));
  expect([changed.senses, changed.groups]).toEqual([NONE, NONE]);
});

test("a group's entry changes every sense in it", () => {
  const changed = diff((text) => text.replace("one: { memory: 64mb }", "one: { memory: 65mb }"));
  expect(changed.senses).toEqual({ ...NONE, changed: ["a", "b"] });
  expect(changed.groups).toEqual({ ...NONE, changed: ["one"] });
});

test("a fingerprint changes its sense; a folder that appears or goes does too", () => {
  const changed = diff(
    (text) => text,
    new Map([
      ["a", "1"],
      ["b", "1"],
    ]),
    new Map([
      ["a", "2"],
      ["c", "1"],
    ]),
  );
  expect(changed.senses).toEqual({ ...NONE, changed: ["a", "b", "c"] });
  expect(changed.groups).toEqual({ ...NONE, changed: ["one", "two"] });
});

test("a fingerprint changes its workflow, and no sense", () => {
  const changed = diff((text) => text, new Map([["page", "1"]]), new Map([["page", "2"]]));
  expect(changed.workflows).toEqual({ ...NONE, changed: ["page"] });
  expect(changed.senses).toEqual(NONE);
});

test("a sense that moves to another group changes both groups", () => {
  const changed = diff((text) => text.replace("c: { group: two }", "c: { group: one }"));
  expect(changed.senses).toEqual({ ...NONE, changed: ["c"] });
  expect(changed.groups).toEqual({ ...NONE, changed: ["one", "two"] });
});

test("senses, groups, reflexes and workflows come and go by name", () => {
  const changed = diff((text) =>
    text
      .replace("  c: { group: two }", "  d: { group: three }")
      .replace("name: tick", "name: tock")
      .replace("page:", "mail:"),
  );
  expect(changed.senses).toEqual({ added: ["d"], removed: ["c"], changed: [] });
  expect(changed.groups).toEqual({ added: ["three"], removed: [], changed: ["two"] });
  expect(changed.reflexes).toEqual({ added: ["tock"], removed: ["tick"], changed: [] });
  expect(changed.workflows).toEqual({ added: ["mail"], removed: ["page"], changed: [] });
});

test("a reflex is the same by name and definition", () => {
  expect(diff((text) => text.replace("interval: 1s", "interval: 2s")).reflexes).toEqual({ ...NONE, changed: ["tick"] });
});

test("data and durability need a restart", () => {
  const changed = diff(
    (text) => `data: /srv\ndurability: normal\nhttp: "127.0.0.1:1"\nretention: { logs: 1d }\n${text}`,
  );
  expect(changed.needsRestart).toEqual(["data", "durability"]);
  expect(changed.settings).toEqual(["retention", "http"]);
});

test("the watchdog, channels and quiet hours are settings, which start nothing anew", () => {
  const set = `watchdog: { url: "https://hc.example.org/a" }
quiet_hours: [{ below: critical, from: "22:00", to: "07:00" }]
channels: { phone: { ntfy: "https://ntfy.example.org/a" } }
`;
  const changed = diff((text) => set + text);
  expect(changed.settings).toEqual(["watchdog", "channels", "quiet_hours"]);
  expect([changed.senses, changed.groups]).toEqual([NONE, NONE]);
});

test("a changed channel changes who may notify: the built-in `notify` and workflows with code of their own", () => {
  const TELLING = `
channels: { phone: { ntfy: https://ntfy.example.org/one }, team: { slack: https://slack.example.org/one } }
workflows:
  notify: { with: { to: [phone] } }
  call: { use: notify, with: { to: [team] } }
  own:
  copy: { use: exec, with: { command: [true] } }
  hook: { use: webhook, with: { url: https://example.org } }
`;
  const prints = { sense: NO_PRINTS, workflow: new Map([["own", "a"]]) };
  const changed = (edit: (text: string) => string) =>
    diffConfig(config(TELLING), config(edit(TELLING)), prints, prints).workflows.changed;
  expect(changed((text) => text)).toEqual([]);
  expect(changed((text) => text.replace("org/one }, team", "org/two }, team"))).toEqual(["notify", "call", "own"]);
  expect(changed((text) => text.replace("{ phone:", "{ more: { ntfy: https://ntfy.example.org/x }, phone:"))).toEqual([
    "notify",
    "call",
    "own",
  ]);
});
