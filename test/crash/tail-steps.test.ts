/**
 * A log is written, renamed, copied and cut, and kernel or worker is killed at every write of the way, the k-th for
 * k = 1, 2, 3 …: each line is in one signal, and counted once (G7). NERVE_CRASH=full takes every step, the default some of them.
 */
import { describe, expect, test } from "bun:test";
import { isAlive } from "../../src/base/processes.ts";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { childrenOf } from "../helpers/processes.ts";
import { STEPS, sabotage, whyNoStrace } from "../helpers/strace.ts";
import { until } from "../helpers/until.ts";
import { Log, valuesOf, wrongOn } from "./tail-lines.ts";

const FULL = process.env.NERVE_CRASH === "full";
const MOST_STEPS = 200;
const CONFIG = `
data: DATA
senses:
  log: { use: tail, throttle: 10ms, with: { path: app.log, from: start } }
reflexes: [{ sense: log, interval: 250ms, watch: true }]
`;

const missing = whyNoStrace();
if (missing !== null) console.warn(`skipped: kills at every step of tail, since ${missing}`);

describe.skipIf(missing !== null)("a log that is rotated while one is killed at every write:", () => {
  test.each([
    ["kernel", FULL ? 1 : 8],
    ["worker", FULL ? 1 : 8],
  ] as const)(
    "the %s",
    async (victim, stride) => {
      await using site = new CrashSite([], CONFIG);
      const log = new Log(site.folder);
      const wrong: string[] = [];
      const steps: Record<string, number> = {};
      let kernel: Kernel | null = null;
      let lives = 0;

      const through = (): boolean => site.isAtRest() && valuesOf(site).length >= log.lines;

      const running = async (): Promise<Kernel> => {
        kernel ??= site.start();
        await kernel.up();
        await until("every line is a signal", through);
        return kernel;
      };

      /** True when nobody was killed. */
      const live = async (call: string, k: number): Promise<boolean> => {
        const alive = await running();
        const pid = victim === "kernel" ? alive.pid : (childrenOf(alive.pid)[0] ?? 0);
        const isDead = (): boolean => !isAlive(pid) || (victim === "worker" && !childrenOf(alive.pid).includes(pid));
        const saboteur = await sabotage(pid, `${call}:signal=SIGKILL:when=${k}`);
        // Of these lines the first are read before the rotation, and the others may be.
        log.write(3);
        await until("the lines are read, or death", () => isDead() || through());
        log.write(2);
        if (++lives % 2 === 0) log.rename();
        else log.copyAndCut();
        log.write(2);
        await until("the lines are read, or death", () => isDead() || through());
        await saboteur.end();
        const unharmed = !isDead();
        if (!unharmed) {
          // A second death of the same worker would be answered with a pause.
          if (victim === "worker") await alive.kill();
          else await until("its end is told", () => alive.ended !== null);
          kernel = null;
        }
        await running();
        wrong.push(...wrongOn(site, log.lines).map((text) => `${call} ${k}: ${text}`));
        return unharmed;
      };

      for (const call of STEPS) {
        for (let k = 1; k < MOST_STEPS && wrong.length === 0; k += stride) {
          if (await live(call, k)) break;
          steps[call] = (steps[call] ?? 0) + 1;
        }
      }
      expect(await (await running()).stop()).toBe(0);
      const lines = log.lines;
      console.log(JSON.stringify({ test: "tail-steps", victim, kills: steps, lines, violations: wrong.length }));
      if (wrong.length > 0) site.keep();
      expect(wrong).toEqual([]);
      expect(steps.pwrite64).toBeGreaterThan(FULL ? 3 : 0);
    },
    600_000,
  );
});
