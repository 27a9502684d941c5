/** What a user's module may import without a node_modules: the table in the executable, the contract and the types agree. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { embeddedSpecifiers } from "../../src/worker/modules.ts";

const ROOT = dirname(dirname(import.meta.dir));

/** `drizzle-orm/bun-sqlite` is there for the type of a sense's database. */
const PACKAGES = ["drizzle-orm", "drizzle-orm/sqlite-core", "drizzle-orm/bun-sqlite", "arktype"];

/** A file of the SDK is a module: what built-ins import, users import too. */
const OWN = readdirSync(join(ROOT, "src/sdk")).map((file) =>
  file === "index.ts" ? "nerve" : `nerve/${file.slice(0, -3)}`,
);

const withSchema = BUILT_IN_SENSE_NAMES.filter((name) => existsSync(join(ROOT, "senses", name, "schema.ts")));

test("every module of the SDK, the promised packages and the schema of every built-in sense that has one, and no others", () => {
  const schemas = withSchema.map((name) => `nerve/senses/${name}`);
  expect(embeddedSpecifiers().sort()).toEqual([...OWN, ...PACKAGES, ...schemas].sort());
});

test("a built-in sense's schema has a name for every table, and loads", () => {
  for (const name of withSchema) {
    expect(Object.keys(BUILT_IN_SENSES[name].schema?.() ?? {}), name).not.toEqual([]);
  }
});

test("the editor resolves to the same sources as the executable", () => {
  const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  expect(compilerOptions.paths).toEqual({
    nerve: ["./src/sdk/index.ts"],
    "nerve/*": ["./src/sdk/*.ts"],
    "nerve/senses/*": ["./senses/*/schema.ts"],
  });
});

test("each promised package is a dependency of the build", () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const packages = PACKAGES.map((name) => name.split("/")[0]);
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(packages));
});
