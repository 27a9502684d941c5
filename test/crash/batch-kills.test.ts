/**
 * The kernel is killed at its k-th write, and kernel and workers at their k-th message, while decisions wait in batches, begin
 * as one run and are told. No run is lost, none joins twice, and each decision is in exactly one `trigger.batch`.
 * `NERVE_CRASH=full` kills at each step.
 */
import type { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { loadNerveConfig } from "../../src/config/load.ts";
import { checkStore } from "../../src/store/rebuild-store.ts";
import { CrashSite } from "../helpers/crash.ts";
import { killedAtStep, type STEPS, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { type CourseEvent, course, type Row } from "./run-checker.ts";

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
const LOGS = "SELECT * FROM logs WHERE run IS NOT NULL ORDER BY id";
const LIFETIME = "SELECT value FROM meta WHERE key = 'lifetime'";

const rows = <R>(db: Database, sql: string): R[] => db.query<R, []>(sql).all();

/** What is wrong with the batches, by the model of the simulator. */
function wrongIn(site: CrashSite, runs: readonly Row[], logs: readonly CourseEvent[], lifetime: string): string[] {
  const config = loadNerveConfig(join(site.folder, "calm.yaml"), {});
  if (!config.ok) throw new Error(JSON.stringify(config.error));
  const { moment, elapsedMs } = JSON.parse(lifetime) as { moment: { wallMs: number }; elapsedMs: number };
  const { workflows } = config.value;
  const left = runs.filter(({ state }) => state !== "completed" && state !== "joined");
  return [
    ...left.map(({ id, state }) => `run ${id} is ${state}`),
    ...course(runs, logs, workflows, (at) => at - moment.wallMs + elapsedMs),
  ];
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
  const none = { runs: [] as Row[], logs: [] as CourseEvent[], lifetime: "" };
  const { runs, logs, lifetime } = site.ask(none, (db) => ({
    runs: rows<Row>(db, "SELECT * FROM workflow_runs ORDER BY id"),
    logs: rows<CourseEvent>(db, LOGS),
    lifetime: rows<{ value: string }>(db, LIFETIME)[0]?.value ?? "",
  }));
  const count = (name: string): number => logs.filter(({ event }) => event === name).length;
  console.log(JSON.stringify({ test: "batch-kills", kills, runs: runs.length, batches: count("run.started") }));
  expect(wrongIn(site, runs, logs, lifetime)).toEqual([]);
  expect(count("run.joined")).toBeGreaterThan(3);
  const checked = checkStore(site.data);
  if (!checked.ok) throw new Error(checked.error.message);
  const { differences, faults, incidents: compared } = checked.value;
  expect([...differences, ...faults, ...compared.differences, ...compared.faults]).toEqual([]);
});
