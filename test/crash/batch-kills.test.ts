/**
 * The kernel is killed at its k-th write, and kernel and workers at their k-th message, while decisions wait in batches, begin
 * as one run and are told. No run is lost, none joins twice, and each decision is in exactly one `trigger.batch`.
 * `NERVE_CRASH=full` kills at each step.
 */
import type { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkStore } from "../../src/store/rebuild-store.ts";
import { CrashSite } from "../helpers/crash.ts";
import { killedAtStep, type STEPS, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";

const FULL = process.env.NERVE_CRASH === "full";

interface Kills {
  readonly call: (typeof STEPS)[number];
  /** Only calls on the store count. */
  readonly ofStore: boolean;
  readonly first: number;
  readonly last: number;
  readonly stride: number;
}

const KILLS: readonly Kills[] = [
  { call: "pwrite64", ofStore: true, first: 20, last: FULL ? 400 : 380, stride: FULL ? 1 : 90 },
  { call: "sendto", ofStore: false, first: FULL ? 1 : 12, last: FULL ? 60 : 12, stride: 1 },
  ...(FULL ? [{ call: "fsync", ofStore: true, first: 1, last: 40, stride: 1 } as const] : []),
];

setDefaultTimeout(FULL ? 7_200_000 : 300_000);

const configOf = (use: "restless" | "calm"): string => `data: DATA
senses: { probe: { use: ${use} } }
reflexes:
  - { sense: probe, interval: 40ms, align: false }
  - { name: each, workflow: note, on: [probe], each: keys, key: name, when: { v: number > 5 }, edge: rising }
  - { name: high, workflow: note, on: [probe], each: keys, key: name, when: { v: number > 5 }, incident: { severity: critical } }
workflows:
  note: { concurrency: 2, batch: { wait: 150ms, by: reflex } }
`;

/** Each key goes up and down in its own time. */
const RESTLESS = `
const isHigh = (index) => Math.floor(Date.now() / (120 + 70 * index)) % 2 === 0;
export const compute = () => ({ keys: ["a", "b", "c", "d"].map((name, index) => ({ name, v: isHigh(index) ? 9 : 1 })) });
`;
const CALM = `
export const compute = () => ({ keys: ["a", "b", "c", "d"].map((name) => ({ name, v: 1 })) });
`;
const NOTE = `
export const run = (thread) => thread.step("tell", () => thread.trigger.batch.items.length + thread.trigger.batch.more);
`;

const BUSY = `SELECT 1 FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')
  UNION ALL SELECT 1 FROM incidents WHERE state <> 'resolved'`;
const RUNS = `SELECT r.id, r.state, r.reflex, q.data ->> '$.trigger.id' AS signal, q.data ->> '$.trigger.key' AS key,
    q.data ->> '$.trigger.incident.id' AS incident
  FROM workflow_runs AS r JOIN logs AS q ON q.run = r.id AND q.event = 'run.queued' ORDER BY r.id`;
const JOINED = "SELECT run, data ->> 'into' AS into_run FROM logs WHERE event = 'run.joined' ORDER BY run";
const STARTED = "SELECT run, data FROM logs WHERE event = 'run.started' ORDER BY run";

interface RunRow {
  readonly id: number;
  readonly state: string;
  readonly reflex: string;
  readonly signal: number;
  readonly key: string;
  readonly incident: number | null;
}
interface JoinedRow {
  readonly run: number;
  readonly into_run: number;
}
interface StartedRow {
  readonly run: number;
  readonly data: string;
}
interface Item {
  readonly id: number;
  readonly key: string;
  readonly reflex: string;
  readonly incident: { readonly id: number } | null;
}

const rows = <R>(db: Database, sql: string): R[] => db.query<R, []>(sql).all();

const EACH = "each";
const nameOf = ({ signal, key }: Pick<RunRow, "signal" | "key">): string => `${signal} ${key}`;

/** What is wrong with the batches. */
function wrongIn(runs: readonly RunRow[], joined: readonly JoinedRow[], started: readonly StartedRow[]): string[] {
  const wrong: string[] = [];
  const states = new Map(runs.map(({ id, state }) => [id, state]));
  for (const { id, state } of runs) if (!["completed", "joined"].includes(state)) wrong.push(`run ${id} is ${state}`);
  const into = new Map(joined.map(({ run, into_run }) => [run, into_run]));
  if (into.size !== joined.length) wrong.push("a run joined twice");
  const listed = new Map<string, number>();
  for (const { run, data } of started) {
    const { batch, joined: others } = JSON.parse(data) as { batch: { items: Item[]; more: number }; joined: number[] };
    if (states.get(run) !== "completed") wrong.push(`run ${run} took others along and is ${states.get(run)}`);
    for (const other of others) if (into.get(other) !== run) wrong.push(`run ${other} did not join run ${run}`);
    const incidents = batch.items.flatMap(({ incident }) => incident?.id ?? []);
    if (new Set(incidents).size !== incidents.length) wrong.push(`run ${run} tells an incident twice`);
    for (const { id, key, reflex } of batch.items) {
      const name = nameOf({ signal: id, key });
      if (reflex === EACH && listed.has(name)) wrong.push(`${name} is told by runs ${listed.get(name)} and ${run}`);
      if (reflex === EACH) listed.set(name, run);
    }
  }
  for (const run of runs)
    if (run.reflex === EACH && !listed.has(nameOf(run))) wrong.push(`run ${run.id} is told nowhere`);
  return wrong;
}

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: batches and kills, since ${missing}`);

test.skipIf(missing !== null)("killed anywhere, each decision is told in one batch", async () => {
  await using site = new CrashSite([], configOf("restless"));
  for (const [folder, code] of [
    ["senses/restless", RESTLESS],
    ["senses/calm", CALM],
    ["workflows/note", NOTE],
  ] as const) {
    mkdirSync(join(site.folder, folder), { recursive: true, mode: 0o700 });
    site.write(`${folder}/index.ts`, code);
  }
  site.write("calm.yaml", configOf("calm"));
  const store = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
  let kills = 0;
  for (const { call, ofStore, first, last, stride } of KILLS) {
    for (let k = first; k <= last; k += stride) {
      const paths = ofStore ? store : [];
      const kernel = site.start("nerve.yaml", killedAtStep({ k, call, paths, children: !ofStore }));
      await until("the kernel is dead", () => kernel.ended !== null);
      kills++;
    }
  }
  const calm = site.start("calm.yaml");
  await calm.answers();
  await until("every incident has resolved, and every run has ended", () =>
    site.ask(false, (db) => db.query(BUSY).get() === null),
  );
  expect(await calm.stop()).toBe(0);
  const found = site.ask({ runs: [] as RunRow[], joined: [] as JoinedRow[], started: [] as StartedRow[] }, (db) => ({
    runs: rows<RunRow>(db, RUNS),
    joined: rows<JoinedRow>(db, JOINED),
    started: rows<StartedRow>(db, STARTED),
  }));
  const { length } = found.runs;
  console.log(JSON.stringify({ test: "batch-kills", kills, runs: length, batches: found.started.length }));
  expect(wrongIn(found.runs, found.joined, found.started)).toEqual([]);
  expect(found.joined.length).toBeGreaterThan(3);
  const checked = checkStore(site.data);
  if (!checked.ok) throw new Error(checked.error.message);
  const { differences, faults, incidents: compared } = checked.value;
  expect([...differences, ...faults, ...compared.differences, ...compared.faults]).toEqual([]);
});
