/** Durable runs of three steps, 64 at once and one at a time, beside bare one-row inserts and the floor's. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { askKernel } from "../../../src/control/client.ts";
import { type Figure, medianOf } from "../figures.ts";
import { INSERT_LOG } from "../floor/flow.ts";
import { openFloorStore } from "../floor/main.ts";
import { reaction, TRACE } from "../floor/shape.ts";
import { cpuMs } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, runFloor, runNerve, Site, until } from "../site.ts";
import type { Spans } from "./flood.ts";
import { listings, rebuild } from "./run-history.ts";

const SLOTS = 64;
/** Runs that each signal of `tick` starts. */
const REFLEXES = 1_024;
/** Runs that wait before the window begins, and to which they are filled up meanwhile. */
const QUEUED = 12_288;
const FILL_MS = 10;
const STEPS = ["one", "two", "three"];

function writeSite(site: Site, durability: string, slots: number): void {
  site.sense("tick", "payload(now)");
  mkdirSync(join(site.folder, "workflows", "flow"), { recursive: true, mode: 0o700 });
  const steps = STEPS.map((step) => `  await thread.step("${step}", () => ({ over: true, now: Date.now() }));`);
  site.write(
    "workflows/flow/index.ts",
    ["export const run = async (thread) => {", ...steps, "  return null;", "};", ""].join("\n"),
  );
  const reflexes = Array.from({ length: REFLEXES }, (_, at) => `  - { name: r${at}, workflow: flow, on: [tick] }`);
  site.write(
    "nerve.yaml",
    [
      "data: ./data",
      `durability: ${durability}`,
      "senses: { tick: {} }",
      `workflows: { flow: { concurrency: ${slots}, max_queue: 1000000 } }`,
      "reflexes:",
      "  - { sense: tick, on_start: true }",
      ...reflexes,
      "",
    ].join("\n"),
  );
}

/** Runs that have not ended, but for a few. */
function waiting(running: Running): number {
  const sql = `SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'workflow_runs')
    - (SELECT min(id) FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')) AS runs`;
  return running.query<{ runs: number | null }>(sql)[0]?.runs ?? 0;
}

/** One signal, and so {@link REFLEXES} more runs. */
async function more(site: Site): Promise<void> {
  const answer = await askKernel(site.data, "/trigger", { name: "tick" });
  if (!answer.ok) throw new Error(`nerve takes no trigger: ${JSON.stringify(answer.error)}`);
}

const fill = (running: Running, site: Site): Promise<true> =>
  until("enough runs are queued", async () => {
    if (waiting(running) >= QUEUED) return true;
    await more(site);
    return null;
  });

/** Keeps runs queued until it is disposed of. */
function keepFull(running: Running, site: Site): AsyncDisposable {
  let over = false;
  const filling = (async () => {
    while (!over) {
      if (waiting(running) < QUEUED) await more(site);
      await Bun.sleep(FILL_MS);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      over = true;
      await filling;
    },
  };
}

const lastLog = (running: Running): number =>
  running.query<{ id: number | null }>("SELECT max(id) AS id FROM logs")[0]?.id ?? 0;

interface Cost {
  /** Runs a second. */
  readonly rate: number;
  /** Processor time for each run, and the share of one processor that is. */
  readonly daemonUs: number;
  readonly daemonShare: number;
  readonly workerUs: number;
  readonly workerShare: number;
  /** Rows of the log for each run. */
  readonly rows: number;
}

/** `event` is logged `times` times a run. */
async function observe(running: Running, { warmMs, windowMs }: Spans, event: string, times: number): Promise<Cost> {
  await Bun.sleep(warmMs);
  const look = () => ({
    id: lastLog(running),
    at: performance.now(),
    daemonMs: cpuMs(running.pid),
    workerMs: running.workers.reduce((sum, pid) => sum + cpuMs(pid), 0),
  });
  const before = look();
  await Bun.sleep(windowMs);
  const after = look();
  const sql = `SELECT count(*) AS found FROM logs WHERE id > ? AND id <= ? AND event = '${event}'`;
  const runs = (running.query<{ found: number }>(sql, before.id, after.id)[0]?.found ?? 0) / times;
  const tookMs = after.at - before.at;
  const daemonMs = after.daemonMs - before.daemonMs;
  const workerMs = after.workerMs - before.workerMs;
  return {
    rate: (runs * 1000) / tookMs,
    daemonUs: (daemonMs * 1000) / runs,
    daemonShare: daemonMs / tookMs,
    workerUs: (workerMs * 1000) / runs,
    workerShare: workerMs / tookMs,
    rows: (after.id - before.id) / runs,
  };
}

export async function runsOfNerve({ programs, spans }: Setting, synchronous: string, slots: number): Promise<Cost> {
  using site = new Site();
  writeSite(site, synchronous.toLowerCase(), slots);
  await using running = runNerve(programs.nerve, site);
  await running.working();
  await fill(running, site);
  let cost: Cost;
  {
    await using _ = slots === 1 ? null : keepFull(running, site);
    cost = await observe(running, spans, "run.completed", 1);
  }
  if (waiting(running) <= slots) throw new Error("it ran out of queued runs");
  return cost;
}

async function ofFloor({ programs, spans }: Setting, synchronous: string, slots: number): Promise<Cost> {
  using site = new Site();
  await using running = runFloor(programs.floor, site, synchronous, "flow", slots);
  await until("the first row is stored", () => {
    try {
      return lastLog(running) > 0 ? true : null;
    } catch {
      return null;
    }
  });
  const cost = await observe(running, spans, "step.completed", STEPS.length);
  if (cost.rate === 0) throw new Error("the floor finishes no step");
  return cost;
}

/** Rows a second, of the floor's, each in a transaction of its own. */
function bareInserts({ spans }: Setting, synchronous: string): number {
  using site = new Site();
  const db = openFloorStore(join(site.folder, "raw.db"), synchronous);
  const insert = db.prepare(INSERT_LOG);
  const data = JSON.stringify({ step: "one", nth: 0, attempt: 1, result: reaction(Date.now()) });
  const insertOne = (run: number): void =>
    void insert.run(Date.now(), "step.completed", run, TRACE, 'step "one"', data);
  const half = spans.windowMs / 2;
  let rows = 0;
  for (const end = performance.now() + half / 2; performance.now() < end; ) insertOne(0);
  const startedAt = performance.now();
  for (; performance.now() - startedAt < half; rows++) insertOne(rows);
  const rate = (rows * 1000) / (performance.now() - startedAt);
  db.close(true);
  return rate;
}

const whereItGoes = ({ daemonUs, daemonShare, workerUs, workerShare, rows }: Cost): string =>
  `kernel ${daemonUs.toFixed(0)} µs (${Math.round(daemonShare * 100)} % of a core), worker ${workerUs.toFixed(0)} µs (${Math.round(workerShare * 100)} %), ${rows.toFixed(1)} rows of the log`;

interface Round {
  readonly raw: number;
  readonly nerve: Cost;
  readonly floor: Cost;
}

async function roundsOf(setting: Setting, synchronous: string, slots: number): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let turn = 0; turn < setting.rounds; turn++) {
    const nerve = await runsOfNerve(setting, synchronous, slots);
    const raw = bareInserts(setting, synchronous);
    rounds.push({ raw, nerve, floor: await ofFloor(setting, synchronous, slots) });
  }
  return rounds;
}

/** The round whose rate is the middle one, or the next above. */
const shown = (rounds: readonly Round[]): Round => {
  const middle = medianOf(rounds, ({ nerve }) => nerve.rate);
  const found = rounds.find(({ nerve }) => nerve.rate >= middle);
  if (found === undefined) throw new Error("there is no round");
  return found;
};

async function manyAtOnce(setting: Setting, synchronous: string): Promise<Figure[]> {
  const rounds = await roundsOf(setting, synchronous, SLOTS);
  const { nerve, floor } = shown(rounds);
  const rate = medianOf(rounds, (round) => round.nerve.rate);
  const ofRaw = medianOf(rounds, (round) => round.floor.rate / round.raw);
  const name = `runs of three steps, ${SLOTS} at once, ${synchronous}`;
  return [
    {
      suite: "workflows",
      name: `${name}, beside bare one-row inserts`,
      unit: "runs/s",
      floor: medianOf(rounds, ({ raw }) => raw),
      nerve: rate,
      ratio: medianOf(rounds, (round) => round.nerve.rate / round.raw),
      target: { atLeast: 0.33 },
      detail: `a run: ${whereItGoes(nerve)}`,
    },
    {
      suite: "workflows",
      name: `${name}, rows of the log beside the floor's`,
      unit: "rows/s",
      floor: medianOf(rounds, (round) => round.floor.rate * round.floor.rows),
      nerve: medianOf(rounds, (round) => round.nerve.rate * round.nerve.rows),
      ratio: medianOf(rounds, (round) => (round.nerve.rate * round.nerve.rows) / (round.floor.rate * round.floor.rows)),
      target: { atLeast: 0.6 },
      detail: "",
    },
    {
      suite: "workflows",
      name: `${name}, beside the floor`,
      unit: "runs/s",
      floor: medianOf(rounds, (round) => round.floor.rate),
      nerve: rate,
      ratio: medianOf(rounds, (round) => round.nerve.rate / round.floor.rate),
      target: null,
      detail: `the floor has ${ofRaw.toFixed(2)} of bare inserts: ${whereItGoes(floor)}`,
    },
  ];
}

async function oneAtATime(setting: Setting, synchronous: string): Promise<Figure> {
  const rounds = await roundsOf(setting, synchronous, 1);
  const { nerve, floor } = shown(rounds);
  return {
    suite: "workflows",
    name: `a run of three steps, one at a time, ${synchronous}`,
    unit: "ms",
    floor: medianOf(rounds, (round) => 1000 / round.floor.rate),
    nerve: medianOf(rounds, (round) => 1000 / round.nerve.rate),
    ratio: medianOf(rounds, (round) => round.floor.rate / round.nerve.rate),
    target: { atMost: 3 },
    detail: `${whereItGoes(nerve)}; floor's ${whereItGoes(floor)}`,
  };
}

export async function workflows(setting: Setting): Promise<Figure[]> {
  return [
    ...(await manyAtOnce(setting, "NORMAL")),
    ...(await manyAtOnce(setting, "FULL")),
    await oneAtATime(setting, "NORMAL"),
    await oneAtATime(setting, "FULL"),
    ...(await listings(setting)),
    await rebuild(setting),
  ];
}
