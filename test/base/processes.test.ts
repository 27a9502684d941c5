/** What /proc says about real processes, and that a hunt ends all of them. */
import { expect, test } from "bun:test";
import {
  descendants,
  isAlive,
  killMarked,
  killTree,
  listPids,
  residentBytes,
  withEnvironment,
} from "../../src/base/processes.ts";
import { until } from "../helpers/until.ts";

const MARK = `NERVE_TEST_MARK=${process.pid}-${Math.random()}`;
const [NAME = "", VALUE = ""] = MARK.split("=");

/** A shell with two shells, each with a sleep below it. */
const tree = (environment: Record<string, string> = {}) =>
  Bun.spawn(["sh", "-c", "(sleep 60; :) & (sleep 60; :) & wait"], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["ignore", "ignore", "ignore"],
  });

test("a tree of processes is found whole, parents before children, and killed whole", async () => {
  const root = tree();
  await until("the root has four descendants", () => descendants(root.pid).length === 4);
  const found = descendants(root.pid);
  const [first, second, ...leaves] = found;
  expect(leaves).toHaveLength(2);
  expect([...descendants(first as number), ...descendants(second as number)].sort()).toEqual([...leaves].sort());
  expect([root.pid, ...found].every(isAlive)).toBe(true);
  killTree(root.pid);
  await root.exited;
  await until("all of them are gone", () => !found.some(isAlive));
});

test("processes are found by a marker in their environment, exactly, and killed wherever they are in the tree", async () => {
  const marked = tree({ [NAME]: VALUE });
  const almost = tree({ [NAME]: `${VALUE}0` });
  try {
    await until(
      "five carry the mark and four descend from it",
      () => withEnvironment(MARK).length === 5 && descendants(almost.pid).length === 4,
    );
    expect(withEnvironment(MARK, new Set([marked.pid]))).toHaveLength(4);
    const killed = killMarked(MARK);
    expect(killed).toHaveLength(5);
    await marked.exited;
    await until("none carries the mark", () => withEnvironment(MARK).length === 0);
    expect(isAlive(almost.pid)).toBe(true);
  } finally {
    killTree(almost.pid);
    await almost.exited;
  }
});

test("a process that forks while it is hunted cannot outrun the hunt", async () => {
  const script = "f() { while :; do (sleep 30) & sleep 0.001; done; }; f & f & wait";
  const root = Bun.spawn(["sh", "-c", script], {
    env: { PATH: process.env.PATH ?? "", [NAME]: VALUE },
    stdio: ["ignore", "ignore", "ignore"],
  });
  await until("more than 20 carry the mark", () => withEnvironment(MARK).length > 20);
  killMarked(MARK);
  await root.exited;
  await until("none carries the mark", () => withEnvironment(MARK).length === 0);
});

test("a zombie and a stranger are not alive, and what is gone holds no memory", async () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(10 * 1024 * 1024);
  expect(isAlive(process.pid)).toBe(true);
  expect(listPids()).toContain(process.pid);
  const gone = 2 ** 22 + 1;
  expect([isAlive(gone), residentBytes(gone), descendants(gone)]).toEqual([false, 0, []]);
  // The inner shell ends at once and its parent never waits for it.
  const parent = Bun.spawn(["sh", "-c", "sh -c 'exit 0' & exec sleep 60"], { stdio: ["ignore", "ignore", "ignore"] });
  await until(
    "its child is a zombie",
    () => descendants(parent.pid).length === 1 && !isAlive(descendants(parent.pid)[0] as number),
  );
  killTree(parent.pid);
  await parent.exited;
});
