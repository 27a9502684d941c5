/** What the suites of throughput share: a window over a running daemon, and bare inserts of the same rows. */
import { join } from "node:path";
import { type Figure, median, medianOf } from "../figures.ts";
import { INSERT, openFloorStore } from "../floor/main.ts";
import { payload, TRACE } from "../floor/shape.ts";
import { cpuMs } from "../processes.ts";
import { type Running, Site } from "../site.ts";

export interface Window {
  /** Rows a second. */
  readonly rate: number;
  /** Rows a commit. */
  readonly batch: number;
  /** Processor time for each row, and the share of one processor that is. */
  readonly daemonUs: number;
  readonly daemonShare: number;
  readonly workerUs: number;
  readonly workerShare: number;
}

export interface Spans {
  readonly warmMs: number;
  readonly windowMs: number;
}

const LOOK_MS = 200;

/** How many rows come with each commit: looked at closely, for a moment, outside the window. */
async function batchOf(running: Running): Promise<number> {
  const first = running.lastId();
  const until = performance.now() + LOOK_MS;
  let last = first;
  let commits = 0;
  while (performance.now() < until) {
    const id = running.lastId();
    if (id !== last) commits++;
    last = id;
    Bun.sleepSync(0.1);
  }
  return Math.max(1, Math.round((last - first) / Math.max(1, commits)));
}

/** `where` limits what counts as a row. */
export async function observe(running: Running, { warmMs, windowMs }: Spans, where = "1"): Promise<Window> {
  await running.working();
  await Bun.sleep(warmMs);
  const batch = await batchOf(running);
  const [worker = 0] = running.workers;
  const before = { id: running.lastId(), at: performance.now(), daemon: cpuMs(running.pid), worker: cpuMs(worker) };
  await Bun.sleep(windowMs);
  const after = { id: running.lastId(), at: performance.now(), daemon: cpuMs(running.pid), worker: cpuMs(worker) };
  const sql = `SELECT count(*) AS rows FROM signals WHERE id > ? AND id <= ? AND ${where}`;
  const rows = running.query<{ rows: number }>(sql, before.id, after.id)[0]?.rows ?? 0;
  const tookMs = after.at - before.at;
  const daemonMs = after.daemon - before.daemon;
  const workerMs = after.worker - before.worker;
  return {
    rate: (rows * 1000) / tookMs,
    batch,
    daemonUs: (daemonMs * 1000) / rows,
    daemonShare: daemonMs / tookMs,
    workerUs: (workerMs * 1000) / rows,
    workerShare: workerMs / tookMs,
  };
}

/** Rows a second that bun:sqlite takes with nothing around it. */
export function rawInserts(synchronous: string, batch: number, { windowMs }: Spans): number {
  using site = new Site();
  const db = openFloorStore(join(site.folder, "raw.db"), synchronous);
  const insert = db.prepare(INSERT);
  const text = JSON.stringify(payload(Date.now()));
  const commit = db.transaction(() => {
    for (let row = 0; row < batch; row++) insert.run("s1000", Date.now(), text, null, TRACE);
  });
  const half = windowMs / 2;
  for (const until = performance.now() + half / 2; performance.now() < until; ) commit.immediate();
  const startedAt = performance.now();
  let rows = 0;
  for (; performance.now() - startedAt < half; rows += batch) commit.immediate();
  const rate = (rows * 1000) / (performance.now() - startedAt);
  db.close(true);
  return rate;
}

export const whereItGoes = (window: Window): string => {
  const part = (name: string, us: number, share: number): string =>
    `${name} ${us.toFixed(1)} µs (${Math.round(share * 100)} % of a core)`;
  return `${part("kernel", window.daemonUs, window.daemonShare)}, ${part("worker", window.workerUs, window.workerShare)}, batch ${window.batch}`;
};

/** Processor time of daemon and worker a row: a busy machine changes this figure less than a rate. */
export function processorFigure(
  suite: string,
  name: string,
  rounds: readonly { readonly nerve: Window; readonly floor: Window }[],
): Figure {
  const total = ({ daemonUs, workerUs }: Window): number => daemonUs + workerUs;
  const [nerve, floor] = [medianOf(rounds, (each) => total(each.nerve)), medianOf(rounds, (each) => total(each.floor))];
  return {
    suite,
    name: `${name}: processor`,
    unit: "µs/row",
    floor,
    nerve,
    ratio: median(rounds.map((each) => total(each.nerve) / total(each.floor))),
    target: null,
    detail: "daemon and worker together",
  };
}
