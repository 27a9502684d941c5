/**
 * The kernel is killed at its k-th write, kernel and workers at their k-th message, and all workers at any moment, while
 * incidents open, are reminded of, escalated, acknowledged and resolved. Each change has one run for each workflow that
 * reports the change (G13), and no run is there that no change asked for. `NERVE_CRASH=full` kills at each step.
 */
import type { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { checkStore } from "../../src/store/rebuild-store.ts";
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

/** Where a kernel dies: at writes and syncs of its store, and where it or a worker of it sends a message. */
const KILLS: readonly Kills[] = [
  { call: "pwrite64", ofStore: true, first: 2, last: 400, stride: FULL ? 1 : 31 },
  { call: "sendto", ofStore: false, first: FULL ? 1 : 5, last: 60, stride: FULL ? 1 : 27 },
  ...(FULL ? [{ call: "fsync", ofStore: true, first: 1, last: 40, stride: 1 } as const] : []),
];
/** Each is answered by a longer pause than the one before. */
const WORKER_KILLS = FULL ? 6 : 4;

setDefaultTimeout(FULL ? 7_200_000 : 300_000);

const RULES = `
reflexes:
  - { sense: probe, interval: 40ms, align: false }
  - name: high
    workflow: note
    on: [probe]
    each: keys
    key: name
    when: { v: number > 5 }
    incident: { severity: critical, resolve_after: 60ms, remind_every: 250ms, escalate: [{ after: 150ms, workflow: call }] }
workflows:
  note: { concurrency: 4, max_queue: 10000 }
  call: { concurrency: 4, max_queue: 10000 }
`;
const configOf = (use: "restless" | "calm"): string => `data: DATA\nsenses: { probe: { use: ${use} } }\n${RULES}`;

/** Each key goes up and down in its own time. */
const RESTLESS = `
const isHigh = (index) => Math.floor(Date.now() / (300 + 170 * index)) % 2 === 0;
export const compute = () => ({ keys: ["a", "b", "c", "d"].map((name, index) => ({ name, v: isHigh(index) ? 9 : 1 })) });
`;
const CALM = `
export const compute = () => ({ keys: ["a", "b", "c", "d"].map((name) => ({ name, v: 1 })) });
`;

interface Report {
  readonly incident: number;
  readonly notification: string;
  readonly workflow: string;
  readonly run: number;
}

const NOTIFIED = `SELECT data ->> 'incident' AS incident, data ->> 'notification' AS notification,
  data ->> 'workflow' AS workflow, data ->> 'run' AS run FROM logs WHERE event = 'incident.notified' ORDER BY run`;
const QUEUED = `SELECT data ->> '$.trigger.incident.id' AS incident, data ->> '$.trigger.incident.notification' AS notification,
  substr(source, 10) AS workflow, run FROM logs WHERE event = 'run.queued' ORDER BY run`;
const DECISIONS = "SELECT decision FROM workflow_runs ORDER BY id";
const BUSY = `SELECT 1 FROM workflow_runs WHERE state IN ('queued', 'running', 'sleeping')
  UNION ALL SELECT 1 FROM incidents WHERE state <> 'resolved'`;
/** Runs of one incident and workflow of which a later one began before an earlier one had ended. */
const OVERTAKEN = `WITH spans AS (
    SELECT n.data ->> 'incident' AS incident, n.data ->> 'workflow' AS workflow, n.data ->> 'run' AS run,
      (SELECT min(id) FROM logs WHERE run = n.data ->> 'run' AND event = 'run.started') AS began,
      (SELECT max(id) FROM logs WHERE run = n.data ->> 'run' AND event IN ('run.completed', 'run.failed', 'run.joined')) AS ended
    FROM logs AS n WHERE n.event = 'incident.notified')
  SELECT a.run AS earlier, b.run AS later FROM spans AS a JOIN spans AS b USING (incident, workflow)
  WHERE a.run < b.run AND b.began < a.ended`;
/** What was reported as open after a person had acknowledged it. */
const AFTER_ACK = `SELECT n.id FROM logs AS n JOIN logs AS k ON k.data ->> 'incident' = n.data ->> 'incident'
  WHERE k.event = 'incident.acked' AND n.event = 'incident.notified' AND n.id > k.id
  AND n.data ->> 'notification' IN ('reminded', 'escalated')`;

const rows = <R>(db: Database, sql: string): R[] => db.query<R, []>(sql).all();

/** What is wrong with the reports of one incident. */
function wrongReports(reports: readonly Report[]): string[] {
  const wrong: string[] = [];
  for (const [incident, all] of Map.groupBy(reports, (one) => one.incident)) {
    const of = (notification: string) => all.filter((one) => one.notification === notification);
    const workflows = new Set(all.map(({ workflow }) => workflow));
    if (of("opened").length !== 1) wrong.push(`incident ${incident} was opened ${of("opened").length} times`);
    if (of("escalated").length > 1) wrong.push(`incident ${incident} was escalated ${of("escalated").length} times`);
    for (const workflow of workflows) {
      const resolved = of("resolved").filter((one) => one.workflow === workflow).length;
      if (resolved !== 1) wrong.push(`${workflow} reports incident ${incident} as resolved ${resolved} times`);
    }
  }
  return wrong;
}

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: incidents and kills, since ${missing}`);

test.skipIf(missing !== null)("killed anywhere, each change of an incident is one run", async () => {
  await using site = new CrashSite([], configOf("restless"));
  for (const [folder, code] of [
    ["senses/restless", RESTLESS],
    ["senses/calm", CALM],
    ["workflows/note", "export const run = () => null;\n"],
    ["workflows/call", "export const run = () => null;\n"],
  ] as const) {
    mkdirSync(join(site.folder, folder), { recursive: true, mode: 0o700 });
    site.write(`${folder}/index.ts`, code);
  }
  site.write("calm.yaml", configOf("calm"));
  const post = (path: string, body: unknown): Promise<unknown> =>
    fetch(`http://nerve${path}`, {
      unix: join(site.data, "nerve.sock"),
      method: "POST",
      body: JSON.stringify(body),
    }).catch(() => null);
  /** A person who acknowledges and resolves what there is, whenever nerve answers. */
  let isOver = false;
  const person = (async () => {
    for (let turn = 0; !isOver; turn++) {
      const newest = site.ask(
        0,
        (db) => db.query<{ id: number }, []>("SELECT max(id) AS id FROM incidents").get()?.id ?? 0,
      );
      if (newest > 0) await post(turn % 3 === 0 ? "/resolve" : "/ack", { incident: newest, by: "somebody", why: null });
      await Bun.sleep(35);
    }
  })();
  const store = ["logs.db", "logs.db-wal"].map((file) => join(site.data, file));
  let kills = 0;
  for (const { call, ofStore, first, last, stride } of KILLS) {
    for (let k = first; k <= last; k += stride) {
      const kernel = site.start(
        "nerve.yaml",
        killedAtStep({ k, call, paths: ofStore ? store : [], children: !ofStore }),
      );
      await until("the kernel is dead", () => kernel.ended !== null);
      kills++;
    }
  }
  const kernel = site.start();
  await kernel.answers();
  const incidents = (): number =>
    site.ask(0, (db) => db.query<{ n: number }, []>("SELECT count(*) AS n FROM incidents").get()?.n ?? 0);
  for (let kill = 0; kill < WORKER_KILLS; kill++) {
    const before = incidents();
    for (const pid of childrenOf(kernel.pid)) sendSignal(pid, "SIGKILL");
    await until("incidents go on", () => incidents() > before);
  }
  isOver = true;
  await person;
  await kernel.kill();
  const last = site.start("calm.yaml");
  await last.answers();
  await until("every incident has resolved, and every run has ended", () =>
    site.ask(false, (db) => db.query(BUSY).get() === null),
  );
  expect(await last.stop()).toBe(0);

  const none = { notified: [] as Report[], queued: [] as Report[], decisions: [] as { decision: string }[] };
  const found = site.ask({ ...none, overtaken: [] as unknown[], afterAck: [] as unknown[] }, (db) => ({
    notified: rows<Report>(db, NOTIFIED),
    queued: rows<Report>(db, QUEUED),
    decisions: rows<{ decision: string }>(db, DECISIONS),
    overtaken: rows<unknown>(db, OVERTAKEN),
    afterAck: rows<unknown>(db, AFTER_ACK),
  }));
  console.log(
    JSON.stringify({ test: "incident-kills", kills, workerKills: WORKER_KILLS, reports: found.queued.length }),
  );
  expect(found.notified).toEqual(found.queued);
  expect(wrongReports(found.queued)).toEqual([]);
  expect(new Set(found.decisions.map(({ decision }) => decision)).size).toBe(found.decisions.length);
  expect(found.overtaken).toEqual([]);
  expect(found.afterAck).toEqual([]);
  expect(found.queued.length).toBeGreaterThan(20);
  const checked = checkStore(site.data);
  if (!checked.ok) throw new Error(checked.error.message);
  const { differences, faults, incidents: compared } = checked.value;
  expect([...differences, ...faults, ...compared.differences, ...compared.faults]).toEqual([]);
});
