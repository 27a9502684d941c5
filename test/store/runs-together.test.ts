/** Rows of runs, written many in one statement: as one statement for each would have written them. */
import { expect, test } from "bun:test";
import type { Run } from "../../src/model/run.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { ALL_RUNS } from "../../src/store/runs.ts";
import { temporaryFolder } from "../helpers/folder.ts";

function opened(folder: string): Store {
  const store = openStore(folder, "normal", "boot", 1);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

const queued = (id: number): Run => ({
  id,
  workflow: "flow",
  reflex: id % 3 === 0 ? null : "r",
  state: "queued",
  signal_id: id % 3 === 0 ? null : id,
  input: JSON.stringify({ id }),
  output: null,
  attempt: 0,
  queued_at: id,
  started_at: null,
  ended_at: null,
  error: null,
  trace: "0".repeat(32),
  last_log_id: id,
  retry_of: null,
  first_log_id: id,
  until: null,
  key: id % 2 === 0 ? `key ${id}` : null,
  decision: id % 3 === 0 ? null : `signal:${id}`,
  events: 1,
});

const changed = (run: Run): Run => {
  const row = { ...run, attempt: 1, started_at: run.id + 100, last_log_id: run.id + 200, events: 2 };
  if (run.id % 4 === 0) return { ...row, state: "sleeping", until: run.id + 300 };
  if (run.id % 4 === 1) return { ...row, state: "failed", ended_at: run.id + 300, error: `why ${run.id}` };
  return { ...row, state: "completed", ended_at: run.id + 300, output: JSON.stringify([run.id]) };
};

test.each([1, 3, 16, 37, 64])("%p runs that are written together are as if each were written alone", (count) => {
  using folders = temporaryFolder();
  using others = temporaryFolder();
  const [together, alone] = [opened(folders.path), opened(others.path)];
  const runs = Array.from({ length: count }, (_, nth) => queued(nth + 1));
  const ended = runs.filter(({ id }) => id % 7 !== 0).map(changed);
  together.commit(() => together.runs.insert(...runs));
  together.commit(() => together.runs.update(...ended));
  for (const run of runs) alone.commit(() => alone.runs.insert(run));
  for (const run of ended) alone.commit(() => alone.runs.update(run));
  const rows = together.runs.list({ ...ALL_RUNS, limit: 1_000 });
  const after = new Map(ended.map((run) => [run.id, run]));
  expect(rows.toSorted((a, b) => a.id - b.id)).toEqual(runs.map((run) => after.get(run.id) ?? run));
  expect(rows).toEqual(alone.runs.list({ ...ALL_RUNS, limit: 1_000 }));
  together.close();
  alone.close();
});

test("runs that are changed together, and are not there, are not made by that", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  store.commit(() => store.runs.insert(queued(1)));
  store.commit(() => store.runs.update(...Array.from({ length: 20 }, (_, nth) => changed(queued(nth + 1)))));
  expect(store.runs.list({ ...ALL_RUNS, limit: 1_000 })).toEqual([changed(queued(1))]);
  store.close();
});
