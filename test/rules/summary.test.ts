/** The texts of an incident: filled in once, one line, and nothing that a terminal or a message could obey. */
import { expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { type Subject, severityOf, summaryOf } from "../../src/rules/summary.ts";

const about = (payload: Json, more: Partial<Subject> = {}): Subject => ({
  reflex: "disk-full",
  sense: "disks",
  host: null,
  key: "/var",
  payload,
  signal: null,
  at: 5,
  id: 7,
  ...more,
});

test.each<[string, string | null, Json, string]>([
  ["reflex, key and sense without a template", null, {}, "disk-full: /var (disks)"],
  [
    "what is at a path",
    "{{ payload.path }} is {{ payload.deep.used }} %",
    { path: "/var", deep: { used: 91 } },
    "/var is 91 %",
  ],
  ["a dash where no host is known", "{{ host }} {{ sense }}", {}, "– disks"],
  ["a dash where there is nothing", "{{ payload.none }}, {{ signal.x }}", {}, "–, –"],
  ["JSON for what is no text", "{{ payload.list }}", { list: [1, "a"] }, '[1,"a"]'],
  [
    "a filled-in template as it is",
    "{{ payload.x }}",
    { x: "{{ payload.secret }}", secret: "s" },
    "{{ payload.secret }}",
  ],
  ["one line", "{{ payload.x }}", { x: "a\nb\r\n\tc\u0000\u001b[31md\u2028e" }, "a b c [31md e"],
  ["no mark that turns text around", "{{ payload.x }}", { x: "a\u202eb\u200bc\ufeff" }, "abc"],
  ["nothing of the prototype", "{{ payload.constructor }}{{ payload.__proto__ }}", {}, "––"],
])("a summary is %s", (_, template, payload, text) => expect(summaryOf(template, about(payload))).toBe(text));

test("a summary has at most 200 characters, whatever is filled in", () => {
  const text = summaryOf("{{ payload.x }}", about({ x: "😀".repeat(10_000) }));
  expect(Array.from(text)).toHaveLength(200);
  expect(text.isWellFormed()).toBe(true);
  expect(text.endsWith("…")).toBe(true);
});

test.each<[string | null, Json, string]>([
  [null, {}, "warning"],
  ["critical", {}, "critical"],
  ["{{ payload.level }}", { level: "info" }, "info"],
  ["{{ payload.level }}", { level: "fatal" }, "warning"],
  ["{{ payload.level }}", {}, "warning"],
])("the severity %p of %p is %s", (template, payload, severity) => {
  expect(severityOf(template, about(payload))).toBe(severity as never);
});
