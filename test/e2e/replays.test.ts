/** Replays as a user meets them: whatever is killed, edited or retried, a run goes on with what it had seen (§8). */
import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { childrenOf, commandOf, sendSignal } from "../helpers/processes.ts";
import type { Node, Program } from "../helpers/replay/program.ts";
import { anyProgram, mapNodes, nodesOf } from "../helpers/replay/random-workflow.ts";
import { until } from "../helpers/until.ts";
import { Site } from "../helpers/workflows.ts";

setDefaultTimeout(120_000);

const flow = (body: string, config = ""): Promise<Site> => Site.start({ workflows: { flow: { body, config } } });

/** Steps that began, in order, with their names. */
const begun = (site: Site, id: number): string[] => site.of(id, "step.started").map(({ data }) => data.step);
const completed = (site: Site, id: number): string[] => site.of(id, "step.completed").map(({ data }) => data.step);

test("a race of a step against its deadline takes one branch, however close they are", async () => {
  await using site = await flow(
    `const { ms } = thread.trigger.payload;
     const won = await Promise.race([
       thread.step("work", () => Bun.sleep(ms).then(() => "done")),
       thread.sleep(300).then(() => "late"),
     ]);
     if (won === "late") await thread.step("page on-call", () => "paged");
     else await thread.step("say thanks", () => "thanked");
     await thread.sleep(200);
     return won;`,
    "concurrency: 12",
  );
  const ids: number[] = [];
  for (let count = 0; count < 24; count++) ids.push(await site.run("flow", { ms: 288 + (count % 12) }));
  for (const id of ids) {
    const won = await site.output(id);
    const branch = begun(site, id).filter((step) => step !== "work");
    expect({ id, won, branch }).toEqual({ id, won, branch: [won === "late" ? "page on-call" : "say thanks"] });
  }
});

test("a sleep that vanished from the code is no other sleep, and a sleep that was added takes nothing from the others", async () => {
  const code = (sleeps: readonly string[]): string =>
    `${sleeps.map((sleep) => `await thread.sleep(${sleep});`).join("\n")} return thread.step("delete", () => "deleted");`;
  await using site = await flow(code([`"2s"`, `"1h"`]));
  const removed = await site.run("flow");
  await site.is(removed, "sleeping");
  await site.reload({ workflows: { flow: { body: code([`"1h"`]) } } });
  await until("the run has gone on", () => site.of(removed, "run.sleeping").length === 2);
  const [, hour] = site.of(removed, "run.sleeping");
  expect(hour?.data.until - (hour?.at ?? 0)).toBeGreaterThan(3_500_000);
  expect(begun(site, removed)).toEqual([]);

  await site.reload({ workflows: { flow: { body: code([`"2s"`]) } } });
  const added = await site.run("flow");
  await site.is(added, "sleeping");
  await site.reload({ workflows: { flow: { body: code([`"50ms"`, `"2s"`]) } } });
  expect(await site.output(added)).toBe("deleted");
  const [, short, ...others] = site.of(added, "run.sleeping");
  expect([short?.data.sleeps[0].duration, others]).toEqual(["50ms", []]);
});

test("a further attempt runs what failed of a batch, and what it gathers names each of them", async () => {
  await using site = await flow(
    `const failed = [];
     for (const host of ["a", "b", "c", "d"]) {
       try { await thread.step(host, ({ id }) => { if (!tried(host) && host > "b") throw new Error(host + " is down"); return host; }); }
       catch (error) { failed.push(error); }
     }
     if (failed.length > 0) throw new AggregateError(failed, failed.length + " hosts failed");
     return "all are up";
     function tried(host) { const known = existsSync(marksOf(host)); appendFileSync(marksOf(host), "x"); return known; }
     function marksOf(host) { return import.meta.dir + "/tried-" + host; }`,
    "retry: { limit: 2, interval: 50ms }",
  );
  const id = await site.run("flow");
  expect(await site.output(id)).toBe("all are up");
  expect(begun(site, id)).toEqual(["a", "b", "c", "d", "c", "d"]);
});

test("a step that finishes within the grace period of its attempt is not done again", async () => {
  await using site = await flow(
    `await thread.step("charge", async () => { mark("charge"); await Bun.sleep(700); return "charged"; });
     return thread.step("thank", () => "thanked");`,
    "timeout: 300ms, grace_period: 20s, retry: { limit: 1, interval: 10ms }",
  );
  const id = await site.run("flow");
  expect(await site.output(id)).toBe("thanked");
  expect(site.marks()).toEqual(["charge"]);
  expect(completed(site, id)).toEqual(["charge", "thank"]);
});

test("a step that was under way when its run ended has the same idempotency key in a retry by hand, a finished one another", async () => {
  await using site = await flow(
    `await thread.step("first", ({ id }) => mark("first " + id));
     await thread.step("second", async ({ id, signal }) => { mark("second " + id); await gate("second", signal); });
     return "done";`,
    "grace_period: 1s",
  );
  const id = await site.run("flow");
  await until("the second step is under way", () => site.marks().length === 2);
  await site.cancel(id);
  site.open("second");
  const { body } = await site.retry(id, "first");
  await site.ended(body.run);
  const [first, second, firstAgain, secondAgain] = site.marks();
  expect(secondAgain).toBe(second as string);
  expect(firstAgain).toStartWith("first ");
  expect(firstAgain).not.toBe(first as string);
});

test("an error comes back with the name, message and stack that were thrown, after a sleep as before it", async () => {
  await using site = await flow(
    `class Timeout extends Error { name = "Timeout"; }
     const seen = [];
     let caught;
     for (const thrown of [new Timeout("slow\\nvery slow"), new DOMException("q", "QuotaExceeded"), "plain"]) {
       try { await thread.step("fails", () => { throw thrown; }); } catch (error) { seen.push([error.name, error.message]); caught ??= error; }
     }
     const before = await thread.step("before", () => seen);
     await thread.sleep(50);
     if (JSON.stringify(before) !== JSON.stringify(seen)) throw new Error("it was " + JSON.stringify(before));
     thread.log("info", JSON.stringify(seen));
     throw caught;`,
  );
  const id = await site.run("flow");
  const { state, error } = await site.ended(id);
  expect([state, error]).toEqual(["failed", "Timeout: slow\nvery slow"]);
  const seen = [
    ["Timeout", "slow\nvery slow"],
    ["QuotaExceeded", "q"],
    ["Error", "plain"],
  ];
  expect(site.of(id, "log").map(({ message }) => JSON.parse(message))).toEqual([seen]);
  expect(site.of(id, "run.failed")[0]?.data.stack).toContain("workflows/flow/index.ts");
});

/** Short enough to be waited for. */
const quick = (program: Program): Program =>
  mapNodes(program, (one: Node) =>
    ["step", "sleep"].includes(one.kind) ? [{ ...one, ms: Math.min((one as { ms: number }).ms, 80) } as Node] : [one],
  );

const LIFE = `
  const life = crypto.randomUUID();
  const { number, program } = thread.trigger.payload;
  const say = (...words) => mark(JSON.stringify([number, life, ...words]));
  return runProgram(program, thread, {
    settled: (what, where, value) => say("saw", where + " " + what + " " + JSON.stringify(value)),
    slept: () => {},
    act: async (node, id, attempt) => {
      say("did", id);
      await Bun.sleep(node.ms);
      if (attempt <= node.fails) throw Object.assign(new Error(node.name + " failed"), { name: "Odd" });
    },
    own: () => new Promise((resolve) => setImmediate(resolve)),
  });`;

test("random workflows whose worker and kernel are killed go on with what they had seen", async () => {
  await using site = await flow("", "concurrency: 4");
  const seed = Math.floor(Math.random() * 2 ** 31);
  const programs = fc.sample(
    anyProgram.map(quick).filter((program) => nodesOf(program).length > 4),
    { numRuns: 24, seed },
  );
  copyFileSync(
    join(import.meta.dir, "../helpers/replay/program.ts"),
    join(site.project.path, "workflows/flow/program.ts"),
  );
  site.code("flow", `const { runProgram } = await import("./program.ts");\n${LIFE}`);
  await site.reload({
    workflows: {
      flow: { body: `const { runProgram } = await import("./program.ts");\n${LIFE}`, config: "concurrency: 4" },
    },
  });
  const ids: number[] = [];
  for (const [number, program] of programs.entries()) ids.push(await site.run("flow", { number, program }));
  const isOver = (): boolean => site.runs().every(({ ended_at }) => ended_at !== null);
  for (let kills = 0; kills < 8 && !isOver(); kills++) {
    const before = site.marks().length;
    await until("the runs go on", () => site.marks().length > before + 5 || isOver());
    const worker = childrenOf(site.nerve.pid).find((pid) => commandOf(pid).includes("__workflow-worker"));
    if (kills % 2 === 0) await site.crash();
    else if (worker !== undefined) sendSignal(worker, "SIGKILL");
  }
  for (const id of ids) await site.ended(id);
  const lines = site.marks().map((line) => JSON.parse(line) as [number, string, "saw" | "did", string]);
  for (const [number, program] of programs.entries()) {
    const lives = Map.groupBy(
      lines.filter(([of, , what]) => of === number && what === "saw"),
      ([, life]) => life,
    );
    const seen = [...lives.values()].map((life) => life.map(([, , , words]) => words));
    seen.sort((one, other) => other.length - one.length);
    for (const life of seen)
      expect({ seed, program, life }).toEqual({ seed, program, life: (seen[0] ?? []).slice(0, life.length) });
    const steps = completed(site, ids[number] ?? 0).length;
    const places = new Set(site.of(ids[number] ?? 0, "step.completed").map(({ data }) => `${data.nth} ${data.step}`));
    expect({ seed, program, steps }).toEqual({ seed, program, steps: places.size });
  }
});
