/** `nerve silence` as a person types it: what it sets, lists and lifts, and what it refuses. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { jsonOf, type Nerve, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { recordedIn } from "../helpers/recorded.ts";

const CONFIG = `senses: { load: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { name: page-disk, workflow: page, on: [load] }
  - { name: page-load, workflow: page, on: [load] }
  - { sense: load, interval: 1h }
`;
const folder = project({ "nerve.yaml": CONFIG });
let daemon: Nerve;
beforeAll(async () => {
  daemon = await startNerve(folder.path);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const nerve = (...args: string[]) => runNerve(folder.path, ["silence", ...args]);
const json = (...args: string[]) => jsonOf(folder.path, ["silence", ...args]);

test("sets, lists and lifts one", async () => {
  expect((await nerve()).stdout).toBe("");
  const set = await nerve("page-*", "--for", "2h", "--why", "disk\x1b[2J is replaced ");
  expect(set.stdout).toMatch(
    /^page-\* is silenced for 2h, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\nreflexes: page-disk, page-load\n$/,
  );
  const { code, stdout } = await nerve();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^SILENCED +ENDS +REFLEXES +SINCE +WHY$/m);
  expect(stdout).toMatch(/^page-\* +in (?:2h|1h 59m) +page-disk, page-load +.*disk\\u\{1b\}\[2J is replaced$/m);
  const { stdout: status } = await runNerve(folder.path, ["status"]);
  expect(status).toMatch(/^page-disk +silenced +workflow:page/m);
  expect(status).toMatch(/^load#1 +enabled +sense:load/m);
  expect(await nerve("page-*", "--end")).toMatchObject({ code: 0, stdout: "page-* is no longer silenced\n" });
  expect((await nerve()).stdout).toBe("");
  expect((await runNerve(folder.path, ["status"])).stdout).toMatch(/^page-disk +enabled /m);
});

test("--json answers with the silence, and lists one a line", async () => {
  const { value } = await json("reflex:page-load", "--for", "1h", "--why", "x");
  expect(value).toEqual({
    pattern: "page-load",
    why: "x",
    at: expect.any(Number),
    until: value.at + 3_600_000,
    reflexes: ["page-load"],
  });
  await nerve("page-d*", "--for", "1h", "--why", "y");
  const lines = (await nerve("--json")).stdout.trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line).pattern)).toEqual(["page-d*", "page-load"]);
  for (const pattern of ["page-d*", "page-load"]) {
    expect((await json("--end", pattern)).value).toMatchObject({ pattern });
  }
});

describe("refuses", () => {
  test.each<[what: string, args: string[], message: string]>([
    ["a silence without a reason", ["page-disk", "--for", "2h"], "--why"],
    ["one with an empty reason", ["page-disk", "--for", "2h", "--why", " "], "--why"],
    ["one without an end", ["page-disk", "--why", "x"], "--for"],
    ["what is no duration", ["page-disk", "--for", "2 hours", "--why", "x"], "`2 hours`"],
    ["a duration of nothing", ["page-disk", "--for", "0s", "--why", "x"], "`0s`"],
    ["one that is too long", ["page-disk", "--for", "99999d", "--why", "x"], "`99999d`"],
    ["one that concerns nothing", ["--for", "2h", "--why", "x"], "which reflex"],
    ["an empty name", ["", "--for", "2h", "--why", "x"], "1 to 200"],
    ["to end nothing", ["--end"], "--end"],
    ["to end nothing, by the former word", ["--clear"], "--clear"],
    ["to lift for a while", ["page-disk", "--end", "--for", "2h"], "--for"],
  ])("%s", async (_, args, message) => {
    const { code, error } = await json(...args);
    expect({ code, kind: error.kind }).toEqual({ code: 2, kind: "usage" });
    expect(error.message).toContain(message);
  });

  test("what no reflex that starts a workflow is called, and to lift what is not silenced", async () => {
    for (const name of ["pgae-disk", "load#1", "page-disk-*"]) {
      const { code, error } = await json(name, "--for", "2h", "--why", "x");
      expect({ code, kind: error.kind }).toEqual({ code: 2, kind: "unknown-reflex" });
      expect(error.hint).toBe("they are: page-disk, page-load");
    }
    await nerve("page-*", "--for", "1h", "--why", "x");
    const { code, error } = await json("page-disk", "--end");
    expect({ code, kind: error.kind, hint: error.hint }).toEqual({
      code: 2,
      kind: "unknown-silence",
      hint: "silenced: page-*",
    });
    expect((await nerve("page-*", "--clear")).code).toBe(0);
  });
});

test("without a daemon it counts elapsed time, whatever the clock shows", async () => {
  using other = project({ "nerve.yaml": CONFIG });
  const now = Date.now();
  using recorded = recordedIn(other.path, now);
  const { store } = recorded;
  // The machine has booted since: only the wall clock tells, and by it an hour has passed.
  const anchor = { moment: { wallMs: now - 3_600_000, bootMs: 0, bootId: "another" }, elapsedMs: 1_000 };
  const common = { why: "x", at: now - 7_200_000 };
  store.commit(() => {
    store.meta.set("lifetime", JSON.stringify(anchor));
    store.silences.set({ ...common, pattern: "page-disk", until: now - 60_000, due: 3_661_000 });
    store.silences.set({ ...common, pattern: "page-load", until: now + 60_000, due: 3_541_000 });
  });
  const { stdout } = await runNerve(other.path, ["silence", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ pattern: "page-disk", until: expect.any(Number) });
  expect(JSON.parse(stdout).until).toBeWithin(now + 59_000, now + 61_000);
  const silenced = async (reflex: string) => (await jsonOf(other.path, ["explain", reflex])).value.silenced;
  expect(await silenced("page-disk")).toMatchObject({ pattern: "page-disk" });
  expect(await silenced("page-load")).toBeNull();
});

test("without a daemon only the list can be had, also of a store that an earlier build wrote", async () => {
  using other = project({ "nerve.yaml": CONFIG });
  const silence = async (...args: string[]) => runNerve(other.path, ["silence", ...args]);
  expect((await silence()).code).toBe(3);
  {
    await using running = await startNerve(other.path);
    expect((await running.post("/silence", { pattern: "*", for_ms: 3_600_000, why: "x" })).status).toBe(200);
  }
  expect((await silence()).stdout).toMatch(/^\* +in (?:1h|59m \d+s) +page-disk, page-load /m);
  for (const args of [
    ["page-disk", "--for", "2h", "--why", "x"],
    ["*", "--end"],
  ]) {
    expect((await silence(...args)).code).toBe(3);
  }
  const db = new Database(join(other.path, "data/logs.db"));
  db.run("DROP TABLE silences");
  db.run("DELETE FROM _migrations WHERE name = '0005_silences.sql'");
  db.close(true);
  expect(await silence("--json")).toEqual({ code: 0, stdout: "", stderr: "" });
});
