/** Which logs move to the archive and when, what a start puts right, and the end of files. */

import { Database } from "bun:sqlite";
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { Retention } from "../../../src/kernel/upkeep/retention.ts";
import { lineOf } from "../../../src/store/archive-writer.ts";
import { refuse } from "../../../src/store/damage.ts";
import { openStoreReader } from "../../../src/store/open-reader.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { verifyArchive } from "../../../src/store/verify-archive.ts";
import {
  ALL_LOGS,
  type ArchiveBench,
  archiveBench,
  DAY_MS,
  everyLog,
  june,
  logAt,
  NOW,
  seenOutside,
} from "../../helpers/archive.ts";
import { until } from "../../helpers/until.ts";
import { REAL_ALARM } from "../../helpers/world.ts";

setDefaultTimeout(120_000);

const ids = (bench: ArchiveBench): number[] => everyLog(bench.data).map(({ id }) => id);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);
const damaged = ({ said }: ArchiveBench): string[] =>
  said.filter(({ event }) => event === "archive.damaged").map(({ message }) => message);

const strays = ({ said }: ArchiveBench): string[] =>
  said.filter(({ event }) => event === "archive.stray").map(({ message }) => message);

/** Every file's name and the ids in it. */
const files = ({ data }: ArchiveBench): Record<string, number[]> => {
  const { known, rowsOf } = seenOutside(data);
  return Object.fromEntries(known.map((name) => [name, rowsOf(name).map(({ id }) => id)]));
};

describe("what moves", () => {
  test("is a prefix: the first row that is too young keeps what follows, however old that is", async () => {
    using bench = archiveBench();
    bench.fill([june(1), june(2), june(20), june(3)].map((at) => logAt(at)));
    expect(await bench.archive(june(10))).toEqual({ ok: true, value: { files: 2, rows: 2, removedFiles: 0 } });
    expect(files(bench)).toEqual({ "2025-06-01.jsonl": [1], "2025-06-02.jsonl": [2] });
    expect(
      seenOutside(bench.data)
        .table.slice(0, 2)
        .map(({ id }) => id),
    ).toEqual([3, 4]);
    expect(await bench.archive(june(10))).toEqual({ ok: true, value: { files: 0, rows: 0, removedFiles: 0 } });
  });

  test("passes what is stamped in the future, which is young in nobody's eyes", async () => {
    using bench = archiveBench();
    bench.fill([june(1), NOW + 400 * DAY_MS, june(1), NOW].map((at) => logAt(at)));
    expect(await bench.archive(june(10))).toEqual({ ok: true, value: { files: 3, rows: 3, removedFiles: 0 } });
    expect(files(bench)).toEqual({
      "2025-06-01.jsonl": [1],
      "2026-08-04.jsonl": [2],
      "2025-06-01.2.jsonl": [3],
    });
    expect(ids(bench)).toEqual(upTo(bench.store.logs.lastId()));
  });

  test("of one day later on goes into a file of its own, and no file changes", async () => {
    using bench = archiveBench();
    const hour = (n: number): number => june(1) + n * 3_600_000;
    bench.fill([0, 1, 2, 3, 4, 5].map((n) => logAt(hour(n))));
    const written: string[] = [];
    for (const n of [2, 4, 6]) {
      await bench.archive(hour(n));
      written.push(...readdirSync(bench.folder).map((name) => name + readFileSync(join(bench.folder, name), "utf8")));
    }
    expect(files(bench)).toEqual({
      "2025-06-01.jsonl": [1, 2],
      "2025-06-01.2.jsonl": [3, 4],
      "2025-06-01.3.jsonl": [5, 6],
    });
    expect(new Set(written).size).toBe(3);
  });

  test("fills several files where a day holds more than one may", async () => {
    using bench = archiveBench();
    const message = "x".repeat(60_000);
    bench.fill(Array.from({ length: 700 }, (_, n) => logAt(june(1) + n, { message })));
    const before = bench.store.logs.list(ALL_LOGS);
    expect(await bench.archive(june(10))).toMatchObject({ value: { files: 3, rows: 700 } });
    expect(everyLog(bench.data).slice(0, 700)).toEqual(before);
    for (const { bytes } of bench.store.archive.all()) expect(bytes).toBeLessThan(17 * 1024 * 1024);
  });

  test("is gone from the table afterwards, and the index of runs with it", async () => {
    using bench = archiveBench();
    bench.fill(Array.from({ length: 5_000 }, (_, n) => logAt(june(1) + n, { run: (n % 3) + 1 })));
    await bench.archive(june(10));
    expect(bench.store.archive.firstLogId()).toBe(5_001);
    expect(bench.store.history.ofRun(2, 1)).toHaveLength(1_667);
  });
});

describe("a start", () => {
  /** Stops between any two of the steps, made by hand. */
  async function halfWay(bench: ArchiveBench): Promise<void> {
    bench.fill(upTo(30).map((n) => logAt(june(1) + n)));
    const rows = bench.store.logs.list(ALL_LOGS);
    await bench.archive(june(10));
    const [file] = bench.store.archive.all();
    // As if the rows had not been deleted yet.
    bench.sql(
      rows
        .map(({ id, at, trace, message }) => `(${id}, ${at}, 'info', 'kernel', 'test', '${trace}', '${message}')`)
        .reduce(
          (sql, values, n) => `${sql}${n === 0 ? "" : ","} ${values}`,
          "INSERT INTO logs (id, at, level, source, event, trace, message) VALUES",
        ),
    );
    expect(file?.rows).toBe(30);
  }

  test("removes a file that was not finished", async () => {
    using bench = archiveBench();
    bench.fill([logAt(june(1))]);
    writeFileSync(join(bench.folder, "2025-06-01.jsonl.tmp"), '{"id":1');
    bench.again().recover();
    expect(readdirSync(bench.folder)).toEqual([]);
    expect(await bench.archive(june(10))).toMatchObject({ value: { rows: 1 } });
    expect(damaged(bench)).toEqual([]);
  });

  test("does a finished file again that is in no row, for its logs are in the table still", async () => {
    using bench = archiveBench();
    bench.fill(upTo(5).map((n) => logAt(june(1) + n)));
    const lines = bench.store.logs.list(ALL_LOGS).map(lineOf);
    writeFileSync(join(bench.folder, "2025-06-01.jsonl"), lines.slice(0, 3).join(""));
    bench.again().recover();
    expect(readdirSync(bench.folder)).toEqual([]);
    await bench.archive(june(10));
    expect(files(bench)).toEqual({ "2025-06-01.jsonl": [1, 2, 3, 4, 5] });
    expect(damaged(bench)).toEqual([]);
  });

  test("does so however its lines are written, and with one that ends in the middle of a line", async () => {
    using bench = archiveBench();
    bench.fill(upTo(5).map((n) => logAt(june(1) + n)));
    const lines = bench.store.logs
      .list(ALL_LOGS)
      .map(({ id, at, ...row }) => `${JSON.stringify({ ...row, at, id }).replaceAll('":', '": ')}\n`);
    writeFileSync(join(bench.folder, "2025-06-01.jsonl"), lines.join("").slice(0, -20));
    writeFileSync(join(bench.folder, "2025-06-02.jsonl"), 'null\n{"id":"1"}\n');
    bench.again().recover();
    expect(readdirSync(bench.folder)).toEqual(["2025-06-02.jsonl"]);
    expect(damaged(bench)).toEqual([]);
    expect(strays(bench)).toEqual([expect.stringMatching(/2025-06-02\.jsonl is in no row .*; move it out of data/)]);
  });

  test.each([
    "UPDATE archive SET rows = 'many'",
    "UPDATE archive SET last_id = last_id + 20 WHERE first_id = 1",
    "UPDATE archive SET sha256 = 'abc'",
  ])("goes on where a row of the table `archive` is damaged, names it and moves nothing: %s", async (sql) => {
    using bench = archiveBench();
    bench.fill([logAt(june(1)), logAt(june(2)), logAt(june(20))]);
    await bench.archive(june(10));
    const db = new Database(storeFile(bench.data));
    db.run(sql);
    db.close(true);
    bench.again().recover();
    expect(damaged(bench)).toEqual([expect.stringContaining("table archive, row")]);
    expect(await bench.archive(june(25))).toMatchObject({ ok: false });
    expect(readdirSync(bench.folder)).toHaveLength(2);
  });

  test("removes what is left of a file that could not be removed, while it goes on", async () => {
    using bench = archiveBench();
    bench.fill([logAt(june(1)), logAt(june(2))]);
    bench.again().recover();
    writeFileSync(join(bench.folder, "2025-06-01.jsonl.tmp"), '{"id":1');
    symlinkSync(join(bench.data, "elsewhere"), join(bench.folder, "2025-06-02.jsonl.tmp"));
    expect(await bench.archive(june(10))).toMatchObject({ ok: true, value: { files: 2, rows: 2 } });
    expect(readdirSync(bench.folder).sort()).toEqual(["2025-06-01.jsonl", "2025-06-02.jsonl"]);
    expect(existsSync(join(bench.data, "elsewhere"))).toBe(false);
  });

  test("touches no file whose logs are nowhere else, names it, and gives its name to no other", async () => {
    using bench = archiveBench();
    bench.fill([logAt(june(1))]);
    const foreign = lineOf({ ...logAt(june(1)), id: 1 } as never);
    writeFileSync(join(bench.folder, "2025-06-01.jsonl"), foreign);
    bench.again().recover();
    await bench.archive(june(10));
    expect(readFileSync(join(bench.folder, "2025-06-01.jsonl"), "utf8")).toBe(foreign);
    expect(files(bench)).toEqual({ "2025-06-01.2.jsonl": [1] });
    expect(damaged(bench)).toEqual([]);
    expect(strays(bench)).toEqual([expect.stringMatching(/2025-06-01\.jsonl is in no row .* holds log 1 that/)]);
  });

  test("deletes what is archived and in the table still; meanwhile it is seen once", async () => {
    using bench = archiveBench();
    await halfWay(bench);
    expect(seenOutside(bench.data).table.length).toBeGreaterThan(30);
    expect(ids(bench)).toEqual(upTo(bench.store.logs.lastId()));
    expect([...bench.store.history.scan(0)]).toEqual(everyLog(bench.data));
    bench.again().recover();
    await until("thirty logs are archived", () => (bench.store.archive.firstLogId() ?? 0) > 30);
    expect(ids(bench)).toEqual(upTo(bench.store.logs.lastId()));
    expect(damaged(bench)).toEqual([]);
  });

  test("deletes nothing that a damaged file should hold, and archives no further until it is whole", async () => {
    using bench = archiveBench();
    await halfWay(bench);
    const path = join(bench.folder, "2025-06-01.jsonl");
    const whole = readFileSync(path);
    truncateSync(path, whole.length - 1);
    bench.again().recover();
    bench.fill([logAt(june(2))]);
    const refused = await bench.archive(june(10));
    expect(refused).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
    expect(bench.store.archive.firstLogId()).toBe(1);
    expect(readdirSync(bench.folder)).toEqual(["2025-06-01.jsonl"]);
    expect(damaged(bench)).toEqual([expect.stringContaining(path)]);
    writeFileSync(path, whole);
    expect(await bench.archive(june(10))).toMatchObject({ ok: true });
    expect(bench.store.archive.firstLogId()).toBeGreaterThan(30);
  });

  test("deletes no log whose id was changed to one of the archive's, and names it, as readers do", async () => {
    using bench = archiveBench();
    bench.fill(upTo(30).map((n) => logAt(june(1) + n)));
    await bench.archive(june(10));
    bench.fill([logAt(june(20), { message: "moved" })]);
    const id = bench.store.logs.lastId();
    bench.sql(`UPDATE logs SET id = 7 WHERE id = ${id}`);
    const told = /row 7: .*2025-06-01.jsonl holds another log 7, so that no list has this one \("moved"\)/;
    expect(await bench.archive(june(10))).toMatchObject({
      ok: false,
      error: { kind: "archive-failed", message: expect.stringMatching(told) },
    });
    expect(seenOutside(bench.data).table[0]).toMatchObject({ id: 7, message: "moved" });
    const named: string[] = [];
    const reader = openStoreReader(bench.data, ({ message }) => void named.push(message));
    expect(reader.ok).toBeTrue();
    expect(named).toEqual([expect.stringMatching(told)]);
    if (reader.ok) reader.value.close();
  });

  test("does not matter to who verifies: each damaged row and each damaged file is named, and the others are read", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3, 4].map((day) => logAt(june(day))));
    await bench.archive(june(10));
    bench.sql("UPDATE archive SET bytes = 'x' WHERE file = '2025-06-01.jsonl'");
    bench.sql("UPDATE archive SET sha256 = '' WHERE file = '2025-06-03.jsonl'");
    truncateSync(join(bench.folder, "2025-06-02.jsonl"), 10);
    const reader = openStoreReader(bench.data, refuse);
    if (!reader.ok) throw new Error(reader.error.message);
    const { files, problems } = await verifyArchive(reader.value, bench.data);
    reader.value.close();
    expect(files.map(({ file }) => file)).toEqual(["2025-06-02.jsonl", "2025-06-04.jsonl"]);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/logs\.db table archive, row .*2025-06-01.*: bytes is the text "x"/),
      expect.stringMatching(/logs\.db table archive, row .*2025-06-03.*: sha256 is the text ""/),
      expect.stringMatching(/2025-06-02\.jsonl is truncated/),
    ]);
  });

  test("names every file that is missing or was changed, and archives on", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3, 4].map((day) => logAt(june(day))));
    await bench.archive(june(4) - DAY_MS / 2);
    unlinkSync(join(bench.folder, "2025-06-01.jsonl"));
    const path = join(bench.folder, "2025-06-03.jsonl");
    writeFileSync(path, readFileSync(path, "utf8").replace("info", "warn"));
    bench.again().recover();
    await until("both damages are logged", () => damaged(bench).length === 2);
    expect(damaged(bench)).toEqual([
      expect.stringMatching(/2025-06-01\.jsonl is missing$/),
      expect.stringMatching(/2025-06-03\.jsonl was tampered with/),
    ]);
    expect(await bench.archive(june(10))).toMatchObject({ ok: true, value: { rows: 1 } });
  });

  test("names files of a logs.db that knew more, with what to do, and makes no fault of them", async () => {
    using bench = archiveBench();
    bench.fill([1, 2].map((day) => logAt(june(day))));
    const ahead = upTo(3).map((n) => lineOf({ ...logAt(june(3)), id: 700 + n } as never));
    writeFileSync(join(bench.folder, "2025-06-03.jsonl"), ahead.join(""));
    bench.again().recover();
    expect(damaged(bench)).toEqual([]);
    expect(strays(bench)).toEqual([
      expect.stringMatching(
        /holds logs 701 to 703 that this logs\.db, put back from an older copy perhaps, does not have/,
      ),
    ]);
    expect(bench.said.find(({ event }) => event === "archive.stray")?.level).toBe("warn");
    expect(await bench.archive(june(10))).toMatchObject({ value: { files: 2, rows: 2 } });
  });

  test("deletes nothing that a lost row of the table `archive` told of, and names what is lost", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3].map((day) => logAt(june(day))));
    const rows = bench.store.logs.list(ALL_LOGS);
    await bench.archive(june(10));
    bench.sql("DELETE FROM archive WHERE file = '2025-06-02.jsonl'");
    // As after a stop before they were deleted.
    for (const { id, at, source, event, message, trace } of rows) {
      bench.sql(
        `INSERT INTO logs (id, at, level, source, event, message, trace) VALUES (${id}, ${at}, 'info', '${source}', '${event}', '${message}', '${trace}')`,
      );
    }
    bench.again().recover();
    const refused = await bench.archive(june(10));
    expect(refused).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
    expect(damaged(bench)).toEqual([expect.stringContaining("has log 2, but no row of the table `archive`")]);
    expect(strays(bench)).toEqual([expect.stringMatching(/2025-06-02\.jsonl .* holds log 2, and its row is lost/)]);
    expect(bench.store.archive.firstLogId()).toBe(2);
  });

  test("unlinks a file whose time had ended when that was cut short", async () => {
    using bench = archiveBench();
    bench.fill([1, 2].map((day) => logAt(june(day))));
    await bench.archive(june(10));
    const [first] = bench.store.archive.all();
    if (first === undefined) throw new Error("there is a file");
    bench.store.commit(() => bench.store.archive.forget(first));
    bench.again().recover();
    await until("nothing is to be forgotten any longer", () => bench.store.archive.forgotten() === null);
    expect(readdirSync(bench.folder)).toEqual(["2025-06-02.jsonl"]);
    expect(damaged(bench)).toEqual([]);
  });
});

describe("the end of files", () => {
  const insertRun = (
    bench: ArchiveBench,
    id: number,
    state: string,
    firstLogId: number,
    retryOf: number | null = null,
  ) =>
    bench.sql(
      `INSERT INTO workflow_runs (id, workflow, state, queued_at, trace, last_log_id, first_log_id, retry_of)
       VALUES (${id}, 'w', '${state}', 0, '', ${firstLogId}, ${firstLogId}, ${retryOf ?? "NULL"})`,
    );
  const runs = ({ data }: ArchiveBench): number[] => {
    const db = new Database(join(data, "logs.db"), { readonly: true });
    const found = db.query<{ id: number }, []>("SELECT id FROM workflow_runs ORDER BY id").all();
    db.close(true);
    return found.map(({ id }) => id);
  };
  const remove = (bench: ArchiveBench, before: number) => bench.archive(0, { archiveBefore: before });

  test("takes the oldest whose days are over, and the runs that begin in them", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3, 4].map((day) => logAt(june(day))));
    await bench.archive(june(10));
    for (const id of [1, 2, 3, 4]) insertRun(bench, id, "completed", id);
    await remove(bench, june(3));
    expect(Object.keys(files(bench))).toEqual(["2025-06-03.jsonl", "2025-06-04.jsonl"]);
    expect(readdirSync(bench.folder).sort()).toEqual(["2025-06-03.jsonl", "2025-06-04.jsonl"]);
    expect(runs(bench)).toEqual([3, 4]);
    expect(bench.store.archive.upTo()).toBe(4);
    expect([...bench.store.history.scan(0)][0]?.id).toBe(3);
  });

  test("is that of what was just moved, too, and is told", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3, 4].map((day) => logAt(june(day))));
    const done = await bench.archive(june(10), { archiveBefore: june(3) });
    expect(done).toEqual({ ok: true, value: { files: 4, rows: 4, removedFiles: 2 } });
    expect(readdirSync(bench.folder).sort()).toEqual(["2025-06-03.jsonl", "2025-06-04.jsonl"]);
    expect([...bench.store.history.scan(0)][0]?.id).toBe(3);
  });

  test("waits for a run that has not ended, and for what such a run retries", async () => {
    using bench = archiveBench();
    bench.fill([1, 2, 3, 4].map((day) => logAt(june(day))));
    await bench.archive(june(10));
    insertRun(bench, 1, "completed", 1);
    insertRun(bench, 2, "failed", 2);
    insertRun(bench, 3, "sleeping", 4, 2);
    await remove(bench, june(30));
    expect(Object.keys(files(bench))[0]).toBe("2025-06-02.jsonl");
    expect(runs(bench)).toEqual([2, 3]);
    bench.sql("UPDATE workflow_runs SET state = 'completed'");
    await remove(bench, june(30));
    expect(files(bench)).toEqual({});
    expect(existsSync(bench.folder) && readdirSync(bench.folder)).toEqual([]);
    expect(runs(bench)).toEqual([]);
  });

  test("does not believe a day in the future, but lets it go with an old one behind it", async () => {
    using bench = archiveBench();
    bench.fill([june(1), NOW + 90 * DAY_MS, june(2), NOW + 91 * DAY_MS].map((at) => logAt(at)));
    await bench.archive(june(10));
    expect(Object.keys(files(bench))).toHaveLength(4);
    await remove(bench, june(20));
    expect(Object.keys(files(bench))).toEqual(["2025-09-29.jsonl"]);
  });
});

describe("by itself", () => {
  const HOUR = 3_600_000;
  function setting(bench: ArchiveBench, logsMs: number) {
    const { clock, store, ledger } = bench;
    const ticker = new Ticker(clock, () => retention.clockStepped(), clock.alarm);
    const keep = { logsMs, signalsMs: 365 * DAY_MS, archiveMs: null };
    const retention: Retention = new Retention(
      { clock, ticker, alarm: REAL_ALARM, store, ledger, archiver: bench.archiver },
      keep,
    );
    ticker.start();
    retention.start();
    /** Minute by minute, with time for what each begins. */
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 60_000) {
        clock.pass(Math.min(left, 60_000));
        await new Promise(setImmediate);
      }
    };
    const passUntil = (what: string, condition: () => boolean): Promise<true> =>
      until(what, async () => {
        await pass(60_000);
        return condition();
      });
    return { retention, pass, passUntil };
  }

  test("nothing moves until the clocks have agreed for an hour; a clock that jumps begins the hour anew", async () => {
    using bench = archiveBench();
    const { pass, passUntil, retention } = setting(bench, 5 * DAY_MS);
    bench.fill([june(1), june(29)].map((at) => logAt(at)));
    await pass(HOUR - 60_000);
    bench.clock.step(31 * DAY_MS);
    await pass(HOUR - 120_000);
    bench.clock.step(-31 * DAY_MS);
    await pass(HOUR - 60_000);
    expect(readdirSync(bench.folder)).toEqual([]);
    await pass(10 * 60_000);
    await passUntil("the first log is archived", () => bench.store.archive.firstLogId() === 2);
    expect(files(bench)).toEqual({ "2025-06-01.jsonl": [1] });
    retention.stop();
  });

  test("logs go by whole days, each into one file, once the day is older than they are kept", async () => {
    using bench = archiveBench();
    const { pass, passUntil, retention } = setting(bench, 2 * DAY_MS);
    const every10Minutes = (day: number) => Array.from({ length: 144 }, (_, n) => Date.UTC(2025, 5, day) + n * 600_000);
    bench.fill([26, 27, 28, 29].flatMap(every10Minutes).map((at) => logAt(at)));
    await pass(13 * HOUR);
    await passUntil("three days are archived", () => bench.store.archive.firstLogId() === 3 * 144 + 1);
    expect(Object.entries(files(bench)).map(([name, held]) => [name, held.length])).toEqual([
      ["2025-06-26.jsonl", 144],
      ["2025-06-27.jsonl", 144],
      ["2025-06-28.jsonl", 144],
    ]);
    retention.stop();
  });

  test("asked to, it does all of it at once and to the millisecond", async () => {
    using bench = archiveBench();
    const { retention } = setting(bench, HOUR);
    bench.fill([NOW - HOUR - 1, NOW - HOUR + 60_000].map((at) => logAt(at)));
    const old = { sense: "a", at: NOW - 366 * DAY_MS, payload: "1", cause: null, trace: "" };
    bench.store.commit(() => [old, old, { ...old, at: NOW }].map((row) => bench.store.signals.append(row)));
    expect(await retention.now()).toEqual({ ok: true, value: { files: 1, rows: 1, removed_files: 0, signals: 2 } });
    retention.stop();
  });

  test("a folder that cannot be written is said, and nothing is lost", async () => {
    using bench = archiveBench();
    bench.fill([june(1), june(2)].map((at) => logAt(at)));
    renameSync(bench.folder, `${bench.folder}-away`);
    writeFileSync(bench.folder, "");
    expect(await bench.archive(june(10))).toMatchObject({ ok: false, error: { kind: "archive-failed" } });
    expect(bench.said.map(({ event }) => event)).toContain("archive.failed");
    unlinkSync(bench.folder);
    renameSync(`${bench.folder}-away`, bench.folder);
    expect(await bench.archive(june(10))).toMatchObject({ ok: true, value: { rows: 2 } });
  });
});
