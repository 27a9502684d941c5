/** G9: one second after its kernel is gone no process of nerve lives, nor any child that did not leave its group. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { CrashSite, type Kernel } from "../helpers/crash.ts";
import { childrenOf, commandOf, isRunning, processState, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `
data: DATA
groups: { idle: {}, spin: {}, stopped: {}, children: {}, mixed: {} }
senses:
  idle: { group: idle }
  spin: { group: spin, timeout: 1h }
  stopped: { use: idle, group: stopped }
  children: { group: children, timeout: 1h }
  mixed-spin: { use: spin, group: mixed, timeout: 1h }
  mixed-children: { use: children, group: mixed, timeout: 1h }
reflexes:
  - { sense: idle, interval: 20ms }
  - { sense: spin, on_start: true }
  - { sense: stopped, on_start: true }
  - { sense: children, on_start: true }
  - { sense: mixed-children, on_start: true }
  - { sense: mixed-spin, interval: 300ms }
`;

const ROUNDS = process.env.NERVE_CRASH === "full" ? 100 : 20;

/** Everything that could live on is at work: two shells each in two groups, one worker spinning, one stopped. */
async function busy(site: CrashSite, kernel: Kernel): Promise<void> {
  const { groups } = await kernel.up();
  const pid = (name: string): number => groups.find((group) => group.name === name)?.pid ?? 0;
  sendSignal(pid("stopped"), "SIGSTOP");
  await until("one worker is stopped", () => processState(pid("stopped")) === "T");
  await until("one worker spins", () => processState(pid("spin")) === "R");
  await until("two commands run with their children", () => site.marked().length >= 5 + 2 * 4);
}

test("a SIGKILL of the kernel leaves nothing that stayed in its process groups", async () => {
  await using site = new CrashSite(["idle", "spin", "children"], CONFIG);
  const gone: number[] = [];
  const started: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const kernel = site.start();
    started.push(await kernel.answers());
    // Also while its workers start, and in the moment in which the commands have just been started.
    if (round % 4 === 3) await until("there are workers", () => childrenOf(kernel.pid).length === 5);
    else if (round % 4 === 2) await until("the commands run", () => site.marked().length >= 5 + 2 * 4);
    else await busy(site, kernel);
    const killedAt = performance.now();
    await kernel.kill();
    await until("nothing of it is left", () => site.marked().length === 0);
    gone.push(performance.now() - killedAt);
  }
  const report = (values: number[]) => Math.round(Math.max(...values));
  console.log(
    JSON.stringify({
      test: "orphans",
      trials: ROUNDS,
      violations: 0,
      gone_max_ms: report(gone),
      start_max_ms: report(started),
    }),
  );
});

const LEAVING = `
data: DATA
senses:
  leaver: { use: children, timeout: 1h, with: { leave: true } }
  hopper: { use: children, timeout: 1h, with: { hop: true } }
  idle: {}
reflexes:
  - { sense: leaver, on_start: true }
  - { sense: hopper, on_start: true }
  - { sense: idle, interval: 20ms }
`;

test("children that left their process group are swept at the next start", async () => {
  await using site = new CrashSite(["idle", "children"], LEAVING);
  const sleepers = (): number[] => site.marked().filter((pid) => commandOf(pid).startsWith("sleep 600"));
  for (let round = 0; round < 5; round++) {
    const first = site.start();
    await first.up();
    await until("a child has left", () => sleepers().length === 1);
    const hopping = (): boolean => site.marked().some((pid) => commandOf(pid).includes("hop"));
    await until("another one hops from process to process", hopping);
    const workers = childrenOf(first.pid);
    await first.kill();
    await until("the workers are gone", () => !workers.some(isRunning));
    const [stray = 0] = sleepers();
    expect(stray).toBeGreaterThan(0);
    // The same data directory, and nothing that starts such children.
    site.write("after.yaml", "data: DATA\nsenses: { idle: {} }\nreflexes: [{ sense: idle, interval: 20ms }]\n");
    const second = site.start("after.yaml");
    await second.up();
    expect(second.stderr()).toMatch(new RegExp(`\\b${stray}\\b`));
    expect(site.marked()).toEqual(childrenOf(second.pid));
    expect(await second.stop()).toBe(0);
    expect(site.marked()).toEqual([]);
  }
});
