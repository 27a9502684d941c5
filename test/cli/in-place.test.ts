// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are what stands in the config
/** What a verb is obviously about may be given in place; and what is broken in the config is told once. */
import { afterAll, describe, expect, test } from "bun:test";
import { project, runNerve } from "../helpers/nerve.ts";

const folder = project({
  "nerve.yaml":
    "senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]\nworkflows: { page: { use: exec, with: { command: [ls] } } }\n",
  "unset.yaml":
    'senses:\n  one: { use: exec, with: { command: [echo, "${NOPE}"] } }\n  two: { use: exec, with: { command: [echo, ${HOME}] } }\nworkflows:\n  tell: { use: exec, with: { command: ["${NOPE}"] } }\nreflexes:\n  - { sense: one, interval: 1s }\n  - { workflow: tell, on: [two] }\n',
});
afterAll(() => folder[Symbol.dispose]());

const nerve = (...args: string[]) => runNerve(folder.path, args);

describe("what a verb is about, in place", () => {
  test("the config of check", async () => {
    expect(await nerve("check", "nerve.yaml")).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining("error:"),
    });
    expect((await nerve("check", "nope.yaml")).code).toBe(78);
    const twice = await nerve("check", "nerve.yaml", "-c", "nerve.yaml");
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain("two configs are named");
  });

  test.each(["signals", "logs", "runs"])(
    "a name of %s, which is looked for like one that an option gives",
    async (verb) => {
      const { code, stderr } = await nerve(verb, "lod");
      expect([code, stderr.includes("no nerve has run")]).toEqual([3, true]);
    },
  );

  test("the input of run, once", async () => {
    expect((await nerve("run", "page", "{")).stderr).toContain("the input is not JSON");
    const twice = await nerve("run", "page", "1", "--input", "2");
    expect([twice.code, twice.stderr.includes("two inputs are given")]).toEqual([2, true]);
  });

  test("no verb beside a config: the one that is most likely meant is named", async () => {
    const { code, stderr } = await nerve("-c", "nerve.yaml");
    expect(code).toBe(2);
    expect(stderr).toContain("`nerve start -c FILE` runs the daemon");
  });
});

test("an unset or unquoted variable in `with` is one error, and no option is said to be wrong", async () => {
  const { code, stderr } = await nerve("check", "unset.yaml");
  expect(code).toBe(78);
  const errors = stderr.split("\n").filter((line) => line.startsWith("error:"));
  expect(errors.map((line) => line.replace(/^.*?yaml:/, ""))).toEqual([
    "2:45: the environment variable NOPE is not set",
    "3:45: `${HOME}` stands unquoted inside { } or [ ], where YAML takes its braces for a map",
    "5:40: the environment variable NOPE is not set",
  ]);
});
