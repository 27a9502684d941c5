/** Migrations of senses: each file once, whole or not at all; what happened to the files since is noticed and said (G7). */
import { Database } from "bun:sqlite";
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const FIRST = "CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT);\nINSERT INTO things (text) VALUES ('first');\n";
const SECOND =
  "ALTER TABLE things ADD COLUMN more TEXT;\nINSERT INTO things (text) VALUES ('second; with a semicolon');\n";

/** `sense` computes and counts; its migrations are given by name. */
function give(folder: Project, sense: string, migrations: Readonly<Record<string, string>>): void {
  folder.sense(sense, "e2e/pulse");
  for (const [name, sql] of Object.entries(migrations)) folder.write(`senses/${sense}/migrations/${name}`, sql);
}

function configure(folder: Project, senses: readonly string[]): void {
  const reflexes = senses.map((sense) => `- { sense: ${sense}, interval: 200ms }`).join("\n        ");
  folder.write(
    "nerve.yaml",
    `
      senses: { ${senses.map((sense) => `${sense}: {}`).join(", ")} }
      reflexes:
        ${reflexes}`,
  );
}

function read<T>(nerve: Nerve, sense: string, sql: string): T[] {
  using db = new Database(join(nerve.data, "senses", `${sense}.db`), { readonly: true });
  return db.query<T, []>(sql).all();
}

const applied = (nerve: Nerve, sense: string) =>
  read<{ name: string; applied_at: number; checksum: string }>(nerve, sense, "SELECT * FROM _migrations ORDER BY name");

/** Computes came through since the call. */
async function computes(nerve: Nerve, sense: string): Promise<void> {
  const before = nerve.signals(sense).length;
  await until(`${sense} emits twice more`, () => nerve.signals(sense).length > before + 1);
}

async function reasons(nerve: Nerve, senses: readonly string[]): Promise<Record<string, string | null>> {
  const found = await until("every group is up", async () => {
    const { groups, senses } = await nerve.status();
    return groups.every(({ state }) => state === "up") && senses;
  });
  return Object.fromEntries(
    found.filter(({ name }) => senses.includes(name)).map(({ name, reason }) => [name, reason]),
  );
}

test.concurrent("files that could not run twice are applied once, across restarts, with their checksums", async () => {
  using folder = project({});
  give(folder, "grows", { "0001_first.sql": FIRST, "0002_second.sql": SECOND, "notes.txt": "no SQL" });
  configure(folder, ["grows"]);
  let before: unknown = null;
  for (let run = 0; run < 3; run++) {
    await using nerve = await startNerve(folder.path);
    await computes(nerve, "grows");
    const rows = applied(nerve, "grows");
    expect(rows.map(({ name }) => name)).toEqual(["0001_first.sql", "0002_second.sql"]);
    expect(rows[0]?.checksum).toBe(new Bun.CryptoHasher("sha256").update(FIRST).digest("hex"));
    before ??= rows;
    expect(rows as unknown).toEqual(before);
    expect(read(nerve, "grows", "SELECT text FROM things ORDER BY id")).toEqual([
      { text: "first" },
      { text: "second; with a semicolon" },
    ]);
    expect(nerve.logs({ event: "sense.migrated" }).length).toBe(1);
  }
});

test.concurrent("a failing file rolls back whole and leaves those before it; the sense fails, others run, a reload heals", async () => {
  using folder = project({});
  const broken = `INSERT INTO things (text) VALUES ('half');\n${"INSERT INTO nowhere VALUES (1);\n"}`;
  give(folder, "halts", {
    "0001_first.sql": FIRST,
    "0002_second.sql": broken,
    "0003_third.sql": "CREATE TABLE third (a);",
  });
  give(folder, "well", { "0001_first.sql": FIRST });
  configure(folder, ["halts", "well"]);
  await using nerve = await startNerve(folder.path);
  const reason =
    "migration 0002_second.sql failed and was rolled back: no such table: nowhere, at line 2: INSERT INTO nowhere VALUES (1)";
  expect(await reasons(nerve, ["halts", "well"])).toEqual({ halts: reason, well: null });
  await computes(nerve, "well");
  expect(applied(nerve, "halts").map(({ name }) => name)).toEqual(["0001_first.sql"]);
  expect(read(nerve, "halts", "SELECT text FROM things")).toEqual([{ text: "first" }]);
  expect(read(nerve, "halts", "SELECT name FROM sqlite_schema WHERE name = 'third'")).toEqual([]);
  const [log] = nerve.logs({ source: "sense:halts", event: "sense.failed" });
  expect(log?.message).toContain(reason);
  expect(log?.level).toBe("error");
  expect(nerve.signals("halts")).toEqual([]);
  expect((await nerve.post("/trigger", { name: "halts" })).status).toBe(409);

  folder.write("senses/halts/migrations/0002_second.sql", SECOND);
  expect((await nerve.post("/reload")).status).toBe(200);
  await computes(nerve, "halts");
  expect(applied(nerve, "halts").map(({ name }) => name)).toEqual([
    "0001_first.sql",
    "0002_second.sql",
    "0003_third.sql",
  ]);
  expect(read(nerve, "halts", "SELECT text FROM things ORDER BY id")).toEqual([
    { text: "first" },
    { text: "second; with a semicolon" },
  ]);
});

const LATER: Readonly<
  Record<string, { change: (folder: Project) => void; reason: string; fix: (folder: Project) => void }>
> = {
  edited: {
    change: (folder) => folder.write("senses/edited/migrations/0001_first.sql", `${FIRST}-- a word more\n`),
    reason: "migration 0001_first.sql was edited after it was applied; restore it and add a new file instead",
    fix: (folder) => folder.write("senses/edited/migrations/0001_first.sql", FIRST),
  },
  vanished: {
    change: (folder) => folder.remove("senses/vanished/migrations/0001_first.sql"),
    reason: "migration 0001_first.sql was applied and its file is gone; put it back",
    fix: (folder) => folder.write("senses/vanished/migrations/0001_first.sql", FIRST),
  },
  "folder-gone": {
    change: (folder) => folder.remove("senses/folder-gone/migrations"),
    reason: "migration 0001_first.sql was applied and its file is gone; put it back",
    fix: (folder) => give(folder, "folder-gone", { "0001_first.sql": FIRST, "0003_third.sql": SECOND }),
  },
  inserted: {
    change: (folder) => folder.write("senses/inserted/migrations/0002_second.sql", "CREATE TABLE second (a);"),
    reason: "migration 0002_second.sql sorts before 0003_third.sql, which is already applied; give it a later name",
    fix: (folder) => folder.remove("senses/inserted/migrations/0002_second.sql"),
  },
};

test.concurrent("an edited, a vanished and a late-inserted file are refused with what to do, and healed by a reload", async () => {
  using folder = project({});
  const senses = Object.keys(LATER);
  for (const sense of senses) give(folder, sense, { "0001_first.sql": FIRST, "0003_third.sql": SECOND });
  give(folder, "well", { "0001_first.sql": FIRST });
  configure(folder, [...senses, "well"]);
  {
    await using nerve = await startNerve(folder.path);
    for (const sense of senses) await computes(nerve, sense);
  }
  for (const { change } of Object.values(LATER)) change(folder);
  await using nerve = await startNerve(folder.path);
  const expected = Object.fromEntries(Object.entries(LATER).map(([sense, { reason }]) => [sense, reason]));
  expect(await reasons(nerve, [...senses, "well"])).toEqual({ ...expected, well: null });
  await computes(nerve, "well");
  for (const { fix } of Object.values(LATER)) fix(folder);
  expect((await nerve.post("/reload")).status).toBe(200);
  for (const sense of senses) await computes(nerve, sense);
  for (const sense of senses) expect(read(nerve, sense, "SELECT * FROM things").length).toBe(2);
});

const OWN_TRANSACTIONS: Readonly<Record<string, [sql: string, keyword: string, line: number]>> = {
  begins: ["BEGIN;\nCREATE TABLE a (b);", "BEGIN", 1],
  commits: ["CREATE TABLE a (b);\n\ncommit;", "COMMIT", 3],
  ends: ["CREATE TABLE a (b);\n/* so */ END TRANSACTION;", "END", 2],
  "rolls-back": ["CREATE TABLE a (b);\nRollback;", "ROLLBACK", 2],
  vacuums: ["VACUUM", "VACUUM", 1],
  attaches: ["-- here\nATTACH 'other.db' AS other;", "ATTACH", 2],
};

test.concurrent("a file with a transaction, a VACUUM or an ATTACH of its own is refused by line; a trigger's BEGIN is none", async () => {
  using folder = project({});
  for (const [sense, [sql]] of Object.entries(OWN_TRANSACTIONS)) give(folder, sense, { "0001_first.sql": sql });
  const trigger = `${FIRST}CREATE TRIGGER more AFTER INSERT ON things BEGIN
      UPDATE things SET text = CASE WHEN text IS NULL THEN 'none' ELSE text END;
      DELETE FROM things WHERE text = 'COMMIT;';
    END;\nINSERT INTO things (text) VALUES (NULL);`;
  give(folder, "triggers", { "0001_first.sql": trigger });
  const senses = [...Object.keys(OWN_TRANSACTIONS), "triggers"];
  configure(folder, senses);
  await using nerve = await startNerve(folder.path);
  const expected = Object.entries(OWN_TRANSACTIONS).map(([sense, [, keyword, line]]) => [
    sense,
    `migration 0001_first.sql, line ${line}: ${keyword} is not allowed, each file already runs in a transaction of its own`,
  ]);
  expect(await reasons(nerve, senses)).toEqual({ ...Object.fromEntries(expected), triggers: null });
  await computes(nerve, "triggers");
  expect(read(nerve, "triggers", "SELECT text FROM things ORDER BY id")).toEqual([{ text: "first" }, { text: "none" }]);
  for (const sense of Object.keys(OWN_TRANSACTIONS)) {
    expect(read(nerve, sense, "SELECT name FROM sqlite_schema WHERE name = 'a'")).toEqual([]);
  }
  expect(existsSync(join(folder.path, "other.db")) || existsSync(join(nerve.data, "other.db"))).toBe(false);
});
