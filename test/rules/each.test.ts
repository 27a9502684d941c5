/** What of a signal a reflex with `each` looks at, and which keys are gone. */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { elementOf, elementsIn, goneFrom, MAX_ELEMENTS } from "../../src/rules/each.ts";
import { REST } from "../../src/rules/key-state.ts";
import { type Matcher, matcherOf } from "../../src/rules/matcher.ts";
import { workflowReflex } from "../helpers/reflex.ts";

const KEY = ["$sense", "name"] as const;

function matcher(): Matcher {
  const made = matcherOf(workflowReflex({ each: "disks.list", key: KEY, when: { used: "number > 90" } }));
  if (!made.ok) throw new Error(made.error.message);
  return made.value;
}

const payload = (...disks: readonly Json[]): Json => ({ disks: { list: [...disks] } });
const keysOf = (value: Json): string[] => [...(elementsIn(matcher(), "s", value)?.byKey.keys() ?? ["passed over"])];

describe("elements", () => {
  test("are looked at in order, each as if it were the payload", () => {
    const elements = elementsIn(matcher(), "s", payload({ name: "a", used: 95 }, { name: "b", used: 5 }));
    expect([...(elements?.byKey ?? [])]).toEqual([
      [
        '["s","a"]',
        {
          match: { key: '["s","a"]', isMissing: false, matches: true, clears: false },
          payload: { name: "a", used: 95 },
        },
      ],
      [
        '["s","b"]',
        {
          match: { key: '["s","b"]', isMissing: false, matches: false, clears: false },
          payload: { name: "b", used: 5 },
        },
      ],
    ]);
  });

  test("with the same key count once: the first", () => {
    const twice = payload({ name: "a", used: 95 }, { name: "a", used: 5 });
    expect(elementOf(matcher(), "s", twice, '["s","a"]')).toEqual({ name: "a", used: 95 });
    expect(keysOf(twice)).toEqual(['["s","a"]']);
  });

  test("need not be objects, and one without the key has null in its place", () => {
    expect(keysOf(payload(5, "text", null, { used: 99 }))).toEqual(['["s",null]']);
  });

  test.each<[string, Json]>([
    ["no such path", {}],
    ["an object", { disks: { list: {} } }],
    ["a text", { disks: { list: "abc" } }],
    ["null", { disks: { list: null } }],
    ["a payload that is a list", [1]],
  ])("are not there: %s is passed over", (_, value) => {
    expect(elementsIn(matcher(), "s", value)).toBeNull();
  });

  test("beyond the limit are not looked at, and are not gone either", () => {
    const many = Array.from({ length: MAX_ELEMENTS + 5 }, (_, index) => ({ name: index, used: 99 }));
    const elements = elementsIn(matcher(), "s", payload(...many));
    if (elements === null) throw new Error("there is a list");
    expect([elements.byKey.size, elements.total, elements.beyond.size]).toEqual([MAX_ELEMENTS, MAX_ELEMENTS + 5, 5]);
    const known = [MAX_ELEMENTS - 1, MAX_ELEMENTS, MAX_ELEMENTS + 5].map((name) => ({
      key: JSON.stringify(["s", name]),
      state: { ...REST, isMatching: true },
    }));
    expect(goneFrom(known, { key: KEY, host: null }, "s", elements).map(({ key }) => key)).toEqual([
      `["s",${MAX_ELEMENTS + 5}]`,
    ]);
  });
});

test("a key is gone where it matched, a signal of its own sense has not, and no other does", () => {
  const elements = elementsIn(matcher(), "s", payload({ name: "here", used: 1 }));
  if (elements === null) throw new Error("there is a list");
  const on = { ...REST, isMatching: true };
  const known = [
    { key: '["s","here"]', state: on },
    { key: '["s","gone"]', state: on },
    { key: '["s","resting"]', state: REST },
    { key: '["other","gone"]', state: on },
  ];
  expect(goneFrom(known, { key: KEY, host: null }, "s", elements).map(({ key }) => key)).toEqual(['["s","gone"]']);
});
