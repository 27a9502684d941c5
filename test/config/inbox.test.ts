/** `senses.NAME.inbox`, and the reflex that runs the sense when an item comes in. */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/base/json.ts";
import { parseWholeContract } from "../../src/config/parse.ts";
import { receivedConfig, sentConfig } from "../../src/config/sent.ts";
import type { NerveConfig } from "../../src/model/config.ts";

function parsed(text: string): NerveConfig {
  const result = parseWholeContract(text);
  if (!result.ok) throw new Error(result.error.map(({ message }) => message).join("\n"));
  return result.value;
}

const problemsOf = (text: string): string[] => {
  const result = parseWholeContract(text);
  return result.ok ? [] : result.error.map(({ message }) => message);
};

const namesOf = (config: NerveConfig): string[] => config.reflexes.map(({ name }) => name);

describe("an inbox", () => {
  test("may be written as nothing at all, and has bounds of its own otherwise", () => {
    const { senses } = parsed(
      "senses: { a: { inbox: }, b: { inbox: {} }, c: { inbox: { max: 5, bytes: 64kb, secret: hush } }, d: }",
    );
    const none = { max: null, bytes: null, secret: null };
    expect([...senses.values()].map(({ inbox }) => inbox)).toEqual([
      none,
      none,
      { max: 5, bytes: 65_536, secret: "hush" },
      null,
    ]);
  });

  test("has a reflex of its own where none is written", () => {
    const config = parsed(
      "senses: { a: { inbox: }, b: { inbox: }, c: }\nreflexes: [{ sense: b, watch: { inbox: true } }]",
    );
    expect(namesOf(config)).toEqual(["b#1", "a#inbox"]);
    expect(config.reflexes[1]).toMatchObject({ kind: "sense", sense: "a", watch: [{ kind: "inbox" }], on: [] });
  });

  test("keeps its secret from other processes and from people", () => {
    const config = parsed("senses: { a: { inbox: { secret: hush } } }");
    const sent = sentConfig(config);
    expect(JSON.stringify([sent, config.shown])).not.toContain("hush");
    expect(receivedConfig(sent as Json).senses.get("a")?.inbox).toEqual({ max: null, bytes: null, secret: null });
  });

  test.each([
    [
      "senses: { a: { inbox: { max: 0 } } }",
      "`senses.a.inbox.max` must be a whole number, from 1 to 1000000, found the number 0",
    ],
    [
      "senses: { a: { inbox: { bytes: 1kb } } }",
      '`senses.a.inbox.bytes` must be at least 64kb, as one item may hold, found "1kb"',
    ],
    ["senses: { a: { inbox: { size: 1kb } } }", "`senses.a.inbox.size` is not a known key"],
    ["senses: { a: { inbox: 5 } }", "`senses.a.inbox` must be a map, found the number 5"],
    [
      "senses: { a: }\nreflexes: [{ sense: a, watch: { inbox: true } }]",
      "`reflexes[0].watch` waits for items, and the sense `a` has no inbox",
    ],
  ])("is refused where it cannot be: %s", (text, message) => {
    expect(problemsOf(text)).toContainEqual(message);
  });
});
