/**
 * SIGKILL at every single step of a way: the k-th write, sync or message of one process, for k = 1, 2, 3 … until it gets
 * through. After each: a restart, and everything that must hold after a crash holds (G1, G2, G7, G9).
 * NERVE_CRASH=full takes every step of the long ways, the default some of them.
 */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { isAlive } from "../../src/base/processes.ts";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { childrenOf } from "../helpers/processes.ts";
import { killedAtStep, STEPS, sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
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
const DIED_STOPPING = "died while it was stopping";

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

const pidOf = (victim: Victim, kernel: Kernel): number =>
  victim === "kernel" ? kernel.pid : (childrenOf(kernel.pid)[0] ?? 0);

/** One compute's whole way: decided, run, kept with its signal, committed, acknowledged, and what follows from it. */
async function compute(site: CrashSite, kernel: Kernel, died: () => boolean): Promise<void> {
  const before = site.countSignals("follower");
  // Not answered when the kernel dies first.
  await kernel.trigger("writer").catch(() => {});
  await until(
    "the compute and what follows are through, or death",
    () => died() || (site.countSignals("follower") > before && site.isAtRest()),
  );
}

async function graceful(_site: CrashSite, kernel: Kernel): Promise<void> {
  await kernel.stop();
}

/** What a kernel on `site` has to put right after whatever happened, and whether it has. */
async function recover(site: CrashSite, kernel: Kernel | null): Promise<Kernel> {
  const running = kernel ?? site.start();
  await running.up();
  await until("nothing is owed any more", () => site.isAtRest());
  return running;
}

/** `kills`: at how many steps of each kind it was killed. */
const report = (way: string, kills: Readonly<Record<string, number>>, violations: readonly string[]): void =>
  console.log(JSON.stringify({ test: "exact-kills", way, kills, violations: violations.length }));

describe.skipIf(missing !== null)("killed at every step of", () => {
  test.each([
    ["compute", "kernel", compute],
    ["compute", "worker", compute],
    ["graceful stop", "kernel", graceful],
    ["graceful stop", "worker", graceful],
  ] as const)(
    "a %s, in the %s",
    async (way, victim, act) => {
      await using site = new CrashSite(["writer"], CONFIG);
      const stopObserving = site.observe();
      const violations: string[] = [];
      const steps: Record<string, number> = {};
      let kernel: Kernel | null = null;

      /** One life with its end at the k-th `call`: true when it got through unharmed. */
      const live = async (call: string, k: number): Promise<boolean> => {
        const running = await recover(site, kernel);
        const pid = pidOf(victim, running);
        const saboteur = await sabotage(pid, `${call}:signal=SIGKILL:when=${k}`);
        const died = (): boolean =>
          victim === "kernel"
            ? running.ended === "SIGKILL"
            : running.ended === null && pidOf("worker", running) !== pid;
        await act(site, running, died);
        // A worker that dies while nerve stops is not started again: only what the kernel said tells of it.
        const unharmed = act === graceful ? running.ended === 0 && !running.stderr().includes(DIED_STOPPING) : !died();
        await saboteur.end();
        // The k-th step may have been one of the minute's own work, after the way was through.
        if (!isAlive(running.pid)) await until("its end is told", () => running.ended !== null);
        if (running.ended !== null && running.ended !== 0 && running.ended !== "SIGKILL") {
          violations.push(`the kernel ended with ${running.ended}: ${running.lastWords()}`);
        }
        kernel = await recover(site, running.ended === null ? running : null);
        violations.push(...findViolations(site.data, expected(null)));
        // A second death of the same worker would be answered with a pause.
        if (victim === "worker" && kernel === running) {
          await kernel.kill();
          kernel = null;
        }
        return unharmed;
      };

      for (const call of STEPS) {
        const stride = call === "pwrite64" && act === graceful && !FULL ? 3 : 1;
        for (let k = 1; k < MOST_STEPS && violations.length === 0; k += stride) {
          if (await live(call, k)) break;
          steps[call] = (steps[call] ?? 0) + 1;
        }
      }
      await stopObserving();
      expect(await (await recover(site, kernel)).stop()).toBe(0);
      violations.push(...findViolations(site.data, expected(site.history)));
      report(`${way}, ${victim}`, steps, violations);
      expect(violations).toEqual([]);
      expect(steps.pwrite64).toBeGreaterThan(2);
    },
    120_000,
  );

  test.each([
    ["kernel", FULL ? 1 : 9],
    ["worker", FULL ? 1 : 7],
  ] as const)(
    "the first start, in the %s",
    async (victim, stride) => {
      const violations: string[] = [];
      const steps: Record<string, number> = {};

      const live = async (call: string, k: number): Promise<boolean> => {
        await using site = new CrashSite(["writer"], BEGINNING);
        const ofWorker = ["writer.db", "writer.db-wal"].map((file) => join(site.data, "senses", file));
        const paths = victim === "kernel" ? [] : ofWorker;
        const kernel = site.start("nerve.yaml", killedAtStep({ k, call, paths, children: victim === "worker" }));
        const hurt = async (): Promise<boolean> =>
          kernel.ended !== null || (victim === "worker" && ((await kernel.status())?.groups[0]?.restarts ?? 0) > 0);
        const computed = (): boolean => site.countSignals("follower") > 0 && site.isAtRest();
        await until("the first compute, or death", async () => computed() || (await hurt()));
        const unharmed = !(await hurt());
        await kernel.kill();
        // Nothing starts by itself any more: what the first start had decided is all there is, and one by hand.
        site.write("nerve.yaml", CONFIG);
        const again = await recover(site, null);
        await compute(site, again, () => again.ended !== null);
        violations.push(...findViolations(site.data, expected(null)).map((text) => `${call} ${k}: ${text}`));
        return unharmed;
      };

      for (const call of ["pwrite64", ...(FULL ? ["fsync", "sendto", "ftruncate", "write"] : [])]) {
        for (let k = 1; k < MOST_STEPS && violations.length === 0; k += stride) {
          if (await live(call, k)) break;
          steps[call] = (steps[call] ?? 0) + 1;
        }
      }
      report(`first start, ${victim}`, steps, violations);
      expect(violations).toEqual([]);
      expect(steps.pwrite64).toBeGreaterThan(3);
    },
    400_000,
  );
});
