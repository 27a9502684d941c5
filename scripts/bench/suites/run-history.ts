/** What a long history of runs costs: the list of active ones, and `nerve rebuild --check`. */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { Draft } from "../../../src/kernel/commits/draft.ts";
import { LiveRun } from "../../../src/kernel/memory/run.ts";
import type { RunEvent } from "../../../src/model/run.ts";
import { refuse } from "../../../src/store/damage.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { openStoreReader } from "../../../src/store/open-reader.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { type Figure, median, medianOf } from "../figures.ts";
import { TRACE } from "../floor/shape.ts";
import type { Setting } from "../setting.ts";
import { Site } from "../site.ts";

const STEPS = ["one", "two", "three"];
const ACTIVE = 5;
/** Ids of rows that are added without logs, above those that have some. */
const FIRST_ADDED = 1_000;
const FEW = 10;
const LOOKS = 200;
const BATCH_RUNS = 1_000;
const ENVIRONMENT = { PATH: "/usr/bin:/bin" };
const BY_HAND = {
  id: null,
  sense: null,
  at: null,
  reflex: null,
  key: null,
  isElement: false,
  due: null,
  incident: null,
};

const eventsOf = (now: number): RunEvent[] => [
  {
    event: "run.queued",
    data: { input: { now }, trigger: BY_HAND, retry_of: null, from_step: null, decision: null, batch: null },
  },
  { event: "run.started", data: { attempt: 1, code: "0123456789abcdef", batch: null, joined: [] } },
  ...STEPS.flatMap((step): RunEvent[] => [
    { event: "step.started", data: { step, nth: 0, attempt: 1 } },
    { event: "step.completed", data: { step, nth: 0, attempt: 1, result: { over: true, now }, duration_ms: 1 } },
  ]),
  { event: "run.completed", data: { output: null, ran_ms: 3 } },
];

/** Runs 1 to `runs` with these events, written as the kernel does. */
function writeRuns(store: Store, runs: number, events: readonly RunEvent[]): void {
  for (let first = 1; first <= runs; first += BATCH_RUNS) {
    const draft = new Draft(store, Date.now());
    store.commit(() => {
      for (let id = first; id < first + BATCH_RUNS && id <= runs; id++) {
        const run = new LiveRun(id, "flow", TRACE, null);
        for (const event of events) draft.run(run, event);
      }
      draft.finish();
    });
  }
}

/** A data directory that a kernel has left. */
function writeSite(site: Site, runs: number, events: readonly RunEvent[]): void {
  site.write("nerve.yaml", "data: ./data\ndurability: normal\n");
  mkdirSync(site.data, { mode: 0o700 });
  const opened = openStore(site.data, "normal", "a boot", Date.now());
  if (!opened.ok) throw new Error(opened.error.message);
  writeRuns(opened.value, runs, events);
  opened.value.close();
}

/** So many rows of runs that have ended, without their logs. */
function addEnded(site: Site, runs: number): void {
  const db = new Database(storeFile(site.data), { readwrite: true });
  db.run(`WITH RECURSIVE number (id) AS (SELECT ${FIRST_ADDED} UNION ALL SELECT id + 1 FROM number LIMIT ${runs})
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
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "ignore"],
  });
  const lines = (await child.stdout.text()).trim().split("\n").length;
  await child.exited;
  const commandMs = performance.now() - startedAt;
  if (lines !== ACTIVE) throw new Error(`${lines} active runs were listed instead of ${ACTIVE}`);
  const reader = openStoreReader(site.data, refuse);
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

export async function listings({ programs, shortRounds, manyRuns }: Setting): Promise<Figure[]> {
  using few = new Site();
  using many = new Site();
  for (const site of [few, many]) writeSite(site, ACTIVE, eventsOf(Date.now()).slice(0, 4));
  addEnded(few, FEW);
  addEnded(many, manyRuns);
  const rounds: [Listing, Listing][] = [];
  for (let turn = 0; turn < shortRounds; turn++) {
    rounds.push([await list(programs.nerve, few), await list(programs.nerve, many)]);
  }
  const figure = (name: string, unit: string, of: (listing: Listing) => number, atMost: number): Figure => ({
    suite: "workflows",
    name: `${name} beside ${manyRuns} ended runs, and beside ${FEW}`,
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

export async function rebuild({ programs, rounds, manyRuns }: Setting): Promise<Figure> {
  using site = new Site();
  const each = eventsOf(Date.now());
  const runs = Math.ceil(manyRuns / each.length);
  writeSite(site, runs, each);
  const events = runs * each.length;
  const measured: { bare: number; nerve: number }[] = [];
  for (let turn = 0; turn < rounds; turn++) {
    const startedAt = performance.now();
    const child = Bun.spawn([programs.nerve, "rebuild", "--check", "--json", "-c", site.config], {
      env: ENVIRONMENT,
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
