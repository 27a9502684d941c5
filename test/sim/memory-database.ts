/**
 * logs.db of a simulated host: a real SQLite file, which is in memory (SQLite's VFS `memdb`). Kernels open and close it, and
 * readers beside them, as they do on a disk; the file ends with the host. In place of a WAL it has a rollback journal.
 */
import { constants, Database } from "bun:sqlite";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ok } from "../../src/base/result.ts";
import type { openReader } from "../../src/sqlite/open.ts";
import type { OpenWriter } from "../../src/store/open.ts";

const { SQLITE_OPEN_URI, SQLITE_OPEN_READWRITE, SQLITE_OPEN_CREATE } = constants;

/** More than any database of a simulated host needs: no page of it is ever missing. */
const STAND_IN_BYTES = 2 ** 36;

export class MemoryDatabase {
  #uri: string;
  /** Where a kernel would have the file. What lies there is empty, and long enough. */
  readonly #path: string;
  /** The file in memory is there as long as somebody has it open. */
  #holder: Database;
  #copies = 0;

  constructor(name: string, data: string) {
    this.#uri = `file:/nerve-sim-${name}?vfs=memdb`;
    this.#path = join(data, "logs.db");
    for (const ending of ["", "-wal"]) writeFileSync(`${this.#path}${ending}`, "");
    truncateSync(this.#path, STAND_IN_BYTES);
    this.#holder = this.connect();
  }

  /** Copies the file as it is now. Whoever calls the result puts the copy in its place; nobody may have the file open. */
  copied(): () => void {
    const uri = this.#uri.replace("?", `-${++this.#copies}?`);
    const holder = this.#open(uri);
    using db = this.connect();
    db.run("VACUUM INTO ?", [uri]);
    return () => {
      this.#holder.close(true);
      this.#uri = uri;
      this.#holder = holder;
    };
  }

  connect(): Database {
    return this.#open(this.#uri);
  }

  #open(uri: string): Database {
    const db = new Database(uri, SQLITE_OPEN_URI | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return Object.defineProperty(db, "filename", { value: this.#path });
  }

  readonly openWriter: OpenWriter = () => {
    const db = this.connect();
    db.run("PRAGMA journal_mode = MEMORY");
    db.run("PRAGMA synchronous = OFF");
    db.run("PRAGMA foreign_keys = ON");
    db.run("PRAGMA trusted_schema = OFF");
    return ok(db);
  };

  readonly openReader: typeof openReader = () => {
    const db = this.connect();
    db.run("PRAGMA query_only = ON");
    return ok(db);
  };

  close(): void {
    this.#holder.close(true);
  }
}
