/** The face of the command line: what is understood, what is refused and how, and the exit codes of both. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { NOT_YET } from "../../src/cli/verb-named.ts";
import { VERBS } from "../../src/cli/verbs.ts";
import { NERVE, project, runNerve } from "../helpers/nerve.ts";

// Each verb is a process or two, all at once.
setDefaultTimeout(60_000);

const CONFIG = "senses: { load: }\nreflexes: [{ sense: load, interval: 1s }]\n";
const BAD = "sensse: {}\nreflexes:\n  - { sense: nope, intervall: 1s }\n";

const folder = project({ "nerve.yaml": CONFIG, "bad.yaml": BAD, "other/nerve.yaml": CONFIG });
afterAll(() => folder[Symbol.dispose]());

const nerve = (...args: string[]) => runNerve(folder.path, args);

test("without an argument it shows the overview on stderr, and that is a usage error", async () => {
  const { code, stdout, stderr } = await nerve();
  expect(code).toBe(2);
  expect(stdout).toBe("");
  for (const { name, section } of VERBS) {
    if (section !== "keep") expect(stderr).toContain(`\n  ${name}`);
  }
});

test("`--help` shows how to begin, to see and to act, and `help --all` the rest too", async () => {
  const [some, all] = [(await nerve("--help")).stdout, (await nerve("help", "--all")).stdout];
  expect((await nerve("--help", "--all")).stdout).toBe(all);
  for (const { name, section } of VERBS) {
    expect(all).toContain(`\n  ${name}`);
    if (section === "keep") expect(some).not.toContain(`\n  ${name} `);
  }
  for (const former of ["trigger", "release"]) expect(all).not.toMatch(new RegExp(`^ *${former}\\b`, "m"));
  expect((await nerve("silence", "--help")).stdout).not.toContain("--clear");
});

test("a former name of a verb is understood, and its mistakes are told in its own name", async () => {
  expect((await nerve("trigger")).stderr).toContain("`nerve trigger` needs <name>");
  expect((await nerve("release", "--help")).stdout).toContain("Usage: nerve enable <name>");
});

test("without one but --json, that is an error like any other", async () => {
  const { code, stdout, stderr } = await nerve("--json");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(JSON.parse(stderr).error).toMatchObject({ kind: "usage", message: "which command?" });
});

test("the role of a worker is nobody's to ask for", async () => {
  for (const role of ["__sense-worker", "__workflow-worker"]) {
    const { code, stderr } = await nerve(role);
    expect(code).toBe(2);
    expect(stderr).toStartWith(`error: there is no command \`${role}\``);
  }
});

test("asked for, the overview is on stdout", async () => {
  for (const word of ["help", "--help", "-h"]) {
    const { code, stdout, stderr } = await nerve(word);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("nerve <config.yaml>");
  }
});

describe("every verb", () => {
  for (const { name } of VERBS) {
    test.concurrent(`${name} has help with its usage, its options and an example`, async () => {
      const { code, stdout, stderr } = await nerve(name, "--help");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain(`Usage: nerve ${name}`);
      for (const part of ["--config FILE", "--json", "Examples:", `  nerve `]) expect(stdout).toContain(part);
      expect((await nerve("help", name)).stdout).toBe(stdout);
      for (const line of stdout.split("\n")) expect(line.length, line).toBeLessThanOrEqual(132);
    });
  }

  for (const name of NOT_YET) {
    test.concurrent(`${name}, which is still to come, is refused with "not yet"`, async () => {
      const { code, stderr } = await nerve(name, "--json");
      expect(code).toBe(2);
      const { error } = JSON.parse(stderr);
      expect(error.kind).toBe("not-yet");
      expect(error.message).toContain("not yet");
    });
  }
});

test("a full disk under stdout is said, and is no bug", async () => {
  for (const args of [["version"], ["graph", "--json"], ["--help"]]) {
    const child = Bun.spawn([...NERVE, ...args], {
      cwd: folder.path,
      stdio: ["ignore", Bun.file("/dev/full"), "pipe"],
    });
    const stderr = await new Response(child.stderr).text();
    expect(await child.exited).toBe(1);
    expect(stderr).toContain("stdout cannot be written: ENOSPC");
    expect(stderr).not.toContain("    at ");
  }
});

test("a mistyped verb names the nearest one", async () => {
  const { code, stderr } = await nerve("singals");
  expect(code).toBe(2);
  expect(stderr).toContain("there is no command `singals`");
  expect(stderr).toContain("did you mean `signals`?");
});

test("a first argument that is a config is the daemon's", async () => {
  for (const word of ["missing.yaml", "missing.yml", "./missing", "other/missing"]) {
    const { code, stderr } = await nerve(word);
    expect(code).toBe(78);
    expect(stderr).toContain(`${folder.path}/${word.replace("./", "")}`);
  }
});

test("an included file that is not there is no config that was not named", async () => {
  using other = project({ "nerve.yaml": "include: [more.yaml]\n" });
  const { code, stderr } = await runNerve(other.path, ["check"]);
  expect(code).toBe(78);
  expect(stderr).toBe(`error: ${other.path}/nerve.yaml:1:11: there is no file ${other.path}/more.yaml to include\n`);
});

test("two configs are one too many", async () => {
  const { code, stderr } = await nerve("nerve.yaml", "-c", "bad.yaml");
  expect(code).toBe(2);
  expect(stderr).toContain("two configs");
});

test("an unknown option is a usage error, before or after the verb", async () => {
  expect((await nerve("--verison")).stderr).toContain("did you mean `--version`?");
  const { code, stderr } = await nerve("signals", "--folow");
  expect(code).toBe(2);
  expect(stderr).toContain("did you mean `--follow`?");
});

test("-c and --json may stand before the verb", async () => {
  const { code, stderr } = await nerve("-c", "nerve.yaml", "--json", "status");
  expect(code).toBe(3);
  expect(JSON.parse(stderr).error.kind).toBe("unreachable");
});

test("version names nerve, Bun, SQLite and the commit", async () => {
  const { code, stdout } = await nerve("version", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    bun: Bun.version,
    sqlite: expect.stringMatching(/^3\.\d+\.\d+$/),
    commit: expect.any(String),
  });
  for (const word of ["version", "--version", "-V"]) expect((await nerve(word)).stdout).toStartWith("nerve ");
});

test("the config is -c, else $NERVE_CONFIG, else ./nerve.yaml", async () => {
  const data = async (args: string[], environment: Record<string, string> = {}): Promise<string> => {
    const { stdout } = await runNerve(folder.path, ["unit", "--json", ...args], { environment });
    return JSON.parse(stdout).data;
  };
  expect(await data([])).toBe(`${folder.path}/data`);
  expect(await data([], { NERVE_CONFIG: "other/nerve.yaml" })).toBe(`${folder.path}/other/data`);
  expect(await data(["-c", "nerve.yaml"], { NERVE_CONFIG: "other/nerve.yaml" })).toBe(`${folder.path}/data`);
});

test("without any config it says how one is named", async () => {
  const { code, stderr } = await runNerve(`${folder.path}/..`, ["check"]);
  expect(code).toBe(78);
  expect(stderr).toContain("name a config with -c FILE or $NERVE_CONFIG");
});

describe("a bad config", () => {
  test("is told whole, each problem with its place", async () => {
    for (const args of [
      ["bad.yaml"],
      ["check", "-c", "bad.yaml"],
      ["once", "load", "-c", "bad.yaml"],
      ["unit", "-c", "bad.yaml"],
    ]) {
      const { code, stdout, stderr } = await nerve(...args);
      expect(code).toBe(78);
      expect(stdout).toBe("");
      expect(stderr).toContain(`${folder.path}/bad.yaml:1:1: `);
      expect(stderr).toContain(`${folder.path}/bad.yaml:3:`);
      expect(stderr).toContain("did you mean `senses`?");
      expect(stderr).toContain("did you mean `interval`?");
    }
  });

  test("is one JSON object a problem with --json", async () => {
    const { code, stdout, stderr } = await nerve("check", "-c", "bad.yaml", "--json");
    expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
    const errors = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error);
    expect(errors.length).toBeGreaterThan(1);
    for (const error of errors)
      expect(Object.keys(error)).toEqual(["kind", "message", "hint", "file", "line", "column"]);
    expect(errors[0]).toMatchObject({ kind: "unknown-key", file: `${folder.path}/bad.yaml`, line: 1, column: 1 });
  });
});

describe("without a daemon", () => {
  for (const args of [
    ["status"],
    ["trigger", "load"],
    ["enable", "load"],
    ["disable", "load"],
    ["release", "load"],
    ["reload"],
    ["run", "page"],
    ["cancel", "1"],
    ["retry", "1"],
  ]) {
    test.concurrent(`${args[0]} ends with 3 and says how to start one`, async () => {
      const { code, stdout, stderr } = await nerve(...args);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toContain(`no nerve daemon answers on ${folder.path}/data`);
      expect(stderr).toContain("start it with `nerve ");
    });
  }

  for (const args of [["signals"], ["logs"], ["runs"], ["show", "1"], ["rebuild"], ["rebuild", "--check"]]) {
    test.concurrent(`${args.join(" ")} of data that was never made says so`, async () => {
      const { code, stderr } = await nerve(...args);
      expect(code).toBe(3);
      expect(stderr).toContain(`${folder.path}/data/logs.db does not exist`);
      expect(stderr).toContain("no nerve has run on this data yet");
    });
  }

  test("a broken config explains it better than an absent daemon", async () => {
    const { code, stderr } = await nerve("status", "-c", "bad.yaml");
    expect(code).toBe(78);
    expect(stderr).toContain("did you mean `senses`?");
    for (const rest of ["", "data: ./elsewhere\n"]) {
      folder.write("no.yaml", `senses: { load: {\n${rest}`);
      for (const verb of ["status", "reload", "signals"]) {
        const told = await nerve(verb, "-c", "no.yaml");
        expect([verb, told.code, told.stderr]).toEqual([verb, 78, expect.stringContaining("this is not valid YAML")]);
        expect(told.stderr).not.toContain("no nerve daemon");
      }
    }
  });
});
