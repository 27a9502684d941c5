/**
 * What the daemon decided beside what a replay of its signals decides, one for one: every word, with and without keys,
 * on senses that are fast and due together, while it runs and over a death with deadlines that pass while it is down,
 * however the clock is set.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { DAY_MS, fakeClock, hasFaketime } from "../helpers/fake-clock.ts";
import { type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

/** Walks up and down between 0 and 9, a key every other time, by its own count. */
const WAVE = `let n = 0;
export const compute = () => {
  n++;
  const v = Math.round(4.5 + 4.5 * Math.sin(n / 7));
  return n % 9 === 0 ? null : n % 11 === 0 ? { v } : { v, k: ["one", "two", 3][n % 3] };
};
`;

const REFLEXES = [
  "{ name: plain, workflow: sink, on: [a] }",
  "{ name: level, workflow: sink, on: [a, b], when: { v: number >= 7 } }",
  "{ name: rising, workflow: sink, on: [a], when: { v: number >= 5 }, edge: rising }",
  "{ name: falling, workflow: sink, on: [a, b], when: { v: number >= 5 }, edge: falling, key: k }",
  "{ name: band, workflow: sink, on: [b], when: { v: number >= 8 }, clear: { v: number <= 1 } }",
  "{ name: held, workflow: sink, on: [a], when: { v: number >= 4 }, for: 150ms, key: k }",
  "{ name: off, workflow: sink, on: [b], when: { v: number >= 4 }, edge: falling, for: 100ms }",
  "{ name: counted, workflow: sink, on: [a, b, c], when: { v: number >= 3 }, count: { n: 3, within: 200ms }, key: k }",
  "{ name: paused, workflow: sink, on: [a], when: { v: number >= 6 }, debounce: { wait: 90ms } }",
  "{ name: capped, workflow: sink, on: [a, b], debounce: { wait: 120ms, max: 300ms }, key: k }",
  "{ name: seldom, workflow: sink, on: [c], throttle: 333ms, key: k }",
  "{ name: all-held, workflow: sink, on: [a, b, c], when: { v: number >= 4 }, clear: { v: number < 2 }, for: 40ms, debounce: { wait: 70ms }, throttle: 500ms, key: k }",
  "{ name: all-counted, sense: d, on: [a, b, c], when: { v: number >= 2 }, edge: rising, count: { n: 2, within: 5s }, debounce: { wait: 30ms, max: 60ms }, throttle: 400ms, key: k }",
  "{ name: slow, sense: d, on: [d], debounce: { wait: 700ms, max: 1s } }",
  "{ name: long, workflow: sink, on: [a], when: { v: number >= 0 }, for: 2s }",
];

const CONFIG = [
  "data: ./data",
  "durability: normal",
  "senses:",
  "  a: { use: wave }",
  "  b: { use: wave }",
  "  c: { use: wave, group: other }",
  "  d: { use: wave, group: other }",
  "workflows:",
  "  sink: { overflow: drop }",
  "reflexes:",
  "  - { sense: a, interval: 20ms }",
  "  - { sense: b, interval: 40ms }",
  "  - { sense: c, interval: 33ms }",
  ...REFLEXES.map((reflex) => `  - ${reflex}`),
  "",
].join("\n");

const SIGNALS = 700;
/** By what the clock is set while nerve runs, and before each of these runs. */
const STEPS = [[DAY_MS, -3 * DAY_MS], [-1_500], [700]];
const WHILE_DOWN_MS = -DAY_MS / 2;

/** Every reflex was compared, and at most `differing` of its decisions are not the daemon's. */
async function agreeing(folder: Project, differing = 0, environment: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await runNerve(folder.path, ["backtest", "--json"], { environment });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(rows.map(({ reflex }) => reflex)).toEqual(REFLEXES.map((reflex) => /name: ([\w-]+)/.exec(reflex)?.[1]));
  for (const { reflex, live } of rows) {
    if (live.only_live + live.only_replay <= differing) continue;
    expect({ reflex, differences: live.differences }).toEqual({ reflex, differences: [] });
  }
  expect(rows.map(({ reflex, live }) => ({ reflex, some: live.agreed > 0 }))).toEqual(
    rows.map(({ reflex }) => ({ reflex, some: true })),
  );
}

const FILES = {
  "nerve.yaml": CONFIG,
  "senses/wave/index.ts": WAVE,
  "workflows/sink/index.ts": "export const run = () => null;\n",
};

test("every live decision is the replay's, while nerve runs and after it was killed", async () => {
  using folder = project(FILES);
  const flow = async (): Promise<void> => {
    await using nerve = await startNerve(folder.path);
    const begun = nerve.signals().length;
    await until("all signals are committed", () => nerve.signals().length > begun + SIGNALS);
    await agreeing(folder);
    // What is pending then is due while nerve is down, or at its next start.
    nerve.kill("SIGKILL");
    await nerve.exited;
  };
  await flow();
  await flow();
  await agreeing(folder);
});

test.skipIf(!hasFaketime)(
  "and so it is when the clock is set, while nerve runs and while it is down",
  async () => {
    using folder = project(FILES);
    const clock = fakeClock(folder);
    let inBetween = 0;
    const flow = async (offsets: readonly number[]): Promise<void> => {
      await using nerve = await startNerve(folder.path, { environment: clock.environment });
      for (const offset of offsets) {
        const begun = nerve.signals().length;
        await until("a quarter of the signals is committed", () => nerve.signals().length > begun + SIGNALS / 4);
        const before = nerve.logs().at(-1)?.id ?? 0;
        clock.set(clock.offset() + offset);
        const step = await until(
          "the clock's step is noticed",
          () => nerve.logs({ event: "clock.stepped" }).find(({ id }) => id > before) ?? null,
        );
        const fired = nerve.logs({ event: "reflex.fired" });
        inBetween += fired.filter(({ id }) => id > before && id < step.id).length;
        await until("half of the signals are committed", () => nerve.signals().length > begun + SIGNALS / 2);
      }
      nerve.kill("SIGKILL");
      await nerve.exited;
    };
    for (const steps of STEPS) {
      clock.set(clock.offset() + WHILE_DOWN_MS);
      await flow(steps);
    }
    // Milliseconds pass while a clock is set, and decide where they can. What fires before the log of the step may show
    // another time.
    await agreeing(folder, 2 * (STEPS.flat().length + inBetween), clock.environment);
  },
  120_000,
);
