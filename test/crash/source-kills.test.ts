/**
 * Lines of a log become signals, and the signals go through two more senses with `deliver`, while the log is renamed, cut off,
 * removed and made anew, and the kernel and the worker are killed: rows are lines, signals are rows, none twice, all in order
 * (G7, G12). NERVE_CRASH=full kills 200 times; NERVE_CRASH_SEED=n makes the same choices again.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, copyFileSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { randomNumbers } from "../helpers/crash.ts";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(600_000);

const KILLS = process.env.NERVE_CRASH === "full" ? 200 : 12;
const SEED = Number(process.env.NERVE_CRASH_SEED ?? Date.now() % 1_000_000);
const BURST = 300;

const CONFIG = `
senses:
  tail: { group: one, throttle: 0s }
  middle: { group: two, use: relay }
  last: { group: two, use: relay }
reflexes:
  - { sense: tail, watch: [{ file: app.log }], interval: 1s }
  - { sense: middle, on: [tail], deliver: true, when: { line: "number >= 0" } }
  - { sense: last, on: [middle], deliver: true }
`;

/** Reads whole lines from a cursor of its own: what was renamed to its end, then the file that has its name now. */
const TAIL = `import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { sql } from "drizzle-orm";
import { signals } from "nerve";
const stat = (path) => statSync(path, { throwIfNoEntry: false });
export const compute = (db) => {
  const [cursor = { ino: 0, offset: 0, first: "" }] = db.all(sql\`SELECT ino, offset, first FROM cursor\`);
  const path = ["app.log", "app.log.1"].find((name) => stat(name)?.ino === cursor.ino) ?? "app.log";
  if (stat(path) === undefined) return null;
  const file = openSync(path, "r");
  const { ino, size } = fstatSync(file);
  // A file that was cut off, or made anew under the same number, begins with another line.
  const bytes = Buffer.alloc(2_000);
  const first = bytes.toString("utf8", 0, readSync(file, bytes, 0, 20, 0)).split("\\n")[0];
  const begin = ino === cursor.ino && first === cursor.first && cursor.offset <= size ? cursor.offset : 0;
  const length = readSync(file, bytes, 0, bytes.length, begin);
  closeSync(file);
  const end = bytes.subarray(0, length).lastIndexOf(10) + 1;
  const lines = bytes.toString("utf8", 0, end).split("\\n").slice(0, -1).map(Number);
  const isOver = path !== "app.log" && begin + end >= size;
  const next = isOver ? { ino: stat("app.log")?.ino ?? 0, offset: 0, first: "" } : { ino, offset: begin + end, first };
  if (lines.length === 0 && next.ino === cursor.ino && next.offset === cursor.offset) return null;
  db.run(sql\`DELETE FROM cursor\`);
  db.run(sql\`INSERT INTO cursor VALUES (\${next.ino}, \${next.offset}, \${next.first})\`);
  for (const line of lines) db.run(sql\`INSERT INTO seen (value) VALUES (\${line})\`);
  return signals(lines.map((line) => ({ line })));
};`;

const RELAY = `import { sql } from "drizzle-orm";
import { signals } from "nerve";
export const compute = (db, _peers, { delivered }) => {
  for (const { payload } of delivered) db.run(sql\`INSERT INTO seen (value) VALUES (\${payload.line})\`);
  return signals(delivered.map(({ payload }) => payload));
};`;

const SEEN = "CREATE TABLE seen (id INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER NOT NULL);";
const FILES = {
  "nerve.yaml": CONFIG,
  "senses/tail/index.ts": TAIL,
  "senses/tail/migrations/1.sql": `${SEEN} CREATE TABLE cursor (ino INTEGER, offset INTEGER, first TEXT);`,
  "senses/relay/index.ts": RELAY,
  "senses/relay/migrations/1.sql": SEEN,
};

const SENSES = ["tail", "middle", "last"] as const;

class Log {
  lines = 0;
  readonly #path: string;

  constructor(folder: Project) {
    this.#path = join(folder.path, "app.log");
  }

  appends(count: number): void {
    const lines = Array.from({ length: count }, (_, nth) => `${this.lines + nth}\n`);
    this.lines += count;
    appendFileSync(this.#path, lines.join(""));
  }

  /** What was read to its end may be renamed, copied and cut off, cut off, or removed. */
  turnsOver(how: number): void {
    if (how === 0) renameSync(this.#path, `${this.#path}.1`);
    if (how === 1) copyFileSync(this.#path, `${this.#path}.copy`);
    if (how === 1 || how === 2) truncateSync(this.#path, 0);
    if (how === 3) rmSync(this.#path);
  }
}

function valuesOf(folder: Project, sense: string): number[] {
  using db = new Database(join(folder.path, "data/senses", `${sense}.db`), { readonly: true });
  return db
    .query<{ value: number }, []>("SELECT value FROM seen ORDER BY id")
    .all()
    .map(({ value }) => value);
}

const isThrough = (nerve: Nerve, lines: number): boolean => nerve.signals("last").length >= lines;

/** Kills the kernel, or the worker of a group, within a moment. Null: the kernel is gone. */
async function kill(nerve: Nerve, random: () => number): Promise<Nerve | null> {
  await Bun.sleep(random() * 400);
  if (random() < 0.5) {
    const pid = (await nerve.group(random() < 0.5 ? "one" : "two")).pid;
    if (pid !== null) sendSignal(pid, "SIGKILL");
    return nerve;
  }
  nerve.kill("SIGKILL");
  await nerve.exited;
  return null;
}

test(`${KILLS} kills lose no line and repeat none, through a chain of three senses (seed ${SEED})`, async () => {
  using folder = project(FILES);
  const random = randomNumbers(SEED);
  const log = new Log(folder);
  log.appends(1);
  let nerve: Nerve = await startNerve(folder.path);
  try {
    for (let kills = 0; kills < KILLS; kills++) {
      log.appends(1 + Math.floor(random() * BURST));
      nerve = (await kill(nerve, random)) ?? (await startNerve(folder.path));
      if (random() < 0.5) continue;
      const { lines } = log;
      await until("every line has been read", () => nerve.signals("tail").length >= lines);
      log.turnsOver(Math.floor(random() * 4));
    }
    log.appends(10);
    await until("every line is through", () => isThrough(nerve, log.lines));
    expect(await nerve.stop()).toBe(0);
    const all = Array.from({ length: log.lines }, (_, line) => line);
    for (const sense of SENSES) {
      expect(valuesOf(folder, sense)).toEqual(all);
      expect(nerve.signals(sense).map(({ payload }) => payload.line)).toEqual(all);
    }
    expect(nerve.logs({ event: "signals.missed" })).toEqual([]);
    expect(nerve.logs({ event: "compute.failed" })).toEqual([]);
  } finally {
    await nerve[Symbol.asyncDispose]();
  }
});
