/** `nerve archive`, and reading through it, with the executable: with a daemon, without one, and with a clock that jumps. */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Log } from "../../src/model/log.ts";
import { DAY_MS, everyLog, logAt } from "../helpers/archive.ts";
import { type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = "senses: { pulse: {} }\nretention: { logs: 10d, signals: 10d }\n";
const COUNT = 60;

/** Logs of three days, twenty days ago, written into a store no daemon has open; as they lie there. */
async function withOldLogs(folder: Project, environment: Record<string, string> = {}): Promise<Log[]> {
  await (await startNerve(folder.path, { environment })).stop();
  const db = new Database(join(folder.path, "data/logs.db"));
  const insert = db.prepare(
    "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const first = Math.floor(Date.now() / DAY_MS - 20) * DAY_MS;
  db.transaction(() => {
    db.run("DELETE FROM logs");
    for (let n = 0; n < COUNT; n++) {
      const log = logAt(first + Math.floor((n * 3 * DAY_MS) / COUNT), { data: n % 2 === 0 ? null : `{"n":${n}}` });
      const { at, level, source, event, run, trace, message, data } = log;
      insert.run(at, level, source, event, run, trace, message, data);
    }
    for (let n = 0; n < 5; n++)
      db.run("INSERT INTO signals (sense, at, payload, trace) VALUES ('pulse', ?, '1', '')", [first + n]);
  })();
  const rows = db.query<Log, []>("SELECT * FROM logs ORDER BY id").all();
  db.close(true);
  return rows;
}

const lines = (text: string): unknown[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
const json = (row: Log) => ({ ...row, data: row.data === null ? null : JSON.parse(row.data) });

test.each([true, false])("what is old moves when asked to, and is read as before (with a daemon: %p)", async (isUp) => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  const rows = await withOldLogs(folder);
  const nerve = isUp ? await startNerve(folder.path) : null;
  const said = (...args: string[]) => runNerve(folder.path, args);
  try {
    const listed = await said("logs", "--after", "0", "--limit", `${COUNT}`, "--json");
    expect(lines(listed.stdout)).toEqual(rows.map(json));

    const ran = await said("archive", "run", "--json");
    expect({ ...ran, stdout: lines(ran.stdout) }).toEqual({
      code: 0,
      stderr: "",
      stdout: [{ files: 3, rows: COUNT, removed_files: 0, signals: 5 }],
    });
    expect(readdirSync(join(folder.path, "data/archive"))).toHaveLength(3);
    expect(everyLog(join(folder.path, "data")).slice(0, COUNT)).toEqual(rows);

    expect((await said("logs", "--after", "0", "--limit", `${COUNT}`, "--json")).stdout).toBe(listed.stdout);
    const newest = lines((await said("logs", "--limit", "1000", "--json")).stdout) as Log[];
    expect(newest.slice(0, COUNT)).toEqual(rows.map(json) as never);
    const [one] = rows.slice(33);
    const shown = await said("show", (one?.trace ?? "").slice(0, 20), "--json");
    expect(lines(shown.stdout)).toMatchObject([{ trace: one?.trace, logs: [{ id: one?.id }] }]);
    const since = await said("logs", "--since", "15d", "--json");
    expect((lines(since.stdout) as Log[]).every(({ id }) => id > (rows.at(-1)?.id ?? 0))).toBe(true);

    const files = lines((await said("archive", "ls", "--json")).stdout) as { file: string; rows: number }[];
    expect(Object.keys(files[0] ?? {})).toEqual([
      "file",
      "day",
      "first_id",
      "last_id",
      "rows",
      "bytes",
      "sha256",
      "at",
    ]);
    expect(files.map((file) => file.rows)).toEqual([20, 20, 20]);
    const verified = await said("archive", "verify", "--json");
    expect(verified.code).toBe(0);
    expect(lines(verified.stdout)).toEqual([
      { files: 3, rows: COUNT, archived_up_to: rows.at(-1)?.id ?? 0, damaged: [] },
    ]);
    expect(await said("archive", "run")).toMatchObject({
      code: 0,
      stdout: "no logs are old enough to move; 0 signals removed\n",
    });
    expect(statSync(join(folder.path, "data/archive")).mode & 0o777).toBe(0o700);
  } finally {
    await nerve?.stop();
  }
});

test("verify ends with 1 and names every file that is damaged, missing or nobody's; a list stops there and says why", async () => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  const rows = await withOldLogs(folder);
  await runNerve(folder.path, ["archive", "run"]);
  const archive = join(folder.path, "data/archive");
  const [first = "", second = "", third = ""] = readdirSync(archive).sort();
  const path = join(archive, second);
  writeFileSync(path, readFileSync(path, "utf8").replace('"event":"test"', '"event":"TEST"'));
  rmSync(join(archive, third));
  writeFileSync(join(archive, "notes.txt"), "");
  // A stop may leave one that was not finished: its logs are in the table.
  writeFileSync(join(archive, "2020-01-01.jsonl.tmp"), "half a line");
  const verified = await runNerve(folder.path, ["archive", "verify"]);
  expect(verified.code).toBe(1);
  expect(verified.stderr).toContain(`${path} was tampered with`);
  expect(verified.stderr).toContain(`${join(archive, third)} is missing`);
  expect(verified.stderr).toContain(`${join(archive, "notes.txt")} is in no row`);
  expect(verified.stderr).not.toContain(first);
  expect(verified.stderr).not.toContain(".tmp");

  const listed = await runNerve(folder.path, ["logs", "--after", "0", "--json"]);
  expect(listed.code).toBe(1);
  expect(JSON.parse(listed.stderr).error).toMatchObject({ kind: "archive-damaged", file: path });
  expect(JSON.parse(listed.stderr).error.hint).toContain(`nerve logs --after ${rows[39]?.id}`);
  expect(lines(listed.stdout)).toEqual(rows.slice(0, 20).map(json));
  const last = rows.at(-1)?.id ?? 0;
  const above = await runNerve(folder.path, ["logs", "--after", String(last), "--json"]);
  expect(above.code).toBe(0);
  // What can be read from the newest down is shown, and then why no more.
  const newest = await runNerve(folder.path, ["logs", "--limit", "1000", "--json"]);
  expect(newest).toMatchObject({ code: 1, stdout: above.stdout });
  expect(JSON.parse(newest.stderr).error).toMatchObject({ kind: "archive-damaged", file: join(archive, third) });
  expect(await runNerve(folder.path, ["logs", "--since", "1h", "--json"])).toMatchObject({ code: 0, stderr: "" });

  await using nerve = await startNerve(folder.path);
  const named = (event: string) => nerve.logs({ event }).map(({ data }) => data.file);
  await until("both damages are logged", () => named("archive.damaged").length === 2);
  expect(named("archive.damaged").sort()).toEqual([second, third].sort());
  expect(named("archive.stray")).toEqual(["notes.txt"]);
});

test("logs somebody had deleted before they were archived are no gap, a file that is gone with its row is one", async () => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  const rows = await withOldLogs(folder);
  const file = join(folder.path, "data/logs.db");
  const sql = (text: string): void => {
    const db = new Database(file);
    db.run(text);
    db.close(true);
  };
  const [first = 0, last = 0] = [rows[0]?.id, rows.at(-1)?.id];
  sql(`DELETE FROM logs WHERE id BETWEEN ${first + 15} AND ${first + 25}`);
  await runNerve(folder.path, ["archive", "run"]);
  // What the command said of it is young, and in the way of what is inserted now.
  sql(`DELETE FROM logs WHERE id > ${last}`);
  sql(`INSERT INTO logs (at, level, source, event, message) VALUES (${rows.at(-1)?.at}, 'info', 'kernel', 'test', '')`);
  await runNerve(folder.path, ["archive", "run"]);
  const names = readdirSync(join(folder.path, "data/archive")).sort();
  expect(names).toHaveLength(4);
  const verify = () => runNerve(folder.path, ["archive", "verify"]);
  expect(await verify()).toEqual({ code: 0, stderr: "", stdout: "4 files with 50 logs: whole\n" });

  const second = names[1] ?? "";
  rmSync(join(folder.path, "data/archive", second));
  sql(`DELETE FROM archive WHERE file = '${second}'`);
  const found = await verify();
  expect(found.code).toBe(1);
  expect(found.stderr).toContain(`follows log ${first + 39}, but ${names[0]}, the one before it, ends with`);
});

test("one call moves what is old and removes what is older than the archive keeps, and tells both", async () => {
  using folder = project({ "nerve.yaml": CONFIG.replace("10d }", "10d, archive: 18d }") }, { pulse: "e2e/pulse" });
  await withOldLogs(folder);
  const ran = await runNerve(folder.path, ["archive", "run"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(ran.stdout).toBe(`${COUNT} logs moved to 3 files; 2 archive files removed; 5 signals removed\n`);
  expect(readdirSync(join(folder.path, "data/archive"))).toHaveLength(1);
  expect((await runNerve(folder.path, ["archive", "verify"])).code).toBe(0);
});

test("a file of a newer logs.db beside an older one is told with what to do, by verify and by a start", async () => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  const rows = await withOldLogs(folder);
  const db = new Database(join(folder.path, "data/logs.db"));
  db.run(`VACUUM INTO '${join(folder.path, "older.db")}'`);
  db.run(
    `INSERT INTO logs (at, level, source, event, message) VALUES (${(rows[0]?.at ?? 0) + 5 * DAY_MS}, 'info', '', '', '')`,
  );
  db.close(true);
  await runNerve(folder.path, ["archive", "run"]);
  const archive = join(folder.path, "data/archive");
  const newest = readdirSync(archive).sort().at(-1) ?? "";
  for (const name of ["logs.db", "logs.db-wal", "logs.db-shm"])
    rmSync(join(folder.path, "data", name), { force: true });
  renameSync(join(folder.path, "older.db"), join(folder.path, "data/logs.db"));
  const verified = await runNerve(folder.path, ["archive", "verify"]);
  expect(verified.code).toBe(1);
  // Of the others every log is in the table still: the next start removes them.
  expect(verified.stderr.match(/error: .*/g)).toHaveLength(1);
  expect(verified.stderr).toContain(`${join(archive, newest)} is in no row`);
  expect(verified.stderr).toContain("put back from an older copy perhaps");
  expect(verified.stderr).toContain("hint: nothing reads it: move it out of data/archive");
  await using nerve = await startNerve(folder.path);
  expect(nerve.logs({ event: "archive.stray" }).map(({ level, data }) => [level, data.file])).toEqual([
    ["warn", newest],
  ]);
  expect(nerve.logs({ event: "archive.damaged" })).toEqual([]);
  expect(readdirSync(archive)).toEqual([newest]);
});

test("what is not asked for as it should be is refused", async () => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  expect(await runNerve(folder.path, ["archive"])).toMatchObject({ code: 2 });
  const wrong = await runNerve(folder.path, ["archive", "verfy"]);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain("did you mean `verify`?");
  expect(await runNerve(folder.path, ["archive", "run"])).toMatchObject({ code: 3 });
  expect(existsSync(join(folder.path, "data"))).toBe(false);
});

const FAKETIME = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""]
  .map((where) => `/usr/lib/${where}faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file));

test.skipIf(FAKETIME === undefined)(
  "a clock that jumps 31 days ahead and back moves and removes nothing that is young",
  async () => {
    using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
    const clock = (offset: string): void => void folder.write("clock", `${offset}\n`);
    clock("+0");
    const environment = {
      LD_PRELOAD: FAKETIME ?? "",
      FAKETIME_TIMESTAMP_FILE: `${folder.path}/clock`,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
    const old = await withOldLogs(folder, environment);
    await using nerve = await startNerve(folder.path, { environment });
    const stepped = (times: number) =>
      until(`the clock's step ${times} is noticed`, () => nerve.logs({ event: "clock.stepped" }).length === times);
    const trigger = async (): Promise<void> => {
      const before = nerve.signals("pulse").length;
      await nerve.post("/trigger", { name: "pulse" });
      await until("another pulse is committed", () => nerve.signals("pulse").length > before);
    };
    await trigger();
    clock("+31d");
    await stepped(1);
    await trigger();
    clock("+0");
    await stepped(2);
    const [last] = nerve.logs().slice(-1);
    expect(readdirSync(join(nerve.data, "archive"))).toEqual([]);
    expect(nerve.signals("pulse")).toHaveLength(5 + 2);
    // Asked for, it goes by the clock there is: the row of the other month is in nobody's way, and no young one goes.
    const ran = await nerve.post("/archive");
    expect(ran.body).toMatchObject({ rows: COUNT, signals: 5 });
    const found = everyLog(nerve.data);
    expect(found.slice(0, COUNT)).toEqual(old);
    expect(found.map(({ id }) => id)).toContain(last?.id ?? 0);
    expect(nerve.signals("pulse")).toHaveLength(2);
  },
);

test("a line appended to a file while the daemon runs is found by whoever reads it", async () => {
  using folder = project({ "nerve.yaml": CONFIG }, { pulse: "e2e/pulse" });
  await withOldLogs(folder);
  await using nerve = await startNerve(folder.path);
  await nerve.post("/archive");
  const [first = ""] = readdirSync(join(nerve.data, "archive")).sort();
  appendFileSync(join(nerve.data, "archive", first), "{}\n");
  const listed = await runNerve(folder.path, ["logs", "--after", "0"]);
  expect(listed).toMatchObject({ code: 1 });
  expect(listed.stderr).toContain(first);
});
