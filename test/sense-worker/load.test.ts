/** G10: each way in which a sense's module can be wrong has its own words, and names the place. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { loadComputeFn } from "../../src/sense-worker/load-compute.ts";
import { migrationsOf } from "../../src/sense-worker/migrations-of.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const FINE = "export const compute = () => null;\n";

async function load(files: Record<string, string>, options: unknown = {}, limitMs = 5_000) {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(folder.file(name, ".."), { recursive: true });
    writeFileSync(folder.file(name), text);
  }
  const loaded = await loadComputeFn({ name: "probe", use: "probe", folder: folder.path, options }, limitMs);
  const file = folder.file("index.ts");
  folder[Symbol.dispose]();
  return { loaded, file, folder: folder.path };
}

describe("a module that", () => {
  test("exports compute is loaded, with its options", async () => {
    const { loaded } = await load({ "index.ts": FINE });
    expect(loaded).toMatchObject({ ok: true, value: { options: {} } });
    expect(loaded.ok && (loaded.value.compute as () => unknown)()).toBeNull();
  });

  const BROKEN: readonly (readonly [name: string, files: Record<string, string>, problem: object])[] = [
    [
      "is not there",
      { "other.ts": "" },
      { kind: "missing-file", message: "FILE does not exist", hint: "write it, or correct `use`", line: null },
    ],
    [
      "exports nothing",
      { "index.ts": "export {};" },
      {
        kind: "missing-export",
        message: "sense `probe` does not export `compute`",
        hint: "write `export const compute: Compute = async (db, peers, context) => …`",
      },
    ],
    [
      "exports by default only",
      { "index.ts": "export default () => null;" },
      {
        kind: "missing-export",
        hint: "it has a default export; write `export const compute: Compute = async (db, peers, context) => …`",
      },
    ],
    [
      "exports an object as compute",
      { "index.ts": "export const compute = {};" },
      {
        kind: "bad-export",
        message: "sense `probe` exports `compute`, which must be a function and is of type object",
      },
    ],
    [
      "exports options that are no type",
      { "index.ts": `${FINE}export const options = { path: "string" };` },
      {
        kind: "bad-export",
        message: "sense `probe` exports `options`, which is not an ArkType type",
        hint: 'write `export const options = type({ … })` with `import { type } from "arktype"`',
      },
    ],
    [
      "exports a payload that is no type",
      { "index.ts": `${FINE}export const payload = () => ({ host: "a" });` },
      {
        kind: "bad-export",
        message: "sense `probe` exports `payload`, which is not an ArkType type",
        hint: 'write `export const payload = type({ … })` with `import { type } from "arktype"`',
      },
    ],
    [
      "does not parse",
      { "index.ts": "export const compute = (\n) => {{\n" },
      { kind: "syntax-error", file: "FILE", line: expect.any(Number) },
    ],
    [
      "imports what is not installed",
      { "index.ts": `import "no-such-package-at-all";\n${FINE}` },
      {
        kind: "unresolved-import",
        message: expect.stringContaining("no-such-package-at-all"),
        hint: expect.stringContaining("node_modules beside nerve.yaml"),
      },
    ],
    [
      "imports a file that is not there",
      { "index.ts": `import "./gone.ts";\n${FINE}` },
      {
        kind: "unresolved-import",
        message: expect.stringContaining("./gone.ts"),
        hint: null,
        file: "FILE",
        line: 1,
        column: 8,
      },
    ],
    [
      "imports a file by a name that is nearly right",
      { "index.ts": `\n${FINE}\nimport { a } from "./shema.ts"; a;`, "schema.ts": "" },
      {
        kind: "unresolved-import",
        message: expect.stringContaining("./shema.ts"),
        hint: "did you mean `./schema.ts`?",
        file: "FILE",
        line: 4,
        column: 19,
      },
    ],
    [
      "imports from a folder that is not there",
      { "index.ts": `import "./lib/a.ts";\n${FINE}` },
      { kind: "unresolved-import", hint: "there is no folder FOLDER/lib" },
    ],
    [
      "imports a package by a name that is nearly right",
      { "index.ts": `import { type } from "arktpe"; type;\n${FINE}` },
      { kind: "unresolved-import", hint: "did you mean `arktype`?" },
    ],
    [
      "imports part of a built-in sense's name",
      { "index.ts": `import { samples } from "nerve/senses/disk"; samples;\n${FINE}` },
      {
        kind: "unresolved-import",
        message: "there is no module `nerve/senses/disk`",
        hint: "there is nerve/senses/disk-usage, nerve/senses/disk-io and nerve/senses/disks",
        line: 1,
      },
    ],
    [
      "imports a misspelt built-in sense",
      { "index.ts": `import { samples } from "nerve/senses/memry"; samples;\n${FINE}` },
      { kind: "unresolved-import", hint: "did you mean `nerve/senses/memory`?" },
    ],
    [
      "imports a built-in sense without tables",
      { "index.ts": `import { samples } from "nerve/senses/exec"; samples;\n${FINE}` },
      { kind: "unresolved-import", hint: "the sense exec keeps no tables" },
    ],
    [
      "imports a module of nerve's that is none",
      { "index.ts": `import { record } from "nerve/option"; record;\n${FINE}` },
      { kind: "unresolved-import", hint: "there is nerve/options" },
    ],
    [
      "imports a name that is not exported",
      {
        "index.ts": `import { gone } from "./part.ts";\nexport const compute = gone;`,
        "part.ts": "export const here = 1;",
      },
      { kind: "missing-import", message: expect.stringContaining("exports nothing named `gone`") },
    ],
    [
      "throws while it loads",
      { "index.ts": `${FINE}\nthrow new RangeError("at the top");` },
      {
        kind: "module-threw",
        message: "the module threw while loading: RangeError: at the top",
        file: "FILE",
        line: 3,
      },
    ],
    [
      "throws in a part",
      { "index.ts": `import "./part.ts";\n${FINE}`, "part.ts": "\n\nnull.x;" },
      { kind: "module-threw", file: "FOLDER/part.ts", line: 3 },
    ],
    [
      "throws an object",
      { "index.ts": "throw Object.assign(Object.create(null), { code: 7 });" },
      { kind: "module-threw", message: "the module threw while loading: [Object: null prototype] { code: 7 }" },
    ],
    [
      "throws a string",
      { "index.ts": 'throw "words";' },
      { kind: "module-threw", message: 'the module threw while loading: "words"' },
    ],
  ];
  test.each(BROKEN)("%s", async (_, files, problem) => {
    const { loaded, file, folder } = await load(files);
    const plain = JSON.parse(JSON.stringify(loaded).replaceAll(file, "FILE").replaceAll(folder, "FOLDER"));
    expect(plain).toMatchObject({ ok: false, error: problem });
  });

  test("never settles at its top level is given up", async () => {
    const { loaded } = await load({ "index.ts": `await new Promise(() => {});\n${FINE}` }, {}, 50);
    expect(loaded).toMatchObject({
      ok: false,
      error: {
        kind: "never-settled",
        message: "the module did not finish loading within 50 ms: a top-level await never settled",
        hint: "move the wait into the function it exports",
      },
    });
  });

  test("takes no options refuses those given", async () => {
    const { loaded } = await load({ "index.ts": FINE }, { path: "/", depth: 1 });
    expect(loaded).toMatchObject({
      ok: false,
      error: {
        kind: "bad-options",
        message: "the options of sense `probe` are refused: it takes no options, and `with` gives path, depth",
        hint: "correct `with` of senses.probe in nerve.yaml",
      },
    });
  });

  test("throws while its options are validated is refused, and no other sense with it", async () => {
    const hostile = `${FINE}export const options = { "~standard": { validate() { throw new Error("in the schema"); } } };`;
    const { loaded } = await load({ "index.ts": hostile }, { a: 1 });
    expect(loaded).toMatchObject({
      ok: false,
      error: { kind: "bad-options", message: expect.stringContaining("in the schema") },
    });
  });
});

describe("a built-in sense", () => {
  test("is loaded by the name it is used under, with its options checked", async () => {
    const load = (use: string, options: unknown) =>
      loadComputeFn({ name: "second", use, folder: null, options }, 1_000);
    expect((await load("load", {})).ok).toBe(true);
    expect(await load("load", { nonsense: 1 })).toMatchObject({ ok: false, error: { kind: "bad-options" } });
    for (const name of ["nonsense", "__proto__", "toString"]) {
      expect(await load(name, {})).toMatchObject({
        ok: false,
        error: { kind: "unknown-sense", message: `there is no built-in sense \`${name}\`` },
      });
    }
  });

  test("brings its migrations, a user's come from its folder", () => {
    using folder = temporaryFolder();
    mkdirSync(folder.file("migrations"));
    writeFileSync(folder.file("migrations", "1.sql"), "-- x");
    const source = { name: "a", use: "load", options: {} };
    expect(migrationsOf({ ...source, folder: null })).toMatchObject({
      value: [{ name: "0001_samples.sql" }, { name: "0002_samples_at.sql" }],
    });
    expect(migrationsOf({ ...source, folder: folder.path })).toEqual({
      ok: true,
      value: [{ name: "1.sql", sql: "-- x" }],
    });
    expect(migrationsOf({ ...source, use: "constructor", folder: null })).toEqual({ ok: true, value: [] });
  });
});

describe("what looks like a migration and is none", () => {
  const problemWith = (...files: string[]) => {
    using folder = temporaryFolder();
    for (const file of files) {
      mkdirSync(dirname(folder.file(file)), { recursive: true });
      writeFileSync(folder.file(file), "SELECT 1");
    }
    const found = migrationsOf({ use: "own", folder: folder.path });
    return found.ok
      ? found.value.map(({ name }) => name)
      : { ...found.error, file: found.error.file?.slice(folder.path.length + 1) };
  };

  test.each([
    [
      ["migration/0001_x.sql"],
      "migration",
      "the folder migration/ holds SQL files, and migrations are read from migrations/ only",
      "rename it to migrations",
    ],
    [
      ["Migrations/0001_x.sql"],
      "Migrations",
      "the folder Migrations/ holds SQL files, and migrations are read from migrations/ only",
      "rename it to migrations",
    ],
    [
      ["migrations/0001_x.sql", "migrations/0002_y.sq"],
      "migrations/0002_y.sq",
      "0002_y.sq is not read: the name of a migration ends in .sql",
      "rename it to 0002_y.sql",
    ],
    [
      ["migrations/0003_X.SQL"],
      "migrations/0003_X.SQL",
      "0003_X.SQL is not read: the name of a migration ends in .sql",
      "rename it to 0003_X.sql",
    ],
  ])("%j is refused by name", (files, file, message, hint) => {
    expect(problemWith(...files)).toEqual({ kind: "stray-migration", message, hint, file, line: null, column: null });
  });

  test.each([
    [["migrations/0001_x.sql", "migration/0001_x.sql"]],
    [
      [
        "migrations/0001_x.sql",
        "migrations/0001_x.sql~",
        "migrations/0001_x.sql.bak",
        "migrations/meta/0001.json",
        "migrations/README.md",
      ],
    ],
    [["migrations/0001_x.sql", "fragments/x.sql", "migration.md"]],
  ])("%j are no mistake", (files) => {
    expect(problemWith(...files)).toEqual(["0001_x.sql"]);
  });
});
