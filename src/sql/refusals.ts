/** Owns the words about a query that SQLite refuses: the place in the query, and what was most likely meant. */
import { Database } from "bun:sqlite";
import { nearest } from "../base/nearest.ts";
import { type Problem, problem } from "../model/problem.ts";
import { tokensOf, whyNotReading } from "../sqlite/statements.ts";
import { type Connection, identifier } from "./connection.ts";
import { ARCHIVE, nearlyNamed, quoted, unquotedIn } from "./names.ts";

/** The name of the query where the name of a file stands in other problems. */
const QUERY = "query";

/** A problem at the character `at` of the query. */
export function problemAt(sql: string, at: number, message: string, hint: string | null): Problem {
  const before = sql.slice(0, at).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  return { kind: "query", message, hint, file: QUERY, line: before.length, column };
}

const INSTEAD: Readonly<Record<string, string>> = {
  PRAGMA: "as a table a pragma can be read: SELECT * FROM pragma_table_info('signals')",
  ATTACH: 'a sense\'s database is attached where the query names the sense: "cpu-usage".samples',
  DETACH: "databases are attached for one query only",
};

/** Why `sql` is not one reading statement; null when it is. */
export function notReading(sql: string): Problem | null {
  const why = whyNotReading(sql);
  if (why === null) return null;
  const tokens = tokensOf(sql);
  const [first] = tokens;
  const semicolon = tokens.find(({ text }) => text === ";");
  const several = why.startsWith("only");
  const at = several ? (tokens.find((token) => token.at > (semicolon?.at ?? 0))?.at ?? 0) : (first?.at ?? 0);
  const hint = several
    ? "one statement a call; WITH … SELECT joins several"
    : (INSTEAD[first?.text.toUpperCase() ?? ""] ?? "`nerve sql` only reads");
  return problemAt(sql, at, several ? "a query is a single statement" : why, hint);
}

/** The place that SQLite names only to a connection of `bun:sqlite`, in characters from 0; null: none. */
function placeIn(sql: string, connection: Connection): number | null {
  const [main, ...others] = connection.attached;
  const db = new Database(main?.file, { readonly: true });
  try {
    for (const { name, file } of others) db.run(`ATTACH ? AS ${identifier(name)}`, [file]);
    db.prepare(sql).finalize();
    return null;
  } catch (error) {
    const { byteOffset = -1 } = error as { byteOffset?: number };
    return byteOffset < 0 ? null : Buffer.from(sql).subarray(0, byteOffset).toString().length;
  } finally {
    db.close();
  }
}

/** The place of the last part of a name in the query; the query's beginning where it stands nowhere. */
function placeOfName(sql: string, name: string): number {
  const wanted = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const bare = (text: string): string => text.replaceAll(/^["`[]|["`\]]$/g, "").toLowerCase();
  return tokensOf(sql).find(({ text }) => bare(text) === wanted)?.at ?? 0;
}

const CODE_AUTH = 23;

/** Why SQLite does not take the statement. */
export function refusal(sql: string, error: unknown, connection: Connection, known: readonly string[]): Problem {
  const { message, errcode } = error as Error & { errcode?: number };
  if (connection.refused !== null || errcode === CODE_AUTH || /not authorized/.test(message)) {
    const words = connection.refused ?? "a query can only read";
    const name = /^the (?:function|pragma) (\w+)/.exec(words)?.[1] ?? "";
    return problemAt(sql, placeOfName(sql, name), words, "`nerve sql` reads the store, senses and the archive");
  }
  connection.trust();
  const [, what = "", name = ""] = /^no such (table|column|function): (.+)$/.exec(message) ?? [];
  const at = (name === "" ? null : placeOfName(sql, name)) ?? 0;
  const place = placeIn(sql, connection) ?? at;
  if (/incomplete input/.test(message)) return problemAt(sql, sql.trimEnd().length, message, "the query breaks off");
  return problemAt(sql, place, message, hintFor(sql, what, name, connection, known));
}

function hintFor(sql: string, what: string, name: string, connection: Connection, known: readonly string[]) {
  const bare = unquotedIn(sql, known);
  if (bare !== null) return `a name with a dash needs quotes: "${bare}".TABLE`;
  if (what === "table") return hintForTable(name, connection, known);
  if (what === "column") return meant(name.slice(name.lastIndexOf(".") + 1), columnsOf(connection));
  if (what === "function") {
    return meant(name, all(connection, "SELECT DISTINCT name FROM pragma_function_list"));
  }
  return null;
}

const meant = (name: string, among: readonly string[]): string | null => {
  const found = nearest(name, among);
  return found === null ? null : `did you mean \`${found}\`?`;
};

function hintForTable(name: string, connection: Connection, known: readonly string[]): string {
  const dot = name.lastIndexOf(".");
  const schema = dot < 0 ? "main" : name.slice(0, dot);
  const table = name.slice(dot + 1);
  if (schema.toLowerCase() === ARCHIVE) return "the archive has one table: `archive.logs`";
  const isThere = connection.attached.some((one) => one.name === schema.toLowerCase());
  if (!isThere) {
    const near = nearlyNamed(name, known);
    const senses = known.length === 0 ? "there are none yet" : known.map(quoted).join(", ");
    return near === null ? `senses are ${senses}` : `did you mean \`${quoted(near)}.${table}\`?`;
  }
  const tables = tablesOf(connection, schema);
  const sense = schema === "main" ? known.find((one) => one === table.toLowerCase()) : undefined;
  if (sense !== undefined) return `\`${sense}\` is a sense: name a table of it, ${quoted(sense)}.TABLE`;
  const listed = tables.length === 0 ? "it has none" : `its tables are ${tables.join(", ")}`;
  return meant(table, tables) ?? listed;
}

const tablesOf = (connection: Connection, schema: string): string[] =>
  all(
    connection,
    `SELECT name FROM ${identifier(schema)}.sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
  );

const columnsOf = (connection: Connection): string[] =>
  connection.attached.flatMap(({ name }) =>
    tablesOf(connection, name).flatMap((table) =>
      all(connection, `SELECT name FROM pragma_table_info('${table.replaceAll("'", "''")}', '${name}')`),
    ),
  );

/** The texts of the first column. None where the database cannot be read. */
function all({ db }: Connection, sql: string): string[] {
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => String(Object.values(row)[0]));
  } catch {
    return [];
  }
}

/** SQLite's codes, without the part that is more exact. Source: https://www.sqlite.org/rescode.html */
const DAMAGE: ReadonlySet<number> = new Set([11, 26]);
const NO_ROOM = 13;
const TOO_LARGE: ReadonlySet<number> = new Set([7, 18]);

/** What broke off an answer. */
export function breakdown(error: unknown, connection: Connection): { about: "store" | "answer"; problem: Problem } {
  const { message, errcode = 0 } = error as Error & { errcode?: number };
  const code = errcode & 0xff;
  if (DAMAGE.has(code)) return { about: "store", problem: damaged(connection, message) };
  if (code === NO_ROOM) {
    const hint = "set TMPDIR to a folder with room: the logs of the archive are laid there";
    return { about: "answer", problem: problem("no-space", `there is no room for a temporary file: ${message}`, hint) };
  }
  const hint = TOO_LARGE.has(code) ? "select less: substr(…), a WHERE, a LIMIT" : null;
  return { about: "answer", problem: problem("query", message, hint) };
}

/** The first of the databases that SQLite itself calls damaged. */
function damaged(connection: Connection, message: string): Problem {
  connection.trust();
  const found = connection.attached.find(({ name }) => {
    try {
      const row = connection.db.prepare(`PRAGMA ${identifier(name)}.quick_check(1)`).get() ?? {};
      return Object.values(row)[0] !== "ok";
    } catch {
      return true;
    }
  });
  const file = found?.file ?? connection.attached[0]?.file ?? "logs.db";
  return problem("store-not-a-database", `${file}: ${message}`, "put back a copy of the file", file);
}
