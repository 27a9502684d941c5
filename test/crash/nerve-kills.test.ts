/**
 * The kernel is killed at its k-th write, kernel and workers at their k-th message, and all workers at any moment, while runs end
 * badly and the sense `nerve` reports them. Each such run is in exactly one signal, and each report is one run.
 * `NERVE_CRASH=full` kills at each step.
 */
import type { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CrashSite } from "../helpers/crash.ts";
import { childrenOf, sendSignal } from "../helpers/processes.ts";
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
  { call: "pwrite64", ofStore: true, first: 40, last: 200, stride: FULL ? 1 : 67 },
  { call: "sendto", ofStore: false, first: FULL ? 1 : 7, last: 40, stride: FULL ? 1 : 19 },
];
const WORKER_KILLS = FULL ? 6 : 2;

setDefaultTimeout(FULL ? 7_200_000 : 300_000);

const configOf = (jobs: string): string => `data: DATA
senses: { nerve: { group: watch } }
reflexes:
  - { sense: nerve, interval: 300ms, watch: true }
  - { name: told, workflow: note, on: [nerve], each: failed_runs, key: run }
${jobs}workflows:
  bad: { overflow: drop }
  note: { max_queue: 10000 }
`;
const RESTLESS = configOf("  - { workflow: bad, interval: 70ms, align: false }\n");
const CALM = configOf("");

/** Runs that ended badly and are not reports; and how often signals name each. */
const ENDED = `SELECT run FROM logs WHERE source = 'workflow:bad' AND event IN ('run.failed', 'run.timed-out', 'run.dropped') ORDER BY run`;
const NAMED = `SELECT one.value ->> 'run' AS run FROM signals, json_each(signals.payload, '$.failed_runs') AS one
  WHERE sense = 'nerve' AND one.value ->> 'workflow' = 'bad' ORDER BY run`;
const REPORTED = `SELECT data ->> '$.input.run' AS run FROM logs WHERE source = 'workflow:note' AND event = 'run.queued' ORDER BY run`;
const UNLISTED = "SELECT coalesce(sum(payload ->> '$.more.failed_runs'), 0) AS n FROM signals WHERE sense = 'nerve'";

const runsOf = (db: Database, sql: string): number[] =>
  db
    .query<{ run: number }, []>(sql)
    .all()
    .map(({ run }) => run);

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: the sense nerve and kills, since ${missing}`);

test.skipIf(missing !== null)(
  "killed anywhere, each run that ended badly is in one signal, and reported by one run",
  async () => {
    await using site = new CrashSite([], RESTLESS);
    for (const [name, code] of [
      ["bad", 'export const run = () => { throw new Error("no"); };\n'],
      ["note", "export const run = () => null;\n"],
    ] as const) {
      mkdirSync(join(site.folder, "workflows", name), { recursive: true, mode: 0o700 });
      site.write(`workflows/${name}/index.ts`, code);
    }
    site.write("calm.yaml", CALM);
    const named = (): number => site.ask(0, (db) => runsOf(db, NAMED).length);
    // The first look is about the kernel that it asks: it is to be over before anything is killed.
    const first = site.start();
    await first.answers();
    await until("the sense names runs", () => named() > 0);
    await first.kill();
    const store = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
    let kills = 0;
    for (const { call, ofStore, first: from, last, stride } of KILLS) {
      for (let k = from; k <= last; k += stride) {
        const wrapper = killedAtStep({ k, call, paths: ofStore ? store : [], children: !ofStore });
        const kernel = site.start("nerve.yaml", wrapper);
        await until("the kernel is dead", () => kernel.ended !== null);
        kills++;
      }
    }
    const kernel = site.start();
    await kernel.answers();
    for (let kill = 0; kill < WORKER_KILLS; kill++) {
      const before = named();
      for (const pid of childrenOf(kernel.pid)) sendSignal(pid, "SIGKILL");
      await until("the sense names more runs", () => named() > before);
    }
    await kernel.kill();
    const last = site.start("calm.yaml");
    await last.answers();
    await until("each run that ended badly is named, and each report has ended", () =>
      site.ask(false, (db) => {
        const busy = db.query("SELECT 1 FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')").get();
        return busy === null && runsOf(db, NAMED).length >= runsOf(db, ENDED).length;
      }),
    );
    expect(await last.stop()).toBe(0);
    const found = site.ask({ ended: [0], named: [1], reported: [2], unlisted: -1 }, (db) => ({
      ended: runsOf(db, ENDED),
      named: runsOf(db, NAMED),
      reported: runsOf(db, REPORTED),
      unlisted: db.query<{ n: number }, []>(UNLISTED).get()?.n ?? -1,
    }));
    console.log(JSON.stringify({ test: "nerve-kills", kills, workerKills: WORKER_KILLS, runs: found.ended.length }));
    expect(found.unlisted).toBe(0);
    expect(found.named).toEqual(found.ended);
    expect(found.reported).toEqual(found.ended);
    expect(found.ended.length).toBeGreaterThan(10);
  },
);
