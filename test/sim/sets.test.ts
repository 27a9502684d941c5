/** The file of seeds that are done. */
import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DoneFile, sourceOf, tasksOf, WHOLE } from "./sets.ts";
import { diedAt } from "./told.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-sim-sets-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what one source has done is done for it, and for no other", () => {
  const path = join(folder, "sources", "done.jsonl");
  new DoneFile(path, "one", "c1").add("day", diedAt(1, "why"));
  new DoneFile(path, "another", "c2").add("day", diedAt(2, "why"));
  expect(new DoneFile(path, "one", "c1").read().map(({ set, seed }) => [set, seed])).toEqual([["day", 1]]);
  expect(new DoneFile(path, "another", "c2").read().map(({ seed }) => seed)).toEqual([2]);
});

test("a line that its writer did not finish costs no other line", () => {
  const path = join(folder, "cut.jsonl");
  new DoneFile(path, "one", "c1").add("day", diedAt(1, "why"));
  appendFileSync(path, '{"seed":2,"so');
  const file = new DoneFile(path, "one", "c1");
  file.add("day", diedAt(3, "why"));
  expect(file.read().map(({ seed }) => seed)).toEqual([1, 3]);
});

test("the same files are the same source", () => {
  expect(sourceOf()).toBe(sourceOf());
});

test("a release has to pass 2,000 days, 100 dense hours and 20 months", () => {
  const tasks = tasksOf(WHOLE);
  expect(WHOLE.map(({ name }) => [name, tasks.filter(({ set }) => set === name).length])).toEqual([
    ["day", 2_000],
    ["dense", 100],
    ["month", 20],
  ]);
});
