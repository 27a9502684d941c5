/** The note of which runs live: strictly read, and what a start reads beside it does not grow with the logs before it. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/open.ts";
import { storeFile } from "../../src/store/tables.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { withoutDecisions } from "../helpers/older-store.ts";
import { BY_HAND, runWriter } from "../helpers/runs.ts";

const NOW = 1_700_000_000_000;
const TRACE = NOW.toString(16).padStart(32, "0");

function open(folder: Folder): Store {
  const opened = openStore(folder.path, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

function tamper(folder: Folder, sql: string): void {
  const db = new Database(storeFile(folder.path));
  db.run(sql);
  db.close(true);
}

/** Runs 1 to 3, of which the second has ended. */
function threeRuns(folder: Folder): void {
  const store = open(folder);
  const writer = runWriter(store);
  for (let nth = 0; nth < 3; nth++) {
    writer.queue({ workflow: "page", at: NOW, trace: TRACE, input: null, trigger: BY_HAND, retry_of: null });
  }
  writer.event(2, NOW, "run.cancelled", { error: null });
  store.close();
}

const living = (folder: Folder) => {
  const store = open(folder);
  const { runs, isNoteLost } = store.liveRuns.living();
  store.close();
  return { runs: [...runs], isNoteLost };
};

const ALIVE = [
  [1, 1],
  [3, 3],
];

test("a store has a note from its beginning on, and runs that began and ended since are known by their logs", () => {
  using folder = temporaryFolder();
  threeRuns(folder);
  expect(living(folder)).toEqual({ runs: ALIVE, isNoteLost: false } as never);
});

test("a store of an earlier build gets a note of the runs that live by their rows", () => {
  using folder = temporaryFolder();
  threeRuns(folder);
  const db = new Database(storeFile(folder.path));
  withoutDecisions(db);
  db.close(true);
  open(folder).close();
  tamper(folder, "UPDATE workflow_runs SET state = 'completed'");
  expect(living(folder)).toEqual({ runs: ALIVE, isNoteLost: false } as never);
});

test.each([
  ["DELETE FROM meta WHERE key = 'live_runs'"],
  ["UPDATE meta SET value = '' WHERE key = 'live_runs'"],
  ["UPDATE meta SET value = x'00' WHERE key = 'live_runs'"],
  ["UPDATE meta SET value = '[]' WHERE key = 'live_runs'"],
  [`UPDATE meta SET value = '{"up_to":-1,"runs":[]}' WHERE key = 'live_runs'`],
  [`UPDATE meta SET value = '{"up_to":9999,"runs":[]}' WHERE key = 'live_runs'`],
  [`UPDATE meta SET value = '{"up_to":4,"runs":[[1]]}' WHERE key = 'live_runs'`],
  [`UPDATE meta SET value = '{"up_to":4,"runs":[[1,"x"]]}' WHERE key = 'live_runs'`],
])("a note that is damaged is lost, and the newest logs are read without it: %s", (sql) => {
  using folder = temporaryFolder();
  threeRuns(folder);
  tamper(folder, sql);
  expect(living(folder)).toEqual({ runs: ALIVE, isNoteLost: true } as never);
});

test("the logs before a note are not read, however many there are", () => {
  using folder = temporaryFolder();
  threeRuns(folder);
  const store = open(folder);
  store.commit(() => store.liveRuns.write(store.logs.lastId(), new Map([[3, 3]])));
  store.close();
  tamper(folder, "UPDATE logs SET run = 'x', event = x'00'");
  const db = new Database(storeFile(folder.path));
  const plan = db.query(
    "EXPLAIN QUERY PLAN SELECT id, run, event FROM logs NOT INDEXED WHERE id > ? AND run IS NOT NULL AND event IN (SELECT value FROM json_each(?))",
  );
  expect(JSON.stringify(plan.all(4, "[]"))).toContain("SEARCH logs USING INTEGER PRIMARY KEY (rowid>?)");
  db.close(true);
  expect(living(folder)).toEqual({ runs: [[3, 3]], isNoteLost: false } as never);
});
