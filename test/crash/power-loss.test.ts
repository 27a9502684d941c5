/**
 * The power goes, at any moment: nerve starts on what the disk may hold then, and what it had announced is there
 * (`durability: full`), each log is there once (G8), every run that was answered for ends once (G3), and the table of runs
 * follows from the logs. NERVE_CRASH=full takes many more images, NERVE_IMAGES=N that many.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../src/model/log.ts";
import { DAY_MS, everyLog, logAt } from "../helpers/archive.ts";
import { type CrashSite, type Kernel, randomNumbers } from "../helpers/crash.ts";
import { COMPILED, NERVE, runNerve } from "../helpers/nerve.ts";
import { makeImage, type Recording, readRecording, recordedTo } from "../helpers/power-loss.ts";
import { whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { post, siteWith } from "./errands.ts";

setDefaultTimeout(120_000);

const FULL = process.env.NERVE_CRASH === "full";
const IMAGES = Number(process.env.NERVE_IMAGES ?? (FULL ? 600 : 8));
const SEED = Number(process.env.NERVE_SEED ?? Math.floor(Math.random() * 2 ** 31));

const CONFIG = `
data: DATA
durability: DURABILITY
groups: { here: {} }
senses:
  memory: { group: here }
  load: { group: here }
reflexes:
  - { sense: memory, interval: 30ms }
  - { name: chain, sense: load, on: [memory] }
workflows:
  plain: { use: errand, concurrency: 3 }
  napper: { use: errand, concurrency: 2 }
`;

const missing = whyNoStrace() ?? (COMPILED === null ? "there is no executable" : null);
if (missing !== null) console.warn(`skipped: power loss, since ${missing}`);

/** What somebody outside knew at `atMs`, whole milliseconds as `Date.now` has them: up to one later in truth. */
interface Known {
  readonly atMs: number;
  readonly run: number | null;
  readonly signal: number | null;
}

/** Where the power goes: half of the cuts just before a sync, where the most is at stake. */
function cutsOf({ changes, syncs }: Recording, from: number, random: () => number): number[] {
  const later = syncs.filter((index) => index >= from);
  return Array.from({ length: IMAGES }, (_, n) =>
    n % 2 === 0
      ? (later[Math.floor(random() * later.length)] ?? changes.length)
      : from + Math.floor(random() * (changes.length - from + 1)),
  );
}

describe.skipIf(missing !== null).each(["full", "normal"])("under durability: %s", (durability) => {
  let site: CrashSite;
  let recording: Recording;
  const known: Known[] = [];
  let lossesSeen = 0;

  beforeAll(async () => {
    site = siteWith(["errand"], CONFIG.replace("DURABILITY", durability));
    writeFileSync(join(site.folder, "marks"), "");
    const record = join(site.folder, "record");
    const kernel = site.start("nerve.yaml", recordedTo(record));
    await kernel.answers();
    const newest = "SELECT max(id) AS id FROM signals";
    for (let n = 1; n <= 40; n++) {
      const workflow = n % 2 === 0 ? "plain" : "napper";
      const input = { marks: join(site.folder, "marks"), workflow, n, act: n % 2 === 0 ? "work" : "nap" };
      const answer = await post(site, "/run", { workflow, input });
      const signal = site.ask(null, (db) => db.query<{ id: number | null }, []>(newest).get()?.id ?? null);
      known.push({ atMs: Date.now(), run: answer?.run ?? null, signal });
    }
    expect(await kernel.stop()).toBe(0);
    expect(known.filter(({ run }) => run !== null).length).toBeGreaterThan(20);
    await until("the record is whole", () => existsSync(record));
    recording = readRecording(record, site.data, null);
    expect(recording.syncs.length).toBeGreaterThan(durability === "full" ? 20 : 3);
  });
  afterAll(() => site?.end());

  /** Starts on an image until every run has ended. */
  async function comesThrough(): Promise<string[]> {
    const kernel: Kernel = site.start();
    await kernel.answers();
    const active = "SELECT count(*) AS n FROM workflow_runs WHERE ended_at IS NULL";
    await until("every run has ended", () => site.ask(1, (db) => db.query<{ n: number }, []>(active).get()?.n) === 0);
    const code = await kernel.stop();
    const checks = [["rebuild", "--check"], ["archive", "verify"], ["signals", "--limit", "5"], ["logs"]];
    const found = code === 0 ? [] : [`the kernel ended with ${code}: ${kernel.lastWords()}`];
    for (const args of checks) {
      const { code, stderr } = await runNerve(site.folder, args);
      if (code !== 0) found.push(`nerve ${args.join(" ")} ended with ${code}: ${stderr}`);
    }
    return found;
  }

  /** What somebody outside had seen before `at` and is gone. */
  function losses(db: Database, at: number): string[] {
    const found: string[] = [];
    const runs = new Map(
      db
        .query<{ id: number; state: string }, []>("SELECT id, state FROM workflow_runs")
        .all()
        .map(({ id, state }) => [id, state]),
    );
    const has = db.query<{ n: number }, [number]>("SELECT count(*) AS n FROM signals WHERE id = ?");
    for (const { run, signal } of known.filter(({ atMs }) => atMs + 1 < at)) {
      if (run !== null && runs.get(run) !== "completed") found.push(`run ${run} is ${runs.get(run) ?? "lost"}`);
      if (signal !== null && has.get(signal)?.n !== 1) found.push(`signal ${signal} is lost`);
    }
    return found;
  }

  function violations(at: number): string[] {
    const found: string[] = [];
    const db = new Database(join(site.data, "logs.db"), { readonly: true });
    try {
      const lost = losses(db, at);
      lossesSeen += lost.length;
      if (durability === "full") found.push(...lost);
      const endings =
        "SELECT run FROM logs WHERE event IN ('run.completed', 'run.failed', 'run.cancelled', 'run.timed-out', 'run.dropped') GROUP BY run HAVING count(*) > 1";
      for (const { run } of db.query<{ run: number }, []>(endings).all()) found.push(`run ${run} ended twice`);
    } finally {
      db.close(true);
    }
    for (const name of existsSync(join(site.data, "senses")) ? readdirSync(join(site.data, "senses")) : []) {
      if (!name.endsWith(".db")) continue;
      const sense = new Database(join(site.data, "senses", name));
      const answer = sense.query<{ integrity_check: string }, []>("PRAGMA integrity_check").get()?.integrity_check;
      if (answer !== "ok") found.push(`${name}: ${answer}`);
      sense.close(true);
    }
    return found;
  }

  test(
    "nothing is damaged, and under `full` nothing that was announced is lost",
    async () => {
      const random = randomNumbers(SEED);
      const found: string[] = [];
      for (const cut of cutsOf(recording, 0, random)) {
        rmSync(site.data, { recursive: true, force: true });
        mkdirSync(site.data, { mode: 0o700 });
        makeImage(recording, cut, random, site.data, site.data);
        const at = recording.changes[cut]?.atMs ?? Number.POSITIVE_INFINITY;
        const wrong = [...(await comesThrough()), ...violations(at)];
        found.push(...wrong.map((text) => `cut ${cut}: ${text}`));
        if (found.length > 0) break;
      }
      const outcome = { durability, seed: SEED, images: IMAGES, losses: lossesSeen, violations: found.length };
      console.log(JSON.stringify({ test: "power-loss", ...outcome }));
      expect(found).toEqual([]);
      // `normal` may lose the newest commits: images that lose nothing there would prove nothing of `full`.
      if (durability === "normal") expect(lossesSeen).toBeGreaterThan(0);
    },
    FULL ? 1_800_000 : 120_000,
  );
});

describe.skipIf(missing !== null).each(["full", "normal"])(
  "while logs are archived under durability: %s",
  (durability) => {
    const DAYS = 4;
    const ROWS = 200;
    let site: CrashSite;
    let begun: string;
    let rows: Log[];
    let recording: Recording;

    beforeAll(async () => {
      site = siteWith([], `data: DATA\ndurability: ${durability}\nretention: { logs: 10d }\n`);
      begun = join(site.folder, "begun");
      const kernel = site.start();
      await kernel.answers();
      expect(await kernel.stop()).toBe(0);
      const db = new Database(join(site.data, "logs.db"));
      db.run("DELETE FROM logs");
      const insert = db.prepare(
        "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      );
      const first = (Math.floor(Date.now() / DAY_MS) - 30) * DAY_MS + DAY_MS / 2;
      db.transaction(() => {
        for (let n = 0; n < ROWS; n++) {
          const { at, level, source, event, run, trace, message, data } = logAt(
            first + Math.floor((n * (DAYS - 1) * DAY_MS) / ROWS),
          );
          insert.run(at, level, source, event, run, trace, message, data);
        }
      })();
      rows = db.query<Log, []>("SELECT * FROM logs ORDER BY id").all();
      db.run("PRAGMA wal_checkpoint(TRUNCATE)");
      db.close(true);
      cpSync(site.data, begun, { recursive: true });
      const record = join(site.folder, "record");
      const { code, stderr } = await runNerve(site.folder, ["archive", "run", "--json"], {
        command: [...recordedTo(record), ...NERVE],
      });
      expect([code, stderr]).toEqual([0, ""]);
      recording = readRecording(record, site.data, begun);
    });
    afterAll(() => site?.end());

    test(
      "each log is in the archive or in the table, once, and no file is nobody's",
      async () => {
        const random = randomNumbers(SEED);
        const found: string[] = [];
        const from = recording.changes.findIndex(({ atMs }) => atMs > 0);
        for (const cut of cutsOf(recording, from, random)) {
          rmSync(site.data, { recursive: true, force: true });
          mkdirSync(site.data, { mode: 0o700 });
          makeImage(recording, cut, random, site.data, site.data);
          const kernel = site.start();
          await kernel.answers();
          const code = await kernel.stop();
          if (code !== 0) found.push(`cut ${cut}: the kernel ended with ${code}: ${kernel.lastWords()}`);
          const old = everyLog(site.data).filter(({ event }) => event === "test");
          if (JSON.stringify(old) !== JSON.stringify(rows))
            found.push(`cut ${cut}: ${old.length} logs of ${rows.length}`);
          const again = await runNerve(site.folder, ["archive", "run"]);
          const verified = await runNerve(site.folder, ["archive", "verify"]);
          if (again.code !== 0) found.push(`cut ${cut}: archive run: ${again.stderr}`);
          if (verified.code !== 0) found.push(`cut ${cut}: archive verify: ${verified.stderr}`);
          if (found.length > 0) break;
        }
        console.log(
          JSON.stringify({
            test: "power-loss",
            during: "archive",
            durability,
            seed: SEED,
            images: IMAGES,
            violations: found.length,
          }),
        );
        expect(found).toEqual([]);
      },
      FULL ? 1_800_000 : 120_000,
    );
  },
);
