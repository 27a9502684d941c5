/** `nerve once` of a workflow: one run as the daemon would run it, and nothing that it leaves behind. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { projects, runInTmp } from "../helpers/nerve.ts";

setDefaultTimeout(60_000);

const made = projects();
afterAll(() => made[Symbol.dispose]());

const folder = made.make({
  "nerve.yaml": `senses: { load: , page: { use: load } }
reflexes: [{ sense: load, interval: 1s }]
workflows: { page: {}, fails: { retry: { limit: 5, interval: 1h } }, waits: {} }
`,
  "workflows/page/index.ts": `export const run = async (thread) => {
  const owner = await thread.step("find owner", () => "ann of " + thread.trigger.payload.host);
  console.log("calling", owner);
  return await thread.step("call", () => ({ called: owner }));
};
`,
  "workflows/fails/index.ts": `export const run = (thread) => thread.step("call", () => {
  throw new Error("no line");
});
`,
  "workflows/waits/index.ts": `export const run = async (thread) => {
  const before = await thread.step("first", () => 1);
  await thread.sleep("300ms");
  return before + (await thread.step("second", () => 1));
};
`,
});
const once = (...args: string[]) => runInTmp(folder, ["once", ...args]);
const isClean = (): void => {
  expect(existsSync(join(folder.path, "data"))).toBe(false);
  expect(readdirSync(join(folder.path, "tmp"))).toEqual([]);
};

test("a run is told step by step, with its input and its output, and nothing is kept", async () => {
  const { code, stdout, stderr } = await once("page", '{"host":"db1"}');
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const said of [
    "queued → host db1",
    "✓ step find owner",
    '"ann of db1"',
    "calling ann of db1",
    "completed → called",
  ]) {
    expect(stdout).toContain(said);
  }
  isClean();
});

test("--json has its steps and its output", async () => {
  const { code, stdout } = await once("workflow:page", "--input", '{"host":"db1"}', "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    workflow: "page",
    outcome: "completed",
    output: { called: "ann of db1" },
    steps: [
      { step: "find owner", state: "completed" },
      { step: "call", state: "completed" },
    ],
    error: null,
  });
});

test("a run that sleeps goes on as it would in the daemon", async () => {
  const { code, stdout } = await once("waits", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "completed", output: 2 });
});

test("a run that fails is tried once, ends with 1, and names the place in the author's file", async () => {
  const { code, stdout, stderr } = await once("fails");
  expect(code).toBe(1);
  expect(stdout).toContain("✗ step call");
  expect(stderr).toContain(`error: ${folder.path}/workflows/fails/index.ts:2:`);
  expect(stderr).toContain("workflow `fails`: Error: no line");
  isClean();
});

test("a sense of the same name is `sense:NAME`, and takes no input", async () => {
  expect(JSON.parse((await once("sense:page", "--json")).stdout)).toMatchObject({ sense: "page", outcome: "signal" });
  expect((await once("load", "{}")).code).toBe(2);
  const { code, stderr } = await once("workflow:pge");
  expect(code).toBe(2);
  expect(stderr).toContain("did you mean `page`?");
});
