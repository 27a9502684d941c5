/** A silenced reflex decides and says so, and starts nothing: across kill -9, until it is lifted or its time is over, whatever the clock does. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { DAY_MS, fakeClock, hasFaketime } from "../helpers/fake-clock.ts";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";
import { Site } from "../helpers/workflows.ts";

setDefaultTimeout(120_000);

const SETUP = {
  workflows: { page: { body: "return thread.trigger.payload;" } },
  reflexes: ["{ name: page-loud, workflow: page, on: [ask] }", "{ name: look, sense: pulse, on: [ask] }"],
};

/** What the reflex logged of its newest firing. */
async function firing(site: Site, count: number): Promise<{ silenced: string | null; run: number | null }> {
  const fired = () => site.nerve.logs({ source: "reflex:page-loud", event: "reflex.fired" });
  await until(`${count} runs are fired`, () => fired().length >= count);
  const { silenced = null, run = null } = fired()[count - 1]?.data ?? {};
  return { silenced, run };
}

test.concurrent("what it decides is logged and no run starts, also after kill -9, until it is lifted", async () => {
  await using site = await Site.start(SETUP);
  const nerve = async (...args: string[]) => runNerve(site.project.path, args);
  await site.signal({ n: 1 });
  expect(await firing(site, 1)).toEqual({ silenced: null, run: 1 });

  const set = await nerve("silence", "page-*", "--for", "2h", "--why", "deploy", "--json");
  expect({ code: set.code, stderr: set.stderr }).toEqual({ code: 0, stderr: "" });
  const answer = JSON.parse(set.stdout);
  expect(answer).toMatchObject({ pattern: "page-*", why: "deploy", reflexes: ["page-loud"] });
  expect(answer.until - answer.at).toBe(2 * 3_600_000);
  await site.signal({ n: 2 });
  expect(await firing(site, 2)).toEqual({ silenced: "page-*", run: null });
  const [first] = (await site.nerve.status()).reflexes;
  expect(first).toMatchObject({ name: "page-loud", fired: 2 });
  expect(Math.abs((first?.silenced_until ?? 0) - answer.until)).toBeLessThan(1_000);
  // The other reflex runs a sense: it goes on.
  await until("pulse has emitted twice", () => site.nerve.signals("pulse").length === 2);

  await site.crash();
  await site.signal({ n: 3 });
  expect(await firing(site, 3)).toEqual({ silenced: "page-*", run: null });
  await site.kill();
  const listed = await nerve("silence", "--json");
  expect(listed.code).toBe(0);
  expect(JSON.parse(listed.stdout)).toMatchObject({ pattern: "page-*", why: "deploy", reflexes: ["page-loud"] });
  await site.startAgain();

  const lifted = await nerve("silence", "--clear", "page-*");
  expect(lifted).toMatchObject({ code: 0, stdout: "page-* is no longer silenced\n", stderr: "" });
  await site.signal({ n: 4 });
  expect(await firing(site, 4)).toEqual({ silenced: null, run: 2 });
  expect(site.runs().map(({ input }) => JSON.parse(input ?? "null"))).toEqual([{ n: 1 }, { n: 4 }]);
  const told = ["reflex.silenced", "reflex.unsilenced"].map((event) => site.nerve.logs({ event }).length);
  expect(told).toEqual([1, 1]);
  await site.crash();
  expect((await nerve("silence", "--json")).stdout).toBe("");
  expect((await site.nerve.status()).reflexes[0]?.silenced_until).toBeNull();
});

test.concurrent("it is over when its time is, also while nerve is down", async () => {
  await using site = await Site.start(SETUP);
  const nerve = async (...args: string[]) => runNerve(site.project.path, args);
  const silence = (duration: string) => nerve("silence", "page-loud", "--for", duration, "--why", "a test");
  const isListed = async () => (await nerve("silence", "--json")).stdout !== "";
  expect((await silence("1h")).code).toBe(0);
  await site.signal({ n: 1 });
  expect(await firing(site, 1)).toEqual({ silenced: "page-loud", run: null });
  // Given again it counts from now on.
  expect((await silence("500ms")).code).toBe(0);
  await until("the silence is no longer listed", async () => !(await isListed()));
  await site.signal({ n: 2 });
  expect(await firing(site, 2)).toEqual({ silenced: null, run: 1 });

  expect((await silence("6s")).code).toBe(0);
  await site.stop();
  expect(await isListed()).toBe(true);
  await until("the silence is no longer listed", async () => !(await isListed()));
  await site.startAgain();
  await site.signal({ n: 3 });
  expect(await firing(site, 3)).toEqual({ silenced: null, run: 2 });
});

(hasFaketime ? test.concurrent : test.skip)("a clock that is set ends it neither sooner nor later", async () => {
  using folder = project(
    {
      "nerve.yaml": `
senses: { tick: { use: pulse } }
workflows: { page: {} }
reflexes: [{ sense: tick, interval: 100ms }, { name: loud, workflow: page, on: [tick] }]
`,
      "workflows/page/index.ts": "export const run = () => null;\n",
    },
    { pulse: "e2e/pulse" },
  );
  const clock = fakeClock(folder);
  await using nerve = await startNerve(folder.path, { environment: clock.environment });
  const fired = () => nerve.logs({ event: "reflex.fired" });
  const stepped = async (offsetMs: number, steps: number): Promise<void> => {
    clock.set(offsetMs);
    await until("the clock's step is noticed", () => nerve.logs({ event: "clock.stepped" }).length === steps);
  };
  const moreFired = async (): Promise<string[]> => {
    const before = fired().length;
    await until("three more runs are fired", () => fired().length >= before + 3);
    return fired()
      .slice(before)
      .map(({ data }) => data.silenced ?? null);
  };
  const silence = async (forMs: number): Promise<void> => {
    const { status } = await nerve.post("/silence", { pattern: "loud", for_ms: forMs, why: "a test" });
    expect(status).toBe(200);
  };
  await silence(3_600_000);
  await stepped(DAY_MS, 1);
  const shownBy = (now: number) => nerve.status().then(({ reflexes }) => (reflexes[1]?.silenced_until ?? 0) - now);
  const left = await shownBy(Date.now() + DAY_MS);
  expect(left).toBeGreaterThan(3_000_000);
  expect(left).toBeLessThan(3_700_000);
  expect(new Set(await moreFired())).toEqual(new Set(["loud"]));
  expect(nerve.logs({ event: "run.queued" }).length).toBe(fired().filter(({ data }) => "run" in data).length);
  const runs = nerve.logs({ event: "run.queued" }).length;
  await stepped(0, 2);
  await moreFired();
  expect(nerve.logs({ event: "run.queued" })).toHaveLength(runs);
  // Set far back, it still ends.
  await silence(1_000);
  await stepped(-DAY_MS, 3);
  await until("a run is queued", () => nerve.logs({ event: "run.queued" }).length > runs);
});
