/** `check` loads every configured workflow in a worker, runs none of them, and tells everything that is wrong with them. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Project, projects, runInTmp } from "../helpers/nerve.ts";

const everywhere = projects();
const folderOf = everywhere.make;
afterAll(() => everywhere[Symbol.dispose]());
const check = (folder: Project, ...args: string[]) => runInTmp(folder, ["check", ...args]);

const RUNS = `import { writeFileSync } from "node:fs";
import type { Run } from "nerve";
export const run: Run = (thread) => { writeFileSync("ran", ""); return thread.step("a", () => 1); };
`;

describe("check", () => {
  test("of workflows that load lists them, and runs none", async () => {
    const folder = folderOf({
      "nerve.yaml":
        "workflows: { mine: { concurrency: 3, overflow: drop }, again: { use: mine }, tell: { use: exec, with: { command: [/bin/true] } } }\n",
      "workflows/mine/index.ts": RUNS,
    });
    const { code, stdout, stderr } = await check(folder);
    expect(code, stderr).toBe(0);
    expect(stderr).not.toContain("error:");
    expect(stdout).toContain(": 0 senses, 0 groups, 0 reflexes, 3 workflows\n");
    expect(stdout).toMatch(/^mine +\/.*\/workflows\/mine +3 at once, then drop$/m);
    expect(stdout).toMatch(/^tell +built in: exec +1 at once, then queue$/m);
    const told = JSON.parse((await check(folder, "--json")).stdout);
    expect(told.workflows).toEqual([
      { name: "mine", use: "mine", module: join(folder.path, "workflows/mine"), ok: true },
      { name: "again", use: "mine", module: join(folder.path, "workflows/mine"), ok: true },
      { name: "tell", use: "exec", module: null, ok: true },
    ]);
    expect(existsSync(join(folder.path, "ran"))).toBe(false);
    expect(existsSync(join(folder.path, "data"))).toBe(false);
    expect(readdirSync(join(folder.path, "tmp"))).toEqual([]);
  });

  test("tells what does not load beside what is wrong with the config, in one go", async () => {
    const folder = folderOf({
      "nerve.yaml":
        "senses: { silent: {}, odd: { tineout: 5s } }\nworkflows: { throws: {}, queue: { overflow: drop, max_queue: 3 } }\nreflexes:\n  - { workflow: throws, on: [silent], when: { v: critical } }\n",
      "senses/silent/index.ts": "export const computed = 1;\n",
      "senses/odd/index.ts": 'throw new Error("odd");\n',
      "workflows/throws/index.ts": 'throw new Error("boom");\n',
    });
    const { code, stdout, stderr } = await check(folder, "--json");
    expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
    const kinds = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error.kind);
    expect(kinds).toEqual([
      ...["unknown-key", "conflict", "bad-pattern"],
      ...["missing-export", "module-threw", "module-threw", "workflow-not-found"],
    ]);
  });

  test("tells each that does not load, beside senses that do not", async () => {
    const folder = folderOf({
      "nerve.yaml":
        "senses: { silent: }\nworkflows: { fine: {}, throws: {}, syntax: {}, exits: {}, nothing: {}, missing: {}, picky: { with: { x: 1 } }, told: { use: exec, with: { command: 3 } } }\n",
      "senses/silent/index.ts": "export const computed = 1;\n",
      "workflows/fine/index.ts": RUNS,
      "workflows/throws/index.ts": 'throw new Error("boom");\n',
      "workflows/syntax/index.ts": "export const run = (;\n",
      "workflows/exits/index.ts": "process.exit(7);\n",
      "workflows/nothing/index.ts": "export const compute = 1;\n",
      "workflows/picky/index.ts":
        'import { type } from "arktype";\nexport const options = type({ x: "string" });\nexport const run = () => 1;\n',
    });
    const { code, stdout, stderr } = await check(folder, "--json");
    expect(code).toBe(1);
    const errors = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error);
    expect(errors.map(({ kind }) => kind)).toEqual([
      "missing-export",
      "module-threw",
      "syntax-error",
      "worker-died",
      "missing-export",
      "workflow-not-found",
      "bad-options",
      "bad-options",
    ]);
    for (const [index, name] of [
      "silent",
      "throws",
      "syntax",
      "exits",
      "nothing",
      "missing",
      "picky",
      "told",
    ].entries()) {
      expect(errors[index].message).toContain(name);
    }
    expect(errors[2]).toMatchObject({ file: join(folder.path, "workflows/syntax/index.ts"), line: 1 });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    expect((await check(folder)).stdout).toBe("");
    expect(readdirSync(join(folder.path, "tmp"))).toEqual([]);
  });
});
