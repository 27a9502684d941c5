/** `nerve library`: what a module declares and what its README says are the same, and both are shown. */
import { describe, expect, test } from "bun:test";
import { parse } from "yaml";
import { LIBRARY } from "../../../src/cli/library/built-in.ts";
import { pageOf } from "../../../src/cli/library/page.ts";
import { renderPage } from "../../../src/cli/library/text.ts";
import { PIPE } from "../../../src/cli/screen/terminal.ts";
import { parseNerveConfig } from "../../../src/config/parse.ts";
import { jsonOf, project, runNerve } from "../../helpers/nerve.ts";

interface Options {
  read(given: unknown, path: readonly string[], report: () => void): Readonly<Record<string, unknown>>;
}

describe.each(LIBRARY.map((one) => [`${one.kind}:${one.name}`, one] as const))("%s", (reference, one) => {
  const page = pageOf(one);
  const options = one.load().options as Options;
  const read = (given: object) => options.read(given, [], () => {});

  test("has a README that sums it up and has an example", () => {
    expect(page.summary.length).toBeGreaterThan(20);
    expect(page.example).toContain(one.name);
    const written = parse(page.example);
    // A reflex of the example may start a workflow that it leaves to the reader.
    const { reflexes = [], ...rest } = written;
    const ticks = reflexes.filter(({ sense }: { sense: string | null }) => typeof sense === "string");
    const config = JSON.stringify({ ...rest, reflexes: ticks }).replaceAll(/\$\{.*?\}/g, "x");
    expect(parseNerveConfig(config)).toMatchObject({ ok: true });
  });

  test("says of each option its type, its default as it is declared, and what it does", () => {
    expect(page.options.length).toBeGreaterThanOrEqual(0);
    for (const { name, type, default: fallback, about } of page.options) {
      expect({ name, about }).not.toEqual({ name, about: "" });
      expect({ name, type }).not.toEqual({ name, type: "anything" });
      if (fallback === null || name === "cwd") continue;
      const limits = /^(\d+), (\d+)$/.exec(fallback);
      const given = limits === null ? parse(fallback) : { warning: Number(limits[1]), critical: Number(limits[2]) };
      expect({ name, value: read({ [name]: given })[name] }).toEqual({ name, value: read({})[name] });
    }
  });

  test("says of each field of its payload what it is", () => {
    // The eighteen of `pressure` follow from a pattern; a field that holds objects has a table of its own.
    if (one.name === "pressure") return;
    for (const { name, about } of page.payload ?? []) {
      if (about === "") expect(one.files["README.md"]).toContain(name);
    }
  });

  test("is shown with all of it", () => {
    const text = renderPage(page, PIPE);
    expect(text).toStartWith(`${reference}  `);
    for (const { name } of [...page.options, ...(page.payload ?? [])]) expect(text).toContain(`\n  ${name}`);
    expect(text).toContain(`nerve add ${reference}`);
  });
});

describe("the verb", () => {
  test("lists one line each, without a config", async () => {
    using folder = project({});
    const { code, stdout } = await runNerve(folder.path, ["library"]);
    expect(code).toBe(0);
    for (const { name } of LIBRARY) expect(stdout).toMatch(new RegExp(`^  ${name} +[A-Zn]`, "m"));
    const lines = (await runNerve(folder.path, ["library", "--json"])).stdout.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject(LIBRARY.map(({ kind, name }) => ({ kind, name })));
  });

  test("knows units, what it needs, and both of one name", async () => {
    using folder = project({});
    const { value } = await jsonOf(folder.path, ["library", "disk-usage"]);
    expect(value.payload).toContainEqual(expect.objectContaining({ name: "used_percent", unit: "%" }));
    expect(value.payload).toContainEqual(expect.objectContaining({ name: "total_bytes", unit: "bytes" }));
    expect(value.needs).toEqual({ kinds: ["paths"], because: "its `path`" });
    expect((await jsonOf(folder.path, ["library", "memory"])).value.needs).toBeNull();
    const { stdout } = await runNerve(folder.path, ["library", "exec"]);
    expect(stdout).toContain("sense:exec");
    expect(stdout).toContain("workflow:exec");
    expect(await jsonOf(folder.path, ["library", "disk"])).toMatchObject({
      code: 2,
      error: { kind: "unknown-built-in" },
    });
  });
});
