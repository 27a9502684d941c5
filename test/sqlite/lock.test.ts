/** Who holds a database is told by the operating system. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
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

test("a holder is named however many locks come and go meanwhile", async () => {
  using folder = temporaryFolder();
  const file = folder.file("held.lock");
  const lock = JSON.stringify(join(import.meta.dir, "../../src/sqlite/lock.ts"));
  const run = (script: string) =>
    Bun.spawn([process.execPath, "-e", `import { acquireLock } from ${lock};\n${script}`], { stdout: "pipe" });
  const holder = run(
    `globalThis.held = acquireLock(${JSON.stringify(file)}); console.log("held"); setInterval(() => globalThis.held, 1000);`,
  );
  const churn = (name: string) => `
    const files = Array.from({ length: 60 }, (_, n) => ${JSON.stringify(folder.file(name))} + n);
    console.log("begins");
    for (;;) for (const lock of files.map(acquireLock)) lock?.release();`;
  const others = ["a", "b", "c"].map((name) => run(churn(name)));
  try {
    for (const child of [holder, ...others]) await child.stdout.getReader().read();
    const named = Array.from({ length: 400 }, () => lockHolder(file));
    expect(named.filter((pid) => pid !== holder.pid)).toEqual([]);
  } finally {
    for (const child of [holder, ...others]) {
      child.kill("SIGKILL");
      await child.exited;
    }
  }
});

test("nobody holds what is not there", () => {
  expect([walWriter("/nowhere/a.db"), lockHolder("/nowhere/a.db")]).toEqual([null, null]);
});
