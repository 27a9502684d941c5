/**
 * Kernel and workers are killed at random moments under load; afterwards nothing committed is missing or changed, rows
 * and signals agree, ids have no gap, what was owed was computed, each migration was applied once (G1, G2, G7).
 * NERVE_CRASH=full kills 240 times instead of 60; NERVE_CRASH_SEED=n makes the same choices again.
 */
import { expect, test } from "bun:test";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrashSite, type Kernel, randomNumbers } from "../helpers/crash.ts";
import { childrenOf, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Answers, answersOf, findDamage, findViolations } from "./checker.ts";
import { addMigration, busyConfig, expectations, LISTENERS, prepare, QUIET, SENSES } from "./workload.ts";

const KILLS = process.env.NERVE_CRASH === "full" ? 240 : 60;
const SEED = Number(process.env.NERVE_CRASH_SEED ?? Date.now() % 1_000_000);
const MIGRATIONS = 4;

interface Choice {
  readonly target: "kernel" | "worker";
  /** Counted from when the kernel answers, or from its start. */
  readonly from: "answer" | "start";
  readonly afterMs: number;
  /** Which of the kernel's children, as a share of their number. */
  readonly which: number;
  /** The kernel is killed as well, before the worker's group has recovered. */
  readonly again: boolean;
  /** A sense has changed and the config is re-read, so many milliseconds before the kill; null: it is not. */
  readonly reloadMs: number | null;
  /** After the kill every database is checked for damage. */
  readonly looks: boolean;
}

/** Made from the seed alone, whatever the run does. */
function choose(random: () => number): Choice {
  const target = random() < 0.5 ? "kernel" : "worker";
  const from = random() < 0.6 ? "answer" : "start";
  const span = from === "answer" ? 500 : 350;
  const afterMs = random() * span;
  const which = random();
  const again = random() < 0.2;
  const reloadMs = random() < 0.15 ? random() * 60 : null;
  const looks = random() < 0.1;
  return { target, from, afterMs, which, again, reloadMs, looks };
}

const percentile = (values: readonly number[], share: number): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0);

/** Databases as a power switch would have left them: a copy, so that looking does not repair them. */
function damageOf(site: CrashSite): string[] {
  const copy = mkdtempSync(join(tmpdir(), "nerve-crash-copy-"));
  cpSync(site.data, copy, { recursive: true, filter: (path) => !path.endsWith(".sock") });
  const damage = findDamage(copy);
  rmSync(copy, { recursive: true, force: true });
  return damage;
}

interface Toll {
  readonly kills: { kernel: number; worker: number };
  /** Milliseconds from a start until the kernel answers. */
  readonly restarts: number[];
  readonly migrations: string[];
  readonly violations: string[];
}

async function killAtRandom(site: CrashSite, { kills, restarts, migrations, violations }: Toll): Promise<void> {
  const random = randomNumbers(SEED);
  const killed = (): number => kills.kernel + kills.worker;
  let kernel: Kernel | null = null;
  while (killed() < KILLS) {
    const choice = choose(random);
    if (kernel === null) {
      const due = killed() / KILLS >= migrations.length / MIGRATIONS;
      if (due && migrations.length < MIGRATIONS) migrations.push(addMigration(site, 3 + migrations.length));
      kernel = site.start();
      if (choice.from === "answer") restarts.push(await kernel.answers());
    }
    await Bun.sleep(choice.afterMs);
    if (choice.reloadMs !== null && (await kernel.status()) !== null) {
      appendFileSync(join(site.folder, "senses/plain/index.ts"), "// changed\n");
      sendSignal(kernel.pid, "SIGHUP");
      await Bun.sleep(choice.reloadMs);
    }
    if (kernel.ended !== null) throw new Error(`the kernel ended by itself (${kernel.ended}): ${kernel.lastWords()}`);
    if (choice.target === "worker") {
      const workers = childrenOf(kernel.pid);
      const worker = workers[Math.floor(choice.which * workers.length)];
      // Too early, there is none yet.
      if (worker === undefined) continue;
      kills.worker++;
      sendSignal(worker, "SIGKILL");
      if (!choice.again) continue;
    }
    kills.kernel++;
    await kernel.kill();
    kernel = null;
    if (!choice.looks) continue;
    // A copy made while somebody writes would be torn by the copying.
    await until("the workers are gone", () => site.marked().length === 0);
    violations.push(...damageOf(site));
  }
  await kernel?.kill();
}

/** A run without anything that ticks: it drains what is owed and what waits in outboxes, and stops in peace. */
async function rest(site: CrashSite, { restarts }: Toll): Promise<void> {
  const quiet = site.start(QUIET);
  restarts.push(await quiet.answers());
  await quiet.up();
  await until("nothing is owed any more", () => site.isAtRest());
  const how = await quiet.stop();
  if (how !== 0) throw new Error(`the quiet run ended with ${how}: ${quiet.lastWords()}`);
}

test(`nothing committed is lost in ${KILLS} random kills`, async () => {
  await using site = new CrashSite(SENSES, busyConfig);
  prepare(site);
  const toll: Toll = { kills: { kernel: 0, worker: 0 }, restarts: [], migrations: [], violations: [] };
  const { kills, restarts, migrations, violations } = toll;
  const stopObserving = site.observe();
  const startedAt = performance.now();
  try {
    await killAtRandom(site, toll);
    await rest(site, toll);
    await stopObserving();
    violations.push(...findViolations(site.data, expectations(migrations, site.history)));
  } catch (error) {
    violations.push(String(error));
  }
  const all = Object.entries(LISTENERS).map(([listener, sources]) => answersOf(site.data, listener, sources));
  const sum = (of: (answers: Answers) => number): number => all.reduce((total, answers) => total + of(answers), 0);
  if (sum(({ unanswered }) => unanswered) > 0) violations.push("a decision has neither a compute nor a log");
  console.log(
    JSON.stringify({
      test: "random-kills",
      seed: SEED,
      kills,
      seconds: Math.round((performance.now() - startedAt) / 1000),
      restart_ms: { n: restarts.length, p50: percentile(restarts, 0.5), p95: percentile(restarts, 0.95) },
      seen_outside: readFileSync(site.history, "utf8").split("\n").length - 1,
      decisions: {
        computed: sum(({ computed }) => computed),
        coalesced: sum(({ coalesced }) => coalesced),
        unanswered: sum(({ unanswered }) => unanswered),
      },
      violations: violations.length,
    }),
  );
  if (violations.length > 0) {
    site.keep();
    console.log(
      `again: NERVE_CRASH_SEED=${SEED} bun test test/crash/random-kills.test.ts; the data is in ${site.data}`,
    );
  }
  expect(violations).toEqual([]);
}, 600_000);
