/** What a module may export as `watch`, and what is said of the rest. */
import { expect, test } from "bun:test";
import { watchedBy } from "../../src/sense-worker/watched.ts";

const SOURCE = { name: "mine", use: "mine", folder: "/n/senses/mine", options: {} };
const of = (exported: unknown) => watchedBy(SOURCE, exported, { path: "/x" });

test("nothing, the kernel, or a list with it", () => {
  expect(of(undefined)).toEqual({ ok: true, value: [] });
  expect(of(() => ({ kernel: true }))).toEqual({ ok: true, value: [{ kernel: true }] });
  expect(of(() => [{ kernel: true }])).toEqual({ ok: true, value: [{ kernel: true }] });
});

test("the function gets the options of the sense", () => {
  let given: unknown;
  of((options: unknown) => {
    given = options;
    return { kernel: true };
  });
  expect(given).toEqual({ path: "/x" });
});

test.each([
  [{ kernel: true }, "bad-export", "sense `mine` exports `watch`, which must be a function and is of type object"],
  [
    () => {
      throw new Error("no");
    },
    "bad-export",
    "sense `mine` exports `watch`, which throws: Error: no",
  ],
  [
    () => null,
    "bad-export",
    "sense `mine` exports `watch`, which must answer `{ kernel: true }`, and answers something else",
  ],
  [
    async () => ({ kernel: true }),
    "bad-export",
    "sense `mine` exports `watch`, which must answer `{ kernel: true }`, and answers something else",
  ],
  [
    () => [{ kernel: true }, { file: "/etc/motd" }],
    "not-yet",
    "sense `mine` exports `watch`, which answers `file`: this build does not yet support that",
  ],
])("anything else is refused by name: %#", (exported, kind, message) => {
  expect(of(exported)).toMatchObject({ ok: false, error: { kind, message, file: "/n/senses/mine/index.ts" } });
});
