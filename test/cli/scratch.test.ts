/** `check` and `once`: real workers on copies, and nothing of the user's changed by them. */
import { Database } from "bun:sqlite";
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NERVE, type Project, projects, runInTmp } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const NOTES = `import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
export const notes = sqliteTable("notes", { id: integer("id").primaryKey(), text: text("text") });
`;
const KEEPS = `import type { Compute } from "nerve";
import { lt } from "drizzle-orm";
import { notes } from "./schema.ts";
export const compute: Compute = (db, _, { log }) => {
  db.update(notes).set({ text: "seen" }).where(lt(notes.id, 3)).run();
  db.delete(notes).where(lt(notes.id, 2)).run();
  db.insert(notes).values([{ text: "a" }, { text: "b" }]).run();
  console.log("printed \\x1b[31mred");
  log("warn", "careful", { why: "because" });
  return { notes: db.select().from(notes).all().length };
};
`;
const MIGRATION = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n";
const returns = (body: string): string => `export const compute = async (db, peers, context) => { ${body} };\n`;

const everywhere = projects();
const folderOf = everywhere.make;
afterAll(() => everywhere[Symbol.dispose]());

const nerve = (folder: Project, ...args: string[]) => runInTmp(folder, args);
const leftOf = (folder: Project): string[] => readdirSync(join(folder.path, "tmp"));

/** A database as the daemon would have left it, with two notes. */
function withNotes(folder: Project, name: string): string {
  const file = join(folder.path, "data/senses", `${name}.db`);
  mkdirSync(join(folder.path, "data/senses"), { recursive: true, mode: 0o700 });
  const db = new Database(file);
  db.run("PRAGMA journal_mode = WAL");
  db.run(MIGRATION);
  db.run("INSERT INTO notes (text) VALUES ('one'), ('two')");
  db.run("CREATE TABLE _migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, checksum TEXT NOT NULL)");
  const checksum = new Bun.CryptoHasher("sha256").update(MIGRATION).digest("hex");
  db.run("INSERT INTO _migrations VALUES ('0001_notes.sql', 1, ?)", [checksum]);
  db.run(
    "CREATE TABLE _outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, payload TEXT NOT NULL, cause INTEGER, trace TEXT NOT NULL, at INTEGER NOT NULL)",
  );
  db.close();
  return file;
}

const rowsOf = (file: string): unknown[] => {
  const db = new Database(file, { readonly: true });
  try {
    return db.query("SELECT * FROM notes ORDER BY id").all();
  } finally {
    db.close();
  }
};

const KEEPER = {
  "senses/keeper/index.ts": KEEPS,
  "senses/keeper/schema.ts": NOTES,
  "senses/keeper/migrations/0001_notes.sql": MIGRATION,
};

describe("check", () => {
  test("of what is in order lists senses, groups and reflexes", async () => {
    const folder = folderOf({
      ...KEEPER,
      "nerve.yaml":
        "senses: { load: , keeper: { group: mine } }\nreflexes: [{ sense: load, interval: 1s }, { sense: keeper, on: [load] }]\n",
    });
    const { code, stdout, stderr } = await nerve(folder, "check");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toStartWith(`ok  ${folder.path}/nerve.yaml: 2 senses, 2 groups, 2 reflexes\n`);
    expect(stdout).toMatch(/^load +default +built in: load +0001_samples.sql, 0002_samples_at.sql$/m);
    expect(stdout).toMatch(/^keeper +mine +\/.*\/senses\/keeper +0001_notes.sql$/m);
    expect(stdout).toMatch(/^keeper#1 +sense:keeper +on load$/m);
    const told = JSON.parse((await nerve(folder, "check", "--json")).stdout);
    expect(told).toMatchObject({ ok: true, groups: ["default", "mine"] });
    expect(told.senses[1]).toEqual({
      name: "keeper",
      group: "mine",
      use: "keeper",
      module: join(folder.path, "senses/keeper"),
      ok: true,
      pending: ["0001_notes.sql"],
    });
    expect(existsSync(join(folder.path, "data"))).toBe(false);
    expect(leftOf(folder)).toEqual([]);
  });

  test("tells every sense that does not load, and what is wrong with each", async () => {
    const folder = folderOf({
      ...KEEPER,
      "nerve.yaml":
        "senses: { keeper: , throws: , syntax: , exits: , nothing: , missing: , options: { use: load, with: { x: 1 } } }\n",
      "senses/throws/index.ts": 'throw new Error("boom");\n',
      "senses/syntax/index.ts": "export const compute = (;\n",
      "senses/exits/index.ts": "process.exit(7);\n",
      "senses/nothing/index.ts": "export const computed = 1;\n",
    });
    const { code, stdout, stderr } = await nerve(folder, "check", "--json");
    expect(code).toBe(1);
    const errors = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error);
    expect(errors.map(({ kind }) => kind)).toEqual([
      "module-threw",
      "syntax-error",
      "worker-died",
      "missing-export",
      "sense-not-found",
      "bad-options",
    ]);
    for (const [index, name] of ["throws", "syntax", "exits", "nothing", "missing", "options"].entries()) {
      expect(errors[index].message).toContain(name);
    }
    expect(errors[1]).toMatchObject({ file: join(folder.path, "senses/syntax/index.ts"), line: 1 });
    expect(JSON.parse(stdout)).toMatchObject({ ok: false });
    expect((await nerve(folder, "check")).stdout).toBe("");
    expect(leftOf(folder)).toEqual([]);
  });

  test("rehearses pending migrations on a copy, and leaves the original alone", async () => {
    const folder = folderOf({ ...KEEPER, "nerve.yaml": "senses: { keeper: }\n" });
    const file = withNotes(folder, "keeper");
    folder.write("senses/keeper/migrations/0002_more.sql", "ALTER TABLE notes ADD COLUMN more TEXT;\n");
    expect(JSON.parse((await nerve(folder, "check", "--json")).stdout).senses[0].pending).toEqual(["0002_more.sql"]);
    folder.write("senses/keeper/migrations/0002_more.sql", "CREATE UNIQUE INDEX u ON notes (id > 0);\n");
    const { code, stderr } = await nerve(folder, "check", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error).toMatchObject({
      kind: "database-failed",
      message: expect.stringContaining("0002_more.sql"),
      file: join(folder.path, "senses/keeper/migrations/0002_more.sql"),
    });
    expect(rowsOf(file)).toEqual([
      { id: 1, text: "one" },
      { id: 2, text: "two" },
    ]);
  });

  test("a damaged database is named as the original", async () => {
    const folder = folderOf({ ...KEEPER, "nerve.yaml": "senses: { keeper: }\n" });
    folder.write("data/senses/keeper.db", "no database".repeat(500));
    chmodSync(join(folder.path, "data"), 0o700);
    const { code, stderr } = await nerve(folder, "check", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error.message).toContain(join(folder.path, "data/senses/keeper.db"));
  });

  test("a module that never yields does not hang it, and is named", async () => {
    const folder = folderOf({
      "nerve.yaml": "senses: { spins: , waits: , load: }\n",
      "senses/spins/index.ts": "for (;;) {}\n",
      "senses/waits/index.ts": "await new Promise(() => {});\n",
    });
    const { code, stdout, stderr } = await nerve(folder, "check", "--json");
    expect(code).toBe(1);
    const errors = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).error);
    expect(errors.map(({ kind }) => kind)).toEqual(["never-settled", "never-settled"]);
    expect(errors[0].message).toContain("spins");
    expect(errors[1].message).toContain("waits");
    expect(JSON.parse(stdout).senses.map(({ ok }: { ok: boolean }) => ok)).toEqual([false, false, true]);
    expect(leftOf(folder)).toEqual([]);
  });
});

describe("once", () => {
  test("tells the payload, how long it took, which rows changed and what was said", async () => {
    const folder = folderOf({ ...KEEPER, "nerve.yaml": "senses: { keeper: }\n" });
    const file = withNotes(folder, "keeper");
    const { code, stdout } = await nerve(folder, "once", "keeper", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      sense: "keeper",
      outcome: "signal",
      payload: { notes: 3 },
      payloads: [{ notes: 3 }],
      duration_ms: expect.any(Number),
      rows: [{ table: "notes", inserted: 2, updated: 2, deleted: 1 }],
      migrations: [],
      logs: [
        { level: "info", event: "output", message: "printed \x1b[31mred", data: null },
        { level: "warn", event: "log", message: "careful", data: { why: "because" } },
      ],
      error: null,
      scratch: null,
    });
    const human = await nerve(folder, "once", "keeper");
    expect(human.stdout).toStartWith('{\n  "notes": 3\n}\ntook ');
    expect(human.stdout).toMatch(/^rows +notes \+2 ~2 -1$/m);
    expect(human.stdout).toMatch(/^printed +printed \\u\{1b\}\[31mred$/m);
    expect(human.stdout).toMatch(/^logged +warn careful {2}why because$/m);
    expect(rowsOf(file)).toHaveLength(2);
    expect(leftOf(folder)).toEqual([]);
  });

  test("tells the rows of a table that did not exist before", async () => {
    const folder = folderOf({
      "nerve.yaml": "senses: { makes: }\n",
      "senses/makes/index.ts": `import { sql } from "drizzle-orm";\n${returns("db.run(sql`CREATE TABLE made (a)`); db.run(sql`INSERT INTO made VALUES (1), (2)`); return null;")}`,
    });
    const { code, stdout } = await nerve(folder, "once", "makes", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: "no-signal",
      rows: [{ table: "made", inserted: 2, updated: 0, deleted: 0 }],
    });
  });

  test("null is no signal", async () => {
    const folder = folderOf({ "nerve.yaml": "senses: { quiet: }\n", "senses/quiet/index.ts": returns("return null;") });
    const { code, stdout } = await nerve(folder, "once", "quiet");
    expect(code).toBe(0);
    expect(stdout).toStartWith("quiet: no signal\n");
    expect(stdout).toMatch(/^rows +none changed$/m);
  });

  test("reads the real peers, and the blobs there are", async () => {
    const digest = new Bun.CryptoHasher("sha256").update("hello").digest("hex");
    const folder = folderOf({
      ...KEEPER,
      "nerve.yaml": "senses: { keeper: , reader: }\n",
      "senses/reader/index.ts": `import { notes } from "../keeper/schema.ts";
export const compute = async (db, peers, { blobs }) => {
  const found = Buffer.from(await blobs.get({ $blob: "${digest}", size: 5, type: "text/plain" })).toString();
  const put = await blobs.put("new", { type: "text/plain" });
  return { notes: peers.keeper.select().from(notes).all().length, found, put: put.size };
};
`,
    });
    withNotes(folder, "keeper");
    const blob = `data/blobs/sha256/${digest.slice(0, 2)}/${digest.slice(2)}`;
    folder.write(blob, "hello");
    const { stdout } = await nerve(folder, "once", "reader", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ payload: { notes: 2, found: "hello", put: 3 } });
    expect(readFileSync(join(folder.path, blob), "utf8")).toBe("hello");
    expect(readdirSync(join(folder.path, "data/blobs/sha256"))).toHaveLength(1);
    expect(leftOf(folder)).toEqual([]);
  });

  test("a compute that throws ends with 1, and names the place in the author's own file", async () => {
    const folder = folderOf({
      "nerve.yaml": "senses: { throws: }\n",
      "senses/throws/index.ts": `const inner = () => {\n  throw new TypeError("boom");\n};\n${returns("inner(); return null;")}`,
    });
    const { code, stdout, stderr } = await nerve(folder, "once", "throws", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: "failed",
      payload: null,
      error: { kind: "failed", message: "TypeError: boom" },
    });
    const file = join(folder.path, "senses/throws/index.ts");
    expect(JSON.parse(stderr).error).toMatchObject({ kind: "compute.failed", file, line: 2 });
    expect((await nerve(folder, "once", "throws")).stderr).toContain(`called at ${file}:4:`);
  });

  test("a compute past its timeout ends with 1, whether it can be stopped or must be killed", async () => {
    const folder = folderOf({
      "nerve.yaml":
        "senses:\n  soft: { timeout: 100ms }\n  hard: { timeout: 100ms, grace_period: 100ms }\n  dies: {}\n",
      "senses/soft/index.ts": returns("await Bun.sleep(300); return 1;"),
      "senses/hard/index.ts": returns("for (;;) {}"),
      "senses/dies/index.ts": returns("process.kill(process.pid, 'SIGSEGV'); await Bun.sleep(5_000); return 1;"),
    });
    for (const [name, outcome, words] of [
      ["soft", "timed-out", "passed its timeout of 100ms"],
      ["hard", "killed", "had not settled after its timeout of 100ms and grace period of 100ms"],
      ["dies", "killed", "its worker died during the compute"],
    ] as const) {
      const { code, stdout, stderr } = await nerve(folder, "once", name, "--json");
      expect(code, name).toBe(1);
      expect(JSON.parse(stdout).outcome, name).toBe(outcome);
      expect(JSON.parse(stderr).error.message, name).toContain(words);
    }
    expect(leftOf(folder)).toEqual([]);
  });

  test("a sense that does not load ends with 1, one that is not configured with 2", async () => {
    const folder = folderOf({ "nerve.yaml": "senses: { load: , broken: , gone: }\n", "senses/broken/index.ts": "(" });
    expect((await nerve(folder, "once", "broken")).code).toBe(1);
    expect((await nerve(folder, "once", "gone")).code).toBe(1);
    const { code, stderr } = await nerve(folder, "once", "laod");
    expect(code).toBe(2);
    expect(stderr).toContain("did you mean `load`?");
  });

  test("--keep keeps the folder, private and without what the counting needed", async () => {
    const folder = folderOf({ ...KEEPER, "nerve.yaml": "senses: { keeper: }\n" });
    const { stdout } = await nerve(folder, "once", "keeper", "--keep", "--json");
    const { scratch } = JSON.parse(stdout);
    expect(lstatSync(scratch).mode & 0o777).toBe(0o700);
    const db = new Database(join(scratch, "senses/keeper.db"), { readonly: true });
    const names = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE name LIKE '%nerve%'").all();
    expect(names).toEqual([]);
    expect(db.query("SELECT count(*) AS n FROM notes").get()).toEqual({ n: 2 });
    db.close();
    rmSync(scratch, { recursive: true });
    expect(leftOf(folder)).toEqual([]);
  });

  test("Ctrl-C removes the folder and the worker", async () => {
    const folder = folderOf({
      "nerve.yaml": "senses: { slow: }\n",
      "senses/slow/index.ts": returns(
        "await Bun.write(context.options.x ?? 'pid', String(process.pid)); await Bun.sleep(60_000); return 1;",
      ),
    });
    const child = Bun.spawn([...NERVE, "once", "slow"], {
      cwd: folder.path,
      env: { ...process.env, TMPDIR: join(folder.path, "tmp") },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const pid = await until("the sense has written its pid", () => {
      const file = join(folder.path, "pid");
      return existsSync(file) ? Number(readFileSync(file, "utf8")) || null : null;
    });
    expect(leftOf(folder)).toHaveLength(1);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(leftOf(folder)).toEqual([]);
    await until(
      "the worker is gone",
      () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "),
    );
  });
});
