/**
 * An older copy of one database is put back beside newer ones, under `tail` and under `deliver`: what comes from then on is handed
 * over once (G12), and the log names what is missing or may come again.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, copyFileSync, cpSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `
senses:
  log: { use: tail, throttle: 0s, with: { path: app.log, from: start } }
  relay: { throttle: 0s }
reflexes:
  - { sense: log, interval: 200ms }
  - { sense: relay, on: [log], deliver: true }
`;

const RELAY = `import { sql } from "drizzle-orm";
import { signals } from "nerve";
export const compute = (db, _peers, { delivered }) => {
  for (const { payload } of delivered) db.run(sql\`INSERT INTO seen (value) VALUES (\${Number(payload.line)})\`);
  return signals(delivered.map(({ payload }) => payload));
};`;

const FILES = {
  "nerve.yaml": CONFIG,
  "app.log": "",
  "senses/relay/index.ts": RELAY,
  "senses/relay/migrations/1.sql": "CREATE TABLE seen (id INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER NOT NULL);",
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, nth) => from + nth);

const linesOf = (nerve: Nerve, sense: string): number[] =>
  nerve.signals(sense).map(({ payload }) => Number(payload.line));

function seenBy(folder: Project): number[] {
  using db = new Database(join(folder.path, "data/senses/relay.db"), { readonly: true });
  return db
    .query<{ value: number }, []>("SELECT value FROM seen ORDER BY id")
    .all()
    .map(({ value }) => value);
}

/** A life of nerve in which these lines are written, and go through both senses. */
async function lives(folder: Project, lines: readonly number[]): Promise<Nerve> {
  const nerve = await startNerve(folder.path);
  appendFileSync(join(folder.path, "app.log"), lines.map((line) => `${line}\n`).join(""));
  try {
    await until("the last line is through", () => linesOf(nerve, "relay").at(-1) === lines.at(-1));
    expect(await nerve.stop()).toBe(0);
  } catch (error) {
    await nerve[Symbol.asyncDispose]();
    throw error;
  }
  return nerve;
}

/** Lines 0 to 9 are in the copy, 10 to 19 are not, and 20 to 29 come after it was put back. */
async function withOlder(file: string): Promise<{ folder: Project; nerve: Nerve; warnings: string[] }> {
  const folder = project(FILES);
  const copy = join(folder.path, "copy");
  const data = join(folder.path, "data");
  await lives(folder, range(0, 10));
  cpSync(data, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  await lives(folder, range(10, 20));
  for (const end of ["", "-wal", "-shm"]) {
    rmSync(join(data, `${file}${end}`), { force: true });
    if (existsSync(join(copy, `${file}${end}`))) copyFileSync(join(copy, `${file}${end}`), join(data, `${file}${end}`));
  }
  const nerve = await lives(folder, range(20, 30));
  const warnings = nerve.logs().flatMap(({ level, message }) => (level === "warn" || level === "error" ? message : []));
  return { folder, nerve, warnings };
}

test.concurrent("of logs.db: new signals are delivered once, and the log names the signals that are missing", async () => {
  const { folder, nerve, warnings } = await withOlder("logs.db");
  using _ = folder;
  expect(linesOf(nerve, "log")).toEqual([...range(0, 10), ...range(20, 30)]);
  expect(seenBy(folder)).toEqual(range(0, 30));
  expect(linesOf(nerve, "relay")).toEqual([...range(0, 10), ...range(20, 30)]);
  const missing = expect.stringMatching(
    /: 10 signals that the sense handed over are missing from logs\.db, which is older/,
  );
  expect(warnings.filter((message) => message.includes("missing from logs.db"))).toEqual([missing, missing]);
});

test.concurrent("of the database of tail: lines come again, the log says so, and each signal is delivered once", async () => {
  const { folder, nerve, warnings } = await withOlder("senses/log.db");
  using _ = folder;
  const all = [...range(0, 20), ...range(10, 30)];
  expect(linesOf(nerve, "log")).toEqual(all);
  expect(seenBy(folder)).toEqual(all);
  expect(linesOf(nerve, "relay")).toEqual(all);
  expect(warnings).toEqual([expect.stringContaining("its database is older than what nerve knows of it")]);
});

test.concurrent("of the database that deliveries go to: each signal is in its rows once, and the log says what comes again", async () => {
  const { folder, nerve, warnings } = await withOlder("senses/relay.db");
  using _ = folder;
  expect(linesOf(nerve, "log")).toEqual(range(0, 30));
  expect(seenBy(folder)).toEqual(range(0, 30));
  expect(linesOf(nerve, "relay")).toEqual([...range(0, 20), ...range(10, 30)]);
  expect(warnings).toEqual([expect.stringContaining("its database is older than what nerve knows of it")]);
});
