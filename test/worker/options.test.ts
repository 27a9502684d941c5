/** `with` against what a module exports as `options`, whichever library wrote the schema. */
import { describe, expect, test } from "bun:test";
import { type } from "arktype";
import { validateOptions } from "../../src/worker/options.ts";
import { isSchema } from "../../src/worker/schema.ts";

/** A schema of no library. */
const schema = (validate: (value: unknown) => unknown) =>
  ({ "~standard": { version: 1, vendor: "mine", validate } }) as Parameters<typeof validateOptions>[0];

describe("options", () => {
  test("by ArkType are validated and filled in with their defaults", () => {
    const options = type({ "+": "reject", path: "string", depth: "number.integer = 3" });
    expect(isSchema(options)).toBe(true);
    expect(validateOptions(options as never, { path: "/" })).toEqual({ ok: true, value: { path: "/", depth: 3 } });
    expect(validateOptions(options as never, 7)).toEqual({ ok: false, error: "must be an object (was a number)" });
    const refused = validateOptions(options as never, { depth: "x", other: 1 });
    expect(refused).toEqual({
      ok: false,
      error: "path must be a string (was missing); depth must be a number (was a string); other must be removed",
    });
  });

  test("that are refused are not quoted: each may have been filled in from a secret", () => {
    const options = type({
      token: "/^tok-/",
      "pin?": "number < 3",
      "deep?": { list: "string.email[]" },
      "either?": type("'a'").or({ b: "'c'" }),
    });
    const given = { token: 'hunter2"\n', pin: 4711, deep: { list: ["hunter3"] }, either: { b: "hunter4" } };
    const refused = validateOptions(options as never, given);
    const error = refused.ok ? "" : refused.error;
    expect(error).toContain("token must be matched by ^tok- (was ");
    expect(error).not.toMatch(/hunter|4711/);
    const thrown = schema((value) => {
      throw new Error(`no ${(value as { token: string }).token}`);
    });
    expect(validateOptions(thrown, given)).toMatchObject({ error: expect.not.stringContaining("hunter") });
  });

  test("by any Standard Schema work too, with the path of each issue", () => {
    const fine = schema((value) => ({ value: { ...(value as object), filled: true } }));
    expect(validateOptions(fine, { a: 1 })).toEqual({ ok: true, value: { a: 1, filled: true } });
    const issues = [
      { message: "too short", path: ["a", { key: "b" }, 0] },
      { message: "all wrong" },
      { message: "c is odd", path: ["c"] },
    ];
    expect(
      validateOptions(
        schema(() => ({ issues })),
        {},
      ),
    ).toEqual({ ok: false, error: "a.b[0]: too short; all wrong; c is odd" });
  });

  test("that do not fit have their place named once", () => {
    const types = { n: { list: "string[]" }, "a b": { c: "string" }, rows: [["number", "string"], "[]"] } as const;
    const given = { n: { list: ["a", 1] }, "a b": { c: 5 }, rows: [[1, 2]] };
    const refused = validateOptions(type(types) as never, given);
    expect(refused.ok ? [] : refused.error.split("; ").sort()).toEqual([
      "n.list[1] must be a string (was a number)",
      "rows[0][1] must be a string (was a number)",
      'value at ["a b"].c must be a string (was a number)',
    ]);
  });

  test("without a schema must be empty", () => {
    expect(validateOptions(null, {})).toEqual({ ok: true, value: {} });
    expect(validateOptions(null, { a: 1, b: 2 })).toEqual({
      ok: false,
      error: "it takes no options, and `with` gives a, b",
    });
  });

  test("that validate asynchronously are refused, also when they reject later", async () => {
    const error = "its `options` is validated asynchronously, which is not supported";
    expect(
      validateOptions(
        schema(() => Promise.resolve({ value: 1 })),
        {},
      ),
    ).toEqual({ ok: false, error });
    expect(
      validateOptions(
        schema(() => Promise.reject(new Error("later"))),
        {},
      ),
    ).toEqual({ ok: false, error });
    await Bun.sleep(0);
  });

  test("whose schema throws, or answers nonsense, are refused with the reason", () => {
    expect(
      validateOptions(
        schema(() => {
          throw new TypeError("inside");
        }),
        {},
      ),
    ).toEqual({ ok: false, error: "its `options` threw: TypeError: inside" });
    for (const nonsense of [undefined, null, 1])
      expect(
        validateOptions(
          schema(() => nonsense),
          {},
        ),
      ).toMatchObject({ ok: false });
  });

  test("are only what has the interface", () => {
    for (const value of [null, undefined, 1, "x", {}, () => 1, { "~standard": null }, { "~standard": {} }])
      expect(isSchema(value)).toBe(false);
  });
});
