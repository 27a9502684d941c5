/** Workflows as a user meets them: what starts a run, what it may do, and that it ends once, whatever happens meanwhile (§8, G1, G3). */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Run } from "../../src/model/run.ts";
import { project, startNerve } from "../helpers/nerve.ts";
import { childrenOf, commandOf, isRunning } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type RunLog, Site } from "../helpers/workflows.ts";

setDefaultTimeout(120_000);

/** One workflow called `flow`. */
const flow = (body: string | null, config = ""): Promise<Site> => Site.start({ workflows: { flow: { body, config } } });

/** What a trigger has where the reflex has no `key`, no `each`, and a signal started the run. */
const NO_MORE = { key: null, due: null, signal: null, incident: null, batch: null };
const isStep = (event: string): boolean => event.startsWith("step.");
const ONE_ENDING = ["run.completed", "run.failed", "run.cancelled", "run.timed-out", "run.dropped"];
const endings = (site: Site, id: number): string[] => site.events(id).filter((event) => ONE_ENDING.includes(event));

/** Each wait is as long as it should be, or shorter by what its commit took, and longer than the one before should be. */
function expectPauses(waits: readonly RunLog[], pausesMs: readonly number[]): void {
  const found = waits.map(({ data, at }) => data.until - at);
  expect(found.length).toBe(pausesMs.length);
  for (const [index, pause] of found.entries()) {
    expect(pause).toBeLessThanOrEqual((pausesMs[index] ?? 0) + 5);
    expect(pause).toBeGreaterThan(pausesMs[index - 1] ?? 0);
  }
}

describe("a signal", () => {
  const body = 'return thread.step("look", () => thread.trigger);';
  const workflows = { flow: { body }, other: { body } };

  test("starts one run for each reflex that listens, with the signal as its trigger and its trace", async () => {
    await using site = await Site.start({
      workflows,
      reflexes: [
        "{ name: first, workflow: flow, on: [ask] }",
        "{ name: second, workflow: flow, on: [ask, pulse] }",
        "{ workflow: other, on: [pulse] }",
      ],
    });
    await site.signal({ host: "db1", n: [1, null] });
    await until(
      "both runs have completed",
      () => site.runs().length === 2 && site.runs().every(({ state }) => state === "completed"),
    );
    const [signal] = site.nerve.signals("ask");
    for (const [index, reflex] of ["first", "second"].entries()) {
      const row = site.runs()[index] as Run;
      expect(row).toMatchObject({ workflow: "flow", reflex, signal_id: signal?.id, trace: signal?.trace, attempt: 1 });
      expect(row.retry_of).toBeNull();
      expect(JSON.parse(row.input ?? "")).toEqual({ host: "db1", n: [1, null] });
      const payload = { host: "db1", n: [1, null] };
      const trigger = { id: signal?.id, sense: "ask", at: signal?.at, payload, reflex, ...NO_MORE };
      expect(JSON.parse(row.output ?? "")).toEqual(trigger);
      expect(site.events(row.id)).toEqual([
        "run.queued",
        "run.started",
        "step.started",
        "step.completed",
        "run.completed",
      ]);
      const [queued] = site.of(row.id, "run.queued");
      expect(queued?.data).toMatchObject({
        input: { host: "db1", n: [1, null] },
        trigger: { id: signal?.id, sense: "ask", at: signal?.at, reflex },
      });
      expect(site.logs(row.id).every(({ trace, source }) => trace === row.trace && source === "workflow:flow")).toBe(
        true,
      );
      expect(row.last_log_id).toBe(site.logs(row.id).at(-1)?.id as number);
      expect(row.queued_at).toBeLessThanOrEqual(row.started_at ?? 0);
      expect(row.started_at).toBeLessThanOrEqual(row.ended_at ?? 0);
    }
  });

  test("starts nothing while its reflex is disabled; what is queued goes on", async () => {
    await using site = await Site.start({
      workflows: { flow: { body: 'await gate("go");' } },
      reflexes: ["{ name: follow, workflow: flow, on: [ask] }"],
    });
    await site.signal(1);
    await site.signal(2);
    await until("a run is queued", async () => (await site.counts("flow")).queued === 1);
    expect((await site.nerve.post("/disable", { name: "follow" })).status).toBe(200);
    await site.signal(3);
    site.open("go");
    await site.ended(2);
    expect(site.runs().map(({ state, input }) => [state, input])).toEqual([
      ["completed", "1"],
      ["completed", "2"],
    ]);
    await site.restart();
    await site.signal(4);
    expect((await site.nerve.post("/enable", { name: "follow" })).status).toBe(200);
    await site.signal(5);
    await until("there are three runs", () => site.runs().length === 3);
    expect((await site.ended(3)).input).toBe("5");
  });
});

describe("steps", () => {
  test("return their results, may run side by side, and are known by name and number", async () => {
    await using site = await flow(`
      const one = await thread.step("a", (step) => ({ id: step.id, attempt: step.attempt }));
      const [two, three] = await Promise.all([
        thread.step("a", (step) => step.id),
        thread.step("b", async (step) => { await Bun.sleep(5); return step.id; }),
      ]);
      return { one, two, three, nothing: await thread.step("c", () => {}) };
    `);
    const { one, two, three, nothing } = (await site.output(await site.run("flow"))) as {
      one: { id: string; attempt: number };
    } & Record<string, unknown>;
    for (const id of [one.id, two, three]) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([one.id, two, three]).size).toBe(3);
    expect([one.attempt, nothing]).toEqual([1, null]);
    const completed = site.of(1, "step.completed").map(({ data }) => [data.step, data.nth]);
    expect(completed).toContainEqual(["a", 0]);
    expect(completed).toContainEqual(["a", 1]);
    expect(completed).toContainEqual(["b", 0]);
  });

  test("that are finished do not run again after kill -9; one that was interrupted does, with the same id", async () => {
    await using site = await flow(`
      const first = await thread.step("first", (step) => { mark("first " + step.id); return [1, { b: "é" }]; });
      const second = await thread.step("second", async (step) => {
        mark("second " + step.id + " " + step.attempt);
        await gate("go");
        return first;
      });
      return { first, second };
    `);
    const id = await site.run("flow");
    await until("two marks are made", () => site.marks().length === 2);
    await site.crash();
    await until("three marks are made", () => site.marks().length === 3);
    site.open("go");
    expect(await site.output(id)).toEqual({ first: [1, { b: "é" }], second: [1, { b: "é" }] });
    const [first, second, again] = site.marks();
    expect(first).toMatch(/^first [0-9a-f]{32}$/);
    expect(second).toMatch(/^second [0-9a-f]{32} 1$/);
    expect(again).toBe(second as string);
    expect(site.events(id).filter((event) => event.startsWith("run."))).toEqual([
      "run.queued",
      "run.started",
      "run.resumed",
      "run.completed",
    ]);
    expect(site.of(id, "run.resumed")[0]?.data).toMatchObject({ reason: "restart", attempt: 1 });
  });

  test("beside one another and a sleep have after kill -9 the winner they had, whoever is done by then", async () => {
    await using site = await flow(`
      const slow = thread.step("slow", () => gate("slow")).then(() => "slow");
      const quick = thread.step("quick", () => gate("quick")).then(() => "quick");
      const late = thread.sleep("300ms").then(() => "late");
      const first = await Promise.race([slow, quick, late]);
      await thread.step("first", () => first);
      const second = await Promise.race([slow, quick]);
      await thread.step("second", () => { mark("second"); return second; });
      await slow;
      await thread.step("hold", () => { mark("hold"); return gate("go"); });
      return [first, second];
    `);
    const id = await site.run("flow");
    await until("the step has completed", () => site.of(id, "step.completed").length === 1);
    site.open("quick");
    await site.marked("second");
    site.open("slow");
    await site.marked("hold");
    await site.crash();
    await site.marked("hold", 2);
    site.open("go");
    expect(await site.output(id)).toEqual(["late", "quick"]);
    expect(site.marks()).toEqual(["second", "hold", "hold"]);
  });

  test("that fail are tried again after a growing pause which a restart does not shorten; attempts are kept", async () => {
    await using site = await flow(`
      return thread.step("shaky", (step) => {
        mark("try " + step.attempt + " " + step.id);
        if (step.attempt < 4) throw new Error("not yet " + step.attempt);
        return step.attempt;
      }, { retry: { limit: 5, interval: "200ms", backoff: 3, max_interval: "900ms" } });
    `);
    const id = await site.run("flow");
    await until("the step has failed twice", () => site.of(id, "step.failed").length === 2);
    await site.crash();
    expect(await site.output(id)).toBe(4);
    expect(site.marks().map((mark) => mark.split(" ")[1])).toEqual(["1", "2", "3", "4"]);
    expect(new Set(site.marks().map((mark) => mark.split(" ")[2])).size).toBe(1);
    const failed = site.of(id, "step.failed");
    expect(failed.map(({ data }) => data.error)).toEqual([1, 2, 3].map((n) => `Error: not yet ${n}`));
    expectPauses(failed, [200, 600, 900]);
    const started = site.of(id, "step.started");
    for (const [index, { data }] of failed.entries()) expect(started[index + 1]?.at).toBeGreaterThanOrEqual(data.until);
    expect(site.row(id).attempt).toBe(1);
  });

  test("that failed for good throw the same error after kill -9, without being run again", async () => {
    await using site = await flow(`
      let seen;
      try {
        await thread.step("bad", () => { mark("bad"); throw new TypeError("no such host: db1"); });
      } catch (error) {
        seen = [error.name, error.message, error instanceof Error];
      }
      mark(JSON.stringify(seen));
      await thread.step("hold", () => gate("go"));
      return seen;
    `);
    const id = await site.run("flow");
    await until("both runs have begun", () => site.marks().length === 2);
    await site.crash();
    site.open("go");
    expect(await site.output(id)).toEqual(["TypeError", "no such host: db1", true]);
    const told = '["TypeError","no such host: db1",true]';
    expect(site.marks()).toEqual(["bad", told, told]);
  });

  test.each([
    ["a function", "() => 1", /is not JSON/],
    ["NaN deep inside", "({ a: [Number.NaN] })", /is not JSON: .*a.*0.*NaN/],
    ["more than 64 KiB", '"x".repeat(65_536)', /over 64 KiB.*blobs\.put/],
  ])("and outputs that are %s are errors that say so", async (_, value, message) => {
    await using site = await flow(
      `const value = ${value}; return thread.trigger.payload ? thread.step("s", () => value) : value;`,
    );
    const ofStep = await site.ended(await site.run("flow", true));
    expect([ofStep.state, ofStep.error]).toEqual(["failed", expect.stringMatching(message)]);
    expect(ofStep.error).toContain('the result of step "s"');
    const ofRun = await site.ended(await site.run("flow", false));
    expect([ofRun.state, ofRun.error]).toEqual(["failed", expect.stringMatching(message)]);
    expect(ofRun.error).toContain("the run's output");
  });
});

describe("a sleep", () => {
  test("holds no slot, and its run goes on after it", async () => {
    await using site = await flow(`
      const { name, wait } = thread.trigger.payload;
      if (wait) await thread.sleep(wait);
      mark(name);
      return name;
    `);
    const sleeper = await site.run("flow", { name: "sleeper", wait: "1500ms" });
    await site.is(sleeper, "sleeping");
    expect(await site.counts("flow")).toEqual({ running: 0, queued: 0, sleeping: 1 });
    expect(await site.output(await site.run("flow", { name: "other", wait: null }))).toBe("other");
    expect(site.row(sleeper)).toMatchObject({ state: "sleeping", ended_at: null });
    expect(await site.output(sleeper)).toBe("sleeper");
    expect(site.marks()).toEqual(["other", "sleeper"]);
    const [slept] = site.of(sleeper, "run.sleeping");
    const [resumed] = site.of(sleeper, "run.resumed");
    expect(slept?.data.until).toBeGreaterThanOrEqual((slept?.at ?? 0) + 1490);
    expect(resumed?.at).toBeGreaterThanOrEqual(slept?.data.until);
    expect(resumed?.data).toMatchObject({ reason: "slept", attempt: 1 });
  });

  test("survives kill -9, and one that passed meanwhile is over at the start", async () => {
    await using site = await flow(`
      await thread.step("before", () => mark("before"));
      await thread.sleep(thread.trigger.payload);
      return thread.step("after", () => mark("after " + thread.trigger.payload));
    `);
    const short = await site.run("flow", 300);
    await site.is(short, "sleeping");
    const long = await site.run("flow", "2s");
    await site.is(long, "sleeping");
    const due = site.row(long).until ?? 0;
    const passed = site.row(short).until ?? 0;
    await site.kill();
    await until("the moment has passed", () => Date.now() > passed);
    await site.startAgain();
    expect(site.row(long)).toMatchObject({ state: "sleeping", until: due });
    await site.output(short);
    await site.output(long);
    expect(site.marks()).toEqual(["before", "before", "after 300", "after 2s"]);
    const [resumed] = site.of(long, "run.resumed");
    expect(resumed?.at).toBeGreaterThanOrEqual(due);
  });

  test("of a woken run comes to a slot before those that are queued", async () => {
    await using site = await flow(`
      const { name, wait } = thread.trigger.payload;
      if (wait) await thread.sleep(wait);
      mark(name);
      await gate(name);
    `);
    const woken = await site.run("flow", { name: "woken", wait: 1_000 });
    await site.is(woken, "sleeping");
    await site.run("flow", { name: "holder" });
    await site.run("flow", { name: "queued" });
    await until("the run is queued", async () => (await site.counts("flow")).queued === 1);
    const { until: due } = site.row(woken);
    await until("the moment has passed", () => Date.now() > (due ?? 0));
    expect(site.row(woken).state).toBe("sleeping");
    for (const gate of ["holder", "woken", "queued"]) {
      await site.marked(gate);
      site.open(gate);
    }
    expect(site.marks()).toEqual(["holder", "woken", "queued"]);
  });
});

describe("a run that fails", () => {
  test("is retried from the failed step, and keeps those that were finished", async () => {
    await using site = await flow(
      `
      const a = await thread.step("a", () => { mark("a"); return 1; });
      const b = await thread.step("b", () => {
        mark("b");
        if (!existsSync(process.cwd() + "/gate-mended")) throw new Error("boom");
        return a + 1;
      });
      return b;
      `,
      "retry: { limit: 2, interval: 300ms, backoff: 2 }",
    );
    const id = await site.run("flow");
    await until("the first retry is logged", () => site.of(id, "run.retrying").length === 1);
    expect(site.row(id)).toMatchObject({ state: "sleeping", attempt: 1, error: "Error: boom" });
    await until("the second retry is logged", () => site.of(id, "run.retrying").length === 2);
    await site.crash();
    site.open("mended");
    expect(await site.output(id)).toBe(2);
    expect(site.marks()).toEqual(["a", "b", "b", "b"]);
    expect(site.row(id)).toMatchObject({ state: "completed", attempt: 3, error: null });
    const retrying = site.of(id, "run.retrying");
    expect(retrying.map(({ data }) => data.attempt)).toEqual([2, 3]);
    expectPauses(retrying, [300, 600]);
    expect(site.of(id, "run.resumed").map(({ data }) => [data.reason, data.attempt])).toEqual([
      ["retry", 2],
      ["retry", 3],
    ]);
  });

  test.each([
    ["in other words", 'try { await shaky("a"); } catch { throw new Error("it did not work"); }', ["a", "a"]],
    ["all at once", 'await Promise.all([shaky("a"), shaky("b")]);', ["a", "a", "b", "b"]],
    ["as none worked", 'await Promise.any([shaky("a"), shaky("b")]);', ["a", "a", "b", "b"]],
    [
      "after one it could do without",
      'await shaky("a").catch(() => {}); await thread.step("on", () => {}); await shaky("b");',
      ["a", "b", "b"],
    ],
  ])("is retried from the failed steps however they are thrown: %s", async (_, code, ran) => {
    await using site = await flow(
      `
      const shaky = (name) => thread.step(name, () => {
        mark(name);
        if (!existsSync(process.cwd() + "/gate-mended")) throw new Error(name + " is not mended");
      });
      ${code}
      `,
      "retry: { limit: 1, interval: 500ms }",
    );
    const id = await site.run("flow");
    await until("the retry is logged", () => site.of(id, "run.retrying").length === 1);
    site.open("mended");
    await site.output(id);
    expect(site.marks().sort()).toEqual(ran);
  });

  test("ends with its error when no attempt is left, and not before", async () => {
    await using site = await flow(
      'mark("try"); throw new RangeError("out of luck");',
      "retry: { limit: 2, interval: 20ms, backoff: 1 }",
    );
    const { state, error, attempt } = await site.ended(await site.run("flow"));
    expect({ state, error, attempt }).toEqual({ state: "failed", error: "RangeError: out of luck", attempt: 3 });
    expect(site.marks()).toEqual(["try", "try", "try"]);
    expect(endings(site, 1)).toEqual(["run.failed"]);
  });
});

describe("a timeout", () => {
  test("fires the run's signal, and the run counts as timed out whatever it makes of that", async () => {
    await using site = await flow(
      `
      signal.addEventListener("abort", () => mark("aborted " + signal.reason.name));
      try {
        await thread.step("wait", (step) => gate("never", step.signal));
      } catch (error) {
        mark("caught " + error.name);
      }
      return "made it";
      `,
      "timeout: 300ms",
    );
    const { state, error, output, started_at, ended_at } = await site.ended(await site.run("flow"));
    expect({ state, output }).toEqual({ state: "timed-out", output: null });
    expect(error).toContain("300ms");
    expect((ended_at ?? 0) - (started_at ?? 0)).toBeGreaterThanOrEqual(290);
    expect(site.marks()).toContain("aborted TimeoutError");
    expect(site.marks()).toContain("caught TimeoutError");
    expect(endings(site, 1)).toEqual(["run.timed-out"]);
  });

  test("is retried as a throw is", async () => {
    await using site = await flow(
      `
      await thread.step("once", () => mark("once"));
      await thread.step("wait", (step) => { mark("wait"); return gate("go", step.signal); });
      `,
      "timeout: 300ms, retry: { limit: 3, interval: 100ms }",
    );
    const id = await site.run("flow");
    await until("the retry is logged", () => site.of(id, "run.retrying").length === 1);
    site.open("go");
    await site.output(id);
    expect(site.marks()).toEqual(["once", "wait", "wait"]);
    expect(site.row(id).attempt).toBe(2);
  });

  test.each([
    ["run", "await new Promise(() => {});"],
    ["step", 'await thread.step("s", () => new Promise(() => {}));'],
  ])("a deaf %s passes costs it its worker after the grace period, and the log names it", async (_, body) => {
    await using site = await flow(body, "timeout: 200ms, grace_period: 200ms");
    const id = await site.run("flow");
    const { state, error } = await site.ended(id);
    expect(state).toBe("timed-out");
    expect(error).toContain("it had not settled at its hard limit, 200ms timeout and 200ms grace period");
    const [died] = site.nerve.logs({ event: "worker.exited" });
    expect(died?.message).toContain(`workflow "flow", run ${id}: it had not settled at its hard limit`);
    // The next one has a worker of its own.
    expect((await site.ended(await site.run("flow"))).state).toBe("timed-out");
  });

  test("deaf runs pass ends them together; nobody beside them is suspected, or waits for its turn", async () => {
    await using site = await flow(
      `
      await thread.step("hold", () => { mark(thread.trigger.payload); return gate(thread.trigger.payload); });
      return "well";
      `,
      "concurrency: 4, timeout: 4s, grace_period: 500ms",
    );
    const deaf = [await site.run("flow", "deaf"), await site.run("flow", "deaf")];
    await until("two marks are made", () => site.marks().length === 2);
    // They begin while the others are told of their end.
    await until("the deaf run is over its time", () => Date.now() > (site.row(deaf[1] ?? 0).started_at ?? 0) + 3_500);
    const good = [await site.run("flow", "good"), await site.run("flow", "good")];
    await until("six marks are made", () => site.marks().length === 6);
    expect(deaf.map((id) => site.row(id).state)).toEqual(["timed-out", "timed-out"]);
    const exits = site.nerve.logs({ event: "worker.exited" });
    expect(exits.map(({ data }) => data.suspects)).toEqual([[`run ${deaf[0]}`]]);
    site.open("good");
    for (const id of good) expect(await site.output(id)).toBe("well");
    expect(site.of(good[0] ?? 0, "run.resumed").map(({ data }) => data.reason)).toEqual(["worker-died"]);
  });

  test("a spinning run passes costs it its worker; who shared it goes on and ends well", async () => {
    await using site = await flow(
      `
      const name = await thread.step("name", () => thread.trigger.payload);
      if (name === "spin") for (;;);
      await thread.step("hold", () => { mark(name); return gate("go"); });
      return name;
      `,
      "concurrency: 3, timeout: 1500ms, grace_period: 200ms",
    );
    const good = [await site.run("flow", "left"), await site.run("flow", "right")];
    await until("two marks are made", () => site.marks().length === 2);
    const bad = await site.run("flow", "spin");
    await until("the worker has exited", () => site.nerve.logs({ event: "worker.exited" }).length === 1);
    site.open("go");
    expect((await site.ended(bad)).state).toBe("timed-out");
    for (const id of good) expect((await site.ended(id)).state).toBe("completed");
    expect(site.nerve.logs({ event: "worker.exited" }).at(-1)?.message).toContain(`run ${bad}`);
    expect(site.marks().filter((mark) => mark === "left").length).toBeLessThanOrEqual(3);
  });

  test("does not count sleep, queue or downtime", async () => {
    await using site = await flow(
      `
      await thread.sleep(700);
      await thread.step("hold", async () => { mark("holding"); await gate("go"); });
      await thread.sleep(700);
      return "in time";
      `,
      "timeout: 1s",
    );
    const id = await site.run("flow");
    const behind = await site.run("flow");
    await site.marked("holding");
    await site.kill();
    const downSince = Date.now();
    await until("the time-out has passed while nerve is down", () => Date.now() > downSince + 1_100);
    site.open("go");
    await site.startAgain();
    expect(await site.output(id)).toBe("in time");
    expect(await site.output(behind)).toBe("in time");
  });
});

describe("cancel", () => {
  test("ends a run that is queued, and it never starts", async () => {
    await using site = await flow('mark(thread.trigger.payload); await gate("go");');
    await site.run("flow", "first");
    const id = await site.run("flow", "second");
    const third = await site.run("flow", "third");
    expect((await site.cancel(id)).body).toMatchObject({ run: id, workflow: "flow", state: "cancelled" });
    expect(site.row(id)).toMatchObject({ state: "cancelled", started_at: null, attempt: 0 });
    site.open("go");
    await site.output(third);
    expect(site.marks()).toEqual(["first", "third"]);
    expect(endings(site, id)).toEqual(["run.cancelled"]);
  });

  test("ends one that is running: its signal fires, and nothing it does afterwards counts", async () => {
    await using site = await flow(
      `
      try {
        await thread.step("hold", (step) => { mark("in"); return gate("never", step.signal); });
      } finally {
        mark("settled " + signal.reason.name);
      }
      `,
      "retry: { limit: 3, interval: 10ms }",
    );
    const id = await site.run("flow");
    await site.marked("in");
    expect((await site.cancel(id)).body.state).toBe("cancelled");
    await site.marked("settled AbortError");
    await until("nothing runs", async () => (await site.counts("flow")).running === 0);
    expect(endings(site, id)).toEqual(["run.cancelled"]);
    expect(site.events(id).at(-1)).toBe("run.cancelled");
    expect(site.nerve.logs({ event: "worker.exited" })).toEqual([]);
    const again = await site.cancel(id);
    expect([again.status, again.body.error.message]).toEqual([409, `run ${id} has ended already: cancelled`]);
  });

  test.each([
    ["asleep", "await thread.sleep(60_000);", ""],
    [
      "between tries of a step",
      'await thread.step("s", () => { throw new Error("no"); }, { retry: { limit: 1, interval: "1m" } });',
      "",
    ],
    ["between attempts", 'throw new Error("no");', "retry: { limit: 1, interval: 1m }"],
  ])("ends one that is %s", async (_, body, config) => {
    await using site = await flow(`mark("in"); ${body}`, config);
    const id = await site.run("flow");
    await site.is(id, "sleeping");
    expect((await site.cancel(id)).body.state).toBe("cancelled");
    expect(await site.counts("flow")).toEqual({ running: 0, queued: 0, sleeping: 0 });
    await site.crash();
    expect(site.row(id)).toMatchObject({ state: "cancelled", until: null });
    expect(site.events(id).at(-1)).toBe("run.cancelled");
    expect(site.marks()).toEqual(["in"]);
  });

  test("of a deaf run takes its worker after the grace period; who shared it goes on", async () => {
    await using site = await flow(
      'mark(thread.trigger.payload); if (thread.trigger.payload === "deaf") await new Promise(() => {}); await gate("go");',
      "concurrency: 2, grace_period: 300ms",
    );
    const deaf = await site.run("flow", "deaf");
    const other = await site.run("flow", "other");
    await until("two marks are made", () => site.marks().length === 2);
    await site.cancel(deaf);
    expect(site.row(deaf).state).toBe("cancelled");
    await until("the worker has exited", () => site.nerve.logs({ event: "worker.exited" }).length === 1);
    const [killed] = site.nerve.logs({ event: "worker.exited" });
    expect(killed?.message).toEndWith(`run ${deaf}: it had not settled within 300ms of being cancelled`);
    site.open("go");
    await site.output(other);
    expect(endings(site, deaf)).toEqual(["run.cancelled"]);
    expect(site.of(other, "run.resumed")[0]?.data.reason).toBe("worker-died");
  });
});

describe("concurrency", () => {
  test("bounds how many run at once; the others wait their turn in the order they came, across a restart", async () => {
    await using site = await flow(
      `
      const n = thread.trigger.payload;
      await thread.step("begin", () => mark("begin " + n));
      await thread.step("hold", () => gate("go-" + n));
      `,
      "concurrency: 2",
    );
    const ids = [];
    for (let n = 1; n <= 6; n++) ids.push(await site.run("flow", n));
    // A step that was interrupted would mark its begin again.
    await until("two steps have completed", () => site.nerve.logs({ event: "step.completed" }).length === 2);
    expect(await site.counts("flow")).toEqual({ running: 2, queued: 4, sleeping: 0 });
    await site.crash();
    await until("two runs are under way", async () => (await site.counts("flow")).running === 2);
    expect(await site.counts("flow")).toEqual({ running: 2, queued: 4, sleeping: 0 });
    for (const [index, gate] of [2, 1, 3, 5, 4, 6].entries()) {
      await site.marked(`begin ${Math.min(6, index + 2)}`);
      site.open(`go-${gate}`);
      await site.ended(ids[gate - 1] as number);
    }
    expect(site.marks()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `begin ${n}`));
  });

  test.each([
    ["overflow: drop", 0, /overflow. is drop/],
    ["max_queue: 0", 0, /max_queue/],
    ["max_queue: 2", 2, /max_queue/],
  ])("and what is over it with `%s` is dropped, which the run says", async (config, waiting, why) => {
    await using site = await flow('await gate("go");', config);
    const ids = [];
    for (let n = 0; n < waiting + 3; n++) ids.push(await site.run("flow", n));
    const dropped = ids.slice(waiting + 1);
    for (const id of dropped) {
      const { state, started_at, attempt, error, ended_at } = site.row(id);
      expect({ state, started_at, attempt }).toEqual({ state: "dropped", started_at: null, attempt: 0 });
      expect(error).toMatch(why);
      expect(ended_at).not.toBeNull();
      expect(site.events(id)).toEqual(["run.queued", "run.dropped"]);
    }
    site.open("go");
    for (const id of ids.slice(0, waiting + 1)) expect((await site.ended(id)).state).toBe("completed");
    expect((await site.ended(await site.run("flow"))).state).toBe("completed");
  });

  test("does not count those that sleep in `max_queue`, nor drop them", async () => {
    await using site = await flow(
      'if (thread.trigger.payload === "sleep") await thread.sleep(1_500); else await gate("go"); return 1;',
      "max_queue: 1",
    );
    const sleepers: number[] = [];
    for (let n = 0; n < 3; n++) {
      const id = await site.run("flow", "sleep");
      await site.is(id, "sleeping");
      sleepers.push(id);
    }
    const holder = await site.run("flow", "hold");
    const queued = await site.run("flow", "hold");
    expect(site.row((await site.nerve.post("/run", { workflow: "flow", input: 1 })).body.run).state).toBe("dropped");
    await until("every sleeper is due", () => sleepers.every((id) => (site.row(id).until ?? 0) < Date.now()));
    site.open("go");
    for (const id of [...sleepers, holder, queued]) expect((await site.ended(id)).state).toBe("completed");
  });
});

describe("a step that is under way when its run ends", () => {
  const SLOW = 'thread.step("slow", async () => { mark("in"); await gate("go"); mark("out"); })';

  test.each([
    ["throws", `await Promise.all([${SLOW}, thread.step("fails", () => { throw new Error("no"); })]);`, "sleeping"],
    ["returns", `void ${SLOW}; await thread.step("quick", () => 1);`, "completed"],
  ])(
    "holds the slot of one that %s, and no code runs beside its next attempt or the next run",
    async (_, body, state) => {
      await using site = await Site.start({
        workflows: { flow: { body, config: "retry: { limit: 1, interval: 10ms }" }, other: { body: "return 1;" } },
      });
      const ids = [await site.run("flow"), await site.run("flow")];
      await until(`the first run is ${state}`, () => site.row(ids[0] as number).state === state);
      // Time enough for whoever does not wait.
      for (let n = 0; n < 5; n++) await site.output(await site.run("other"));
      expect([site.marks(), site.row(ids[1] as number).state]).toEqual([["in"], "queued"]);
      site.open("go");
      for (const id of ids) await site.ended(id);
      await until("both runs have made their marks", () => site.marks().length % 2 === 0);
      const marks = site.marks();
      expect(marks).toEqual(marks.map((__, index) => (index % 2 === 0 ? "in" : "out")));
      expect(marks.length).toBeGreaterThanOrEqual(4);
      for (const id of ids) expect(endings(site, id)).toHaveLength(1);
    },
  );

  test("costs the worker when it is deaf to that: what the run ended with stays, others go on", async () => {
    await using site = await flow(
      'if (thread.trigger.payload) return "next"; void thread.step("deaf", () => new Promise(() => {})); await thread.step("quick", () => 1); return "done";',
      "grace_period: 200ms",
    );
    const id = await site.run("flow");
    const next = await site.run("flow", true);
    expect(await site.output(id)).toBe("done");
    expect(await site.output(next)).toBe("next");
    const [exited] = site.nerve.logs({ event: "worker.exited" });
    expect(exited?.message).toContain("steps it had left under way had not settled within 200ms of its end");
    expect(endings(site, id)).toEqual(["run.completed"]);
  });
});

describe("a run that kills its worker", () => {
  test.each([
    ["process.exit(7)", /exited with code 7/],
    ['process.kill(process.pid, "SIGSEGV"); await Bun.sleep(60_000)', /SIGSEGV|code 139/],
    ["process.abort()", /SIGABRT|code 134|code 1\b|SIG/],
  ])("by %s is failed after three deaths alone; its neighbours complete", async (code, how) => {
    await using site = await flow(
      `
      const name = await thread.step("name", () => thread.trigger.payload);
      if (name === "poison") { ${code}; }
      await thread.step("work", () => Bun.sleep(30));
      return name;
      `,
      "concurrency: 3, retry: { limit: 5, interval: 10ms }",
    );
    const good = await site.run("flow", "left");
    const bad = await site.run("flow", "poison");
    const ids = [good, await site.run("flow", "right"), await site.run("flow", "late")];
    const { state, error, attempt } = await site.ended(bad);
    expect({ state, attempt }).toEqual({ state: "failed", attempt: 1 });
    expect(error).toContain("its worker died 3 times while it ran alone");
    expect(error).toMatch(how);
    for (const id of ids) expect((await site.ended(id)).state).toBe("completed");
    for (const id of ids) expect(site.of(id, "run.failed")).toEqual([]);
    expect(endings(site, bad)).toEqual(["run.failed"]);
    expect((await site.ended(await site.run("flow", "after"))).state).toBe("completed");
  });
});

const workerOf = (site: Site): number =>
  childrenOf(site.nerve.pid).find((pid) => commandOf(pid).includes("__workflow-worker")) ?? -1;

test("runs whose worker died go on beside one another again as soon as one has proved innocent", async () => {
  await using site = await flow(
    `
    const name = thread.trigger.payload;
    await thread.step("first", () => { mark("first " + name); return gate("first"); });
    await thread.step("second", () => { mark("second " + name); return gate("second-" + name); });
    return name;
    `,
    "concurrency: 3",
  );
  const ids = [await site.run("flow", "a"), await site.run("flow", "b")];
  await site.marked("first a");
  await site.marked("first b");
  process.kill(workerOf(site), "SIGKILL");
  // One of both is tried alone; a new one is not let near it.
  await until("three marks are made", () => site.marks().length === 3);
  ids.push(await site.run("flow", "c"));
  site.open("first");
  for (const name of ["a", "b", "c"]) await site.marked(`second ${name}`);
  for (const name of ["a", "b", "c"]) site.open(`second-${name}`);
  for (const id of ids) await site.output(id);
});

/** Why run `id` waits, once that is said. */
async function waits(site: Site, id: number): Promise<string> {
  await until("the wait of the run is logged", () => site.of(id, "run.waiting").length === 1);
  return site.of(id, "run.waiting")[0]?.message ?? "";
}

describe("a module", () => {
  test.each([
    ["that throws as it loads", 'throw new Error("no such driver");', /no such driver/],
    ["that is no TypeScript", "export const run = (", /index\.ts/],
    ["that exports no run", "export const compute = () => null;", /does not export `run`/],
    ["that ends its worker as it loads", "process.exit(3);", /exited with code 3/],
  ])("%s leaves its runs waiting with the reason, and they run once it is mended", async (_, text, reason) => {
    await using site = await flow("return 1;");
    site.module("flow", text);
    const id = await site.run("flow");
    expect(await waits(site, id)).toMatch(reason);
    expect(site.row(id)).toMatchObject({ state: "queued", attempt: 0, started_at: null });
    site.code("flow", "return 2;");
    expect(await site.output(id)).toBe(2);
    expect(site.row(id).attempt).toBe(1);
  });

  test("that is not there leaves its runs waiting, and they run once it is there", async () => {
    await using site = await flow(null);
    const id = await site.run("flow");
    expect(await waits(site, id)).toContain("workflows/flow");
    site.code("flow", "return 3;");
    expect(await site.output(id)).toBe(3);
  });

  test("that is broken when a sleep is over spends no attempt, and the run goes on once it is mended", async () => {
    const body = 'await thread.step("once", () => mark("once")); await thread.sleep(1_000); return "slept";';
    await using site = await flow(body, "retry: { limit: 1, interval: 10ms }");
    const id = await site.run("flow");
    await until("the run sleeps", () => site.row(id).state === "sleeping");
    site.module("flow", "export const run = (");
    process.kill(workerOf(site), "SIGKILL");
    expect(await waits(site, id)).toContain("index.ts");
    expect(site.row(id)).toMatchObject({ state: "sleeping", attempt: 1 });
    site.code("flow", body);
    expect(await site.output(id)).toBe("slept");
    expect([site.marks(), site.row(id).attempt]).toEqual([["once"], 1]);
  });

  test("that was edited and not re-read is what the next worker loads, and the run says so", async () => {
    await using site = await flow('await thread.step("hold", () => gate("go")); return "old";');
    const id = await site.run("flow");
    await until("the step has started", () => site.of(id, "step.started").length === 1);
    site.code("flow", 'return "new";');
    process.kill(workerOf(site), "SIGKILL");
    expect(await site.output(id)).toBe("new");
    const [resumed] = site.of(id, "run.resumed");
    expect([resumed?.level, resumed?.data.reason]).toEqual(["warn", "worker-died"]);
    expect(resumed?.message).toContain("code has changed");
  });

  test("with bad options leaves its runs waiting with what is wrong", async () => {
    await using site = await Site.start({
      workflows: { flow: { body: null, config: "use: exec, with: { command: [] }" } },
    });
    expect(await waits(site, await site.run("flow"))).toContain("command");
  });
});

describe("a reload", () => {
  test("with changed code goes on from a step boundary, and the run says that its code has changed", async () => {
    await using site = await flow(
      `
      await thread.step("one", () => mark("one"));
      await thread.step("hold", async () => { mark("hold"); await gate("go"); });
      await thread.step("vanishes", () => mark("vanishes"));
      return "old";
      `,
    );
    const id = await site.run("flow");
    const behind = await site.run("flow");
    await site.marked("hold");
    const reloaded = site.reload({
      workflows: {
        flow: {
          body: `
          await thread.step("one", () => mark("one"));
          await thread.step("hold", () => mark("hold again"));
          await thread.step("new", () => mark("new"));
          return "new";
          `,
        },
      },
    });
    expect((await reloaded).status).toBe(200);
    expect(site.row(id).state).toBe("running");
    site.open("go");
    expect(await site.output(id)).toBe("new");
    expect(await site.output(behind)).toBe("new");
    expect(site.marks()).toEqual(["one", "hold", "new", "one", "hold again", "new"]);
    const [resumed] = site.of(id, "run.resumed");
    expect(resumed?.data.reason).toBe("reload");
    expect([resumed?.level, resumed?.message]).toEqual(["warn", expect.stringContaining("code has changed")]);
  });

  test("that waits for a step which does not end says for which run, and goes on once that is cancelled", async () => {
    await using site = await flow(
      'await thread.step("hold", () => gate("never")); return "old";',
      "grace_period: 200ms",
    );
    const id = await site.run("flow");
    await until("the step has started", () => site.of(id, "step.started").length === 1);
    await site.reload({ workflows: { flow: { body: 'return "new";', config: "grace_period: 200ms" } } });
    const behind = await site.run("flow");
    await until(
      "the wait for the workflow is logged",
      () => site.nerve.logs({ event: "workflow.waiting" }).length === 1,
    );
    const [said] = site.nerve.logs({ event: "workflow.waiting" });
    expect([said?.source, said?.data.runs]).toEqual(["workflow:flow", [id]]);
    expect(site.row(behind).state).toBe("queued");
    await site.cancel(id);
    expect(await site.output(behind)).toBe("new");
  });

  test("does not wait for a worker that spins without a run", async () => {
    await using site = await flow('setTimeout(() => { mark("spins"); for (;;); }, 20); return "old";');
    await site.output(await site.run("flow"));
    await site.marked("spins");
    await site.reload({ workflows: { flow: { body: 'return "new";' } } });
    expect(await site.output(await site.run("flow"))).toBe("new");
  });

  test("that leaves a workflow as it was leaves its runs in peace", async () => {
    await using site = await Site.start({
      workflows: { flow: { body: 'mark("in"); await gate("go");' }, other: { body: "" } },
    });
    const id = await site.run("flow");
    await site.marked("in");
    await site.reload({ workflows: { flow: { body: 'mark("in"); await gate("go");' }, other: { body: "return 1;" } } });
    site.open("go");
    await site.output(id);
    expect(site.of(id, "run.resumed")).toEqual([]);
    expect(site.marks()).toEqual(["in"]);
  });

  test("that removes a workflow cancels its runs, wherever they stand, and says why", async () => {
    const workflows = {
      flow: { body: 'if (thread.trigger.payload) await thread.sleep("1h"); mark("in"); await gate("never", signal);' },
    };
    await using site = await Site.start({ workflows });
    const sleeping = await site.run("flow", true);
    await site.is(sleeping, "sleeping");
    const running = await site.run("flow");
    const queued = await site.run("flow");
    await site.marked("in");
    expect((await site.reload({ workflows: { other: { body: "" } } })).status).toBe(200);
    for (const id of [sleeping, running, queued]) {
      const { state, error } = await site.ended(id);
      expect([state, error]).toEqual(["cancelled", "its workflow is no longer configured"]);
      expect(endings(site, id)).toEqual(["run.cancelled"]);
      expect(site.of(id, "run.cancelled")[0]?.message).toContain("no longer configured");
    }
    const retried = await site.retry(running);
    expect([retried.status, retried.body.error.message]).toEqual([409, "there is no workflow `flow`"]);
  });

  test("while nerve was down cancels them as well", async () => {
    await using site = await flow('mark("in"); await gate("never", signal);');
    const running = await site.run("flow");
    const queued = await site.run("flow");
    await site.marked("in");
    await site.kill();
    site.configure({ workflows: { other: { body: "" } } });
    await site.startAgain();
    for (const id of [running, queued]) {
      const { state, error } = await site.ended(id);
      expect([state, error]).toEqual(["cancelled", "its workflow is no longer configured"]);
    }
  });
});

describe("thread.log", () => {
  test("is not said again by a replay", async () => {
    await using site = await flow(`
      for (let n = 0; n < 5; n++) thread.log("info", "before " + n, { n });
      await thread.sleep(50);
      thread.log("warn", "between");
      await thread.step("hold", async () => { thread.log("debug", "inside"); mark("hold"); await gate("go"); });
      thread.log("error", "after");
    `);
    const id = await site.run("flow");
    await site.marked("hold");
    await until("six lines are logged", () => site.of(id, "log").length === 6);
    await site.crash();
    await site.marked("hold", 2);
    site.open("go");
    await site.output(id);
    const said = site.of(id, "log").map(({ level, message, data }) => [level, message, data]);
    expect(said).toEqual([
      ...[0, 1, 2, 3, 4].map((n) => ["info", `before ${n}`, { n }]),
      ["warn", "between", null],
      ["error", "after", null],
    ]);
  });
});

describe("a run's surroundings", () => {
  test("hold every sense's database, to read and not to write", async () => {
    await using site = await flow(`
      const rows = await peers.pulse.all("SELECT count(*) AS n FROM beats");
      const answers = [];
      for (const sql of ["DELETE FROM beats", "CREATE TABLE mine (id)", "ATTACH 'x.db' AS x", "PRAGMA user_version = 7"]) {
        try { await peers.pulse.all(sql); answers.push("done"); } catch (error) { answers.push(error.constructor.name); }
      }
      return { names: Object.keys(peers).sort(), rows, refused: answers.every((answer) => answer !== "done"),
        kept: await peers.pulse.all("SELECT count(*) AS n FROM beats") };
    `);
    await site.nerve.post("/trigger", { name: "pulse" });
    await until("pulse has emitted", () => site.nerve.signals("pulse").length === 1);
    expect(await site.output(await site.run("flow"))).toEqual({
      names: ["ask", "pulse"],
      rows: [{ n: 1 }],
      refused: true,
      kept: [{ n: 1 }],
    });
  });

  test("print into the log, signed with the run", async () => {
    await using site = await flow('console.log("hello"); await thread.step("s", () => console.error("inside"));');
    const id = await site.run("flow");
    await site.output(id);
    await until("both lines of output are logged", () => site.of(id, "output").length === 2);
    expect(site.of(id, "output").map(({ level, message }) => [level, message])).toEqual([
      ["info", "hello"],
      ["error", "inside"],
    ]);
  });
});

describe("a worker", () => {
  test("without work leaves after a while, and the next run has one again", async () => {
    await using site = await flow("return process.pid;");
    const pid = (await site.output(await site.run("flow"))) as number;
    expect(await site.output(await site.run("flow"))).toBe(pid);
    await until("the worker is gone", () => !isRunning(pid));
    expect(site.nerve.logs({ event: "worker.exited" })).toEqual([]);
    const next = await site.output(await site.run("flow"));
    expect(next).not.toBe(pid);
  });

  test("is not kept out by that of a group, whatever the two are called", async () => {
    using folder = project({
      "nerve.yaml":
        "groups: { workflow-flow: {} }\nsenses: { load: { group: workflow-flow } }\nworkflows: { flow: {} }\nreflexes: [{ sense: load, on_start: true }]\n",
      "workflows/flow/index.ts": "export const run = () => 1;\n",
    });
    await using nerve = await startNerve(folder.path);
    await until("the worker is up", async () => (await nerve.group("workflow-flow")).state === "up");
    await nerve.post("/run", { workflow: "flow" });
    await until("the run has completed", () => nerve.logs({ event: "run.completed" }).length === 1);
    expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
  });
});

describe("SIGTERM", () => {
  test("lets a step end, and no further; the run goes on at the next start", async () => {
    await using site = await flow(`
      await thread.step("one", async () => { mark("one"); await Bun.sleep(600); mark("one ends"); });
      await thread.step("two", () => mark("two"));
      return "done";
    `);
    const id = await site.run("flow");
    await site.marked("one");
    expect(await site.stop()).toBe(0);
    expect([site.row(id).state, site.marks()]).toEqual(["sleeping", ["one", "one ends"]]);
    await site.startAgain();
    expect(await site.output(id)).toBe("done");
    expect(site.marks()).toEqual(["one", "one ends", "two"]);
    expect(endings(site, id)).toEqual(["run.completed"]);
  });

  test("does not wait for ever for a deaf run, and is exit 0", async () => {
    await using site = await flow('mark("in"); await thread.step("deaf", () => new Promise(() => {}));');
    const id = await site.run("flow");
    await site.marked("in");
    expect(await site.stop()).toBe(0);
    expect(site.row(id).state).toBe("sleeping");
    await site.startAgain();
    await site.marked("in", 2);
    expect((await site.cancel(id)).status).toBe(200);
  });
});

describe("retry by hand", () => {
  const body = `
    const a = await thread.step("a", () => { mark("a"); return 1; });
    const b = await thread.step("b", () => { mark("b"); return a + 1; });
    return thread.step("c", (step) => {
      mark("c");
      if (!existsSync(process.cwd() + "/gate-mended")) throw new Error("boom");
      return { b, trigger: thread.trigger };
    });
  `;

  test("makes a new run of the same trace that keeps what was finished, or does it anew from a step", async () => {
    await using site = await Site.start({
      workflows: { flow: { body } },
      reflexes: ["{ name: follow, workflow: flow, on: [ask] }"],
    });
    await site.signal({ host: "db1" });
    expect((await site.ended(1)).state).toBe("failed");
    site.open("mended");
    const { status, body: answer } = await site.retry(1);
    expect([status, answer]).toEqual([200, expect.objectContaining({ run: 2, workflow: "flow" })]);
    const { id: signal, at } = site.nerve.signals("ask")[0] ?? {};
    const trigger = { id: signal, at, sense: "ask", payload: { host: "db1" }, reflex: "follow", ...NO_MORE };
    expect(await site.output(2)).toEqual({ b: 2, trigger });
    const [first, second] = site.runs();
    expect(second).toMatchObject({ retry_of: 1, trace: first?.trace, input: first?.input, attempt: 1 });
    expect(first).toMatchObject({ state: "failed", reflex: "follow", signal_id: signal });
    expect(second?.reflex).toBeNull();
    expect(site.marks()).toEqual(["a", "b", "c", "c"]);
    expect((await site.retry(2, "b")).status).toBe(200);
    await site.output(3);
    expect(site.row(3)).toMatchObject({ retry_of: 2, trace: first?.trace });
    expect(site.marks()).toEqual(["a", "b", "c", "c", "b", "c"]);
    // And what a retry inherited survives a crash as its own steps do.
    await site.crash();
    expect((await site.retry(3, "c")).status).toBe(200);
    expect(await site.output(4)).toEqual({ b: 2, trigger });
    expect(site.marks()).toEqual(["a", "b", "c", "c", "b", "c", "c"]);
  });

  test("of what cannot be retried is refused with a reason", async () => {
    await using site = await flow(`await gate("go", signal); ${body}`);
    const id = await site.run("flow");
    await until("the run has started", () => site.row(id).state === "running");
    const active = await site.retry(id);
    expect([active.status, active.body.error.message]).toEqual([409, `run ${id} is running`]);
    site.open("go");
    await site.ended(id);
    const unknown = await site.retry(id, "z");
    expect([unknown.status, unknown.body.error]).toEqual([
      409,
      expect.objectContaining({ message: `run ${id} has no step \`z\``, hint: "its steps: a, b, c" }),
    ]);
    expect(site.runs().length).toBe(1);
  });
});

test("unknown names and runs are refused, with the nearest one", async () => {
  await using site = await flow("");
  const run = await site.nerve.post("/run", { workflow: "flwo", input: null });
  expect([run.status, run.body.error]).toEqual([
    409,
    expect.objectContaining({ message: "there is no workflow `flwo`", hint: "did you mean `flow`?" }),
  ]);
  for (const asked of [await site.cancel(99), await site.retry(99)]) {
    expect([asked.status, asked.body.error.message]).toEqual([409, "there is no run 99"]);
  }
  expect((await site.nerve.post("/run", { workflow: "flow", input: "x".repeat(70_000) })).status).toBe(400);
  expect(site.runs()).toEqual([]);
});

describe("built in", () => {
  test("exec runs a command filled in from the signal, and fails for good where something is missing", async () => {
    await using site = await Site.start({
      workflows: {
        page: {
          body: null,
          config:
            'use: exec, with: { command: [/bin/echo, --, "{{ payload.status }} on {{ sense }}"] }, retry: { limit: 3 }',
        },
      },
      reflexes: ["{ workflow: page, on: [ask] }"],
    });
    await site.signal({ status: "two words; $(id)" });
    expect(await site.output(1)).toEqual({ exit_code: 0, stdout: "-- two words; $(id) on ask\n", stderr: "" });
    await site.signal({ other: 1 });
    const { state, error } = await site.ended(2);
    expect([state, error]).toEqual(["failed", expect.stringContaining("the payload has no status")]);
    expect(site.of(2, "run.retrying")).toEqual([]);
  });

  test("webhook posts the signal until it is taken, with the same idempotency key", async () => {
    const seen: { key: string | null; body: unknown }[] = [];
    using server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        seen.push({ key: request.headers.get("idempotency-key"), body: await request.json() });
        return new Response(null, { status: seen.length < 3 ? 503 : 204 });
      },
    });
    const options = `url: "http://127.0.0.1:${server.port}/hook", retry: { limit: 5, interval: 50ms }`;
    await using site = await Site.start({
      workflows: { tell: { body: null, config: `use: webhook, with: { ${options} }` } },
      reflexes: ["{ name: told, workflow: tell, on: [ask] }"],
    });
    await site.signal({ status: "critical" });
    expect(await site.output(1)).toEqual({ status: 204 });
    const [signal] = site.nerve.signals("ask");
    const payload = { status: "critical" };
    const body = { id: signal?.id, sense: "ask", at: signal?.at, payload, reflex: "told", ...NO_MORE };
    expect(seen.map((request) => request.body)).toEqual([body, body, body]);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
    expect(site.events(1).filter(isStep)).toHaveLength(6);
  });
});
