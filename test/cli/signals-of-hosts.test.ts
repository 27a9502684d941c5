/** `nerve signals` of other hosts: by `HOST/SENSE`, by `--host`, and as rows for other programs. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../../src/store/open.ts";
import { project, runNerve } from "../helpers/nerve.ts";

const folder = project({
  "nerve.yaml": "host: hub\nsenses: { load: }\nreflexes: [{ sense: load, interval: 1h }]\n",
});
const TRACE = "a".repeat(32);

beforeAll(() => {
  const data = join(folder.path, "data");
  mkdirSync(data, { mode: 0o700 });
  const store = openStore(data, "normal", "boot", 1);
  if (!store.ok) throw new Error(store.error.message);
  const { signals } = store.value;
  const at = Date.now() - 1_000;
  store.value.commit(() => {
    signals.append({ sense: "load", at, payload: '{"a":1}', cause: null, trace: TRACE });
    for (const [origin, sense, id] of [
      ["web1", "load", 5],
      ["web2", "load", 9],
      ["web2", "disk", 10],
    ] as const) {
      const from = { origin, origin_id: id, origin_at: at - 7, late: null };
      signals.appendRemote({ sense, at, payload: '{"a":2}', trace: TRACE, ...from });
    }
  });
  store.value.close();
});
afterAll(() => folder[Symbol.dispose]());

const named = async (...args: string[]) => {
  const { code, stdout, stderr } = await runNerve(folder.path, ["signals", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return [...stdout.matchAll(/(\S+) #(\d+)/g)].map(([, name, id]) => `${name} ${id}`);
};

test("a sense of another host is called HOST/SENSE, and chosen by that name", async () => {
  expect(await named()).toEqual(["load 1", "web1/load 2", "web2/load 3", "web2/disk 4"]);
  expect(await named("load")).toEqual(["load 1"]);
  expect(await named("*/load")).toEqual(["web1/load 2", "web2/load 3"]);
  expect(await named("--sense", "web2/*", "--sense", "load")).toEqual(["load 1", "web2/load 3", "web2/disk 4"]);
});

test("--host chooses all senses of a host, this one by its own name", async () => {
  expect(await named("--host", "web2")).toEqual(["web2/load 3", "web2/disk 4"]);
  expect(await named("--host", "web2", "disk")).toEqual(["web2/disk 4"]);
  expect(await named("--host", "hub", "--host", "web1")).toEqual(["load 1", "web1/load 2"]);
  const twice = await runNerve(folder.path, ["signals", "--host", "web2", "web1/load"]);
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining("`web1/load` names its host")]);
  const bad = await runNerve(folder.path, ["signals", "--host", "Web 2"]);
  expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining("is no name of a host")]);
});

test("as JSON a row has the host it came from, and its id and time there", async () => {
  const { stdout } = await runNerve(folder.path, ["signals", "--json", "web1/load"]);
  const row = JSON.parse(stdout) as Record<string, unknown>;
  expect(row).toMatchObject({ id: 2, sense: "load", origin: "web1", origin_id: 5, cause: null, payload: { a: 2 } });
  expect(row.origin_at).toBe((row.at as number) - 7);
});
