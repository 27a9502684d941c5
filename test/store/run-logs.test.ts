/** The logs of a run are shown from its first on, whatever its row says. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openStore } from "../../src/store/open.ts";
import { logsOfRun } from "../../src/store/run-logs.ts";
import { storeFile } from "../../src/store/tables.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { BY_HAND, runWriter } from "../helpers/runs.ts";

const NOW = 1_700_000_000_000;
const TRACE = NOW.toString(16).padStart(32, "0");

test.each([0, 1, 2, 3, 9_999])("a row that names log %i as the first of its run hides none", (first) => {
  using folder = temporaryFolder();
  const opened = openStore(folder.path, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const writer = runWriter(store);
  const asked = { workflow: "page", at: NOW, trace: TRACE, input: null, trigger: BY_HAND, retry_of: null };
  writer.queue(asked);
  const id = writer.queue(asked);
  writer.event(id, NOW, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  const db = new Database(storeFile(folder.path));
  db.query("UPDATE workflow_runs SET first_log_id = ? WHERE id = ?").run(first, id);
  db.close(true);
  const row = store.runs.byId(id);
  if (row === null) throw new Error("there is no row");
  expect(logsOfRun(store.history, row).map(({ event }) => event)).toEqual(["run.queued", "run.started"]);
  store.close();
});
