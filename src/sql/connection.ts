/**
 * Owns the connection of a query: logs.db as `main`, the databases of the senses that the query names, and the archive.
 * Everything is opened read-only. SQLite asks about each thing that a statement would do, and is allowed to read and nothing
 * else, so that nothing depends on how the statement is written.
 */
import { constants, DatabaseSync } from "node:sqlite";
import { ARCHIVE } from "./names.ts";

export interface Attached {
  /** The name in the query. */
  readonly name: string;
  readonly file: string;
}

const BUSY_MS = 1_000;
const { SQLITE_OK, SQLITE_DENY, SQLITE_SELECT, SQLITE_READ, SQLITE_FUNCTION, SQLITE_RECURSIVE, SQLITE_PRAGMA } =
  constants;

/** Functions that reach outside of the databases, or into SQLite itself. */
const REFUSED_FUNCTIONS: ReadonlySet<string> = new Set([
  "load_extension",
  "fts3_tokenizer",
  "readfile",
  "writefile",
  "edit",
]);

/** Pragmas that only say something, as `pragma_NAME('…')` in a FROM. */
const SAYING: ReadonlySet<string> = new Set([
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
  "database_list",
  "collation_list",
  "function_list",
  "module_list",
  "pragma_list",
  "compile_options",
  "page_count",
  "page_size",
  "freelist_count",
]);

/** The logs of the table that `archive.logs` has not: together they are every log exactly once (G8). */
const LOGS_ABOVE = `CREATE TEMP VIEW logs AS SELECT * FROM main.logs
  WHERE id > coalesce((SELECT CAST(value AS INTEGER) FROM main.meta WHERE key = 'archived_up_to'), 0)`;

export class Connection {
  readonly db: DatabaseSync;
  readonly attached: readonly Attached[];
  /** What the statement was not allowed to do, in words; null: nothing. */
  refused: string | null = null;

  /** Throws what SQLite says. */
  constructor(store: string, attached: readonly Attached[]) {
    this.attached = [{ name: "main", file: store }, ...attached];
    this.db = new DatabaseSync(store, { readOnly: true, timeout: BUSY_MS, allowExtension: false });
    for (const sql of ["trusted_schema = OFF", "temp_store = MEMORY", "cell_size_check = ON"]) {
      this.db.exec(`PRAGMA ${sql}`);
    }
    for (const { name, file } of attached) this.db.exec(`ATTACH ${literal(file)} AS ${identifier(name)}`);
    if (attached.some(({ name }) => name === ARCHIVE)) this.db.exec(LOGS_ABOVE);
    this.db.exec("PRAGMA query_only = ON");
    this.db.exec("BEGIN");
    this.db.setAuthorizer((action, first, second) => this.#allows(action, first, second));
  }

  /** From here on SQLite asks nobody: for what nerve itself looks for. */
  trust(): void {
    this.db.setAuthorizer(null);
  }

  #allows(action: number, first: string | null, second: string | null): number {
    const refused = why(action, first ?? "", second ?? "");
    if (refused === null) return SQLITE_OK;
    this.refused ??= refused;
    return SQLITE_DENY;
  }
}

function why(action: number, first: string, second: string): string | null {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return null;
    case SQLITE_FUNCTION:
      return REFUSED_FUNCTIONS.has(second.toLowerCase()) ? `the function ${second} is not allowed` : null;
    case SQLITE_PRAGMA:
      return SAYING.has(first.toLowerCase()) ? null : `the pragma ${first} is not allowed`;
    default:
      return "a query can only read";
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
