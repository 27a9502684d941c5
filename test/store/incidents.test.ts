/** The table of incidents follows from the logs: proven, put right, and made anew. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { openStore, type Store } from "../../src/store/open.ts";
import { checkStore, rebuildStore } from "../../src/store/rebuild-store.ts";
import { storeFile } from "../../src/store/tables.ts";
import { alarm, IncidentBench } from "../helpers/incident-bench.ts";

async function withIncidents(): Promise<IncidentBench> {
  const bench = new IncidentBench([alarm({ summary: "v is {{ payload.v }}" }, { key: "host" })]);
  for (const host of ["a", "b", "c"]) await bench.signal({ v: 9, host });
  await bench.requests.ack({ incident: 2, by: "ann", why: "looking" });
  await bench.signal({ v: 1, host: "c" });
  return bench;
}

const incidentsOf = (folder: string) => {
  const checked = checkStore(folder);
  if (!checked.ok) throw new Error(checked.error.message);
  return checked.value.incidents;
};

const spoil = (folder: string, sql: string): void => {
  const db = new Database(storeFile(folder));
  db.run(sql);
  db.close();
};

test("what the kernel wrote is what the logs say", async () => {
  using bench = await withIncidents();
  expect(incidentsOf(bench.folder.path)).toEqual({
    incidents: 3,
    differing: 0,
    differences: [],
    faults: [],
    wasGone: false,
  });
  expect(bench.rows.map(({ state }) => state)).toEqual(["open", "acked", "resolved"]);
});

test.each([
  ["a column that was changed", "UPDATE incidents SET state = 'open', acked_by = NULL WHERE id = 2", [2]],
  ["a row that is gone", "DELETE FROM incidents WHERE id = 1", [1]],
  [
    "a row that no log tells of",
    "INSERT INTO incidents (id, reflex, severity, state, summary, opened_at, trace) VALUES (9, 'x', 'info', 'open', '', 1, 't')",
    [9],
  ],
])("%s is found, and put right", async (_, sql, ids) => {
  using bench = await withIncidents();
  const before = bench.rows;
  spoil(bench.folder.path, sql);
  const found = incidentsOf(bench.folder.path);
  expect([...new Set(found.differences.map(({ incident }) => incident))]).toEqual(ids);
  expect(rebuildStore(bench.folder.path, "normal", 1)).toMatchObject({
    ok: true,
    value: { incidents: { differing: 1 } },
  });
  expect(incidentsOf(bench.folder.path).differing).toBe(0);
  expect(bench.rows).toEqual(before);
});

test("a table that is gone is made anew at the next start, and ids go on above those that were given", async () => {
  using bench = await withIncidents();
  const before = bench.rows;
  spoil(bench.folder.path, "DROP TABLE incidents");
  expect(incidentsOf(bench.folder.path).wasGone).toBe(true);
  using again = opened(bench.folder.path);
  expect(again.store.incidents.list({ ...ALL, states: [], reflexes: [] })).toEqual(before);
  expect(again.store.incidents.lastId()).toBe(3);
  expect(incidentsOf(bench.folder.path).differing).toBe(0);
});

test("a log that contradicts what came before is a fault of its incident alone", async () => {
  using bench = await withIncidents();
  spoil(
    bench.folder.path,
    `INSERT INTO logs (at, level, source, event, message, data)
     VALUES (1, 'info', 'reflex:high', 'incident.again', '', '{"incident":3,"signal":1}')`,
  );
  const { differing, faults } = incidentsOf(bench.folder.path);
  expect(differing).toBe(0);
  expect(faults).toEqual([expect.stringContaining("incident.again of incident 3, which is resolved")]);
});

test("an open incident keeps the archive files with its logs", async () => {
  using bench = await withIncidents();
  expect(bench.store.archive.neededFrom()).toBe(bench.rows[0]?.first_log_id ?? 0);
});

const ALL = { after: 0, before: null, since: null, until: null, trace: null, limit: 100, newest: false } as const;

function opened(folder: string): Disposable & { readonly store: Store } {
  const found = openStore(folder, "normal", "b", 1);
  if (!found.ok) throw new Error(found.error.message);
  return { store: found.value, [Symbol.dispose]: () => found.value.close() };
}
