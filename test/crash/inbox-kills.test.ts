/**
 * Kernel and worker are killed at random moments, also during reloads, and at every write of the way, while clients push and send
 * again what nobody answered: each item that was accepted is in one row and in one signal (G11). NERVE_CRASH=full kills 200 times or more, until
 * 10,000 items are accepted, and takes every step. NERVE_CRASH_SEED=N makes the same choices again.
 */
import { describe, expect, test } from "bun:test";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { CrashSite, type Kernel, randomNumbers } from "../helpers/crash.ts";
import { childrenOf, sendSignal } from "../helpers/processes.ts";
import { STEPS, sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { Clients, INBOX, pushOf, takenOn, untilTaken, wrongWith } from "./pushes.ts";

const FULL = process.env.NERVE_CRASH === "full";
const KILLS = FULL ? 200 : 12;
const ITEMS = FULL ? 10_000 : KILLS;
const SEED = Number(process.env.NERVE_CRASH_SEED ?? Date.now() % 1_000_000);
const CONFIG = INBOX.replace("DURABILITY", "full").replace("THROTTLE", "20ms");

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: exact kills, since ${missing}`);

/** Returns how often somebody was killed. */
async function killAtRandom(
  site: CrashSite,
  random: () => number,
  accepted: ReadonlyMap<number, number>,
): Promise<{ kernel: Kernel; kills: number }> {
  let kernel = site.start();
  await kernel.answers();
  let kills = 0;
  for (; kills < KILLS || accepted.size < ITEMS; kills++) {
    await Bun.sleep(random() * 400);
    if (kernel.ended !== null) throw new Error(`the kernel ended by itself (${kernel.ended}): ${kernel.lastWords()}`);
    if (random() < 0.25 && (await kernel.status()) !== null) {
      appendFileSync(join(site.folder, "senses/taker/index.ts"), "// changed\n");
      sendSignal(kernel.pid, "SIGHUP");
      await Bun.sleep(random() * 60);
    }
    const [worker] = childrenOf(kernel.pid);
    if (random() < 0.5 && worker !== undefined) sendSignal(worker, "SIGKILL");
    else {
      await kernel.kill();
      kernel = site.start();
      if (random() < 0.7) await kernel.answers();
    }
    if (kills % 10 === 9) {
      await kernel.answers();
      await kernel.enable("taker");
    }
  }
  return { kernel, kills };
}

test(`pushes are taken once in ${KILLS} random kills, by clients that send again`, async () => {
  await using site = new CrashSite(["taker"], CONFIG.replace("inbox: {}", "inbox: {}, with: { failsAt: 197 }"));
  const random = randomNumbers(SEED);
  const clients = new Clients(site, 6, random);
  const { kernel, kills } = await killAtRandom(site, random, clients.accepted);
  await kernel.answers();
  await clients.stop();
  // Three workers that died in a compute of the sense alone put the sense into a quarantine of a minute.
  await kernel.enable("taker");
  await untilTaken(site).catch((error) => {
    site.keep();
    throw new Error(`${error.message}; again: NERVE_CRASH_SEED=${SEED}; the data is in ${site.data}`);
  });
  expect(await kernel.stop()).toBe(0);
  const taken = takenOn(site);
  const wrong = wrongWith(taken, clients.accepted.keys());
  console.log(
    JSON.stringify({
      test: "inbox-kills",
      seed: SEED,
      kills,
      items: taken.rows.length,
      violations: wrong.length,
    }),
  );
  if (wrong.length > 0) site.keep();
  expect(wrong).toEqual([]);
  expect(taken.rows.length).toBeGreaterThanOrEqual(ITEMS);
}, 1_800_000);

describe.skipIf(missing !== null)("killed at every step of a push and its compute", () => {
  test.each([
    ["kernel", FULL ? 1 : 5],
    ["worker", FULL ? 1 : 3],
  ] as const)(
    "in the %s",
    async (victim, stride) => {
      await using site = new CrashSite(["taker"], CONFIG);
      const accepted = new Set<number>();
      const wrong: string[] = [];
      const steps: Record<string, number> = {};
      let n = 0;
      let kernel: Kernel | null = null;

      /** True when the push and its compute got through unharmed. */
      const live = async (call: string, k: number): Promise<boolean> => {
        const running: Kernel = kernel ?? site.start();
        await running.up();
        await untilTaken(site);
        const pid = victim === "kernel" ? running.pid : (childrenOf(running.pid)[0] ?? 0);
        const saboteur = await sabotage(pid, `${call}:signal=SIGKILL:when=${k}`);
        const number = ++n;
        const isDead = (): boolean =>
          victim === "kernel" ? running.ended !== null : !childrenOf(running.pid).includes(pid);
        const isThrough = (): boolean => takenOn(site).signals.includes(number) && takenOn(site).left.length === 0;
        const status = await pushOf(site, number);
        if (status === 202) accepted.add(number);
        if (status !== null) await until("it is taken, or death", () => isDead() || isThrough());
        await saboteur.end();
        const unharmed = !isDead() && status === 202;
        if (status === null) await until("the kernel is dead", () => running.ended !== null);
        if (running.ended !== null || victim === "worker") {
          // A second death of the same worker would be answered with a pause.
          if (running.ended === null) await running.kill();
          kernel = null;
        } else kernel = running;
        const again: Kernel = kernel ?? site.start();
        kernel = again;
        await again.up();
        // Whoever was not answered sends again.
        if (status !== 202 && (await pushOf(site, number)) === 202) accepted.add(number);
        await untilTaken(site);
        wrong.push(...wrongWith(takenOn(site), accepted).map((text) => `${call} ${k}: ${text}`));
        return unharmed;
      };

      for (const call of STEPS) {
        for (let k = 1; k < 100 && wrong.length === 0; k += stride) {
          if (await live(call, k)) break;
          steps[call] = (steps[call] ?? 0) + 1;
        }
      }
      console.log(JSON.stringify({ test: "inbox-kills", victim, kills: steps, violations: wrong.length }));
      expect(wrong).toEqual([]);
      expect(accepted.size).toBe(n);
      expect(steps.pwrite64).toBeGreaterThan(FULL ? 2 : 1);
    },
    400_000,
  );
});
