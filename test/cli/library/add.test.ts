/** `nerve add`: every built-in can be added and copied out, and what results is a config that `nerve check` finds in order. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { LIBRARY } from "../../../src/cli/library/built-in.ts";
import { withAddition } from "../../../src/cli/library/edit.ts";
import { jsonOf, project, runNerve } from "../../helpers/nerve.ts";

setDefaultTimeout(60_000);

const read = (folder: string, file = "nerve.yaml"): string => readFileSync(join(folder, file), "utf8");

test("every built-in is added one after the other, and check is content", async () => {
  using folder = project({
    "nerve.yaml": "# mine\nsenses:\n  uptime: { use: exec, with: { command: [uptime], parse: lines } } # how long\n",
  });
  for (const { kind, name } of LIBRARY) {
    const { code, stderr, stdout } = await runNerve(folder.path, ["add", `${kind}:${name}`]);
    expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: "" });
    expect(stdout).toContain(`${kind}s: ${name}: {`);
  }
  const text = read(folder.path);
  expect(text).toStartWith(
    "# mine\nsenses:\n  uptime: { use: exec, with: { command: [uptime], parse: lines } } # how long\n  cpu-usage: {}\n",
  );
  expect(text).toContain("- { workflow: webhook, on: [host-health], when:");
  const { code, value } = await jsonOf(folder.path, ["check"]);
  expect(code).toBe(0);
  expect(value.senses).toHaveLength(LIBRARY.filter(({ kind }) => kind === "sense").length + 1);
  expect(value.workflows).toHaveLength(3);
});

test("every built-in is copied out, and check loads the copy", async () => {
  using folder = project({ "nerve.yaml": "senses: {}\n" });
  for (const { kind, name, files } of LIBRARY) {
    const { code, value } = await jsonOf(folder.path, ["add", `${kind}:${name}`, "--copy"]);
    expect(code).toBe(0);
    expect(value.files).toHaveLength(Object.keys(files).length);
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder.path, `${kind}s`, name, path);
      expect(readFileSync(file, "utf8")).toBe(text);
      expect(statSync(file).mode & 0o022).toBe(0);
    }
  }
  const { code, value } = await jsonOf(folder.path, ["check"]);
  expect(code).toBe(0);
  for (const { name, module } of value.senses) expect(module).toBe(join(folder.path, "senses", name));
  for (const { name, module } of value.workflows) expect(module).toBe(join(folder.path, "workflows", name));
  const once = await jsonOf(folder.path, ["once", "memory"]);
  expect(once).toMatchObject({ code: 0, value: { sense: "memory", outcome: "signal" } });
});

describe("refuses", () => {
  test("what is there already, with its place and the way to another", async () => {
    using folder = project({ "nerve.yaml": "senses:\n  load: {}\n" });
    const { code, error } = await jsonOf(folder.path, ["add", "load"]);
    expect(code).toBe(1);
    expect(error.message).toBe(`the sense \`load\` is in ${folder.path}/nerve.yaml:2 already`);
    expect(error.hint).toContain("my-load: { use: load }");
    expect(read(folder.path)).toBe("senses:\n  load: {}\n");
  });

  test("to copy over a folder, and changes nothing then", async () => {
    using folder = project({ "nerve.yaml": "senses: {}\n", "senses/load/notes": "mine" });
    const { code, error } = await jsonOf(folder.path, ["add", "load", "--copy"]);
    expect({ code, kind: error.kind }).toEqual({ code: 1, kind: "already-there" });
    expect(read(folder.path)).toBe("senses: {}\n");
    expect(existsSync(join(folder.path, "senses/load/index.ts"))).toBe(false);
  });

  test("what is not built in, with the nearest name, and a config that is not in order", async () => {
    using folder = project({ "nerve.yaml": "sensse: {}\n" });
    expect(await jsonOf(folder.path, ["add", "memry"])).toMatchObject({
      code: 2,
      error: { hint: "did you mean `memory`?" },
    });
    expect((await jsonOf(folder.path, ["add", "memory"])).code).toBe(78);
  });
});

test("a sense that is configured is copied out with its entry left alone", async () => {
  using folder = project({ "nerve.yaml": "senses: { load: { group: mine } }\n" });
  expect((await runNerve(folder.path, ["add", "load", "--copy"])).code).toBe(0);
  expect(read(folder.path)).toBe("senses: { load: { group: mine } }\n");
  expect(existsSync(join(folder.path, "senses/load/migrations/0001_samples.sql"))).toBe(true);
});

const SENSE = { section: "senses", name: "load", entry: "{}" } as const;
const REFLEX = { section: "reflexes", name: null, entry: "{ sense: load, interval: 5s }" } as const;

describe("the text stays as it was, but for the one addition:", () => {
  test.each<[layout: string, before: string, after: string]>([
    ["an empty file", "", "senses:\n  load: {}\n"],
    ["comments alone", "# nothing yet\n", "# nothing yet\nsenses:\n  load: {}\n"],
    ["another section, no newline at the end", "data: x", "data: x\nsenses:\n  load: {}\n"],
    ["an empty section", "senses:\nreflexes: []\n", "senses:\n  load: {}\nreflexes: []\n"],
    [
      "an empty section with a comment",
      "senses: # mine\n# b\nreflexes: []\n",
      "senses: # mine\n  load: {}\n# b\nreflexes: []\n",
    ],
    ["a section of ~", "senses: ~\n", "senses:\n  load: {}\n"],
    [
      "a block",
      "senses:\n    a: {}   # one\n\n    # two\n    b:\n      group: g # g\n\nreflexes: []\n",
      "senses:\n    a: {}   # one\n\n    # two\n    b:\n      group: g # g\n    load: {}\n\nreflexes: []\n",
    ],
    ["a block whose last entry is empty", "senses:\n  a:\nreflexes: []\n", "senses:\n  a:\n  load: {}\nreflexes: []\n"],
    ["a block at the end, without a newline", "senses:\n  a: {}", "senses:\n  a: {}\n  load: {}\n"],
    ["an empty flow map", "senses: {}\n", "senses: { load: {} }\n"],
    ["a flow map", "senses: { a: { group: x }, b: } # c\n", "senses: { a: { group: x }, b:, load: {} } # c\n"],
    ["a flow map with a comma at its end", "senses: { a: {}, }\n", "senses: { a: {}, load: {} }\n"],
    [
      "a flow map over several lines",
      "senses: {\n  a: {}, # one\n  b: {}, # two\n}\n",
      "senses: {\n  a: {}, # one\n  b: {}, # two\n  load: {},\n}\n",
    ],
    ["a file in flow style", "{ data: x }\n", "{ data: x, senses: { load: {} } }\n"],
    ["quoted keys", "'senses':\n  \"a\": {}\n", "'senses':\n  \"a\": {}\n  load: {}\n"],
  ])("%s", (_, before, after) => expect(withAddition(before, SENSE)).toBe(after));

  test.each<[layout: string, before: string, after: string]>([
    ["no section", "senses: {}\n", "senses: {}\nreflexes:\n  - { sense: load, interval: 5s }\n"],
    [
      "a list",
      "reflexes:\n  - sense: a\n    interval: 1s # often\n# end\n",
      "reflexes:\n  - sense: a\n    interval: 1s # often\n  - { sense: load, interval: 5s }\n# end\n",
    ],
    [
      "a list at the margin",
      "reflexes:\n- { sense: a, interval: 1s }\nsenses: {}\n",
      "reflexes:\n- { sense: a, interval: 1s }\n- { sense: load, interval: 5s }\nsenses: {}\n",
    ],
    [
      "a flow list",
      "reflexes: [{ sense: a, interval: 1s }]\n",
      "reflexes: [{ sense: a, interval: 1s }, { sense: load, interval: 5s }]\n",
    ],
    ["an empty flow list", "reflexes: []\n", "reflexes: [{ sense: load, interval: 5s }]\n"],
  ])("%s", (_, before, after) => expect(withAddition(before, REFLEX)).toBe(after));

  test("what has no safe place is refused", () => {
    expect(withAddition("senses: !!set {}\n  x\n", SENSE)).toBeNull();
    expect(withAddition("senses: 4\n", SENSE)).toBeNull();
  });
});
