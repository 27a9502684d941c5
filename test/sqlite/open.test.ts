/** The two kinds of connection, and the lock that lives as long as its process. */
import type { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { acquireLock } from "../../src/sqlite/lock.ts";
import { makeFile, openReader, openWriter } from "../../src/sqlite/open.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

const mode = (file: string): number => statSync(file).mode & 0o777;
const pragma = (db: Database, name: string): unknown => Object.values(db.query(`PRAGMA ${name}`).get() as object)[0];

function writer(file: string, durability: "full" | "normal" = "normal"): Database {
  const opened = openWriter(file, durability);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

function reader(file: string): Database {
  const opened = openReader(file);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

describe("the writing connection", () => {
  test("makes its file private, whatever the umask, and says WAL, durability and safety", () => {
    using folder = temporaryFolder();
    const before = process.umask(0);
    try {
      using full = writer(folder.file("full.db"), "full");
      using normal = writer(folder.file("normal.db"));
      full.run("CREATE TABLE t (x)");
      for (const name of ["full.db", "full.db-wal", "full.db-shm", "normal.db"])
        expect(mode(folder.file(name))).toBe(0o600);
      expect([pragma(full, "synchronous"), pragma(normal, "synchronous")]).toEqual([2, 1]);
      for (const db of [full, normal]) {
        expect(
          ["journal_mode", "foreign_keys", "trusted_schema", "busy_timeout"].map((name) => pragma(db, name)),
        ).toEqual(["wal", 1, 0, 5000]);
      }
    } finally {
      process.umask(before);
    }
  });

  test("takes away what others could do to a file that was there", () => {
    using folder = temporaryFolder();
    writeFileSync(folder.file("a.db"), "");
    chmodSync(folder.file("a.db"), 0o666);
    using _ = writer(folder.file("a.db"));
    expect(mode(folder.file("a.db"))).toBe(0o600);
  });

  test("keeps the -wal and -shm files when it is closed, so that a reader needs to write nothing", () => {
    using folder = temporaryFolder();
    const db = writer(folder.file("a.db"));
    db.run("CREATE TABLE t (x)");
    db.close(true);
    expect([existsSync(folder.file("a.db-wal")), existsSync(folder.file("a.db-shm"))]).toEqual([true, true]);
  });

  test.each<[name: string, make: (folder: Folder) => string, kind: string]>([
    [
      "a link",
      (folder) => {
        writeFileSync(folder.file("real"), "");
        symlinkSync(folder.file("real"), folder.file("a.db"));
        return folder.file("a.db");
      },
      "symlink",
    ],
    [
      "a link to nowhere",
      (folder) => {
        symlinkSync(folder.file("nowhere"), folder.file("a.db"));
        return folder.file("a.db");
      },
      "symlink",
    ],
    [
      "no database",
      (folder) => {
        writeFileSync(folder.file("a.db"), "hello, I am not a database. ".repeat(100));
        return folder.file("a.db");
      },
      "not-a-database",
    ],
    ["a folder that is not there", (folder) => folder.file("none", "a.db"), "missing"],
    ["a folder", (folder) => folder.path, "not-plain"],
    ...["-wal", "-shm"].map((ending): [string, (folder: Folder) => string, string] => [
      `one with a folder for its ${ending}`,
      (folder) => {
        mkdirSync(folder.file(`a.db${ending}`));
        return folder.file("a.db");
      },
      "not-plain",
    ]),
    ["a name too long", (folder) => folder.file("x".repeat(300)), "io"],
  ])("G10: %s is refused by kind, with the path, and left as it is", (_, make, kind) => {
    using folder = temporaryFolder();
    const file = make(folder);
    const modeOf = (): number | undefined => {
      try {
        return lstatSync(file).mode;
      } catch {
        return undefined;
      }
    };
    const before = modeOf();
    for (const open of kind === "io" ? [openWriter] : [openWriter, openReader]) {
      const opened = open(file, "normal");
      expect(opened).toMatchObject({ ok: false, error: { kind, file } });
      expect(opened.ok ? "" : opened.error.message).toContain(file);
    }
    if (kind !== "not-a-database") expect(modeOf()).toBe(before);
    expect(existsSync(folder.file("nowhere"))).toBe(false);
  });
});

describe("G6: the reading connection", () => {
  test("sees what is committed and can write nothing, not even a temporary table", () => {
    using folder = temporaryFolder();
    using owner = writer(folder.file("a.db"));
    owner.run("CREATE TABLE t (x)");
    using db = reader(folder.file("a.db"));
    owner.run("INSERT INTO t VALUES (1)");
    expect(db.query("SELECT x FROM t").all()).toEqual([{ x: 1 }]);
    const before = readFileSync(folder.file("a.db-wal"));
    for (const sql of [
      "INSERT INTO t VALUES (2)",
      "DELETE FROM t",
      "CREATE TABLE u (x)",
      "CREATE TEMP TABLE v (x)",
      "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
      "VACUUM",
      "PRAGMA user_version = 5",
      "DROP TABLE t",
    ]) {
      expect(() => db.run(sql)).toThrow();
    }
    expect(() => db.query("SELECT load_extension('/nowhere')").get()).toThrow("not authorized");
    expect(readFileSync(folder.file("a.db-wal")).equals(before)).toBe(true);
  });

  test("reads a database nobody has open, and makes nothing beside it", () => {
    using folder = temporaryFolder();
    const owner = writer(folder.file("a.db"));
    owner.run("CREATE TABLE t (x)");
    owner.close(true);
    using db = reader(folder.file("a.db"));
    expect(db.query("SELECT count(*) AS n FROM t").get()).toEqual({ n: 0 });
  });

  test("a file that is not there is `missing`, and is not made", () => {
    using folder = temporaryFolder();
    expect(openReader(folder.file("a.db"))).toMatchObject({ ok: false, error: { kind: "missing" } });
    expect(existsSync(folder.file("a.db"))).toBe(false);
    expect(openReader(folder.file("x".repeat(300)))).toMatchObject({ ok: false, error: { kind: "io" } });
  });
});

/** A process that takes the lock, says so, and then does what it is told. */
const HOLDER = `
import { acquireLock } from ${JSON.stringify(join(import.meta.dir, "../../src/sqlite/lock.ts"))};
const lock = acquireLock(process.argv.at(-1));
console.log(lock === null ? "held" : "mine");
for await (const line of console) { if (line === "release") { lock.release(); console.log("released"); } }
`;

function holder(file: string) {
  const child = Bun.spawn([process.execPath, "-e", HOLDER, file], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    child,
    say: async (): Promise<string> => (await lines.read()).value?.trim() ?? "",
    tell(line: string): void {
      child.stdin.write(`${line}\n`);
      child.stdin.flush();
    },
    async end(signal: NodeJS.Signals): Promise<void> {
      child.kill(signal);
      await child.exited;
    },
  };
}

describe("G4, G9: a lock", () => {
  test("is held across processes and let go by a SIGKILL of its holder", async () => {
    using folder = temporaryFolder();
    const file = folder.file("a.lock");
    const first = holder(file);
    expect(await first.say()).toBe("mine");
    expect(mode(file)).toBe(0o600);
    expect(acquireLock(file)).toBeNull();
    const second = holder(file);
    expect(await second.say()).toBe("held");
    await second.end("SIGKILL");
    // A stopped holder still holds.
    first.child.kill("SIGSTOP");
    expect(acquireLock(file)).toBeNull();
    await first.end("SIGKILL");
    const lock = acquireLock(file);
    expect(lock).not.toBeNull();
    lock?.release();
  });

  test("is let go on request, and is not lost when the same process asks again or opens the file", async () => {
    using folder = temporaryFolder();
    const file = folder.file("a.lock");
    const mine = acquireLock(file);
    expect(mine).not.toBeNull();
    expect(acquireLock(file)).toBeNull();
    const other = holder(file);
    expect(await other.say()).toBe("held");
    await other.end("SIGKILL");
    mine?.release();
    const next = holder(file);
    expect(await next.say()).toBe("mine");
    next.tell("release");
    expect(await next.say()).toBe("released");
    acquireLock(file)?.release();
    await next.end("SIGKILL");
  });

  test("a link in its place is refused, and a folder that is not there", () => {
    using folder = temporaryFolder();
    symlinkSync(folder.file("target"), folder.file("a.lock"));
    expect(() => acquireLock(folder.file("a.lock"))).toThrow("symbolic link");
    expect(existsSync(folder.file("target"))).toBe(false);
    expect(() => acquireLock(folder.file("none", "a.lock"))).toThrow();
    mkdirSync(folder.file("folder"));
    expect(() => acquireLock(folder.file("folder"))).toThrow();
  });

  test("making sure a database's file exists does not let go of the locks this process has on it", () => {
    using folder = temporaryFolder();
    const file = folder.file("a.db");
    using first = writer(file);
    first.run("CREATE TABLE t (x)");
    first.run("PRAGMA locking_mode = EXCLUSIVE");
    first.run("INSERT INTO t VALUES (1)");
    makeFile(file);
    const script = `new (require("bun:sqlite").Database)(process.argv.at(-1)).run("INSERT INTO t VALUES (2)")`;
    const other = Bun.spawnSync([process.execPath, "-e", script, file]);
    expect(other.stderr.toString()).toContain("database is locked");
  });
});
