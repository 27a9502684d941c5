/** What people's looks at a store have found, kept beside the store. */
import { expect, test } from "bun:test";
import { readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { keepVerified, readVerified } from "../../src/store/verified.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const OK = { at: 5, state: "ok", message: "2 files with 9 logs: whole" } as const;
const BAD = { at: 7, state: "damaged", message: "1 run differs from what the logs say" } as const;
const NOTHING = { archive: null, tables: null };

test("each part keeps its newest finding; nothing is known before", () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("logs.db"), "");
  expect(readVerified(folder.path)).toEqual(NOTHING);
  keepVerified(folder.path, "archive", OK);
  keepVerified(folder.path, "tables", BAD);
  keepVerified(folder.path, "archive", { ...OK, at: 9 });
  expect(readVerified(folder.path)).toEqual({ archive: { ...OK, at: 9 }, tables: BAD });
});

test("a store that was put in its place was not looked at", () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("logs.db"), "");
  keepVerified(folder.path, "archive", OK);
  writeFileSync(folder.file("other.db"), "");
  renameSync(folder.file("other.db"), folder.file("logs.db"));
  expect(readVerified(folder.path)).toEqual(NOTHING);
});

test("a foreign or damaged file says nothing, and a link is neither read nor written through", () => {
  using folder = temporaryFolder();
  writeFileSync(folder.file("logs.db"), "");
  for (const text of ["", "{", "[]", '{"store":1}', "x".repeat(20_000)]) {
    writeFileSync(folder.file("verified.json"), text);
    expect(readVerified(folder.path)).toEqual(NOTHING);
  }
  using other = temporaryFolder();
  writeFileSync(other.file("target"), "mine");
  renameSync(folder.file("verified.json"), other.file("away"));
  symlinkSync(other.file("target"), folder.file("verified.json"));
  expect(readVerified(folder.path)).toEqual(NOTHING);
  keepVerified(folder.path, "tables", OK);
  expect(readVerified(folder.path).tables).toEqual(OK);
  expect(readFileSync(other.file("target"), "utf8")).toBe("mine");
});

test("where nothing can be written, nothing is known, and nobody is disturbed", () => {
  using folder = temporaryFolder();
  keepVerified(folder.file("gone"), "archive", OK);
  expect(readVerified(folder.file("gone"))).toEqual(NOTHING);
});
