/** `workflow_runs.decision` and `key`: stores of earlier builds get them, and are read before they have them. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { Run } from "../../src/model/run.ts";
import { refuse } from "../../src/store/damage.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { checkStore } from "../../src/store/rebuild-store.ts";
import { storeFile } from "../../src/store/tables.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { withoutDecisions } from "../helpers/older-store.ts";
import { BY_HAND, runWriter } from "../helpers/runs.ts";

const NOW = 1_700_000_000_000;

function open(data: string): Store {
  const opened = openStore(data, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

const ALL = {
  after: 0,
  before: null,
  since: null,
  until: null,
  trace: null,
  limit: 100,
  newest: false,
  workflows: [],
  states: [],
  reflexes: [],
};

/** A store as an earlier build left it: a run of a reflex, one by hand, and the retry of the first. Its rows then. */
function older(folder: Folder): Run[] {
  const store = open(folder.path);
  const writer = runWriter(store);
  const asked = { workflow: "page", at: NOW, trace: "0".repeat(32), input: null };
  const trigger = {
    id: 41,
    sense: "disk",
    at: NOW,
    reflex: "full",
    key: null,
    isElement: false,
    due: null,
    incident: null,
  };
  const first = writer.queue({ ...asked, trigger, retry_of: null });
  writer.queue({ ...asked, trigger: BY_HAND, retry_of: null });
  writer.queue({ ...asked, trigger: { ...trigger, reflex: null }, retry_of: first });
  const rows = store.runs.list(ALL);
  store.close();
  const db = new Database(storeFile(folder.path));
  withoutDecisions(db);
  db.run("UPDATE logs SET data = json_remove(data, '$.decision', '$.trigger.key') WHERE event = 'run.queued'");
  db.close(true);
  return rows;
}

const DECISIONS = ["signal:41", null, null];

/** Rows of earlier builds count no events. */
const uncounted = (rows: readonly Run[]): Run[] => rows.map((row) => ({ ...row, events: null }));

test("a store of an earlier build is migrated to what its logs say", () => {
  using folder = temporaryFolder();
  const before = older(folder);
  const store = open(folder.path);
  expect(store.runs.list(ALL)).toEqual(uncounted(before));
  expect(before.map(({ decision }) => decision)).toEqual(DECISIONS);
  expect(store.runs.byDecision("full", "signal:41")?.id).toBe(1);
  store.close();
  expect(checkStore(folder.path)).toMatchObject({ ok: true, value: { differing: 0, faulty: 0, runs: 3 } });
});

test("a store of an earlier build is read before a kernel has migrated it", () => {
  using folder = temporaryFolder();
  const before = older(folder);
  const reader = openStoreReader(folder.path, refuse);
  if (!reader.ok) throw new Error(reader.error.message);
  expect(reader.value.runs.list(ALL)).toEqual(uncounted(before));
  expect(reader.value.runs.byDecision("full", "signal:41")?.id).toBe(1);
  reader.value.close();
});

test("one signal may be decided on once for each key", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  const row = { id: 1, workflow: "w", reflex: "r", state: "queued", signal_id: 5, input: null, output: null } as const;
  const times = { attempt: 0, queued_at: NOW, started_at: null, ended_at: null, error: null, until: null } as const;
  const rest = { trace: "0".repeat(32), last_log_id: 1, retry_of: null, first_log_id: 1, events: 1 };
  store.commit(() => {
    for (const [index, key] of ["a", "b"].entries()) {
      store.runs.insert({ ...row, ...times, ...rest, id: index + 1, key, decision: `signal:5:"${key}"` });
    }
  });
  expect(store.runs.byDecision("r", 'signal:5:"b"')?.id).toBe(2);
  store.close();
});

test("the run of a decision is found by an index", () => {
  using folder = temporaryFolder();
  open(folder.path).close();
  const db = new Database(storeFile(folder.path));
  const sql = "EXPLAIN QUERY PLAN SELECT * FROM (SELECT * FROM workflow_runs) WHERE reflex = ? AND decision = ?";
  expect(JSON.stringify(db.query(sql).all("r", "signal:1"))).toContain("workflow_runs_decision");
  db.close(true);
});
