/** What is filled into a command is part of one argument, never two, never an option, and never anything inherited. */
import { describe, expect, test } from "bun:test";
import type { Trigger } from "nerve";
import { hasNoTemplate, isTemplate } from "../../src/sdk/template.ts";
import { fill } from "../../src/workflows/exec/template.ts";

const TRIGGER: Trigger = {
  id: 7,
  sense: "disk",
  host: "here",
  at: 1_700_000_000_000,
  reflex: "full",
  key: "/",
  due: null,
  signal: null,
  incident: null,
  batch: null,
  payload: {
    status: "critical",
    n: 1.5,
    yes: true,
    none: null,
    empty: "",
    list: ["a b", { x: 1 }],
    deep: { "/var.d": 1, er: "x" },
    dash: "-rf /",
    shell: "$(reboot); `id` 'quoted' \"twice\" *\n|",
    braces: "{{ payload.status }}",
    nul: "a\0b",
    dollar: "$& $1 $$",
  },
};
const BY_HAND: Trigger = {
  id: null,
  sense: null,
  host: "here",
  at: null,
  reflex: null,
  key: null,
  due: null,
  signal: null,
  incident: null,
  batch: null,
  payload: "only",
};
const filled = (argument: string, trigger = TRIGGER): string => fill(["true", argument], trigger)[1] as string;

describe("an argument", () => {
  test.each([
    ["plain", "plain"],
    ["{{ payload.status }}", "critical"],
    ["{{payload.status}} on {{   sense   }}", "critical on disk"],
    ["{{ id }}/{{ at }} on {{ host }}", "7/1700000000000 on here"],
    ["{{ payload.n }} {{ payload.yes }} {{ payload.none }}", "1.5 true null"],
    ["[{{ payload.empty }}]", "[]"],
    ["{{ payload.list }}", '["a b",{"x":1}]'],
    ["{{ payload.list.1.x }}", "1"],
    ["{{ payload.deep }}", '{"/var.d":1,"er":"x"}'],
    ["{{ payload.deep.er }}", "x"],
    ["{{ payload.shell }}", "$(reboot); `id` 'quoted' \"twice\" *\n|"],
    ["{{ payload.braces }}", "{{ payload.status }}"],
    ["{{ payload.dollar }}", "$& $1 $$"],
    ['{"a":{"b":"{{ payload.n }}"}}', '{"a":{"b":"1.5"}}'],
    ["x{{ payload.dash }}", "x-rf /"],
    ["--path={{ payload.dash }}", "--path=-rf /"],
    ["-n{{ payload.n }}", "-n1.5"],
  ])("%j becomes %j", (argument, expected) => {
    expect(isTemplate(argument)).toBe(true);
    expect(filled(argument)).toBe(expected);
  });

  test("can be the key, the due time and the signal an element was picked from", () => {
    const picked: Trigger = { ...TRIGGER, key: ["web", null], due: 5, signal: { disks: [{ path: "/" }] } };
    expect(["{{ key }}", "{{ due }}", "{{ signal.disks.0.path }}"].map((one) => filled(one, picked))).toEqual([
      '["web",null]',
      "5",
      "/",
    ]);
    expect(filled("{{ key }}")).toBe("/");
    expect(() => filled("{{ signal.disks }}")).toThrow("{{ signal.disks }}: the reflex has no `each`");
    expect(() => filled("{{ due }}")).toThrow("{{ due }}: no due time started this run");
  });

  test("can be the whole payload, also of a run started by hand", () => {
    expect(filled("{{ payload }}", BY_HAND)).toBe("only");
    expect(filled("{{ payload }}", { ...BY_HAND, payload: [1] })).toBe("[1]");
  });

  describe("in a batch", () => {
    const item = (path: string) => ({ ...TRIGGER, payload: { path }, signal: null, batch: null }) as const;
    const of = (paths: string[], more = 0): Trigger => ({ ...TRIGGER, batch: { items: paths.map(item), more } });

    test.each([
      ["{{ batch.items.payload.path }}", of(["/srv"]), "/srv"],
      ["{{ batch.items.host }}", of(["/srv", "/var"], 7), "here, here and 7 more"],
      ["full: {{ batch.items.payload.path }}", of(["/srv", "/var"], 7), "full: /srv, /var and 7 more"],
      ["{{ batch.items.0.payload.path }} {{ batch.more }}", of(["/srv", "/var"], 7), "/srv 7"],
      ["{{ batch.items.payload.path }}", of(["{{ payload.status }}"]), "{{ payload.status }}"],
    ])("%j is a list", (argument, trigger, expected) => {
      expect(isTemplate(argument)).toBe(true);
      expect(filled(argument, trigger)).toBe(expected);
    });

    test("is cut, and what has no room is counted", () => {
      const text = filled(
        "{{ batch.items.payload.path }}",
        of(
          Array.from({ length: 100 }, () => "x".repeat(1_000)),
          5,
        ),
      );
      expect(text).toEndWith("x and 73 more");
      expect(Buffer.byteLength(text)).toBeLessThan(33 * 1024);
    });

    test("is an error where an item has no such field, or the run waited for nobody", () => {
      const words = "{{ batch.items.payload.nope }}";
      const nobody = "the run waited for no others: a person started the run, or its workflow has no `batch`";
      expect(() => filled(words, of(["/srv"]))).toThrow(`${words}: item 0 of the batch has no payload.nope`);
      expect(() => filled(words)).toThrow(`${words}: ${nobody}`);
    });

    test("is an error that names the item which lacks the field", () => {
      const { batch, ...trigger } = of(["/srv", "/var", "/opt"]);
      const items = batch?.items.map((item, at) => (at === 1 ? { ...item, payload: { used: 95 } } : item)) ?? [];
      const words = "{{ batch.items.payload.path }}";
      const lacking = { ...trigger, batch: { items, more: 0 } };
      expect(() => filled(words, lacking)).toThrow(`${words}: item 1 of the batch has no payload.path`);
      expect(filled("{{ batch.items.2.payload.path }}", lacking)).toBe("/opt");
    });
  });

  test.each([
    ["{{ payload.nope }}", "{{ payload.nope }}: the payload has no nope"],
    ["{{ payload.deep.nope.er }}", "{{ payload.deep.nope.er }}: the payload has no deep.nope.er"],
    ["{{ payload.status.length }}", "{{ payload.status.length }}: the payload has no status.length"],
    ["{{ payload.toString }}", "{{ payload.toString }}: the payload has no toString"],
    ["{{ payload.__proto__ }}", "{{ payload.__proto__ }}: the payload has no __proto__"],
    ["{{ payload.list.9 }}", "{{ payload.list.9 }}: the payload has no list.9"],
    ["{{ payload.nul }}", 'argument 1 of the command, "{{ payload.nul }}", would hold a NUL character'],
  ])("%j is an error", (argument, error) => {
    expect(() => filled(argument)).toThrow(error);
  });

  test("is told of without the text around what is filled in, which may be a secret", () => {
    const told = 'argument 1 of the command, "…{{ payload.nul }}…{{ payload.n }}", would hold a NUL character';
    expect(() => filled("Bearer s3cret {{ payload.nul }}, {{ payload.n }}")).toThrow(told);
  });

  test.each(["{{ sense }}", "{{ at }}", "{{ id }}"])("%s is an error in a run no signal started", (argument) => {
    expect(() => filled(argument, BY_HAND)).toThrow(`${argument}: no signal started this run`);
  });

  test.each([
    ["{{ payload.dash }}", "{{ payload.dash }}"],
    ["{{ payload.dash }} x", "{{ payload.dash }}…"],
    ["-{{ payload.status }}", "…{{ payload.status }}"],
    ["--{{ payload.status }}", "…{{ payload.status }}"],
  ])("%j would become an option, and may not unless a -- precedes it", (argument, shown) => {
    const error = `argument 1 of the command, "${shown}", would begin with "-" and be an option: put "--" before it`;
    expect(() => filled(argument)).toThrow(error);
    expect(() => fill(["true", argument, "--"], TRIGGER)).toThrow(error);
    expect(fill(["true", "--", argument], TRIGGER)[2]).toStartWith("-");
  });

  test.each([
    "{{ payload.x",
    "{{ paylod.x }}",
    "{{ }}",
    "{{ payload. }}",
    "{{ payload.a b }}",
    "{{ sense.x }}",
    "{{{{ id }}",
    "{{ env.X }}",
  ])("%j is no template", (argument) => {
    expect(isTemplate(argument)).toBe(false);
  });

  test("without braces is as it is", () => {
    expect(
      ["a", "}}", "{ payload.x }", "-", "--"].every((argument) => isTemplate(argument) && hasNoTemplate(argument)),
    ).toBe(true);
  });
});
