/** Files that came, did not come, and came with too little in them. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { filesOf } from "nerve/sources";
import { openSense, validate } from "../helpers/compute.ts";

const folder = mkdtempSync(join(tmpdir(), "nerve-file-age-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR_S = 3600;
/** A file of so many bytes, last changed so long ago. */
function put(name: string, bytes: number, hoursAgo: number): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "x".repeat(bytes));
  const at = Date.now() / 1000 - hoursAgo * HOUR_S;
  utimesSync(path, at, at);
  return path;
}

describe("the newest file", () => {
  test("is well while it is young enough and has something in it", async () => {
    put("a/db-1.gz", 100, 49);
    const newest = put("a/db-2.gz", 120, 5);
    put("a/other.txt", 5, 1);
    using sense = openSense("file-age", { path: join(folder, "a/db-*.gz") });
    expect(await sense.compute()).toEqual({
      path: join(folder, "a/db-*.gz"),
      ok: true,
      reason: null,
      failures: 0,
      successes: 1,
      files: 2,
      total_bytes: 220,
      newest,
      age_s: expect.any(Number),
      bytes: 120,
      usual_bytes: null,
    });
  });

  test.each([
    ["b/none-*", {}, "there is no such file"],
    ["b/old.gz", {}, "the newest file is 30 h old, and may be 25 h"],
    ["b/old.gz", { max_age: "29m" }, "the newest file is 30 h old, and may be 29 min"],
    ["b/old.gz", { max_age: "10s" }, "the newest file is 30 h old, and may be 10 s"],
    ["b/ahead.gz", {}, "the newest file was changed 50 d from now: a clock was wrong, or is"],
    ["b/bit-ahead.gz", {}, null],
    ["b/empty.gz", {}, "the newest file has 0 bytes, and should have 1"],
    ["b/empty.gz", { min_bytes: 0 }, null],
  ])("%s with %j", async (path, options, reason) => {
    put("b/old.gz", 10, 30);
    put("b/empty.gz", 0, 2);
    put("b/ahead.gz", 10, -1_200);
    put("b/bit-ahead.gz", 10, -0.05);
    using sense = openSense("file-age", { path: join(folder, path), ...options });
    expect(await sense.compute()).toMatchObject({ ok: reason === null, reason, failures: reason === null ? 0 : 1 });
  });

  test("that is half as large as usual is not well, once it is no longer written", async () => {
    using sense = openSense("file-age", { path: join(folder, "c/*") });
    for (const day of [5, 4, 3, 2]) {
      put(`c/day-${day}`, 1000 + day, day * 24);
      expect(await sense.compute()).toMatchObject({ usual_bytes: day < 3 ? 1004 : null });
    }
    put("c/day-1", 400, 0);
    expect(await sense.compute()).toMatchObject({ ok: true, bytes: 400, usual_bytes: null });
    put("c/day-1", 400, 1);
    const seen = await sense.compute();
    expect(seen.reason).toBe("the newest file has 400 bytes, less than 50 % of the usual 1004");
    expect(await sense.compute()).toMatchObject({ failures: 2, usual_bytes: 1004 });
    put("c/day-0", 900, 0.5);
    expect(await sense.compute()).toMatchObject({ ok: true, successes: 1 });
  });

  test("remembers twenty sizes, and none of another path", async () => {
    using sense = openSense("file-age", { path: join(folder, "d/*") });
    for (let hours = 40; hours > 0; hours--) {
      put("d/same", 1000, hours);
      await sense.compute();
    }
    const count = () => sense.client.query<{ n: number }, []>("SELECT count(*) AS n FROM sizes").get()?.n;
    expect(count()).toBe(20);
    sense.client.run("UPDATE sizes SET pattern = 'another'");
    expect(await sense.compute()).toMatchObject({ usual_bytes: null });
    expect(count()).toBe(1);
  });
});

describe("a path", () => {
  const names = async (pattern: string) =>
    (await filesOf(join(folder, pattern), new AbortController().signal)).map(({ path }) =>
      path.slice(folder.length + 1),
    );

  test("may have `*` in every name; folders and hidden files are none, unless they are named", async () => {
    put("e/one/db.sql", 1, 1);
    put("e/two/db.sql", 1, 1);
    put("e/two/.hidden", 1, 1);
    mkdirSync(join(folder, "e/three/db.sql"), { recursive: true });
    expect(await names("e/*/db.sql")).toEqual(["e/one/db.sql", "e/two/db.sql"]);
    expect(await names("e/two/*")).toEqual(["e/two/db.sql"]);
    expect(await names("e/two/.h*")).toEqual(["e/two/.hidden"]);
    expect(await names("e/none/*")).toEqual([]);
    expect(await names("e/one/db.sql/*")).toEqual([]);
  });

  test("with more names than are looked at is an error, and one that is stopped ends", async () => {
    for (const name of ["1", "2", "3"]) put(`many/${name}`, 1, 1);
    const { signal } = new AbortController();
    expect(filesOf(join(folder, "many/*.gz"), signal, 2)).rejects.toThrow(
      `more than 2 names are to be looked at in ${folder}/many`,
    );
    expect(filesOf(join(folder, "many/*"), AbortSignal.abort(new Error("stopped")))).rejects.toThrow("stopped");
  });
});

test("options: a path is required, and has no `**`", () => {
  expect(validate("file-age", {})).toEqual({ problems: ["path is required: text"] });
  expect(validate("file-age", { path: "/a/**/b" })).toEqual({
    problems: ["path must have no `**`: one `*` stands for any name of a file or a folder"],
  });
});
