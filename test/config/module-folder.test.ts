/** Where a sense's code is found, and when its fingerprint changes. */
import { describe, expect, test } from "bun:test";
import { renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fingerprint, locateModule } from "../../src/config/module-folder.ts";
import { parseNerveConfig } from "../../src/config/parse.ts";
import type { SenseConfig } from "../../src/model/config.ts";
import { around } from "../helpers/config.ts";
import { testFolder } from "./folder.ts";

const BUILT_IN = ["load", "memory"];

test("a folder beside the configuration wins over the built-in sense; one that is neither is missing", () => {
  using folder = testFolder();
  folder.write("senses/load/index.ts", "");
  folder.write("senses/own/index.ts", "");
  folder.makeFolder("senses/memory");
  const result = parseNerveConfig(
    "senses: { load: , memory: , disk: { use: own }, memry: , zzzzzz: }",
    around({ file: join(folder.path, "nerve.yaml") }),
  );
  if (!result.ok) throw new Error("the configuration is good");
  const { senses } = result.value;
  const located = (name: string) => locateModule(result.value, "sense", senses.get(name) as SenseConfig, BUILT_IN);
  expect(located("load")).toEqual({ kind: "folder", path: join(folder.path, "senses/load") });
  expect(located("memory")).toEqual({ kind: "built-in", name: "memory" });
  expect(located("disk")).toEqual({ kind: "folder", path: join(folder.path, "senses/own") });
  expect(located("memry")).toMatchObject({ kind: "missing", problem: { hint: "did you mean `memory`?" } });
  expect(located("zzzzzz")).toMatchObject({
    kind: "missing",
    problem: { hint: "write that file, or name a built-in sense with `use`: load, memory" },
  });
});

test.each([
  ["senses/own.ts", "move own.ts to own/index.ts"],
  ["senses/own/index.js", "rename own/index.js to own/index.ts"],
  ["senses/own/main.ts", "rename own/main.ts to own/index.ts"],
  ["senses/own/check.ts", "rename own/check.ts to own/index.ts"],
  ["senses/own/index.py", "index.py is a program: run it with `use: exec` and `with: { command: [ … ] }`"],
  ["senses/own.sh", "own.sh is a program: run it with `use: exec` and `with: { command: [ … ] }`"],
  ["senses/owner.ts", "write that file, or name a built-in sense with `use`: load, memory"],
  ["senses/own/README.md", "write that file, or name a built-in sense with `use`: load, memory"],
])("what lies in place of the module is named: %s", (file, hint) => {
  using folder = testFolder();
  folder.write(file, "");
  const result = parseNerveConfig("senses: { own: }", around({ file: join(folder.path, "nerve.yaml") }));
  if (!result.ok) throw new Error("the configuration is good");
  const own = result.value.senses.get("own") as SenseConfig;
  expect(locateModule(result.value, "sense", own, BUILT_IN)).toMatchObject({ kind: "missing", problem: { hint } });
});

describe("fingerprint", () => {
  const sense = () => {
    const folder = testFolder();
    folder.write("index.ts", "export {}");
    folder.write("migrations/1.sql", "CREATE TABLE a (b)");
    folder.write("node_modules/p/package.json", '{"version":"1.0.0"}');
    folder.write("node_modules/@s/p/package.json", '{"version":"1.0.0"}');
    folder.write("node_modules/p/index.js", "");
    return folder;
  };

  test("is the same for the same files, wherever they lie", () => {
    using one = sense();
    using two = sense();
    expect(fingerprint(one.path)).toBe(fingerprint(two.path));
    expect(fingerprint(one.path)).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, (folder: ReturnType<typeof sense>) => void]>([
    ["an edit", (folder) => folder.write("migrations/1.sql", "CREATE TABLE a (c)")],
    ["a new file", (folder) => folder.write("schema.ts", "")],
    ["a removed file", ({ path }) => rmSync(join(path, "migrations/1.sql"))],
    ["a renamed file", ({ path }) => renameSync(join(path, "migrations/1.sql"), join(path, "migrations/2.sql"))],
    ["a link to a file", ({ path }) => symlinkSync("index.ts", join(path, "link.ts"))],
    ["a package's version", (folder) => folder.write("node_modules/p/package.json", '{"version":"1.0.1"}')],
    ["a scoped package's version", (folder) => folder.write("node_modules/@s/p/package.json", '{"version":"2.0.0"}')],
  ])("changes with %s", (_, change) => {
    using folder = sense();
    const before = fingerprint(folder.path);
    change(folder);
    expect(fingerprint(folder.path)).not.toBe(before);
  });

  test("does not change with what lies inside a package, nor fail on a folder that is gone or links that go round", () => {
    using folder = sense();
    const before = fingerprint(folder.path);
    folder.write("node_modules/p/index.js", "changed");
    expect(fingerprint(folder.path)).toBe(before);
    symlinkSync(".", join(folder.path, "round"));
    expect(fingerprint(folder.path)).not.toBe(before);
    expect(fingerprint(join(folder.path, "gone"))).toMatch(/^[0-9a-f]{64}$/);
  });
});
