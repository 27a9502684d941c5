/** The archive's files, and reading through the watermark: every log once, exactly as it was, wherever it lies (G8). */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { LOG_LEVELS, type Log } from "../../src/model/log.ts";
import { ArchiveDamaged } from "../../src/store/archive-damage.ts";
import { dayOf } from "../../src/store/archive-names.ts";
import { refuse } from "../../src/store/damage.ts";
import type { LogHistory } from "../../src/store/log-history.ts";
import type { LogFilter } from "../../src/store/logs.ts";
import { openStoreReader, type StoreReader } from "../../src/store/open-reader.ts";
import {
  ALL_LOGS,
  type ArchiveBench,
  archiveBench,
  DAY_MS,
  june,
  logAt,
  NOW,
  seenOutside,
} from "../helpers/archive.ts";

setDefaultTimeout(120_000);

const TRACES = ["0".repeat(32), "0123456789abcdef0123456789abcdef", `0123456789abcdef${"f".repeat(16)}`];
const TEXTS = [
  null,
  "null",
  '"a string"',
  '{"a":1.0,"b":1e3}',
  '{ "spaced" : [1, 2] }',
  `{"run":7,"trace":"${TRACES[1]}"}`,
  '"no object"',
  '{"deep":{"ünïcödé 🦉":"\\u2028"}}',
];
const MESSAGES = [
  "",
  "plain",
  'quoted "run":7, and "trace":"0123',
  "two\nlines\r\n\ttab",
  "nul \u0000 and \u2028",
  "🦉".repeat(50),
];

/** Logs of some days, of every kind, in which columns meet in many ways. */
const variety = (count: number): Omit<Log, "id">[] =>
  Array.from({ length: count }, (_, n) =>
    logAt(june(1) + Math.floor((n * 10 * DAY_MS) / count), {
      level: LOG_LEVELS[n % 4] ?? "info",
      source: ["kernel", "sense:a", "workflow:w"][n % 3] ?? "",
      run: n % 5 === 0 ? (n % 10) + 1 : null,
      trace: n % 7 === 0 ? null : (TRACES[n % 3] ?? null),
      message: MESSAGES[n % MESSAGES.length] ?? "",
      data: TEXTS[n % TEXTS.length] ?? null,
    }),
  );

const FILTERS: readonly Partial<LogFilter>[] = [
  {},
  { newest: true },
  { limit: 0 },
  { limit: 7 },
  { limit: 7, newest: true },
  { limit: 450, newest: true },
  { after: 333, limit: 100 },
  { after: 333, limit: 400, newest: true },
  { after: 5_000 },
  { level: "warn" },
  { level: "error", limit: 20, newest: true },
  { sources: ["sense:a", "workflow:w"] },
  { sources: ["nobody"] },
  { since: june(5) },
  { since: june(5), limit: 3 },
  { trace: TRACES[1] as string },
  { trace: TRACES[1] as string, after: 100, level: "info", limit: 11, newest: true },
  { trace: "f".repeat(32) },
];

/** What a filter lets pass, said once more. */
const matching =
  ({ after, since, trace, sources, level }: Omit<LogFilter, "limit" | "newest">) =>
  (row: Log): boolean =>
    row.id > after &&
    (since === null || row.at >= since) &&
    (trace === null || row.trace === trace) &&
    (sources.length === 0 || sources.includes(row.source)) &&
    (level === null || LOG_LEVELS.indexOf(row.level) >= LOG_LEVELS.indexOf(level));

const tracesIn = (history: LogHistory, prefix: string, after: number): string[] =>
  [...new Set(history.eachTrace(prefix, after))].filter((trace) => trace !== null).sort();

/** Everything that can be asked. */
const answers = (history: LogHistory) => ({
  pages: FILTERS.map((filter) => history.page({ ...ALL_LOGS, ...filter })),
  traces: [
    tracesIn(history, "0123456789", 0),
    tracesIn(history, "01", 300),
    tracesIn(history, "0", 10_000),
    tracesIn(history, "", 0),
  ],
  runs: [1, 6, 99].map((run) => history.ofRun(run, 1)),
  late: history.ofRun(1, 500),
  single: [0, 1, 2, 300, 800, 100_000].map((id) => history.byId(id)),
  scanned: [...history.scan(0)],
  rest: [...history.scan(640)],
});

const reader = (data: string): StoreReader => {
  const opened = openStoreReader(data, refuse);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
};

describe("read through the watermark", () => {
  test("every answer is the same, however much is archived", async () => {
    using bench = archiveBench();
    bench.fill(variety(800));
    const before = answers(bench.store.history);
    expect(before.pages).toEqual(FILTERS.map((filter) => bench.store.logs.list({ ...ALL_LOGS, ...filter })));
    expect(before.scanned).toEqual(bench.store.logs.list(ALL_LOGS));
    expect(before.runs.map((rows) => rows.length)).toEqual([80, 80, 0]);
    expect(before.single.map((row) => row?.id ?? null)).toEqual([null, 1, 2, 300, 800, null]);
    let archived = 0;
    for (const day of [2, 3, 7, 11]) {
      expect(await bench.archive(june(day))).toMatchObject({ ok: true });
      expect(bench.store.archive.upTo()).toBeGreaterThan(archived);
      archived = bench.store.archive.upTo();
      const now = answers(bench.store.history);
      // The archiver has logged what it did, behind all others.
      expect(now.scanned.slice(0, 800)).toEqual(before.scanned);
      for (const [index, filter] of FILTERS.entries()) {
        const { limit, newest, ...rest } = { ...ALL_LOGS, ...filter };
        const passing = now.scanned.filter(matching(rest));
        const first = newest ? Math.max(0, passing.length - limit) : 0;
        expect(now.pages[index]).toEqual(passing.slice(first, first + limit));
      }
      expect(now.traces).toEqual(before.traces);
      expect(now.runs).toEqual(before.runs);
      expect(now.late).toEqual(before.late);
      expect(now.rest).toEqual(now.scanned.slice(640));
    }
    expect(archived).toBe(800);
    const beside = reader(bench.data);
    expect(answers(beside.history)).toEqual(answers(bench.store.history));
    beside.close();
  });

  test("a page goes on where the one before it ended, through files and table", async () => {
    using bench = archiveBench();
    bench.fill(variety(700));
    await bench.archive(june(8));
    const ids: number[] = [];
    for (;;) {
      const page = bench.store.history.page({ ...ALL_LOGS, after: ids.at(-1) ?? 0, before: null, limit: 37 });
      ids.push(...page.map(({ id }) => id));
      if (page.length < 37) break;
    }
    expect(ids).toEqual(Array.from({ length: bench.store.logs.lastId() }, (_, n) => n + 1));
  });

  test("no row that is as young as a time comes before the first id for it", async () => {
    using bench = archiveBench();
    bench.fill(variety(700));
    await bench.archive(june(8));
    const rows = [...bench.store.history.scan(0)];
    for (let at = june(0); at < june(13); at += DAY_MS / 3) {
      const first = rows.find((row) => row.at >= at)?.id ?? rows.length + 1;
      const found = bench.store.history.firstIdSince(at);
      expect(found).toBeLessThanOrEqual(first);
      // … and not long before: within its day.
      const skipped = rows.slice(found - 1, first - 1).every((row) => dayOf(row.at) === dayOf(at));
      expect(skipped).toBe(true);
    }
  });

  test("while logs are archived, someone beside sees each once, at every moment", async () => {
    using bench = archiveBench();
    bench.fill(variety(5_000));
    const beside = reader(bench.data);
    let over = false;
    const archiving = bench.archive(june(11)).then((result) => {
      over = true;
      return result;
    });
    const watermarks = new Set<number>();
    while (!over) {
      watermarks.add(beside.archive.upTo());
      const ids = [...beside.history.scan(0)].map(({ id }) => id);
      expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => n + 1));
      expect(ids.length).toBeGreaterThanOrEqual(5_000);
      await new Promise(setImmediate);
    }
    expect(await archiving).toMatchObject({ ok: true, value: { rows: 5_000 } });
    expect(watermarks.size).toBeGreaterThan(3);
    beside.close();
  });

  test("a run that ended or sleeps is read whole, and not through all that came since", async () => {
    using bench = archiveBench();
    const day = (n: number, run: number | null) =>
      Array.from({ length: 6_000 }, (_, k) => logAt(june(n) + k, { run: k < 3 ? run : null }));
    bench.fill([day(1, 7), day(2, null), day(3, 7), day(4, 9)].flat());
    await bench.archive(june(10));
    bench.sql(
      `INSERT INTO workflow_runs (id, workflow, state, queued_at, ended_at, trace, last_log_id, first_log_id)
       VALUES (7, 'w', 'completed', 0, 1, '', 3, 1), (9, 'w', 'sleeping', 0, NULL, '', 18_001, 18_001)`,
    );
    expect(bench.store.history.ofRun(9, 18_001).map(({ id }) => id)).toEqual([18_001, 18_002, 18_003]);
    unlinkSync(join(bench.folder, "2025-06-03.jsonl"));
    // What the first day holds of it is found, and the third is not even opened.
    expect(bench.store.history.ofRun(7, 1).map(({ id }) => id)).toEqual([1, 2, 3]);
    bench.sql("UPDATE workflow_runs SET state = 'sleeping', ended_at = NULL WHERE id = 7");
    expect(bench.store.history.ofRun(7, 1).map(({ id }) => id)).toEqual([1, 2, 3]);
    bench.sql("UPDATE workflow_runs SET state = 'running' WHERE id = 7");
    expect(() => bench.store.history.ofRun(7, 1)).toThrow(ArchiveDamaged);
    expect(() => bench.store.history.ofRun(9, 1)).toThrow(ArchiveDamaged);
  });

  test("a file with the name of one that is gone is read from its own beginning", async () => {
    using bench = archiveBench();
    const day = (): Omit<Log, "id">[] => Array.from({ length: 4_000 }, (_, k) => logAt(june(1) + k));
    bench.fill(day());
    await bench.archive(june(2));
    expect([...bench.store.history.scan(0)].length).toBeGreaterThan(4_000);
    await bench.archive(june(2), { archiveBefore: june(10) });
    const before = bench.store.logs.lastId();
    bench.fill(day());
    await bench.archive(NOW + 1);
    expect(seenOutside(bench.data).names).toContain("2025-06-01.jsonl");
    const ids = [...bench.store.history.scan(before)].map(({ id }) => id);
    expect(ids.slice(0, 4_000)).toEqual(Array.from({ length: 4_000 }, (_, n) => before + n + 1));
  });

  test("a scan that began before logs were archived goes on after", async () => {
    using bench = archiveBench();
    bench.fill(variety(3_000));
    const scan = bench.store.history.scan(0);
    const ids = [scan.next().value?.id];
    await bench.archive(june(11));
    for (const { id } of scan) ids.push(id);
    expect(ids.slice(0, 3_000)).toEqual(Array.from({ length: 3_000 }, (_, n) => n + 1));
    expect(ids.length).toBe(bench.store.logs.lastId());
  });
});

test("a file holds one JSON object a line, its keys the columns, and only nerve's user may read it", async () => {
  using bench = archiveBench();
  bench.fill(variety(40));
  const rows = bench.store.logs.list(ALL_LOGS);
  await bench.archive(june(30));
  const { known, rowsOf } = seenOutside(bench.data);
  expect(known[0]).toBe("2025-06-01.jsonl");
  expect(known.flatMap(rowsOf)).toEqual(rows);
  for (const name of known) {
    const path = join(bench.folder, name);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, "utf8");
    expect(text.endsWith("}\n")).toBe(true);
    for (const line of text.split("\n").slice(0, -1)) {
      const keys = ["id", "at", "level", "source", "event", "run", "trace", "message", "data"];
      expect(Object.keys(JSON.parse(line))).toEqual(keys);
    }
    expect(new Set(rowsOf(name).map(({ at }) => `${dayOf(at)}.jsonl`))).toEqual(new Set([name]));
  }
});

describe("a file that is not what was written is named, and never passed over, when it", () => {
  const harms: readonly (readonly [string, (path: string) => void, RegExp])[] = [
    ["is missing", (path) => unlinkSync(path), /is missing/],
    ["is truncated", (path) => truncateSync(path, lstatSync(path).size - 20), /is truncated/],
    ["has grown", (path) => appendFileSync(path, "{}\n"), /was tampered with/],
    [
      "was changed in one byte",
      (path) => writeFileSync(path, readFileSync(path, "latin1").replace('"info"', '"inFo"'), "latin1"),
      /was tampered with/,
    ],
    [
      "is a link to its own content",
      (path) => {
        renameSync(path, `${path}.moved`);
        symlinkSync(`${path}.moved`, path);
      },
      /is a symbolic link/,
    ],
    [
      "is a named pipe, which is not waited for",
      (path) => {
        unlinkSync(path);
        execFileSync("mkfifo", [path]);
      },
      /is not a plain file/,
    ],
    [
      "is a folder",
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
      },
      /is not a plain file/,
    ],
  ];
  const readings: readonly (readonly [string, (bench: ArchiveBench) => unknown])[] = [
    ["page", ({ store }) => store.history.page({ ...ALL_LOGS, limit: 900 })],
    ["newest page", ({ store }) => store.history.page({ ...ALL_LOGS, newest: true })],
    ["page of a trace", ({ store }) => store.history.page({ ...ALL_LOGS, trace: TRACES[0] as string })],
    ["run", ({ store }) => store.history.ofRun(1, 1)],
    ["scan", ({ store }) => [...store.history.scan(0)]],
    ["search", ({ store }) => tracesIn(store.history, "abc", 0)],
  ];
  test.each(harms)("%s", async (_, harm, says) => {
    using bench = archiveBench();
    bench.fill(variety(400));
    await bench.archive(june(6));
    // Once read it is trusted, but not after it has changed.
    for (const [, read] of readings) read(bench);
    harm(join(bench.folder, "2025-06-03.jsonl"));
    for (const [, read] of readings) {
      let thrown: unknown = null;
      try {
        read(bench);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ArchiveDamaged);
      expect((thrown as ArchiveDamaged).problem.message).toMatch(says);
      expect((thrown as ArchiveDamaged).problem.message).toContain("2025-06-03.jsonl");
    }
    // What it does not hold is read.
    const above = bench.store.history.page({ ...ALL_LOGS, after: bench.store.archive.upTo() });
    expect(above.length).toBeGreaterThan(100);
    expect(bench.store.history.page({ ...ALL_LOGS, limit: 10 })).toHaveLength(10);
    expect(NOW).toBeGreaterThan(above[0]?.at ?? NOW);
  });
});

describe("a row of the table that is lost", () => {
  /** A day a file: its first and last id. */
  const DAYS = [1, 2, 3, 4, 5].map((day) => [day, day * 10 - 9, day * 10] as const);
  async function withFiles(lost: number): Promise<ArchiveBench> {
    const bench = archiveBench();
    bench.fill(
      DAYS.flatMap(([day]) =>
        Array.from({ length: 10 }, (_, n) => logAt(june(day) + n, { run: n === 3 ? day : null })),
      ),
    );
    await bench.archive(june(10));
    bench.fill([logAt(NOW)]);
    bench.sql(`DELETE FROM archive WHERE file = '2025-06-0${lost}.jsonl'`);
    return bench;
  }
  const damageIn = (read: () => unknown): string | null => {
    try {
      read();
      return null;
    } catch (error) {
      expect(error).toBeInstanceOf(ArchiveDamaged);
      return (error as ArchiveDamaged).problem.message;
    }
  };

  test.each(DAYS)("is no end and no way round: day %d", async (day, first, last) => {
    using bench = await withFiles(day);
    const { history } = bench.store;
    const says = `has logs ${first} to ${last}, but no row of the table \`archive\``;
    for (const read of [
      () => [...history.scan(0)],
      () => history.page(ALL_LOGS),
      () => history.page({ ...ALL_LOGS, newest: true }),
      () => history.page({ ...ALL_LOGS, since: june(day) - DAY_MS / 2 }),
      () => tracesIn(history, "abc", 0),
      () => history.byId(first),
      () => history.byId(last),
      () => history.ofRun(day, 1),
    ]) {
      expect(damageIn(read)).toContain(says);
    }
    expect(damageIn(() => [...history.scan(first + 4)])).toContain(says);
    expect(history.firstIdSince(june(day))).toBeLessThanOrEqual(first);
    // What it did not tell of is read.
    expect([...history.scan(last)][0]?.id).toBe(last + 1);
    expect(history.byId(last + 1)?.id).toBe(last + 1);
    if (day > 1) expect(history.byId(first - 1)?.id).toBe(first - 1);
    if (day < 5) expect(history.page({ ...ALL_LOGS, since: june(day + 2) - DAY_MS / 2 })[0]?.id).toBe(last + 11);
    const above = history.readable({ ...ALL_LOGS, newest: true });
    expect([above.rows[0]?.id, above.rows.at(-1)?.id]).toEqual([last + 1, bench.store.logs.lastId()]);
    const below = history.readable(ALL_LOGS);
    expect(below.rows.map(({ id }) => id)).toEqual(Array.from({ length: first - 1 }, (_, n) => n + 1));
  });

  test.each(["15", null])("nor is a watermark that fell back: %s", async (value) => {
    using bench = await withFiles(0);
    bench.sql(
      value === null
        ? "DELETE FROM meta WHERE key = 'archived_up_to'"
        : `UPDATE meta SET value = '${value}' WHERE key = 'archived_up_to'`,
    );
    const { history } = bench.store;
    for (const read of [
      () => [...history.scan(0)],
      () => history.page(ALL_LOGS),
      () => history.page({ ...ALL_LOGS, newest: true }),
      () => history.byId(44),
      () => history.ofRun(1, 1),
    ]) {
      expect(damageIn(read)).toContain(`has logs ${Number(value) + 1} to 50, but by \`archived_up_to\` in`);
    }
    expect(await bench.archive(NOW + 1)).toMatchObject({ ok: false, error: { kind: "archive-damaged" } });
  });

  test("is not what retention leaves, down to nothing", async () => {
    using bench = archiveBench();
    bench.fill(DAYS.map(([day]) => logAt(june(day))));
    await bench.archive(june(10), { archiveBefore: june(4) });
    expect([...bench.store.history.scan(0)][0]?.id).toBe(4);
    await bench.archive(june(10), { archiveBefore: june(20) });
    expect(bench.store.archive.all()).toEqual([]);
    expect([...bench.store.history.scan(0)][0]?.id).toBe(6);
    expect(bench.store.archive.gaps()).toEqual([]);
  });
});

test("a damaged file of a day before the time asked for is in nobody's way", async () => {
  using bench = archiveBench();
  bench.fill([june(1), june(2), june(3), june(1), NOW].map((at) => logAt(at)));
  await bench.archive(june(10));
  writeFileSync(join(bench.folder, "2025-06-02.jsonl"), "x");
  const { history } = bench.store;
  const ids = (more: Partial<LogFilter>) =>
    history.page({ ...ALL_LOGS, since: june(3), ...more }).flatMap(({ id }) => (id <= 5 ? id : []));
  expect(ids({})).toEqual([3, 5]);
  expect(ids({ newest: true })).toEqual([3, 5]);
  expect(() => ids({ since: june(2) })).toThrow(ArchiveDamaged);
  expect(() => ids({ since: june(2), newest: true })).toThrow(ArchiveDamaged);
});
