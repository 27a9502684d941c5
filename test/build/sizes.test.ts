/** The list of what is too large only shrinks. */
import { expect, test } from "bun:test";
import { differences, lowered } from "../../scripts/sizes.ts";

const problems = (known: Record<string, number>, found: Record<string, number>): string[] =>
  differences("the file", 300, known, found);

test("a file that is too large is refused unless the list has it as it is", () => {
  expect(problems({}, { "a.ts": 301 })).toEqual(["a.ts: the file has 301 lines, 300 are allowed; split it by idea"]);
  expect(problems({ "a.ts": 301 }, { "a.ts": 301 })).toEqual([]);
  expect(problems({ "a.ts": 301 }, { "a.ts": 302 })).toEqual([
    "a.ts: the file has 302 lines, 301 are allowed; split it by idea",
  ]);
});

test("a file that has become smaller is refused until its entry is, with the number", () => {
  expect(problems({ "a.ts": 400 }, { "a.ts": 350 })).toEqual([
    "a.ts: the file has 350 lines now; lower its entry in scripts/size-debt.json from 400",
  ]);
  expect(problems({ "a.ts": 400 }, {})).toEqual([
    "a.ts: the file is within 300 lines now; take its entry out of scripts/size-debt.json",
  ]);
});

test("lowering follows what shrinks, forgets what is paid, and neither raises nor adds an entry", () => {
  const known = { "shrunk.ts": 400, "paid.ts": 310, "grown.ts": 320 };
  expect(lowered(known, { "shrunk.ts": 350, "grown.ts": 330, "new.ts": 500 })).toEqual({
    "shrunk.ts": 350,
    "grown.ts": 320,
  });
});
