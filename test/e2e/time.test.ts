/** What the clock brings: throttle, cron, on_start, catch_up, and a clock that is set while nerve runs or is down. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { DAY_MS, fakeClock, hasFaketime } from "../helpers/fake-clock.ts";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

/** Both measure from the same compute's start, one in the kernel and one in the worker. */
const JITTER_MS = 200;
const THROTTLE_MS = 1_500;

test.concurrent("throttle keeps starts apart and owes one trailing compute, also across a restart", async () => {
  using folder = project(
    { "nerve.yaml": `senses: { slow: { throttle: ${THROTTLE_MS}ms, with: { ms: 0 } } }` },
    { slow: "e2e/slow" },
  );
  const startsOf = (nerve: Nerve): number[] => nerve.signals("slow").map(({ payload }) => payload.started);
  const trigger = (nerve: Nerve) => nerve.post("/trigger", { name: "slow" });
  {
    await using nerve = await startNerve(folder.path);
    await trigger(nerve);
    await until("the first compute has started", () => startsOf(nerve).length === 1);
    for (let time = 0; time < 3; time++) await trigger(nerve);
    await until("the second compute has started", () => startsOf(nerve).length === 2);
    for (let time = 0; time < 3; time++) await trigger(nerve);
  }
  await using nerve = await startNerve(folder.path);
  await until("the third compute has started", () => startsOf(nerve).length === 3);
  await trigger(nerve);
  await until("the fourth compute has started", () => startsOf(nerve).length === 4);
  const starts = startsOf(nerve);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(THROTTLE_MS - JITTER_MS);
});

test.concurrent("a tick under a throttle is owed one compute, not one each", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { slow: { throttle: 1s, with: { ms: 0 } } }
        reflexes: [{ sense: slow, interval: 50ms }]`,
    },
    { slow: "e2e/slow" },
  );
  await using nerve = await startNerve(folder.path);
  await until("slow has emitted four times", () => nerve.signals("slow").length >= 4);
  const starts = nerve.signals("slow").map(({ payload }) => payload.started as number);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(1_000 - JITTER_MS);
});

test.concurrent("on_start runs once a start of the kernel, and once when a reload brings the reflex", async () => {
  const config = "senses: { pulse: {} }\nreflexes:\n  - { sense: pulse, on_start: true }\n";
  using folder = project({ "nerve.yaml": config }, { pulse: "e2e/pulse" });
  {
    await using nerve = await startNerve(folder.path);
    await until("the first signal is committed", () => nerve.signals().length === 1);
    await nerve.post("/reload");
    await until("the reload is logged", () => nerve.logs({ event: "config.reloaded" }).length === 1);
    folder.write("nerve.yaml", `${config}  - { name: again, sense: pulse, on_start: true }\n`);
    await nerve.post("/reload");
    await until("the second signal is committed", () => nerve.signals().length === 2);
  }
  await using nerve = await startNerve(folder.path);
  await until("the third signal is committed", () => nerve.signals().length === 3);
  await nerve.post("/trigger", { name: "pulse" });
  await until("the fourth signal is committed", () => nerve.signals().length === 4);
});

// ── with another clock ─────────────────────────────────────────────────

const needsFaketime = hasFaketime ? test.concurrent : test.skip;

needsFaketime("a clock set a day ahead or back does not hold up an interval for longer than itself", async () => {
  using folder = project(
    {
      "nerve.yaml": `
        senses: { slow: { with: { ms: 0 } } }
        reflexes: [{ sense: slow, interval: 1s }]`,
    },
    { slow: "e2e/slow" },
  );
  const clock = fakeClock(folder);
  await using nerve = await startNerve(folder.path, { environment: clock.environment });
  const more = async (count: number): Promise<void> => {
    const before = nerve.signals().length;
    await until(`${count} more signals are committed`, () => nerve.signals().length >= before + count);
  };
  await more(2);
  for (const offset of [DAY_MS, -DAY_MS, 0, 700]) {
    clock.set(offset);
    await more(2);
  }
  const starts = nerve.signals().map(({ payload }) => payload.started as number);
  const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(1_300);
  const steps = nerve.logs({ event: "clock.stepped" }).map(({ message }) => message);
  expect(steps).toEqual([
    expect.stringMatching(/^the wall clock was set 86400\.\d s ahead$|^the wall clock was set 86399\.\d s ahead$/),
    expect.stringMatching(/^the wall clock was set 17\d{4}\.\d s back$/),
    expect.stringMatching(/^the wall clock was set 86\d{3}\.\d s ahead$/),
    expect.stringMatching(/^the wall clock was set 0\.7 s ahead$/),
  ]);
  const days = new Set(nerve.signals().map(({ at }) => Math.round((at - Date.now()) / DAY_MS)));
  expect(days).toEqual(new Set([0, 1, -1]));
});

needsFaketime(
  "a cron time runs once: not again when the clock is set back, and once when it passed while nerve was down",
  async () => {
    using folder = project(
      {
        "nerve.yaml": `
        senses:
          daily: { use: pulse }
          missed: { use: pulse }
          hourly: { use: pulse }
          plain: { use: pulse }
        reflexes:
          - { sense: daily, cron: "0 3 * * *", tz: UTC }
          - { sense: missed, cron: "0 3 * * *", tz: UTC, catch_up: none }
          - { sense: hourly, interval: 1h, catch_up: one }
          - { sense: plain, interval: 1h }`,
      },
      { pulse: "e2e/pulse" },
    );
    const clock = fakeClock(folder);
    const three = Math.ceil(Date.now() / DAY_MS) * DAY_MS + 3 * 3_600_000;
    const due = (nerve: Nerve, sense: string) => nerve.signals(sense).map(({ payload }) => payload.due - three);
    clock.show(three - 30 * 60_000);
    {
      await using nerve = await startNerve(folder.path, { environment: clock.environment });
      expect(nerve.signals()).toEqual([]);
      clock.show(three - 2_500);
      await until("the fourth signal is committed", () => nerve.signals().length === 4);
      for (const sense of ["daily", "missed", "hourly", "plain"]) expect(due(nerve, sense)).toEqual([0]);
      const before = nerve.logs({ event: "clock.stepped" }).length;
      const steps = () => nerve.logs({ event: "clock.stepped" }).length - before;
      clock.show(three - 2_500);
      await until("the first step of the clock is noticed", () => steps() === 1);
      // The hour strikes again for the intervals, which follow the clock; the cron has had this one.
      await until("plain is due a second time", () => due(nerve, "plain").length === 2);
      clock.show(three + 60_000);
      await until("the second step of the clock is noticed", () => steps() === 2);
      expect([due(nerve, "daily"), due(nerve, "missed")]).toEqual([[0], [0]]);
      clock.show(three + DAY_MS - 500);
      await until("daily is due a second time", () => due(nerve, "daily").length === 2);
      expect(due(nerve, "daily")).toEqual([0, DAY_MS]);
    }
    clock.show(three + 2 * DAY_MS + 90 * 60_000);
    await using nerve = await startNerve(folder.path, { environment: clock.environment });
    await until("daily is due a third time", () => due(nerve, "daily").length === 3);
    expect(due(nerve, "daily")).toEqual([0, DAY_MS, 2 * DAY_MS]);
    const plain = due(nerve, "plain").length;
    await until("hourly has computed", () => nerve.sense("hourly").then(({ computes }) => computes === 1));
    expect(due(nerve, "missed")).toEqual([0, DAY_MS]);
    expect(due(nerve, "plain").length).toBe(plain);
    const { senses } = await nerve.status();
    expect(senses.filter(({ computes }) => computes > 0).map(({ name }) => name)).toEqual(["daily", "hourly"]);
  },
);
