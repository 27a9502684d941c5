/** Rows of `incidents` that another hand has written: each column with each kind of value is named, and put right. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Incident } from "../../src/model/incident-row.ts";
import type { StoreDamaged } from "../../src/store/damage.ts";
import { ALL_INCIDENTS, incidentTable } from "../../src/store/incidents.ts";
import { ALL_LOGS } from "../../src/store/logs.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { checkStore, rebuildStore } from "../../src/store/rebuild-store.ts";
import { storeFile } from "../../src/store/tables.ts";
import { alarm, IncidentBench } from "../helpers/incident-bench.ts";

/** Each value in each row, not in one of them. */
const IS_FULL = process.env.NERVE_CRASH === "full";

/** Incident 1 is open, 2 acknowledged, 3 resolved by hand. */
async function withIncidents(): Promise<IncidentBench> {
  const bench = new IncidentBench([alarm({ summary: "v is {{ payload.v }}" }, { key: "host" })]);
  for (const host of ["a", "b", "c"]) await bench.signal({ v: 9, host });
  await bench.requests.ack({ incident: 2, by: "ann", why: "looking" });
  await bench.requests.resolve({ incident: 3, by: "ann", why: "false alarm" });
  return bench;
}

const COLUMNS = [
  "reflex",
  "key",
  "severity",
  "state",
  "summary",
  "opened_at",
  "acked_at",
  "acked_by",
  "resolved_at",
  "count",
  "notified_at",
  "signal_id",
  "last_signal_id",
  "trace",
  "reason",
  "first_log_id",
  "last_log_id",
] as const satisfies readonly (keyof Incident)[];

const VALUES: readonly (readonly [string, string])[] = [
  ["NULL", "NULL"],
  ["a blob", "x'00ff'"],
  ["an empty blob", "x''"],
  ["a negative number", "-1"],
  ["a fraction", "0.5"],
  ["a number beyond counting", "9223372036854775807"],
  ["infinity", "9e999"],
  ["an empty text", "''"],
  ["another text", "'another'"],
  ["a text with a zero byte", "CAST(x'6100' AS TEXT)"],
  ["a text that is no UTF-8", "CAST(x'ff' AS TEXT)"],
];

/** Null: SQLite refuses the value in that column, or it is what stood there. */
function spoiled(file: string, id: number, column: string, value: string): unknown {
  const db = new Database(file);
  try {
    const ask = (): unknown => db.query(`SELECT ${column} AS value FROM incidents WHERE id = ${id}`).get();
    const before = ask();
    db.run(`UPDATE OR IGNORE incidents SET ${column} = ${value} WHERE id = ${id}`);
    const after = ask();
    return Bun.deepEquals(before, after) ? null : after;
  } finally {
    db.close();
  }
}

/** What a reader says of the table, and how many rows it shows. */
function shownIn(file: string): { readonly rows: number; readonly said: readonly string[] } {
  const said: string[] = [];
  const db = new Database(file, { readonly: true });
  const rows = incidentTable(
    db,
    ({ message, problem }: StoreDamaged) => void said.push(`${message}; ${problem.hint}`),
  ).list(ALL_INCIDENTS).length;
  db.close();
  return { rows, said };
}

describe.each(COLUMNS.map((column) => [column]))("the column %s", (column) => {
  test("is named with any other value, and put right", async () => {
    using bench = await withIncidents();
    const { path } = bench.folder;
    const file = storeFile(path);
    const before = bench.rows;
    let tried = 0;
    for (const [index, [what, value]] of VALUES.entries()) {
      for (const id of IS_FULL ? [1, 2, 3] : [1 + (index % 3)]) {
        if (spoiled(file, id, column, value) === null) continue;
        tried++;
        const checked = checkStore(path);
        if (!checked.ok) throw new Error(`${what}: ${checked.error.message}`);
        const named = checked.value.incidents.differences.map((one) => [one.incident, one.column]);
        expect([what, named]).toEqual([what, [[id, column]]]);
        const { rows, said } = shownIn(file);
        expect([what, rows + said.length]).toEqual([what, 3]);
        for (const message of said) {
          expect(message).toContain(`table incidents, row ${id}: ${column} is `);
          expect(message).toEndWith("; `nerve rebuild` makes the row anew from the logs");
        }
        expect(rebuildStore(path, "normal", 1)).toMatchObject({ ok: true, value: { incidents: { differing: 1 } } });
        expect([what, bench.rows]).toEqual([what, before]);
      }
    }
    expect(tried).toBeGreaterThan(5);
  });
});

test("an id that was changed is a row too many and a row too few", async () => {
  using bench = await withIncidents();
  const before = bench.rows;
  const db = new Database(storeFile(bench.folder.path));
  db.run("UPDATE incidents SET id = 77 WHERE id = 2");
  db.close();
  const checked = checkStore(bench.folder.path);
  const named = checked.ok ? checked.value.incidents.differences.map((one) => [one.incident, one.column]) : [];
  expect(named).toEqual([
    [2, "row"],
    [77, "row"],
  ]);
  rebuildStore(bench.folder.path, "normal", 1);
  expect(bench.rows).toEqual(before);
});

describe("an open incident", () => {
  test.each([
    ["whose row is damaged", "UPDATE incidents SET severity = 'x' WHERE id = 1"],
    ["whose row is gone", "DELETE FROM incidents WHERE id = 1"],
    ["whose row says that it has resolved", "UPDATE incidents SET state = 'resolved', resolved_at = 1 WHERE id = 1"],
  ])("%s is put right at the start, and goes on", async (_, sql) => {
    using bench = await withIncidents();
    const before = bench.rows;
    const db = new Database(storeFile(bench.folder.path));
    db.run(sql);
    db.close();
    using again = opened(bench.folder.path);
    expect(again.store.incidents.list(ALL_INCIDENTS)).toEqual(before);
    const said = again.store.logs.list({ ...ALL_LOGS, newest: true, limit: 1 });
    expect(said).toMatchObject([
      { event: "incidents.restored", message: "the table of incidents was damaged: 3 incidents derived from the logs" },
    ]);
    await bench.crash(1);
    await bench.signal({ v: 9, host: "a" });
    expect(bench.rows).toHaveLength(3);
    await bench.signal({ v: 1, host: "a" });
    expect(bench.rows[0]).toMatchObject({ id: 1, state: "resolved", reason: null });
    expect(bench.difference).toEqual([]);
  });

  test("that only a damaged state of a reflex speaks of changes no row, and is said by no log", async () => {
    using bench = await withIncidents();
    const before = bench.rows;
    const db = new Database(storeFile(bench.folder.path));
    db.run("UPDATE reflex_state SET state = json_replace(state, '$.incident.open.id', 55) WHERE key = '\"a\"'");
    db.run("INSERT INTO reflex_state VALUES ('x', '', 'd', '{\"incident\":{ no JSON')");
    db.close();
    using again = opened(bench.folder.path);
    expect(again.store.incidents.list(ALL_INCIDENTS)).toEqual(before);
    expect(again.store.logs.list({ ...ALL_LOGS, newest: true, limit: 1 })[0]?.event).not.toBe("incidents.restored");
  });
});

function opened(folder: string): Disposable & { readonly store: Store } {
  const found = openStore(folder, "normal", "b", 1);
  if (!found.ok) throw new Error(found.error.message);
  return { store: found.value, [Symbol.dispose]: () => found.value.close() };
}
