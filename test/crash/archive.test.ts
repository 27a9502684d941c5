/**
 * SIGKILL at every single step of archiving: the k-th write, sync or rename, for k = 1, 2, 3 … until it gets through; and
 * again while the next one puts right what the first had left. At every moment the archive and the table hold every log
 * once (G8). NERVE_CRASH=full takes every step, the default some of them.
 */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../src/model/log.ts";
import { DAY_MS, everyLog, logAt } from "../helpers/archive.ts";
import { CrashSite } from "../helpers/crash.ts";
import { COMPILED, NERVE, runNerve } from "../helpers/nerve.ts";
import { killedAtStep, sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = "data: DATA\nretention: { logs: 10d }\n";
const FULL = process.env.NERVE_CRASH === "full";
const MOST_STEPS = 400;
const DAYS = 3;
const ROWS = 250;

const missing = whyNoStrace() ?? (COMPILED === null ? "there is no executable" : null);
if (missing !== null) console.warn(`skipped: kills while archiving, since ${missing}`);

describe.skipIf(missing !== null)("killed at every step of archiving", () => {
  let site: CrashSite;
  let begun: string;
  let rows: Log[];

  /** A data directory with old logs, to begin from each time. */
  beforeAll(async () => {
    site = new CrashSite([], CONFIG);
    begun = join(site.folder, "begun");
    const kernel = site.start();
    await kernel.answers();
    await kernel.stop();
    const db = new Database(join(site.data, "logs.db"));
    db.run("DELETE FROM logs");
    const insert = db.prepare(
      "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    // From noon, so that they are of as many days whatever the time is now.
    const first = (Math.floor(Date.now() / DAY_MS) - 30) * DAY_MS + DAY_MS / 2;
    db.transaction(() => {
      for (let n = 0; n < ROWS; n++) {
        const log = logAt(first + Math.floor((n * (DAYS - 1) * DAY_MS) / ROWS), {
          data: n % 3 === 0 ? `{"n":${n}}` : null,
        });
        const { at, level, source, event, run, trace, message, data } = log;
        insert.run(at, level, source, event, run, trace, message, data);
      }
    })();
    rows = db.query<Log, []>("SELECT * FROM logs ORDER BY id").all();
    db.close(true);
    cpSync(site.data, begun, { recursive: true });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  const beginAnew = (): void => {
    rmSync(site.data, { recursive: true });
    cpSync(begun, site.data, { recursive: true });
  };

  /** What must hold at every moment, whoever was killed. */
  function violations(when: string): string[] {
    const found = everyLog(site.data);
    const old = found.filter(({ event }) => event === "test");
    if (JSON.stringify(old) !== JSON.stringify(rows))
      return [`${when}: ${old.length} logs of ${rows.length}, or not the same`];
    const ids = found.map(({ id }) => id);
    return ids.every((id, n) => n === 0 || id === (ids[n - 1] ?? 0) + 1) ? [] : [`${when}: ids have a gap or repeat`];
  }

  const archive = (wrapper: readonly string[] = []) =>
    runNerve(site.folder, ["archive", "run", "--json"], { command: [...wrapper, ...NERVE] });
  const killedAt = (call: string, k: number, paths: readonly string[] = []): string[] =>
    killedAtStep({ k, call, paths, children: true });

  async function comesThrough(when: string): Promise<string[]> {
    const again = await archive();
    const verified = await runNerve(site.folder, ["archive", "verify"]);
    const left = readdirSync(join(site.data, "archive")).filter((name) => !name.endsWith(".jsonl"));
    const wrong = [
      ...(again.code === 0 ? [] : [`the next run ended with ${again.code}: ${again.stderr}`]),
      ...(verified.code === 0 ? [] : [`verify: ${verified.stderr}`]),
      ...(left.length === 0 ? [] : [`left: ${left.join()}`]),
    ];
    return [...violations(`${when}, then`), ...wrong.map((text) => `${when}: ${text}`)];
  }

  /** Writes to the files alone: those to eventfds are no step. */
  const temporaryFiles = (): string[] => {
    const days = new Set(rows.map(({ at }) => new Date(at).toISOString().slice(0, 10)));
    return [...days].map((day) => join(site.data, "archive", `${day}.jsonl.tmp`));
  };

  test.each([
    ["pwrite64", FULL ? 1 : 7],
    ["fsync", FULL ? 1 : 2],
    ["write", 1],
    ["rename", 1],
  ] as const)(
    "%s, and again in what follows",
    async (call, stride) => {
      const found: string[] = [];
      let kills = 0;
      for (let k = 1; k < MOST_STEPS && found.length === 0; k += stride) {
        beginAnew();
        const first = await archive(killedAt(call, k, call === "write" ? temporaryFiles() : []));
        if (first.code === 0) break;
        kills++;
        const when = `${call} ${k}`;
        found.push(...violations(when));
        // The second death comes at another step each time.
        for (const j of FULL ? [1, 4, 9, 16, 25] : [1 + ((k * 5) % 23)]) {
          const second = await archive(killedAt("pwrite64", j));
          found.push(...violations(`${when}, then pwrite64 ${j}`));
          if (second.code === 0) break;
        }
        found.push(...(await comesThrough(when)));
      }
      console.log(JSON.stringify({ test: "archive", call, kills, violations: found.length }));
      expect(found).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(call === "pwrite64" || call === "fsync" ? 3 : DAYS - 1);
    },
    FULL ? 400_000 : 60_000,
  );

  test(
    "in a daemon that is asked to",
    async () => {
      const found: string[] = [];
      let kills = 0;
      for (let k = 1; k < MOST_STEPS && found.length === 0; k += FULL ? 1 : 13) {
        beginAnew();
        const kernel = site.start();
        await kernel.answers();
        const saboteur = await sabotage(kernel.pid, `pwrite64:signal=SIGKILL:when=${k}`);
        const socket = join(site.data, "nerve.sock");
        const asked = await fetch("http://nerve/archive", { unix: socket, method: "POST", body: "{}" }).catch(
          () => null,
        );
        await saboteur.end();
        if (asked?.ok) {
          await kernel.kill();
          break;
        }
        await until("it is dead", () => kernel.ended !== null);
        kills++;
        found.push(...violations(`daemon, pwrite64 ${k}`));
        const next = site.start();
        await next.answers();
        found.push(...violations(`daemon, pwrite64 ${k}, started again`));
        expect(await next.stop()).toBe(0);
        found.push(...(await comesThrough(`daemon, pwrite64 ${k}`)));
      }
      console.log(JSON.stringify({ test: "archive", call: "daemon", kills, violations: found.length }));
      expect(found).toEqual([]);
      expect(kills).toBeGreaterThan(1);
      expect(existsSync(join(site.data, "archive"))).toBe(true);
    },
    FULL ? 400_000 : 60_000,
  );

  test.each([
    ["pwrite64", FULL ? 1 : 9],
    ["fsync", FULL ? 1 : 2],
    ["unlink", 1],
  ] as const)(
    "%s, while a file is removed whose time is over",
    async (call, stride) => {
      beginAnew();
      expect(await archive()).toMatchObject({ code: 0 });
      const archived = join(site.folder, "archived");
      rmSync(archived, { recursive: true, force: true });
      cpSync(site.data, archived, { recursive: true });
      const all = readdirSync(join(archived, "archive"));
      site.write("shorter.yaml", "data: DATA\nretention: { logs: 10d, archive: 29d }\n");
      const remove = (wrapper: readonly string[] = []) =>
        runNerve(site.folder, ["archive", "run", "-c", "shorter.yaml"], { command: [...wrapper, ...NERVE] });
      const found: string[] = [];
      let kills = 0;
      for (let k = 1; k < MOST_STEPS && found.length === 0; k += stride) {
        rmSync(site.data, { recursive: true });
        cpSync(archived, site.data, { recursive: true });
        const first = await remove(killedAt(call, k));
        if (first.code === 0) break;
        kills++;
        const ids = everyLog(site.data).map(({ id }) => id);
        const isWhole = ids.every((id, n) => n === 0 || id === (ids[n - 1] ?? 0) + 1);
        if (!isWhole) found.push(`${call} ${k}: what is left has gaps`);
        const again = await remove();
        const verified = await runNerve(site.folder, ["archive", "verify"]);
        if (again.code !== 0 || verified.code !== 0) found.push(`${call} ${k}: ${again.stderr}${verified.stderr}`);
        const left = readdirSync(join(site.data, "archive"));
        if (left.length !== all.length - 1) found.push(`${call} ${k}: ${left.join()} are left`);
      }
      console.log(JSON.stringify({ test: "archive", call: `${call}, removing`, kills, violations: found.length }));
      expect(found).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(1);
    },
    FULL ? 400_000 : 60_000,
  );

  test("a daemon that is told to stop while it archives does, and loses nothing", async () => {
    beginAnew();
    const db = new Database(join(site.data, "logs.db"));
    const many = 50_000;
    db.run(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
       INSERT INTO logs (at, level, source, event, message) SELECT ${rows.at(-1)?.at}, 'info', 'kernel', 'many', i FROM n`,
    );
    db.close(true);
    const kernel = site.start();
    await kernel.answers();
    const socket = join(site.data, "nerve.sock");
    const asked = fetch("http://nerve/archive", { unix: socket, method: "POST", body: "{}" }).catch(() => null);
    const moved = "SELECT count(*) AS n FROM archive";
    await until("a file is through", () => site.ask(0, (on) => on.query<{ n: number }, []>(moved).get()?.n ?? 0) > 0);
    expect(await kernel.stop()).toBe(0);
    await asked;
    expect(violations("stopped")).toEqual([]);
    expect(everyLog(site.data).filter(({ event }) => event === "many")).toHaveLength(many);
    expect(await comesThrough("stopped")).toEqual([]);
  });
});
