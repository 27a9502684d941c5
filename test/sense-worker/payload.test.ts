/** What a sense declares its payload to be: held against what it computes, and against the patterns of reflexes. */
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Json } from "../../src/base/json.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { TestWorker } from "../helpers/worker.ts";

function sense(folder: Folder, name: string, text: string) {
  mkdirSync(folder.file("senses", name), { recursive: true });
  writeFileSync(folder.file("senses", name, "index.ts"), text);
  return { name };
}

const ARK = 'import { type } from "arktype";\n';
const DECLARED = `${ARK}export const payload = type({ status: "'ok' | 'critical'", "host?": { name: "string" }, at: "string.integer.parse" });
export const compute = (db, peers, { now }) => ({ status: "ok", at: "5" });
`;
const CLOSED = `${ARK}export const payload = type({ "+": "reject", status: "'ok'", host: { "+": "reject", name: "string", up: "boolean" } });
export const compute = () => null;
`;
const pattern = (definition: Json, each: string | null = null) => ({
  label: JSON.stringify(definition),
  each,
  definition,
});

test("a payload that does not fit is an error, rolled back; one that fits is a signal, unchanged", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  const wrong = `${ARK}import { sql } from "drizzle-orm";
    export const payload = type({ usage: "0 <= number <= 1" });
    export const compute = (db) => { db.run(sql\`CREATE TABLE kept (n)\`); return { usage: 90 }; };`;
  const { senses } = await worker.ready([sense(folder, "wrong", wrong), sense(folder, "right", DECLARED)]);
  expect(senses.map(({ problem }) => problem)).toEqual([null, null]);
  worker.compute(1, "wrong");
  expect(await worker.result(1)).toMatchObject({
    type: "error",
    kind: "failed",
    message: "the payload is not what the sense declares it to be: usage must be at most 1 (was 90)",
  });
  // Nothing of the first was kept: the table can be made again.
  worker.compute(2, "wrong");
  expect((await worker.result(2)) as object).toMatchObject({ message: expect.stringContaining("usage must be") });
  worker.compute(3, "right");
  expect(await worker.result(3)).toMatchObject({ type: "signal", payload: { status: "ok", at: "5" } });
});

test("a pattern is possible, impossible at a field, or asks for a field that is not declared", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  const cases: [Json, string, string, string | null][] = [
    [{ status: "'critical'" }, "possible", "", null],
    [{ status: "'crit'" }, "never", "status", '"critical" | "ok"'],
    [{ status: "'ok'", host: { name: "number" } }, "never", "host.name", "string"],
    [{ "host?": "string" }, "possible", "", null],
    // Kept as it was returned, so it is a text that a pattern sees.
    [{ at: "number" }, "never", "at", expect.stringContaining("[1-9]")],
    [{ at: "'5'" }, "possible", "", null],
    [{ state: "'critical'" }, "unknown-field", "state", null],
    ["number", "never", "", null],
  ];
  const patterns = cases.map(([definition]) => pattern(definition));
  const { senses } = await worker.ready([{ ...sense(folder, "declared", DECLARED), patterns }]);
  expect(senses[0]?.patterns).toEqual(
    cases.map(([definition, kind, path, expected]) => ({
      ...{ label: JSON.stringify(definition), kind: kind as "never", path, expected },
      fields: ["at", "host", "host.name", "status"],
    })),
  );
});

test("everything that is wrong with a pattern is said, a field that is not listed once", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  const open = pattern({ status: "'crit'", sttus: "number", host: { name: "number", nmae: "string" } });
  const closed = pattern({ status: "'crit'", sttus: "number", host: { name: "number", nmae: "1", up: "true" } });
  const { senses } = await worker.ready([
    { ...sense(folder, "declared", DECLARED), patterns: [open] },
    { ...sense(folder, "closed", CLOSED), patterns: [closed] },
  ]);
  const found = senses.map(({ patterns }) => patterns.map(({ kind, path }) => `${kind} ${path}`).sort());
  const all = ["never host.name", "never status", "unknown-field host.nmae", "unknown-field sttus"];
  expect(found).toEqual([all, all]);
});

test("nothing is said of a sense that declares nothing, of a schema of another library, or of one that is hostile", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  const compute = "export const compute = () => ({ a: 1 });\n";
  const schema = (more: string) =>
    `${compute}export const payload = { "~standard": { validate: (value) => ({ value }) }, ${more} };`;
  const patterns = [pattern({ a: "string" })];
  const { senses } = await worker.ready(
    [
      sense(folder, "silent", compute),
      sense(folder, "other", schema("")),
      sense(folder, "hostile", schema('get in() { throw new Error("trap"); }')),
      sense(folder, "fine", DECLARED),
    ].map((init) => ({ ...init, patterns })),
  );
  expect(senses.map(({ problem, patterns: found }) => [problem, found.length])).toEqual([
    [null, 0],
    [null, 0],
    [null, 0],
    [null, 1],
  ]);
});

test("with a list, a pattern is held against its items", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  const declared = `import { declaration } from "nerve/payload";
    export const payload = declaration({ host: "string", disks: [{ path: "string", used: "number", deep: { list: "string[]" } }, "[]"] });
    export const compute = () => null;`;
  const cases: [Json, string | null, string][] = [
    [{ used: "number > 90" }, "disks", "possible "],
    [{ used: "string" }, "disks", "never used"],
    [{ usd: "number" }, "disks", "unknown-field usd"],
    [{ host: "string" }, "disks", "unknown-field host"],
    [{ path: "string" }, null, "unknown-field path"],
    [{ disks: "unknown[]" }, null, "possible "],
    [{ host: "unknown[]" }, null, "never host"],
  ];
  const patterns = cases.map(([definition, each], index) => ({ ...pattern(definition, each), label: String(index) }));
  // Nothing can be told of items of what is no list, or is not declared.
  const none = ["host", "nowhere", "disks.path"].map((each) => ({ ...pattern({ a: "string" }, each), label: each }));
  const { senses } = await worker.ready([{ ...sense(folder, "listing", declared), patterns: [...patterns, ...none] }]);
  expect(senses[0]?.problem).toBeNull();
  expect(senses[0]?.patterns.map(({ kind, path }) => `${kind} ${path}`)).toEqual(cases.map(([, , found]) => found));
});
