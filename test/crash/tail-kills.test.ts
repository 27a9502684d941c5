/**
 * A log that grows, is renamed, copied and cut, cut, and made anew, while kernel and worker are killed at random: each line is one
 * signal, and counted once. `NERVE_CRASH=full` writes 100,000 lines and kills more often.
 */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, copyFileSync, renameSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { pick, randomOf, SEED } from "../rules/random.ts";

setDefaultTimeout(3_600_000);

const FULL = process.env.NERVE_CRASH === "full";
const BATCHES = FULL ? 1_000 : 30;
const LINES_A_BATCH = 100;

const CONFIG = `senses:
  log: { use: tail, throttle: 10ms, with: { path: app.log, from: start } }
reflexes:
  - { sense: log, interval: 250ms, watch: true }
`;

function countIn(file: string, table: string): number {
  using db = new Database(file, { readonly: true });
  return db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
}

test(`each line is one signal, whatever is done to the log and whoever is killed (seed ${SEED})`, async () => {
  const below = randomOf(SEED);
  using folder = project({ "nerve.yaml": CONFIG, "app.log": "" });
  const log = join(folder.path, "app.log");
  let nerve: Nerve = await startNerve(folder.path);
  let written = 0;
  let generation = 0;
  let kills = 0;
  let wasWorkerKilled = false;
  const data = join(folder.path, "data");
  const signals = (): number => countIn(join(data, "logs.db"), "signals");
  const caughtUp = () => until("every line is a signal", () => signals() >= written);

  const write = (): void => {
    const lines = Array.from({ length: LINES_A_BATCH }, () => `line ${written++} ${"x".repeat(below(80))}\n`).join("");
    const half = below(lines.length);
    appendFileSync(log, lines.slice(0, half));
    appendFileSync(log, lines.slice(half));
  };
  const rename = (): void => {
    renameSync(log, join(folder.path, `app.log.${++generation}`));
    writeFileSync(log, "");
  };
  // What is behind the last look of nerve is lost with a cut: so it has looked.
  const copyAndCut = async (): Promise<void> => {
    await caughtUp();
    copyFileSync(log, join(folder.path, `app.log.${++generation}`));
    truncateSync(log, 0);
  };
  // What was not read is in the copy.
  const copyAndCutUnread = async (): Promise<void> => {
    await caughtUp();
    write();
    copyFileSync(log, join(folder.path, `app.log.${++generation}`));
    truncateSync(log, 0);
  };
  const cut = async (): Promise<void> => {
    await caughtUp();
    truncateSync(log, 0);
  };
  const makeAnew = async (): Promise<void> => {
    await caughtUp();
    unlinkSync(log);
    writeFileSync(log, "");
  };
  const killKernel = async (): Promise<void> => {
    kills++;
    nerve.kill("SIGKILL");
    await nerve.exited;
    nerve = await startNerve(folder.path);
    wasWorkerKilled = false;
  };
  // The second worker of a kernel comes at once, and later ones ever later.
  const killWorker = async (): Promise<void> => {
    if (wasWorkerKilled) return killKernel();
    const { pid } = await nerve.group("default");
    if (pid !== null) wasWorkerKilled = sendSignal(pid, "SIGKILL");
    if (wasWorkerKilled) kills++;
  };
  const nothing = (): void => {};
  const deeds: readonly (() => unknown)[] = [
    ...[nothing, nothing, nothing, rename, copyAndCut, copyAndCutUnread, cut, makeAnew],
    ...[killWorker, killWorker, killKernel],
  ];

  // What was rotated before nerve looked for the first time is not read.
  write();
  await caughtUp();
  for (let batch = 0; batch < BATCHES; batch++) {
    write();
    await pick(below, deeds)();
  }
  await caughtUp();
  const numbers = nerve.signals("log").map(({ payload }) => Number(payload.line.split(" ")[1]));
  // Files that were written in the same tick of the kernel's clock have no order.
  expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, index) => index));
  console.log(JSON.stringify({ test: "tail-kills", seed: SEED, lines: written, kills, rotations: generation }));
  if (FULL) expect(kills).toBeGreaterThan(200);
  await nerve[Symbol.asyncDispose]();
  using own = new Database(join(data, "senses/log.db"), { readonly: true });
  expect(own.query("SELECT sum(lines) AS lines, sum(matched) AS matched FROM samples").get()).toEqual({
    lines: written,
    matched: written,
  });
});
