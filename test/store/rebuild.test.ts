/** The table of runs is what the logs say it is: proven, put right and made anew, also while others write. */

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { appendFileSync, chmodSync, mkdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_FILES } from "../../src/base/files.ts";
import { archiveFolder, freeName } from "../../src/store/archive-names.ts";
import { createArchiveFile } from "../../src/store/archive-writer.ts";
import { ALL_LOGS } from "../../src/store/logs.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { checkStore, type Rebuilt, rebuildStore } from "../../src/store/rebuild-store.ts";
import type { Difference } from "../../src/store/run-comparison.ts";
import { storeFile } from "../../src/store/tables.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { BY_HAND, runWriter, writeRandomHistory } from "../helpers/runs.ts";

const NOW = 1_700_000_000_000;
const TRACE = NOW.toString(16).padStart(32, "0");

const folders: Folder[] = [];
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]();
});
const newFolder = (): string => {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder.path;
};

function open(data: string): Store {
  const opened = openStore(data, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

const value = (result: ReturnType<typeof checkStore>): Rebuilt => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const check = (data: string): Rebuilt => value(checkStore(data));
const rebuild = (data: string): Rebuilt => value(rebuildStore(data, "normal", NOW));

/** Changes made from outside, as with the sqlite3 shell. */
function tamper(data: string, ...statements: string[]): void {
  const db = new Database(storeFile(data));
  db.run("PRAGMA busy_timeout = 5000");
  try {
    for (const statement of statements) db.run(statement);
  } finally {
    db.close(true);
  }
}

function rows(data: string): unknown[] {
  const db = new Database(storeFile(data), { readonly: true });
  try {
    return db.query("SELECT * FROM workflow_runs ORDER BY id").all();
  } finally {
    db.close(true);
  }
}

function sequence(data: string): number | null {
  const db = new Database(storeFile(data), { readonly: true });
  try {
    const row = db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'workflow_runs'").get();
    return row?.seq ?? null;
  } finally {
    db.close(true);
  }
}

/** Data with a random history, and its rows as they should be. */
function history(seed: number, count: number): { data: string; good: unknown[] } {
  const data = newFolder();
  const store = open(data);
  writeRandomHistory(store, runWriter(store), seed, count, NOW);
  store.close();
  return { data, good: rows(data) };
}

/** Three runs: 1 completed, 2 running, 3 queued, each by the signal of its number. */
function threeRuns(): { data: string; good: unknown[] } {
  const data = newFolder();
  const store = open(data);
  const writer = runWriter(store);
  for (const id of [1, 2, 3]) {
    const trigger = { id, sense: "a", at: NOW, reflex: "r", key: null, isElement: false, due: null, incident: null };
    writer.queue({ workflow: "page", at: NOW + id, trace: TRACE, input: { id }, trigger, retry_of: null });
  }
  writer.event(1, NOW + 10, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  writer.event(2, NOW + 11, "run.started", { attempt: 1, code: "", batch: null, joined: [] });
  writer.event(1, NOW + 12, "run.completed", { output: { done: true }, ran_ms: 2 });
  store.close();
  return { data, good: rows(data) };
}

test("random histories equal what the kernel's own steps made of them", () => {
  for (let seed = 1; seed <= 25; seed++) {
    const { data, good } = history(seed, 300);
    const found = check(data);
    expect({ seed, ...found }).toMatchObject({ runs: good.length, differing: 0, faulty: 0 });
    expect(found.events).toBeGreaterThan(good.length);
  }
});

test("a rebuild of what is right writes nothing", () => {
  const { data } = history(99, 300);
  const db = new Database(storeFile(data), { readonly: true });
  const version = (): unknown => db.query("PRAGMA data_version").get();
  const before = version();
  expect(rebuild(data)).toMatchObject({ differing: 0, faulty: 0, wasGone: false });
  expect(version()).toEqual(before);
  db.close(true);
});

describe("a planted difference", () => {
  const PLANTED: readonly (readonly [string, string, readonly Partial<Difference>[]])[] = [
    [
      "a state",
      "UPDATE workflow_runs SET state = 'failed' WHERE id = 1",
      [{ run: 1, column: "state", table: "failed", log: "completed" }],
    ],
    [
      "an output",
      "UPDATE workflow_runs SET output = NULL WHERE id = 1",
      [{ run: 1, column: "output", table: null, log: '{"done":true}' }],
    ],
    [
      "an attempt of a live run",
      "UPDATE workflow_runs SET attempt = 7 WHERE id = 2",
      [{ run: 2, column: "attempt", table: 7, log: 1 }],
    ],
    [
      "a column only the kernel knows",
      "UPDATE workflow_runs SET last_log_id = 1 WHERE id = 2",
      [{ run: 2, column: "last_log_id", table: 1 }],
    ],
    [
      "a row that is gone",
      "DELETE FROM workflow_runs WHERE id = 3",
      [{ run: 3, column: "row", table: null, log: "queued" }],
    ],
    [
      "a row nobody queued",
      "INSERT INTO workflow_runs (id, workflow, state, queued_at, trace, last_log_id, first_log_id) VALUES (9, 'x', 'running', 1, '', 5, 99)",
      [{ run: 9, column: "row", table: "running", log: null }],
    ],
    [
      "ids that would be given again",
      "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'workflow_runs'",
      [{ run: 3, column: "sqlite_sequence", table: 1, log: 3 }],
    ],
    [
      "two rows with each other's decisions",
      "UPDATE workflow_runs SET decision = 'signal:' || (5 - signal_id), reflex = id WHERE id IN (2, 3); UPDATE workflow_runs SET reflex = 'r' WHERE id IN (2, 3)",
      [
        { run: 2, column: "decision", table: "signal:3", log: "signal:2" },
        { run: 3, column: "decision", table: "signal:2", log: "signal:3" },
      ],
    ],
    [
      "an ended run's decision given to a live one",
      "UPDATE workflow_runs SET decision = 'signal:7' WHERE id = 1; UPDATE workflow_runs SET decision = 'signal:1' WHERE id = 2",
      [
        { run: 1, column: "decision", table: "signal:7", log: "signal:1" },
        { run: 2, column: "decision", table: "signal:1", log: "signal:2" },
      ],
    ],
  ];
  for (const [what, sql, expected] of PLANTED) {
    test(`${what} is reported with both values, and put right`, () => {
      const { data, good } = threeRuns();
      tamper(data, ...sql.split("; "));
      const bad = rows(data);
      const found = check(data);
      expect(found.differences.toSorted((a, b) => a.run - b.run)).toMatchObject(expected);
      expect(found.differences).toHaveLength(expected.length);
      expect(rows(data)).toEqual(bad);
      expect(rebuild(data).faulty).toBe(0);
      expect(rows(data)).toEqual(good);
      expect(sequence(data)).toBeGreaterThanOrEqual(3);
      expect(check(data)).toMatchObject({ differing: 0, faulty: 0 });
    });
  }

  test("of every row at once is put right, and the list of them is bounded", () => {
    const { data, good } = history(7, 3_000);
    tamper(
      data,
      "UPDATE workflow_runs SET error = 'planted', attempt = attempt + 1 WHERE id % 2 = 0",
      "DELETE FROM workflow_runs WHERE id % 2 = 1",
    );
    const found = check(data);
    expect(found.differing).toBe(good.length);
    expect(found.differences).toHaveLength(100);
    rebuild(data);
    expect(rows(data)).toEqual(good);
  });
});

describe("a table that is gone", () => {
  test("is no equal one, and a rebuild makes it anew", () => {
    const { data, good } = history(3, 500);
    tamper(data, "DROP TABLE workflow_runs");
    expect(check(data).wasGone).toBe(true);
    expect(rebuild(data)).toMatchObject({ wasGone: true, runs: good.length, faulty: 0 });
    expect(rows(data)).toEqual(good);
  });

  test("row by row is made anew at start, too, and says so once", () => {
    const { data, good } = threeRuns();
    tamper(data, "DELETE FROM workflow_runs");
    for (let start = 0; start < 2; start++) open(data).close();
    expect(rows(data)).toEqual(good);
    const store = open(data);
    expect(store.logs.list({ ...ALL_LOGS, sources: ["kernel"] }).map(({ message }) => message)).toEqual([
      "the table of runs was empty: 3 runs derived from the logs",
    ]);
    store.close();
  });

  test("is made anew at start with its indexes, says so, and ids go on above every one a log names", () => {
    const { data, good } = threeRuns();
    const store = open(data);
    const row = {
      at: NOW,
      level: "info",
      source: "workflow:page",
      event: "output",
      trace: null,
      message: "",
      data: null,
    } as const;
    store.commit(() => store.logs.append({ ...row, run: 41 }));
    store.close();
    const indexes = (): unknown[] => {
      const db = new Database(storeFile(data), { readonly: true });
      try {
        return db.query("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").all();
      } finally {
        db.close(true);
      }
    };
    const schema = indexes();
    tamper(data, "DROP TABLE workflow_runs");
    expect(sequence(data)).toBeNull();
    const again = open(data);
    expect(again.runs.lastId()).toBe(41);
    const said = again.logs.list({
      after: 0,
      before: null,
      sources: ["kernel"],
      since: null,
      until: null,
      trace: null,
      level: "warn",
      limit: 9,
      newest: true,
    });
    expect(said.map(({ event, message }) => [event, message])).toEqual([
      ["runs.restored", "the table of runs was gone: 3 runs derived from the logs"],
    ]);
    again.close();
    expect(rows(data)).toEqual(good);
    expect(indexes()).toEqual(schema);
    expect(check(data)).toMatchObject({ differing: 0, wasGone: false });
  });
});

describe("a history that cannot be", () => {
  const LOG = "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES";
  const row = (event: string, run: number, data: string): string =>
    `${LOG} (${NOW}, 'info', 'workflow:page', '${event}', ${run}, '${TRACE}', '', '${data}')`;
  const QUEUED =
    '{"input":1,"trigger":{"id":null,"sense":null,"at":null,"reflex":null},"retry_of":null,"from_step":null}';
  const CASES: readonly (readonly [string, string, number, string])[] = [
    [
      "an event after the ending",
      row("run.started", 1, '{"attempt":2,"code":""}'),
      1,
      "log 7: run.started of run 1, which is over",
    ],
    [
      "a second ending",
      row("run.failed", 1, '{"error":"x","stack":null,"steps":[]}'),
      1,
      "log 7: run.failed of run 1, which is over",
    ],
    ["a run that is queued twice", row("run.queued", 2, QUEUED), 2, "log 7: run 2 was queued before"],
    [
      "an event of a run that was never queued",
      row("run.started", 8, '{"attempt":1,"code":""}'),
      8,
      "log 7: run.started of run 8, which was not queued",
    ],
    ["data that is no JSON", row("run.sleeping", 2, "{"), 2, "log 7: data of run.sleeping is no JSON"],
    ["data without what the event needs", row("run.started", 3, "{}"), 3, "log 7: data of run.started has no attempt"],
    ["an event there is not", row("nope", 2, "{}"), 2, 'log 7: event is "nope", which is no event of a run'],
    [
      "the end of a step that did not begin",
      row("step.completed", 2, '{"step":"a","nth":0,"attempt":1,"result":1,"duration_ms":1}'),
      2,
      'log 7: step.completed of run 2, step "a", number 0 of that name, whose try 1 did not begin',
    ],
  ];
  for (const [what, sql, run, message] of CASES) {
    test(`${what} is told with its log, and costs no other run anything`, () => {
      const { data, good } = threeRuns();
      tamper(
        data,
        sql,
        row("run.completed", run, '{"output":null,"ran_ms":1}'),
        `UPDATE workflow_runs SET state = 'x' WHERE id <> ${run}`,
      );
      const found = check(data);
      expect(found).toMatchObject({ faulty: 1, faults: [{ run, log: 7 }], differing: run > 3 ? 4 : 2 });
      expect(found.faults[0]?.message).toStartWith(message);
      expect(rebuild(data).faults).toEqual(found.faults);
      expect(rows(data)).toEqual(good);
    });
  }

  test("two runs of one decision are a fault, and the first has the row", () => {
    const { data, good } = threeRuns();
    tamper(
      data,
      row(
        "run.queued",
        4,
        '{"input":1,"trigger":{"id":1,"sense":"a","at":1,"reflex":"r"},"retry_of":null,"from_step":null}',
      ),
    );
    const found = rebuild(data);
    expect(found.faults).toEqual([
      { run: 4, log: 7, message: "log 7: run 4 is of reflex r for signal:1, as run 1 is" },
    ]);
    expect(rows(data)).toEqual(good);
  });
});

test("runs whose first log retention has removed are not in it, and what is left of their logs is no fault", () => {
  const { data, good } = threeRuns();
  // The logs are 1 to 3 for the queueing, then 4 to 6: run 2 keeps only its start.
  tamper(data, "DELETE FROM logs WHERE id <= 2");
  expect(check(data)).toMatchObject({ runs: 1, differing: 2, faulty: 0 });
  tamper(data, "DELETE FROM workflow_runs WHERE id <= 2");
  expect(check(data)).toMatchObject({ runs: 1, differing: 0, faulty: 0 });
  tamper(data, "DROP TABLE workflow_runs");
  rebuild(data);
  expect(rows(data)).toEqual(good.slice(2));
  expect(sequence(data)).toBe(3);
});

describe("with an archive", () => {
  /** The older half of the logs in one file, the younger in the table. */
  /** The first `count` logs in as many files of `each`; `file`: the last. */
  async function archived(count = 500, each = count): Promise<{ data: string; good: unknown[]; file: string }> {
    const { data, good } = history(21, 4 * count);
    const store = open(data);
    const folder = archiveFolder(data);
    mkdirSync(folder, { mode: 0o700 });
    let file = "";
    for (let after = 0; after < count; after += each) {
      file = freeName(folder, "2023-11-14", () => false);
      const writer = await createArchiveFile(SYSTEM_FILES, folder, file);
      await writer.append(store.archive.logsAfter(after, each));
      const sha256 = await writer.finish();
      const { bytes } = writer;
      const ids = { first_id: after + 1, last_id: after + each, after_id: after };
      store.commit(() => store.archive.add({ file, sha256, day: "2023-11-14", ...ids, rows: each, bytes, at: NOW }));
    }
    store.commit(() => store.archive.removeLogs(count, count));
    store.close();
    return { data, good, file: join(folder, file) };
  }

  test("histories are read through both, by a check, a rebuild and a start without the table", async () => {
    const { data, good } = await archived();
    expect(check(data)).toMatchObject({ runs: good.length, differing: 0, faulty: 0 });
    tamper(data, "UPDATE workflow_runs SET input = 'x'");
    expect(rebuild(data).differing).toBe(good.length);
    expect(rows(data)).toEqual(good);
    tamper(data, "DROP TABLE workflow_runs");
    open(data).close();
    expect(rows(data)).toEqual(good);
  });

  test("a row of the table `archive` that is lost is a problem that names what is, and changes nothing", async () => {
    const { data } = await archived(3_000, 1_000);
    const before = rows(data);
    for (const lost of ["", ".2", ".3"]) {
      tamper(
        data,
        "CREATE TABLE kept AS SELECT * FROM archive",
        `DELETE FROM archive WHERE file LIKE '%-14${lost}.jsonl'`,
      );
      for (const result of [checkStore(data), rebuildStore(data, "normal", NOW)]) {
        expect(result).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
        if (!result.ok) expect(result.error.message).toMatch(/has logs [12]?0*1 to [123]000, but no row/);
      }
      expect(rows(data)).toEqual(before);
      tamper(data, "DELETE FROM archive", "INSERT INTO archive SELECT * FROM kept", "DROP TABLE kept");
    }
    expect(check(data).differing).toBe(0);
  });

  test("a damaged file is a problem that names it, and changes nothing, however much before it is wrong", async () => {
    const { data, file } = await archived(6_000, 3_000);
    chmodSync(file, 0o600);
    appendFileSync(file, "{}\n");
    tamper(data, "UPDATE workflow_runs SET input = 'x'");
    const before = rows(data);
    for (const result of [checkStore(data), rebuildStore(data, "normal", NOW)]) {
      expect(result).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
      if (!result.ok) expect(result.error.message).toContain(file);
    }
    expect(rows(data)).toEqual(before);
    tamper(data, "DROP TABLE workflow_runs");
    expect(openStore(data, "normal", "boot-1", NOW)).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
    unlinkSync(file);
    expect(openStore(data, "normal", "boot-1", NOW)).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
  });
});

test("while a kernel writes, a rebuild ends with what the kernel's own logs say", async () => {
  const data = newFolder();
  const store = open(data);
  const writer = runWriter(store);
  writeRandomHistory(store, writer, 11, 2_000, NOW);
  tamper(data, "UPDATE workflow_runs SET attempt = 99");
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/../fixtures/store/rebuild-again.ts`, data], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let ended = false;
  child.exited.then(() => {
    ended = true;
  });
  for (let round = 0; !ended; round++) {
    writeRandomHistory(store, writer, 1_000 + round, 10, NOW + 10_000 + round * 10);
    tamper(data, `UPDATE workflow_runs SET attempt = 99 WHERE id = (SELECT max(id) - ${round % 5} FROM workflow_runs)`);
    await Bun.sleep(1);
  }
  expect(await child.exited).toBe(0);
  expect(Number(await new Response(child.stdout).text())).toBeGreaterThan(0);
  // The last round's planted difference may have come after the last rebuild.
  rebuild(data);
  expect(check(data)).toMatchObject({ differing: 0, faulty: 0 });
  for (const run of writer.alive()) expect(store.runs.byId(run.id)).toEqual(run);
  store.close();
});

test("by hand and by reflex, several alive at once, an empty history: all are equal from the start", () => {
  const data = newFolder();
  const store = open(data);
  expect(check(data)).toMatchObject({ runs: 0, events: 0, differing: 0 });
  const writer = runWriter(store);
  writer.queue({ workflow: "page", at: NOW, trace: TRACE, input: null, trigger: BY_HAND, retry_of: null });
  expect(check(data)).toMatchObject({ runs: 1, events: 1, differing: 0 });
  store.close();
});
