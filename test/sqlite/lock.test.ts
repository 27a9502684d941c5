/** Who holds a database is told by the operating system. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { lockHolder, walWriter } from "../../src/sqlite/lock.ts";
import { temporaryFolder } from "../helpers/folder.ts";

test("whoever keeps a WAL database from being written is named by its pid, and only while it does", async () => {
  using folder = temporaryFolder();
  const file = folder.file("a.db");
  const db = new Database(file, { create: true });
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE t (x)");
  expect(walWriter(file)).toBeNull();
  const script = `
    const { Database } = require("bun:sqlite");
    const db = new Database(${JSON.stringify(file)});
    db.run("BEGIN IMMEDIATE");
    console.log("holds");
    process.stdin.once("data", () => { db.run("COMMIT"); console.log("let go"); });`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" });
  const lines = child.stdout.getReader();
  await lines.read();
  expect(walWriter(file)).toBe(child.pid);
  expect(lockHolder(file)).toBeNull();
  child.stdin.write("now\n");
  child.stdin.flush();
  await lines.read();
  expect(walWriter(file)).toBeNull();
  child.kill();
  await child.exited;
  db.close(true);
});

test("nobody holds what is not there", () => {
  expect([walWriter("/nowhere/a.db"), lockHolder("/nowhere/a.db")]).toEqual([null, null]);
});
