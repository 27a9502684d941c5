/**
 * The kernel is killed at its k-th write while the clock starts runs: each due time that was decided has one run, each run
 * one due time (G1), and no run is there that no due time asked for.
 */
import type { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CrashSite } from "../helpers/crash.ts";
import { killedAtStep, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";

const FULL = process.env.NERVE_CRASH === "full";
/** The last write at which it is killed, and how far apart those are. */
const WRITES = 240;
const STRIDE = FULL ? 1 : 17;

setDefaultTimeout(FULL ? 1_200_000 : 300_000);

const TIMES = `
data: DATA
senses: {}
workflows: { note: { concurrency: 4 } }
reflexes:
  - { name: often, workflow: note, interval: 40ms, align: false, input: { of: often } }
  - { name: starts, workflow: note, on_start: true, input: { of: starts } }
`;
const QUIET = `
data: DATA
senses: {}
workflows: { note: { concurrency: 4 } }
reflexes: []
`;

interface Row {
  readonly reflex: string;
  readonly due: number;
  readonly run: number;
}

const FIRED = `SELECT substr(source, 8) AS reflex, data ->> 'due' AS due, data ->> 'run' AS run
  FROM logs WHERE event = 'reflex.fired' ORDER BY run`;
const QUEUED = `SELECT data ->> '$.trigger.reflex' AS reflex, data ->> '$.trigger.due' AS due, run
  FROM logs WHERE event = 'run.queued' ORDER BY run`;
const RUNS = "SELECT reflex, id AS run, input ->> 'of' AS of FROM workflow_runs ORDER BY id";

const rows = <R>(db: Database, sql: string): R[] => db.query<R, []>(sql).all();

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: runs by the clock and kills, since ${missing}`);

test.skipIf(missing !== null)(
  "killed at its k-th write, each due time has one run and each run one due time",
  async () => {
    await using site = new CrashSite([], TIMES);
    mkdirSync(join(site.folder, "workflows/note"), { recursive: true, mode: 0o700 });
    site.write("workflows/note/index.ts", "export const run = () => null;\n");
    site.write("quiet.yaml", QUIET);
    let kills = 0;
    for (let k = 2; k <= WRITES; k += STRIDE) {
      const paths = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
      const kernel = site.start("nerve.yaml", killedAtStep({ k, call: "pwrite64", paths, children: false }));
      await until("the kernel is dead", () => kernel.ended !== null);
      kills++;
    }
    const last = site.start("quiet.yaml");
    await last.answers();
    const active = "SELECT 1 FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')";
    await until("every run has ended", () => site.ask(false, (db) => db.query(active).get() === null));
    expect(await last.stop()).toBe(0);

    const none = { fired: [] as Row[], queued: [] as Row[], runs: [] as { reflex: string; run: number; of: string }[] };
    const { fired, queued, runs } = site.ask(none, (db) => ({
      fired: rows<Row>(db, FIRED),
      queued: rows<Row>(db, QUEUED),
      runs: rows<(typeof none)["runs"][number]>(db, RUNS),
    }));
    console.log(JSON.stringify({ test: "timed-kills", kills, runs: runs.length }));
    expect(fired).toEqual(queued);
    expect(runs.map(({ reflex, run, of }) => [reflex, run, of])).toEqual(
      fired.map(({ reflex, run }) => [reflex, run, reflex]),
    );
    const names = new Set(fired.map(({ reflex, due }) => `${reflex} ${due}`));
    expect(names.size).toBe(fired.length);
    expect(new Set(fired.map(({ reflex }) => reflex))).toEqual(new Set(["often", "starts"]));
  },
);
