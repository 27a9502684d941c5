/** From argv to a command's input, and what is said about argv that cannot be one. */
import { expect, test } from "bun:test";
import { ok } from "../../../src/base/result.ts";
import { parseArguments } from "../../../src/cli/frame/arguments.ts";
import { type Command, defineCommand, flag, text, texts } from "../../../src/cli/frame/command.ts";

const command = defineCommand({
  details: null,
  arguments: [
    { name: "sense", required: true },
    { name: "more", required: false },
  ],
  options: { follow: flag("", "f"), since: text("WHEN", ""), sense: texts("NAME", "") },
  examples: [],
  run: async () => ok(0),
}) as unknown as Command;

const refusal = (...argv: string[]): [string, string | null] => {
  const parsed = parseArguments("verb", command, argv);
  if (parsed.ok) throw new Error("it was understood");
  expect(parsed.error.code).toBe(2);
  const [problem] = parsed.error.problems;
  return [problem?.message ?? "", problem?.hint ?? null];
};

test("what is absent is false, null or empty", () => {
  const parsed = parseArguments("verb", command, ["cpu"]);
  expect<unknown>(parsed.ok && parsed.value).toEqual({
    kind: "run",
    input: { options: { follow: false, since: null, sense: [] }, arguments: ["cpu"], config: null, json: false },
  });
});

test("options stand anywhere, long or short, with their value in either form", () => {
  const argv = ["-f", "cpu", "--since=1h", "--sense", "a", "--sense=b", "-c", "x.yaml", "--json"];
  const parsed = parseArguments("verb", command, argv);
  expect<unknown>(parsed.ok && parsed.value).toEqual({
    kind: "run",
    input: {
      options: { follow: true, since: "1h", sense: ["a", "b"] },
      arguments: ["cpu"],
      config: "x.yaml",
      json: true,
    },
  });
});

test("a number below zero is a value, for whoever takes it to refuse", () => {
  const parsed = parseArguments("verb", command, ["cpu", "--since", "-1", "--sense", "-2", "--", "-3"]);
  expect<unknown>(parsed.ok && parsed.value).toMatchObject({
    input: { options: { since: "-1", sense: ["-2"] }, arguments: ["cpu", "-3"] },
  });
  expect(refusal("cpu", "--follow", "-1")[0]).toBe("unknown option `-1`");
});

test("after -- everything is an argument", () => {
  const parsed = parseArguments("verb", command, ["--", "--json", "-f"]);
  expect(parsed.ok && parsed.value.kind === "run" && parsed.value.input.arguments).toEqual(["--json", "-f"]);
});

test("--help wins over what is missing", () => {
  const parsed = parseArguments("verb", command, ["-h"]);
  expect(parsed.ok && parsed.value.kind).toBe("help");
});

test("an unknown option names the nearest one", () => {
  expect(refusal("cpu", "--sicne", "1h")).toEqual(["unknown option `--sicne`", "did you mean `--since`?"]);
  expect(refusal("cpu", "--zzzzz")).toEqual(["unknown option `--zzzzz`", "see `nerve verb --help`"]);
  expect(refusal("cpu", "-z")).toEqual(["unknown option `-z`", "see `nerve verb --help`"]);
});

test("an option without its value says what it takes", () => {
  expect(refusal("cpu", "--since")).toEqual(["`--since` needs a value", "write `--since WHEN`"]);
  expect(refusal("cpu", "--since", "--json")).toEqual(["`--since` needs a value", "write `--since WHEN`"]);
  expect(refusal("cpu", "--json=yes")[0]).toBe("`--json` takes no value");
});

test("too few and too many arguments are refused", () => {
  expect(refusal()[0]).toBe("`nerve verb` needs <sense>");
  expect(refusal("a", "b", "c")[0]).toBe("unexpected argument `c`");
});
