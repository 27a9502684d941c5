/**
 * SIGKILL at every single step of a way: the k-th write, sync or message of one process, for k = 1, 2, 3 … until it gets
 * through. After each: a restart, and everything that must hold after a crash holds (G1, G2, G7, G9).
 * NERVE_CRASH=full takes every step of the long ways, the default some of them.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { childrenOf, type Kernel, Site, until } from "../helpers/crash.ts";
import { killedAtStep, STEPS, type Saboteur, sabotage, whyNoStrace } from "../helpers/strace.ts";
import { type Expectations, findViolations } from "./checker.ts";

const CONFIG = `
data: DATA
senses: { writer: {}, follower: { use: writer } }
reflexes: [{ name: follow, sense: follower, on: [writer] }]
`;
const BEGINNING = `${CONFIG.trimEnd().slice(0, -1)}, { name: first, sense: writer, on_start: true }]\n`;
const MIGRATIONS = ["0001_items.sql", "0002_length.sql"];
const FULL = process.env.NERVE_CRASH === "full";
const MOST_STEPS = 400;

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: exact kills, since ${missing}`);

const expected = (history: string | null): Expectations => ({
  writers: ["writer", "follower"],
  peerReaders: [],
  listeners: { follower: ["writer"] },
  migrations: { writer: MIGRATIONS, follower: MIGRATIONS },
  history,
});

type Victim = "kernel" | "worker";

const pidOf = (victim: Victim, kernel: Kernel): number => (victim === "kernel" ? kernel.pid : (childrenOf(kernel.pid)[0] ?? 0));

/** One compute's whole way: decided, run, kept with its signal, committed, acknowledged, and what follows from it. */
async function compute(site: Site, kernel: Kernel, died: () => boolean): Promise<void> {
  const before = site.countSignals("follower");
  // Not answered when the kernel dies first.
  await kernel.trigger("writer").catch(() => {});
  await until("the compute and what follows are through, or death", () => died() || (site.countSignals("follower") > before && site.isAtRest()));
}

async function graceful(_site: Site, kernel: Kernel): Promise<void> {
  await kernel.stop();
}

/** What a kernel on `site` has to put right after whatever happened, and whether it has. */
async function recover(site: Site, kernel: Kernel | null): Promise<Kernel> {
  const running = kernel ?? site.start();
  await running.up();
  await until("nothing is owed any more", () => site.isAtRest());
  return running;
}

const report = (way: string, trials: number, steps: number, violations: readonly string[]): void =>
  console.log(JSON.stringify({ test: "exact-kills", way, trials, steps, violations: violations.length }));

describe.skipIf(missing !== null)("killed at every step of", () => {
  const observers: Bun.Subprocess[] = [];
  afterAll(() => {
    for (const observer of observers) observer.kill("SIGTERM");
  });

  test.each([
    ["compute", "kernel", compute, 1],
    ["compute", "worker", compute, 1],
    ["graceful stop", "kernel", graceful, FULL ? 1 : 2],
    ["graceful stop", "worker", graceful, FULL ? 1 : 2],
  ] as const)("a %s, in the %s", async (way, victim, act, stride) => {
    await using site = new Site(["writer"], CONFIG);
    const history = join(site.folder, "history.jsonl");
    const watch = [join(import.meta.dir, "../fixtures/crash/observer.ts"), join(site.data, "logs.db"), history];
    const observer = Bun.spawn([process.execPath, ...watch]);
    observers.push(observer);
    const violations: string[] = [];
    let trials = 0;
    let k = 1;
    for (let through = false; !through && k < MOST_STEPS; k += stride) {
      const kernel = await recover(site, null);
      const pid = pidOf(victim, kernel);
      const saboteur: Saboteur = await sabotage(pid, `${STEPS}:signal=SIGKILL:when=${k}`);
      const died = (): boolean => (victim === "kernel" ? kernel.ended === "SIGKILL" : kernel.ended === null && pidOf("worker", kernel) !== pid);
      await act(site, kernel, died);
      trials++;
      // A worker that dies while nerve stops is not started again: its end is then in what the kernel said.
      through = act === graceful ? kernel.ended === 0 && !kernel.stderr().includes("died while it was stopping") : !died();
      await saboteur.end();
      if (kernel.ended === null) {
        await recover(site, kernel);
        if (!through) violations.push(...findViolations(site.data, expected(null)));
        await kernel.kill();
      } else if (kernel.ended !== 0 && kernel.ended !== "SIGKILL") {
        violations.push(`step ${k}: the kernel ended with ${kernel.ended}: ${kernel.stderr().slice(-1_000)}`);
      }
      const again = await recover(site, null);
      violations.push(...findViolations(site.data, expected(null)).map((text) => `step ${k}: ${text}`));
      await again.kill();
      if (violations.length > 0) break;
    }
    observer.kill("SIGTERM");
    await observer.exited;
    const last = await recover(site, null);
    expect(await last.stop()).toBe(0);
    violations.push(...findViolations(site.data, expected(history)));
    report(`${way}, ${victim}`, trials, k - stride, violations);
    expect(violations).toEqual([]);
    expect(trials).toBeGreaterThan(3);
  }, 120_000);

  test.each([
    ["kernel", FULL ? 1 : 9],
    ["worker", FULL ? 1 : 7],
  ] as const)("the first start, in the %s", async (victim, stride) => {
    const violations: string[] = [];
    let trials = 0;
    let k = 1;
    for (let through = false; !through && k < MOST_STEPS && violations.length === 0; k += stride) {
      await using site = new Site(["writer"], BEGINNING);
      const paths = victim === "kernel" ? [] : ["writer.db", "writer.db-wal"].map((file) => join(site.data, "senses", file));
      const calls = victim === "kernel" ? STEPS : "pwrite64,fsync,fdatasync,ftruncate";
      const kernel = site.start("nerve.yaml", killedAtStep({ k, calls, paths, children: victim === "worker" }));
      const hurt = async (): Promise<boolean> =>
        kernel.ended !== null || (victim === "worker" && ((await kernel.status())?.groups[0]?.restarts ?? 0) > 0);
      const computed = (): boolean => site.countSignals("follower") > 0 && site.isAtRest();
      await until("the first compute, or death", async () => computed() || (await hurt()), 20_000);
      trials++;
      through = !(await hurt());
      await kernel.kill();
      const again = await recover(site, null);
      await until("the first compute", computed);
      violations.push(...findViolations(site.data, expected(null)).map((text) => `step ${k}: ${text}`));
      await again.kill();
    }
    report(`first start, ${victim}`, trials, k - stride, violations);
    expect(violations).toEqual([]);
    expect(trials).toBeGreaterThan(3);
  }, 240_000);
});
