/** What a signal costs, and how long a start takes, where ten million rows lie in `signals`, beside none. */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import { type Figure, median, medianOf } from "../figures.ts";
import { INSERT } from "../floor/main.ts";
import { payload, TRACE } from "../floor/shape.ts";
import type { Setting } from "../setting.ts";
import { runNerve, Site, until } from "../site.ts";
import { type Cost, costIn, PLAIN, writeConfig } from "./kinds.ts";

const ROWS = { all: 10_000_000, quick: 200_000 };
/** A transaction of all rows would be as long a write-ahead log. */
const ROWS_A_COMMIT = 50_000;

/** Of the last hour, so that no retention removes them. */
function fill(site: Site, rows: number): void {
  const db = new Database(join(site.data, "logs.db"));
  db.run("PRAGMA synchronous = OFF");
  const insert = db.prepare(INSERT);
  const now = Date.now();
  const text = JSON.stringify(payload(now));
  const some = db.transaction((from: number) => {
    for (let row = from; row < Math.min(from + ROWS_A_COMMIT, rows); row++) {
      insert.run(`s${row % 100}`, now - Math.floor(((rows - row) * 3_600_000) / rows), text, null, TRACE);
    }
  });
  for (let from = 0; from < rows; from += ROWS_A_COMMIT) some(from);
  // As if nerve had written them: their references to blobs are read.
  db.run("INSERT OR REPLACE INTO meta (key, value) SELECT 'blobs_read_signals', max(id) FROM signals");
  // The disk takes all of it before anything is measured.
  db.run("PRAGMA synchronous = FULL");
  db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close(true);
  Bun.spawnSync(["sync"]);
}

/** Milliseconds until the first new signal is stored. */
async function startMs(nerve: string, site: Site, before: number): Promise<number> {
  const begun = performance.now();
  await using running = runNerve(nerve, site);
  await running.working();
  await until("a new signal is stored", () => (running.lastId() > before ? true : null));
  return performance.now() - begun;
}

/** Of a store that nobody writes to. */
function lastIdIn(site: Site): number {
  const db = new Database(join(site.data, "logs.db"));
  const id = db.query<{ id: number | null }, []>("SELECT max(id) AS id FROM signals").get()?.id ?? 0;
  db.close(true);
  return id;
}

/** Makes the store. */
async function begin(nerve: string, site: Site): Promise<void> {
  await using running = runNerve(nerve, site);
  await running.working();
}

export async function rows({ programs, spans, rounds }: Setting): Promise<Figure[]> {
  using few = new Site();
  using many = new Site();
  const count = rounds > 1 ? ROWS.all : ROWS.quick;
  for (const site of [few, many]) {
    writeConfig(site, PLAIN);
    await begin(programs.nerve, site);
  }
  fill(many, count);
  const costs = { few: [] as Cost[], many: [] as Cost[] };
  const starts = { few: [] as number[], many: [] as number[] };
  for (let turn = 0; turn < rounds; turn++) {
    for (const [side, site] of [
      ["few", few],
      ["many", many],
    ] as const) {
      costs[side].push(await costIn(programs.nerve, site, lastIdIn(site), spans));
      starts[side].push(await startMs(programs.nerve, site, lastIdIn(site)));
    }
  }
  const costOf = (side: "few" | "many"): number => medianOf(costs[side], (cost) => cost.kernelUs + cost.workersUs);
  const figure = (name: string, unit: string, floor: number, nerve: number): Figure => {
    const detail = `the floor is the same with few rows; ${count} rows`;
    return { suite: "rows", name, unit, floor, nerve, ratio: nerve / floor, target: null, detail };
  };
  return [
    figure("a signal on top of many rows", "µs/row", costOf("few"), costOf("many")),
    figure("start to first durable signal on top of many rows", "ms", median(starts.few), median(starts.many)),
  ];
}
