/** Numbers over time, thinned to pixels: held against the plain computation on random rows. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync } from "node:fs";
import { Secrets } from "../../src/base/secrets.ts";
import { unwrittenSense } from "../../src/config/senses.ts";
import type { WebLook } from "../../src/control/web-look.ts";
import type { NerveConfig } from "../../src/model/config.ts";
import type { SeriesTable } from "../../src/model/series.ts";
import { openStoreReader, type StoreReader } from "../../src/store/open-reader.ts";
import type { SeriesAnswer } from "../../src/web/contract-host.ts";
import { KernelLink } from "../../src/web/kernel-link.ts";
import { Place } from "../../src/web/place.ts";
import { readQuery } from "../../src/web/query.ts";
import { SERIES_QUERY, seriesAnswer } from "../../src/web/series.ts";
import { Slices } from "../../src/web/slices.ts";
import { type ArchiveBench, archiveBench, june } from "../helpers/archive.ts";
import { type Below, randomOf, SEED } from "../rules/random.ts";

setDefaultTimeout(60_000);

const BEGIN = june(1);
const SPAN_MS = 3_600_000;
/** More than three slices. */
const ROWS = 16_000;
const LABELS = ["/", "/var", "", "a / b", "<img src=x>"];
const PLAIN = { table: "samples", at: "at", by: [], numbers: [{ name: "used", unit: "percent" }] } as const;
const TABLES: Readonly<Record<string, SeriesTable>> = {
  plain: PLAIN,
  labelled: { ...PLAIN, by: ["path"], numbers: [...PLAIN.numbers, { name: "free", unit: null }] },
  paired: { ...PLAIN, by: ["path", "id"] },
  keyed: { ...PLAIN, table: "keyed" },
  crowded: { ...PLAIN, table: "crowded" },
};

interface Row {
  readonly at: number;
  readonly path: string;
  readonly used: number | string | null;
  readonly free: number | null;
}

let bench: ArchiveBench;
let store: StoreReader;
let rows: readonly Row[];
const link = new KernelLink((id) => queueMicrotask(() => link.seen(id, { series: TABLES } as unknown as WebLook)));

const randomValue = (below: Below): Row["used"] =>
  [below(1_000) / 10, -1 - below(100), null, "many", Number.POSITIVE_INFINITY, 1e300][Math.min(5, below(60))] ?? null;

function randomRows(below: Below): readonly Row[] {
  return Array.from({ length: ROWS }, () => ({
    at: BEGIN + below(2) * 1_000 * below(3_600) + below(3_600_000 / 2),
    path: LABELS[below(LABELS.length)] as string,
    used: randomValue(below),
    free: below(10) === 0 ? null : below(1_000_000),
  }));
}

function makeDatabase(file: string): void {
  const db = new Database(file);
  db.run("PRAGMA synchronous = OFF");
  db.run("PRAGMA journal_mode = MEMORY");
  db.run("CREATE TABLE samples (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, path TEXT, used, free INTEGER)");
  db.run("CREATE INDEX samples_at ON samples (at)");
  db.run("CREATE INDEX samples_used ON samples (used, at)");
  db.run("CREATE TABLE keyed (at INTEGER PRIMARY KEY, used)");
  db.run("CREATE TABLE crowded (at INTEGER, used)");
  db.run("CREATE INDEX crowded_at ON crowded (at)");
  db.transaction(() => {
    const samples = db.prepare("INSERT INTO samples (at, path, used, free) VALUES (?, ?, ?, ?)");
    const keyed = db.prepare("INSERT OR REPLACE INTO keyed (at, used) VALUES (?, ?)");
    for (const { at, path, used, free } of rows) {
      samples.run(at, path, used, free);
      keyed.run(at, used);
    }
    const crowded = db.prepare("INSERT INTO crowded (at, used) VALUES (?, ?)");
    // One moment with more rows than a slice has, and one row on each side.
    for (let row = 0; row < 12_000; row++) crowded.run(BEGIN + 1_000, row);
    crowded.run(BEGIN + 999, -1);
    crowded.run(BEGIN + 1_001, 12_000);
  })();
  db.run("ANALYZE");
  db.close();
}

beforeAll(() => {
  bench = archiveBench();
  rows = randomRows(randomOf(SEED));
  mkdirSync(`${bench.data}/senses`, { recursive: true });
  makeDatabase(`${bench.data}/all.db`);
  for (const name of Object.keys(TABLES)) copyFileSync(`${bench.data}/all.db`, `${bench.data}/senses/${name}.db`);
  bench.store.commit(() => {
    for (const [index, { at, used }] of rows.slice(0, 3_000).entries()) {
      bench.store.signals.append({
        sense: index % 3 === 0 ? "told" : "other",
        at: Math.min(at, BEGIN + index * 1_000),
        payload: JSON.stringify({ deep: { used: typeof used === "number" && used < 1e200 ? used : "none" }, n: index }),
        cause: null,
        trace: "0".repeat(32),
      });
    }
  });
  const opened = openStoreReader(bench.data, () => {});
  if (!opened.ok) throw new Error(opened.error.message);
  store = opened.value;
});

afterAll(() => {
  store.close();
  bench[Symbol.dispose]();
});

async function ask(text: string, slices = new Slices(60_000)) {
  const names = [...Object.keys(TABLES), "told", "silent"];
  const senses = new Map(names.map((name) => [name, unwrittenSense(name)]));
  const place = new Place(bench.data, "1", { senses } as unknown as NerveConfig, new Secrets());
  const query = readQuery(new URLSearchParams(text), SERIES_QUERY);
  return query.ok ? seriesAnswer(place, link, store, query.value, slices) : query;
}

async function answer(text: string, slices?: Slices): Promise<SeriesAnswer> {
  const found = await ask(text, slices);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

/** What a chart is to show, computed value by value. */
function plainly(
  points: readonly { at: number; of: string | null; value: unknown }[],
  from: number,
  to: number,
  step: number,
) {
  const lines = new Map<string | null, Map<number, { min: number; max: number }>>();
  for (const { at, of, value } of points) {
    if (at < from || at >= to || typeof value !== "number" || !Number.isFinite(value)) continue;
    const line = lines.get(of) ?? new Map();
    lines.set(of, line);
    const pixel = from + Math.floor((at - from) / step) * step;
    const known = line.get(pixel) ?? { min: value, max: value };
    line.set(pixel, { min: Math.min(known.min, value), max: Math.max(known.max, value) });
  }
  return new Map([...lines].map(([of, line]) => [of, Object.fromEntries(line)]));
}

const shown = ({ lines }: Pick<SeriesAnswer, "lines">, field: string) =>
  new Map(
    lines
      .filter((line) => line.field === field && line.at.length > 0)
      .map(({ of, at, min, max }) => [
        of,
        Object.fromEntries(at.map((time, index) => [time, { min: min[index], max: max[index] }])),
      ]),
  );

const pointsOf = (of: (row: Row) => string | null, value: (row: Row) => unknown) =>
  rows.map((row) => ({ at: row.at, of: of(row), value: value(row) }));

describe(`no spike is lost (seed ${SEED})`, () => {
  const RANGES = [
    [0, SPAN_MS, 600],
    [0, SPAN_MS, 1],
    [-SPAN_MS, 2 * SPAN_MS, 2_000],
    [1_234_567, 1_300_001, 777],
    [60_000, 60_001, 600],
  ] as const;
  test.each(RANGES)("from %d to %d ms on %d pixels", async (begin, end, width) => {
    const [from, to] = [BEGIN + begin, BEGIN + end];
    const found = await answer(`sense=plain&from=${from}&to=${to}&width=${width}`);
    expect(found).toMatchObject({ source: "table", cut: null, next: null, looked_to: from, by: null });
    expect(Math.ceil((to - from) / found.step_ms)).toBeLessThanOrEqual(width);
    const points = pointsOf(
      () => null,
      ({ used }) => used,
    );
    expect(shown(found, "used")).toEqual(plainly(points, from, to, found.step_ms));
  });

  test("a line for each value of the key, and each field with its unit", async () => {
    const [from, to] = [BEGIN, BEGIN + SPAN_MS];
    const found = await answer(`sense=labelled&from=${from}&to=${to}&width=300`);
    expect([found.by, found.cut]).toEqual(["path", null]);
    for (const field of ["used", "free"] as const) {
      const points = pointsOf(
        ({ path }) => path,
        (row) => row[field],
      );
      expect(shown(found, field)).toEqual(plainly(points, from, to, found.step_ms));
    }
    expect(new Set(found.lines.map(({ field, unit }) => `${field} ${unit}`))).toEqual(
      new Set(["used percent", "free null"]),
    );
  });

  test("`key` chooses lines, by their whole name", async () => {
    const found = await answer(`sense=labelled&field=free&key=/var&key=a%20/%20b&from=${BEGIN}&to=${BEGIN + SPAN_MS}`);
    expect(found.lines.map(({ of }) => of)).toEqual(["/var", "a / b"]);
    const points = pointsOf(
      ({ path }) => path,
      ({ free }) => free,
    ).filter(({ of }) => of === "/var" || of === "a / b");
    expect(shown(found, "free")).toEqual(plainly(points, BEGIN, BEGIN + SPAN_MS, found.step_ms));
  });

  test("a table whose key is the time", async () => {
    const found = await answer(`sense=keyed&from=${BEGIN}&to=${BEGIN + SPAN_MS}&width=900`);
    const last = new Map(rows.map(({ at, used }) => [at, used]));
    const points = [...last].map(([at, value]) => ({ at, of: null, value }));
    expect(shown(found, "used")).toEqual(plainly(points, BEGIN, BEGIN + SPAN_MS, found.step_ms));
  });

  test("more rows of one moment than a slice has", async () => {
    const found = await answer(`sense=crowded&from=${BEGIN}&to=${BEGIN + 2_000}&width=2000`);
    expect(shown(found, "used").get(null)).toEqual({
      [BEGIN + 999]: { min: -1, max: -1 },
      [BEGIN + 1_000]: { min: 0, max: 11_999 },
      [BEGIN + 1_001]: { min: 12_000, max: 12_000 },
    });
  });
});

describe("an answer is bounded", () => {
  test("answers that are cut short by time make the whole together, pixel by pixel", async () => {
    const [from, to] = [BEGIN, BEGIN + SPAN_MS];
    const whole = await answer(`sense=plain&from=${from}&to=${to}&width=600`);
    let piece = await answer(`sense=plain&from=${from}&to=${to}&width=600`, new Slices(0));
    const pieces = [piece];
    while (piece.next !== null) {
      expect(piece.cut).toContain("`next` goes on");
      piece = await answer(`sense=plain&from=${from}&${piece.next}`, new Slices(0));
      expect(piece.step_ms).toBe(whole.step_ms);
      pieces.push(piece);
    }
    expect(pieces.length).toBeGreaterThan(2);
    const together = Object.assign({}, ...pieces.map((one) => shown(one, "used").get(null)));
    expect(together).toEqual(shown(whole, "used").get(null));
    const times = pieces.flatMap(({ lines }) => lines.flatMap(({ at }) => at));
    expect(new Set(times).size).toBe(times.length);
  });

  test("one pixel with more rows than there is time for goes on within that pixel, and comes to an end", async () => {
    let piece = await answer(`sense=plain&from=${BEGIN}&to=${BEGIN + SPAN_MS}&width=1`, new Slices(0));
    const pieces = [piece];
    while (piece.next !== null) {
      piece = await answer(`sense=plain&from=${BEGIN}&${piece.next}`, new Slices(0));
      pieces.push(piece);
    }
    const whole = await answer(`sense=plain&from=${BEGIN}&to=${BEGIN + SPAN_MS}&width=1`);
    const lines = pieces.flatMap((one) => one.lines);
    expect(Math.min(...lines.flatMap(({ min }) => min))).toBe(whole.lines[0]?.min[0] as number);
    expect(Math.max(...lines.flatMap(({ max }) => max))).toBe(whole.lines[0]?.max[0] as number);
  });

  test("thousands of lines: as many as have room, and a sentence about the others", async () => {
    const found = await answer(`sense=paired&from=${BEGIN}&to=${BEGIN + SPAN_MS}&width=2000`);
    expect([found.lines.length, found.by]).toEqual([20, "path / id"]);
    expect(found.cut).toBe("there are more lines than one answer has room for: `key` chooses");
  });
});

describe("a sense that exports no series", () => {
  test("its newest signals are read, by paths in the payload", async () => {
    const [from, to] = [BEGIN, BEGIN + SPAN_MS];
    const found = await answer(`sense=told&field=deep.used&field=n&from=${from}&to=${to}&width=100`);
    expect(found).toMatchObject({ source: "signals", cut: null, next: null });
    const signals = rows
      .slice(0, 3_000)
      .flatMap(({ at, used }, n) => (n % 3 === 0 ? [{ at: Math.min(at, BEGIN + n * 1_000), used, n }] : []));
    const points = signals.map(({ at, used }) => ({
      at,
      of: null,
      value: used === null || used === 1e300 ? "none" : used,
    }));
    expect(shown(found, "deep.used")).toEqual(plainly(points, from, to, found.step_ms));
    expect(shown(found, "n")).toEqual(
      plainly(
        signals.map(({ at, n }) => ({ at, of: null, value: n })),
        from,
        to,
        found.step_ms,
      ),
    );
  });

  test("without `field` the numbers of its newest payload are taken; a sense without signals has no lines", async () => {
    expect((await answer(`sense=told&from=${BEGIN}`)).lines.map(({ field }) => field)).toContain("n");
    expect((await answer("sense=silent")).lines.flatMap(({ at }) => at)).toEqual([]);
  });
});

test.each([
  ["", "bad-parameter", "`sense` must be given: the name of a sense"],
  ["sense=nobody", "unknown-sense", "there is no sense `nobody`"],
  ["sense=plain&field=x", "bad-parameter", "`field` must be one of used"],
  [
    `sense=told&${"abcdefghijk".replaceAll(/./g, "field=$&&")}`,
    "bad-parameter",
    "`field` must be given 10 times at most",
  ],
  ["sense=plain&key=x", "bad-parameter", "`key` must be left out: each field of this sense has one line"],
  ["sense=told&key=x", "bad-parameter", "`key` must be left out: this sense exports no `series`"],
  ["sense=plain&from=5&to=5", "bad-parameter", "`from` must be a time before `to`, which is 5"],
  ["sense=plain&width=0", "bad-parameter", "`width` must be a whole number from 1 to 2000"],
  ["sense=plain&to=soon", "bad-parameter", "`to` must be a whole number from 0 to 8640000000000000"],
  ["sense=plain&sql=1", "unknown-parameter", "there is no parameter `sql`"],
])("an error names the parameter: %s", async (query, kind, message) => {
  expect(await ask(query)).toMatchObject({ ok: false, error: { kind, message } });
});
