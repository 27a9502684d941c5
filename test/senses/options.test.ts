import { describe, expect, test } from "bun:test";
import { choice, duration, flag, mapping, number, orNull, record, text, where, whole, words } from "nerve/options";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { LEAST, validate } from "../helpers/compute.ts";

const schema = record({
  per_core: flag(false),
  path: text("/"),
  share: number(0.5, { min: 0, max: 1 }),
  top: whole(5, { min: 0, max: 50 }),
  keep: duration("1h", { min: "1m", max: "7d" }),
  parse: choice(["json", "lines"], "json"),
  argv: words([]),
  env: mapping(),
  cwd: orNull(text()),
  limits: record({ warning: number(1, { min: 0, max: 9 }) }),
});

const read = (given: unknown) => {
  const outcome = schema["~standard"].validate(given);
  return "issues" in outcome ? outcome.issues.map(({ message }) => message) : outcome.value;
};

describe("options", () => {
  const defaults = {
    per_core: false,
    path: "/",
    share: 0.5,
    top: 5,
    keep: 3_600_000,
    parse: "json" as const,
    argv: [],
    env: {},
    cwd: null,
    limits: { warning: 1 },
  };

  test("nothing given is every default", () => {
    expect(read({})).toEqual(defaults);
  });

  test("what is given is taken, scalars becoming text where text is wanted", () => {
    const given = { keep: "90s", argv: ["a", 80, true], env: { PORT: 80 }, cwd: "/tmp", limits: { warning: 2 } };
    expect(read(given)).toEqual({
      ...defaults,
      ...given,
      keep: 90_000,
      argv: ["a", "80", "true"],
      env: { PORT: "80" },
    });
  });

  test.each([
    [{ per_core: "yes" }, "per_core must be true or false (was a text)"],
    [{ path: "" }, "path must be text (was an empty text)"],
    [{ path: null }, "path must be text (was null)"],
    [{ share: 2 }, "share must be a number from 0 to 1 (was a number)"],
    [{ share: Number.NaN }, "share must be a number from 0 to 1 (was a number)"],
    [{ top: 1.5 }, "top must be a whole number from 0 to 50 (was a number)"],
    [{ keep: "1w" }, "keep must be a duration from 1m to 7d (was a text)"],
    [{ keep: "8d" }, "keep must be a duration from 1m to 7d (was a text)"],
    [{ keep: 60 }, "keep must be a duration from 1m to 7d (was a number)"],
    [{ parse: "xml" }, "parse must be json or lines (was a text)"],
    [{ argv: "ls -l" }, "argv must be a list of texts (was a text)"],
    [{ argv: [["ls"]] }, "argv[0] must be text (was a list)"],
    [{ argv: ["ls", null] }, "argv[1] must be text (was null)"],
    [{ argv: ["a\0b"] }, "argv[0] must be text without a NUL character"],
    [{ env: { A: null } }, "env.A must be text (was null)"],
    [{ limits: 3 }, "limits must be a map (was a number)"],
    [{ limits: { warnings: 3 } }, "limits.warnings is not an option: did you mean `warning`?"],
    [{ per_coer: true }, "per_coer is not an option: did you mean `per_core`?"],
    [
      { constructor: 1 },
      "constructor is not an option: there are per_core, path, share, top, keep, parse, argv, env, cwd, limits",
    ],
    [JSON.parse('{"__proto__": {"path": "/x"}}'), "__proto__ is not an option"],
    [[], "with must be a map (was a list)"],
    [null, "with must be a map (was null)"],
  ])("%j is refused", (given, message) => {
    expect(read(given)).toEqual([expect.stringContaining(message)]);
  });

  test("every problem is reported at once", () => {
    expect(read({ per_core: 1, top: -1, nope: 0 })).toHaveLength(3);
  });

  test("a secret given in the wrong place is not repeated", () => {
    expect(JSON.stringify(read({ per_core: "hunter2", env: "hunter2", keep: "hunter2" }))).not.toContain("hunter2");
  });

  test("a condition is not asked of a value already refused", () => {
    const field = record({ a: where(words(), (list) => list[0] !== "", "begin with something") });
    expect(field["~standard"].validate({})).toEqual({
      issues: [{ message: "a is required: a list of texts", path: ["a"] }],
    });
  });
});

describe("the built-in senses", () => {
  test.each(BUILT_IN_SENSE_NAMES)("%s has defaults for everything but what it cannot be without", (name) => {
    expect(validate(name, LEAST[name] ?? {})).toHaveProperty("value");
    expect("value" in validate(name, {})).toBe(!Object.hasOwn(LEAST, name));
    expect(validate(name, { nonsense: 1 })).toHaveProperty("problems");
  });

  test("exec needs a command, disk-usage an absolute path, limits their order", () => {
    expect(validate("exec", {})).toEqual({ problems: ["command is required: a list of texts"] });
    expect(validate("exec", { command: ["true"], parse: "yaml" })).toEqual({
      problems: ["parse must be json, jsonl, lines, number or nagios (was a text)"],
    });
    expect(validate("exec", { command: [] })).toEqual({ problems: ["command must begin with the program to run"] });
    expect(validate("disk-usage", { path: "home" })).toEqual({ problems: ["path must be an absolute path"] });
    expect(validate("host-health", { disk_percent: { warning: 99 } })).toEqual({
      problems: ["disk_percent must have warning at or under critical"],
    });
    expect(validate("host-health", { disk_percent: null })).toMatchObject({ value: { disk_percent: null } });
  });
});
