/** That the faults which the simulator has to find can still be planted. */
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { missingIn, PLANTS } from "./plants.ts";

const ROOT = resolve(import.meta.dir, "../..");

test.each(PLANTS.map((plant) => [plant.name, plant] as const))(
  "the source has the texts of the fault %p",
  (_, plant) => {
    expect(missingIn(ROOT, plant)).toEqual([]);
  },
);

test("a fault whose text the source does not have is named with its file", () => {
  const edits = [{ file: "src/kernel/bell.ts", from: "no such text", to: "" }];
  expect(missingIn(ROOT, { name: "none", edits })).toEqual(["src/kernel/bell.ts: no such text"]);
});
