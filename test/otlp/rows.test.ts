/** What is read from logs.db, in bounded slices. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MOST_ROWS, Rows } from "../../src/otlp/rows.ts";

const MIGRATIONS = join(import.meta.dir, "../../migrations");
const TRACE = "0123456789abcdef0123456789abcdef";

class Site implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "nerve-otlp-"));
  readonly db = new Database(join(this.#folder, "logs.db"), { create: true, strict: true });
  readonly rows: Rows;

  constructor() {
    this.db.run("PRAGMA journal_mode = WAL");
    for (const name of readdirSync(MIGRATIONS).sort()) this.db.run(readFileSync(join(MIGRATIONS, name), "utf8"));
    const opened = Rows.open(this.#folder);
    if (!opened.ok) throw new Error(opened.error.message);
    this.rows = opened.value;
  }

  signals(count: number, sense: string, payload = "1", origin: string | null = null): this {
    const insert = this.db.prepare("INSERT INTO signals (sense, at, payload, trace, origin) VALUES (?, 1, ?, ?, ?)");
    this.db.transaction(() => {
      for (let n = 0; n < count; n++) insert.run(sense, payload, TRACE, origin);
    })();
    return this;
  }

  log(level: string, event: string, run: number | null = null, trace: string | null = TRACE): this {
    this.db.run(
      "INSERT INTO logs (at, level, source, event, run, trace, message) VALUES (2, ?, 'workflow:job', ?, ?, ?, 'm')",
      [level, event, run, trace],
    );
    return this;
  }

  [Symbol.dispose](): void {
    this.db.close();
    rmSync(this.#folder, { recursive: true });
  }
}

const ids = ({ rows }: { readonly rows: readonly { readonly id: number }[] }): number[] => rows.map(({ id }) => id);

test("only signals that this host made, of senses that are named, are read", () => {
  using site = new Site()
    .signals(1, "load")
    .signals(1, "disk-root")
    .signals(1, "load", "1", "web2")
    .signals(1, "other");
  expect(ids(site.rows.signals(0, MOST_ROWS, ["load", "disk-*"]))).toEqual([1, 2]);
  expect(site.rows.signals(0, MOST_ROWS, ["load"])).toMatchObject({ upto: 4, lost: 0, isFull: false });
  expect(ids(site.rows.signals(1, MOST_ROWS, ["*"]))).toEqual([2, 4]);
  expect(site.rows.signals(4, MOST_ROWS, ["*"])).toEqual({ rows: [], upto: 4, lost: 0, isFull: false });
});

test("a slice is bounded by its rows and by its bytes, and one large row is a slice", () => {
  using site = new Site().signals(5, "load");
  expect(site.rows.signals(1, 2, ["load"])).toMatchObject({ upto: 3, isFull: true });
  site.signals(2, "load", JSON.stringify("x".repeat(600_000)));
  expect(site.rows.signals(0, MOST_ROWS, ["load"])).toMatchObject({ upto: 5, isFull: true });
  expect(ids(site.rows.signals(5, MOST_ROWS, ["load"]))).toEqual([6]);
  expect(site.rows.signals(6, MOST_ROWS, ["load"])).toMatchObject({ upto: 7, isFull: false });
});

test("what retention removed before it was read is counted", () => {
  using site = new Site().signals(10, "load");
  site.db.run("DELETE FROM signals WHERE id <= 6");
  expect(site.rows.signals(2, MOST_ROWS, ["load"])).toMatchObject({ upto: 10, lost: 4 });
  expect(site.rows.signals(6, MOST_ROWS, ["load"])).toMatchObject({ lost: 0 });
  site.db.run("DELETE FROM signals");
  expect(site.rows.signals(2, MOST_ROWS, ["load"])).toEqual({ rows: [], upto: 10, lost: 8, isFull: false });
  expect(site.rows.signals(10, MOST_ROWS, ["load"])).toEqual({ rows: [], upto: 10, lost: 0, isFull: false });
});

test("logs are read from their level on, and ends of runs and steps with their run", () => {
  using site = new Site().log("debug", "a").log("warn", "b").log("error", "c");
  expect(ids(site.rows.logs(0, MOST_ROWS, "warn"))).toEqual([2, 3]);
  expect(ids(site.rows.logs(0, MOST_ROWS, "debug"))).toEqual([1, 2, 3]);
  site.log("info", "step.completed", 1).log("info", "step.started", 1).log("info", "run.completed", 1);
  site.log("warn", "run.dropped", 7).log("warn", "run.dropped", 7, null);
  site.db.run(
    `INSERT INTO workflow_runs (id, workflow, state, queued_at, started_at, trace, last_log_id, attempt)
     VALUES (1, 'named', 'completed', 5, 6, '${TRACE}', 6, 1)`,
  );
  const { rows, upto } = site.rows.ended(0, MOST_ROWS);
  expect(upto).toBe(8);
  expect(rows).toMatchObject([
    { id: 4, event: "step.completed", workflow: "named", begunAt: 6 },
    { id: 6, event: "run.completed", workflow: "named", attempt: 1 },
    { id: 7, event: "run.dropped", workflow: "job", begunAt: null, attempt: null },
  ]);
});
