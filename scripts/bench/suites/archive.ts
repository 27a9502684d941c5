/**
 * Old logs moved to the archive while signals arrive: rows a second, and the longest time in which no signal was
 * committed, beside the same without an archiver.
 */
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Figure } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { type Running, runNerve, Site, until } from "../site.ts";

const SENSES = 50;
/** Offers 500 a second, spread evenly. */
const EVERY = "100ms";
const ROWS = { all: 1_000_000, quick: 100_000 };
const DAYS = 5;
const DAY_MS = 86_400_000;
const LOOK_MS = 0.5;
/** What a commit may hold the database. */
const PAUSE_MS = 50;

function writeConfig(site: Site): void {
  site.sense("fact", "payload(now)");
  const names = Array.from({ length: SENSES }, (_, at) => `s${at}`);
  const senses = names.map((name) => `  ${name}: { use: fact }`);
  const reflexes = names.map((name) => `  - { sense: ${name}, interval: ${EVERY}, jitter: ${EVERY} }`);
  site.write("nerve.yaml", ["data: ./data", "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"));
}

function fill(site: Site, rows: number): void {
  const db = new Database(join(site.data, "logs.db"));
  const insert = db.prepare(
    "INSERT INTO logs (at, level, source, event, run, trace, message, data) VALUES (?, 'info', 'workflow:w', 'log', ?, ?, ?, ?)",
  );
  const first = Date.now() - (40 + DAYS) * DAY_MS;
  const trace = "0123456789abcdef0123456789abcdef";
  db.transaction(() => {
    db.run("DELETE FROM logs");
    for (let row = 0; row < rows; row++) {
      const run = row % 2 === 0 ? Math.floor(row / 20) : null;
      insert.run(
        first + Math.floor((row * DAYS * DAY_MS) / rows),
        run,
        trace,
        `step ${row} is through`,
        '{"n":1,"of":20}',
      );
    }
  })();
  db.close(true);
}

/** The longest time between two moments at which a signal was seen to be there, until `isOver`. */
async function longestPause(running: Running, isOver: () => boolean): Promise<number> {
  let last = running.lastId();
  let since = performance.now();
  let longest = 0;
  for (let looks = 0; !isOver(); looks++) {
    const id = running.lastId();
    const now = performance.now();
    if (id !== last) {
      longest = Math.max(longest, now - since);
      last = id;
      since = now;
    }
    if (looks % 16 === 0) await new Promise(setImmediate);
    Bun.sleepSync(LOOK_MS);
  }
  return longest;
}

export async function archive(setting: Setting): Promise<Figure[]> {
  using site = new Site();
  writeConfig(site);
  {
    await using running = runNerve(setting.programs.nerve, site);
    await running.working();
  }
  const rows = setting.rounds > 1 ? ROWS.all : ROWS.quick;
  fill(site, rows);
  await using running = runNerve(setting.programs.nerve, site);
  const before = running.lastId();
  await until("signals flow again", () => (running.lastId() > before + SENSES ? true : null));
  await Bun.sleep(setting.spans.warmMs);
  const calmUntil = performance.now() + 2 * setting.spans.windowMs;
  const calm = await longestPause(running, () => performance.now() > calmUntil);

  let answer: { rows: number; files: number } | null = null;
  const begunAt = performance.now();
  const firstSignal = running.lastId();
  const asking = fetch("http://nerve/archive", {
    unix: join(site.data, "nerve.sock"),
    method: "POST",
    body: "{}",
  }).then(async (response) => {
    answer = (await response.json()) as { rows: number; files: number };
  });
  const busy = await longestPause(running, () => answer !== null);
  await asking;
  const tookMs = performance.now() - begunAt;
  const moved = answer as { rows: number; files: number } | null;
  if (moved === null || moved.rows < rows) throw new Error(`archived ${JSON.stringify(moved)} of ${rows} rows`);
  const signals = Math.round(((running.lastId() - firstSignal) * 1000) / tookMs);
  return [
    {
      suite: "archive",
      name: "longest pause between signals, beside none archived",
      unit: "ms",
      floor: calm,
      nerve: busy,
      ratio: busy,
      target: { atMost: PAUSE_MS },
      detail: `held against the target: the pause itself; ${signals} signals/s meanwhile`,
    },
    {
      suite: "archive",
      name: "logs moved",
      unit: "rows/s",
      floor: Number.NaN,
      nerve: (moved.rows * 1000) / tookMs,
      ratio: Number.NaN,
      target: null,
      detail: `${moved.rows} rows to ${moved.files} files in ${(tookMs / 1000).toFixed(1)} s`,
    },
  ];
}
