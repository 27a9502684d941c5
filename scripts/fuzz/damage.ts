/** One damage to a data directory, chosen by a seed: a byte, a number, a type, a row, a table, a file. */
import { Database } from "bun:sqlite";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

export interface Damage {
  readonly kind: "byte" | "number" | "type" | "row" | "table" | "file";
  /** For people, and for a rerun. */
  readonly what: string;
  /** What was damaged: `logs.db`, `archive/…`. */
  readonly file: string;
  /** Null where no table was meant. */
  readonly table: string | null;
  /** The key of the row it was done to, or null. */
  readonly row: string | null;
}

export type Random = () => number;

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pick = <T>(random: Random, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);

function filesIn(data: string, folder: string): string[] {
  return readdirSync(join(data, folder))
    .filter((name) => statSync(join(data, folder, name)).isFile())
    .map((name) => (folder === "" ? name : `${folder}/${name}`));
}

function someFile(data: string, random: Random): string {
  const chance = random();
  if (chance < 0.6) return "logs.db";
  const archive = filesIn(data, "archive");
  if (chance < 0.8 && archive.length > 0) return pick(random, archive);
  return pick(random, [
    ...filesIn(data, "senses").filter((name) => name.endsWith(".db")),
    ...filesIn(data, "locks"),
    ...filesIn(data, "").filter((name) => /^(?:nerve\.pid|logs\.db-(?:wal|shm))$/.test(name)),
  ]);
}

function damageBytes(data: string, random: Random): Damage {
  const file = someFile(data, random);
  const path = join(data, file);
  const bytes = readFileSync(path);
  if (bytes.length === 0) {
    writeFileSync(path, "garbage that is no database at all");
    return { kind: "byte", what: `${file}: garbage in an empty file`, file, table: null, row: null };
  }
  const at = below(random, bytes.length);
  const length = random() < 0.7 ? 1 : Math.min(bytes.length - at, 2 ** below(random, 13));
  const mask = random() < 0.5 ? 1 << below(random, 8) : 1 + below(random, 255);
  const zero = random() < 0.3;
  for (let index = at; index < at + length; index++) bytes[index] = zero ? 0 : (bytes[index] as number) ^ mask;
  writeFileSync(path, bytes);
  const how = zero ? "zero" : `xor ${mask}`;
  return { kind: "byte", what: `${file}: ${length} bytes at ${at}, ${how}`, file, table: null, row: null };
}

/** Runs SQL on logs.db as another program would, and leaves no write-ahead log. */
function onStore<T>(data: string, act: (db: Database) => T): T {
  const db = new Database(join(data, "logs.db"));
  try {
    return act(db);
  } finally {
    db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close(true);
  }
}

const quoted = (value: unknown): string => {
  if (value === null) return "NULL";
  return typeof value === "number" ? String(value) : `'${String(value).replaceAll("'", "''")}'`;
};

interface Cell {
  readonly table: string;
  readonly column: string;
  readonly where: string;
  readonly row: string;
  readonly value: unknown;
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  reflex_state: ["reflex", "key"],
  sense_state: ["sense"],
  switches: ["name"],
  meta: ["key"],
  archive: ["file"],
  blob_references: ["digest"],
  silences: ["pattern"],
  reflexes: ["name"],
  _migrations: ["name"],
  sqlite_sequence: ["name"],
};

function someRow(
  db: Database,
  random: Random,
): { table: string; where: string; row: string; values: Record<string, unknown> } | null {
  const tables = db
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'")
    .all()
    .map(({ name }) => name);
  const table = pick(random, tables);
  const { n } = db.query<{ n: number }, []>(`SELECT count(*) AS n FROM ${table}`).get() ?? { n: 0 };
  if (n === 0) return null;
  const values = db
    .query<Record<string, unknown>, [number]>(`SELECT * FROM ${table} LIMIT 1 OFFSET ?`)
    .get(below(random, n)) as Record<string, unknown>;
  const keys = KEYS[table] ?? ["id"];
  const where = keys.map((key) => `${key} = ${quoted(values[key])}`).join(" AND ");
  return { table, where, row: keys.map((key) => String(values[key])).join(" "), values };
}

function someCell(db: Database, random: Random, wanted: "number" | "any"): Cell | null {
  const found = someRow(db, random);
  if (found === null) return null;
  const { table, where, row, values } = found;
  const isNumber = (value: unknown): boolean => typeof value === "number" || /^-?\d+$/.test(String(value));
  const columns = Object.keys(values).filter((column) => wanted === "any" || isNumber(values[column]));
  if (columns.length === 0) return null;
  const column = pick(random, columns);
  return { table, column, where, row, value: values[column] };
}

const NUMBERS: readonly ((value: number) => string)[] = [
  () => "-1",
  () => "-7",
  () => "0",
  () => "1.5",
  () => "1e300",
  () => "9223372036854775807",
  () => "-9223372036854775808",
  (value) => String(value + 1),
  (value) => String(value - 1),
  (value) => String(value + 20),
  (value) => String(value * 2),
  (value) => String(value + 1_000_000),
];
const VALUES: readonly string[] = [
  "'abc'",
  "''",
  "x'00ff'",
  "NULL",
  "'0x10'",
  "'1e400'",
  "12.75",
  "'null'",
  "'[]'",
  "'{}'",
  "'{broken'",
  `'{"__proto__":1}'`,
  `'${"[".repeat(70)}${"]".repeat(70)}'`,
  `'${"0".repeat(33)}'`,
];

function setCell(db: Database, { table, column, where }: Cell, value: string): boolean {
  try {
    db.run(`UPDATE ${table} SET ${column} = ${value} WHERE ${where}`);
    return true;
  } catch {
    // A constraint: the next one is tried.
    return false;
  }
}

function damageCell(data: string, random: Random, kind: "number" | "type"): Damage {
  return onStore(data, (db) => {
    for (;;) {
      const cell = someCell(db, random, kind === "number" ? "number" : "any");
      if (cell === null) continue;
      const value = kind === "number" ? pick(random, NUMBERS)(Number(cell.value)) : pick(random, VALUES);
      if (!setCell(db, cell, value)) continue;
      const what = `logs.db: ${cell.table}.${cell.column} = ${value} WHERE ${cell.where}`;
      return { kind, what, file: "logs.db", table: cell.table, row: cell.row };
    }
  });
}

function damageRow(data: string, random: Random): Damage {
  return onStore(data, (db) => {
    for (;;) {
      const found = someRow(db, random);
      if (found === null) continue;
      const { table, where, row } = found;
      db.run(`DELETE FROM ${table} WHERE ${where}`);
      return { kind: "row", what: `logs.db: DELETE FROM ${table} WHERE ${where}`, file: "logs.db", table, row };
    }
  });
}

function damageTable(data: string, random: Random): Damage {
  return onStore(data, (db) => {
    for (;;) {
      const { name: table = "" } = pick(
        random,
        db
          .query<{ name: string }, []>(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
          )
          .all(),
      );
      const columns = db.query<{ name: string }, [string]>("SELECT name FROM pragma_table_info(?)").all(table);
      const column = pick(random, columns).name;
      const sql = pick(random, [
        `DROP TABLE ${table}`,
        `ALTER TABLE ${table} RENAME TO other`,
        `ALTER TABLE ${table} RENAME COLUMN "${column}" TO other`,
        `ALTER TABLE ${table} DROP COLUMN "${column}"`,
        `DELETE FROM ${table}`,
        `CREATE TRIGGER no BEFORE INSERT ON ${table} BEGIN SELECT raise(ABORT, 'no'); END`,
      ]);
      try {
        db.run(sql);
      } catch {
        continue;
      }
      return { kind: "table", what: `logs.db: ${sql}`, file: "logs.db", table, row: null };
    }
  });
}

function damageFile(data: string, random: Random): Damage {
  const folder = random() < 0.1 ? pick(random, ["archive", "senses", "blobs", "locks"]) : null;
  const file = folder ?? someFile(data, random);
  const path = join(data, file);
  const hows: Readonly<Record<string, () => void>> = {
    gone: () => rmSync(path, { recursive: true }),
    empty: () => writeFileSync(path, ""),
    truncated: () => truncateSync(path, below(random, Math.max(1, statSync(path).size))),
    grown: () => writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(1 + below(random, 5_000), 120)])),
    folder: () => {
      rmSync(path, { recursive: true });
      mkdirSync(path);
    },
    pipe: () => {
      rmSync(path, { recursive: true });
      Bun.spawnSync(["mkfifo", path]);
    },
    link: () => {
      renameSync(path, `${path}.away`);
      symlinkSync(`${path}.away`, path);
    },
    garbage: () => writeFileSync(path, "garbage\n".repeat(1 + below(random, 2_000))),
  };
  const how = folder === null ? pick(random, Object.keys(hows)) : pick(random, ["gone", "file"]);
  if (how === "file") {
    rmSync(path, { recursive: true });
    writeFileSync(path, "a plain file");
  } else hows[how]?.();
  return { kind: "file", what: `${file}: ${how}`, file, table: null, row: null };
}

/** Does one damage to `data`, always the same for one seed. */
export function damage(data: string, seed: number): Damage {
  const random = randomFrom(seed);
  const chance = random();
  if (chance < 0.45) return damageBytes(data, random);
  if (chance < 0.63) return damageCell(data, random, "number");
  if (chance < 0.78) return damageCell(data, random, "type");
  if (chance < 0.87) return damageRow(data, random);
  if (chance < 0.92) return damageTable(data, random);
  return damageFile(data, random);
}
