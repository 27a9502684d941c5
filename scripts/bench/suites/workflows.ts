/**
 * Durable runs of three steps, 64 at once and one at a time, beside bare one-row inserts and the floor's; and what a
 * history of many runs costs: the list of active ones, and `nerve rebuild --check`.
 */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { askKernel } from "../../../src/control/client.ts";
import { Draft } from "../../../src/kernel/draft.ts";
import { LiveRun } from "../../../src/kernel/live-run.ts";
import type { RunEvent } from "../../../src/model/run.ts";
import { openStore, openStoreReader, type Store, storeFile } from "../../../src/store/open.ts";
import { type Figure, median, medianOf } from "../figures.ts";
import { INSERT_LOG } from "../floor/flow.ts";
import { openFloorStore } from "../floor/main.ts";
import { reaction, TRACE } from "../floor/shape.ts";
import { cpuMs } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, runFloor, runNerve, Site, until } from "../site.ts";
import type { Spans } from "./flood.ts";

const SLOTS = 64;
/** Runs that each signal of `tick` starts. */
const REFLEXES = 64;
/** Runs that wait before the window begins, and to which they are filled up meanwhile. */
const QUEUED = 4_096;
const FILL_MS = 10;
const STEPS = ["one", "two", "three"];
const ACTIVE = 5;
const LOOKS = 200;

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

async function ofNerve({ programs, spans }: Setting, synchronous: string, slots: number): Promise<Cost> {
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
  return await observe(running, spans, "step.completed", STEPS.length);
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
    const nerve = await ofNerve(setting, synchronous, slots);
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
      target: { atLeast: 0.4 },
      detail: `a run: ${whereItGoes(nerve)}`,
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

// ── a long history ───────────────────────────────────────────────────────

const BY_HAND = { id: null, sense: null, at: null, reflex: null };

const eventsOf = (now: number): RunEvent[] => [
  { event: "run.queued", data: { input: { now }, trigger: BY_HAND, retry_of: null, from_step: null } },
  { event: "run.started", data: { attempt: 1, code: "0123456789abcdef" } },
  ...STEPS.flatMap((step): RunEvent[] => [
    { event: "step.started", data: { step, nth: 0, attempt: 1 } },
    { event: "step.completed", data: { step, nth: 0, attempt: 1, result: { over: true, now }, duration_ms: 1 } },
  ]),
  { event: "run.completed", data: { output: null, ran_ms: 3 } },
];

/** Runs from id `first` on, as a kernel that is not there writes them; `events` of each. */
function writeRuns(store: Store, first: number, runs: number, events: readonly RunEvent[]): void {
  const batch = 1_000;
  for (let from = first; from < first + runs; from += batch) {
    const draft = new Draft(store, Date.now());
    store.commit(() => {
      for (let id = from; id < Math.min(from + batch, first + runs); id++) {
        const run = new LiveRun(id, "flow", TRACE);
        for (const event of events) draft.run(run, event);
      }
      draft.finish();
    });
  }
}

function withStore<T>(site: Site, act: (store: Store) => T): T {
  mkdirSync(site.data, { mode: 0o700, recursive: true });
  const opened = openStore(site.data, "normal", "bench", Date.now());
  if (!opened.ok) throw new Error(opened.error.message);
  try {
    return act(opened.value);
  } finally {
    opened.value.close();
  }
}

/** So many rows of runs that have ended, without their logs. */
function addEnded(site: Site, runs: number): void {
  const db = new Database(storeFile(site.data), { readwrite: true });
  db.run(`WITH RECURSIVE number (id) AS (SELECT 1000 UNION ALL SELECT id + 1 FROM number WHERE id < ${999 + runs})
    INSERT INTO workflow_runs (id, workflow, state, input, output, attempt, queued_at, started_at, ended_at, trace, last_log_id, first_log_id)
    SELECT id, 'flow', 'completed', '{"now":1}', 'null', 1, id, id, id, '${TRACE}', id, id FROM number`);
  db.close(true);
}

/** Milliseconds that `nerve runs --active --json` takes, and microseconds of its query. */
interface Listing {
  readonly commandMs: number;
  readonly queryUs: number;
}

async function list(nerve: string, site: Site): Promise<Listing> {
  const startedAt = performance.now();
  const child = Bun.spawn([nerve, "runs", "--active", "--json", "-c", site.config], {
    env: { PATH: "/usr/bin:/bin" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = (await child.stdout.text()).trim().split("\n").length;
  await child.exited;
  const commandMs = performance.now() - startedAt;
  if (lines !== ACTIVE) throw new Error(`${lines} active runs were listed instead of ${ACTIVE}`);
  const reader = openStoreReader(site.data);
  if (!reader.ok) throw new Error(reader.error.message);
  const took: number[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const lookedAt = performance.now();
    reader.value.runs.active();
    took.push((performance.now() - lookedAt) * 1000);
  }
  reader.value.close();
  return { commandMs, queryUs: median(took) };
}

async function listings({ programs, shortRounds, manyRuns }: Setting): Promise<Figure[]> {
  using few = new Site();
  using many = new Site();
  for (const site of [few, many]) {
    writeSite(site, "normal", 1);
    withStore(site, (store) => writeRuns(store, 1, ACTIVE, eventsOf(Date.now()).slice(0, 4)));
  }
  addEnded(few, 10);
  addEnded(many, manyRuns);
  const rounds: [Listing, Listing][] = [];
  for (let turn = 0; turn < shortRounds; turn++) {
    rounds.push([await list(programs.nerve, few), await list(programs.nerve, many)]);
  }
  const figure = (name: string, unit: string, of: (listing: Listing) => number, atMost: number): Figure => ({
    suite: "workflows",
    name: `${name} beside ${manyRuns} ended runs, and beside 10`,
    unit,
    floor: medianOf(rounds, ([floor]) => of(floor)),
    nerve: medianOf(rounds, ([, nerve]) => of(nerve)),
    ratio: medianOf(rounds, ([floor, nerve]) => of(nerve) / of(floor)),
    target: { atMost },
    detail: `${ACTIVE} active`,
  });
  return [
    figure("nerve runs --active", "ms", ({ commandMs }) => commandMs, 1.2),
    figure("its query", "µs", ({ queryUs }) => queryUs, 2),
  ];
}

async function rebuild({ programs, rounds, manyRuns }: Setting): Promise<Figure> {
  using site = new Site();
  writeSite(site, "normal", 1);
  const each = eventsOf(Date.now());
  const runs = Math.ceil(manyRuns / each.length);
  withStore(site, (store) => writeRuns(store, 1, runs, each));
  const events = runs * each.length;
  const measured: { bare: number; nerve: number }[] = [];
  for (let turn = 0; turn < rounds; turn++) {
    const startedAt = performance.now();
    const child = Bun.spawn([programs.nerve, "rebuild", "--check", "--json", "-c", site.config], {
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const said = await child.stdout.text();
    const code = await child.exited;
    const nerve = (events * 1000) / (performance.now() - startedAt);
    const told = JSON.parse(said) as { equal: boolean; events: number };
    if (code !== 0 || !told.equal || told.events !== events) throw new Error(`rebuild --check said ${said}`);
    measured.push({ nerve, bare: bareRead(site, events) });
  }
  const nerve = medianOf(measured, (turn) => turn.nerve);
  return {
    suite: "workflows",
    name: `rebuild --check of ${events} events, beside reading their rows`,
    unit: "events/s",
    floor: medianOf(measured, ({ bare }) => bare),
    nerve,
    ratio: nerve,
    target: { atLeast: 100_000 },
    detail: `${median(measured.map((turn) => turn.nerve / turn.bare)).toFixed(2)} of the floor; a start of the program is in it`,
  };
}

/** Rows a second, each parsed. */
function bareRead(site: Site, rows: number): number {
  const db = new Database(storeFile(site.data), { readonly: true });
  const startedAt = performance.now();
  let chars = 0;
  for (const { event, data } of db.query<{ event: string; data: string }, []>("SELECT * FROM logs").iterate()) {
    chars += event.length + Object.keys(JSON.parse(data) as object).length;
  }
  const rate = (rows * 1000) / (performance.now() - startedAt);
  db.close(true);
  return chars > 0 ? rate : Number.NaN;
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
