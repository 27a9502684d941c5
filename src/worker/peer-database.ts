/** Read-only Drizzle handles on other senses' databases, opened at their first query. */
import type { Database } from "bun:sqlite";
import { PeerNotReady } from "../model/peer-not-ready.ts";
import type { PeerDatabase } from "../sdk/index.ts";
import { once } from "../sqlite/once.ts";
import { openReader } from "../sqlite/open.ts";
import { readerClient } from "./reader-client.ts";

export interface PeerHandle {
  readonly database: PeerDatabase;
  close(): void;
}

const VERBS = ["select", "selectDistinct", "with", "$with", "$count", "all", "get", "values"] as const;

type Orm = Record<string, (...parameters: unknown[]) => unknown>;

/** The owner makes this table last, after its first migrations: until then the database is still being set up. */
const IS_SET_UP = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_outbox'";

/**
 * A handle on the database of sense `name` at `file`. Opening costs nothing; a query before the file is there throws
 * {@link PeerNotReady}, later ones look again.
 */
export function openPeerDb(name: string, file: string): PeerHandle {
  const peer = new Peer(name, file);
  return { database: peer.database, close: () => peer.close() };
}

/** What a worker keeps of each other sense. Most of them nobody ever looks at, so everything is made at the first look. */
export class Peer implements PeerHandle {
  readonly #name: string;
  readonly #file: string;
  #connection: Database | null = null;
  #orm: Orm | null = null;
  #database: PeerDatabase | null = null;

  constructor(name: string, file: string) {
    this.#name = name;
    this.#file = file;
  }

  get database(): PeerDatabase {
    this.#database ??= Object.freeze(
      Object.fromEntries(
        VERBS.map((verb) => [verb, (...parameters: unknown[]) => this.#drizzled[verb]?.(...parameters)]),
      ),
    ) as PeerDatabase;
    return this.#database;
  }

  close(): void {
    this.#connection?.close(true);
    this.#connection = null;
  }

  get #drizzled(): Orm {
    if (this.#orm === null) {
      const { drizzle } = require("drizzle-orm/bun-sqlite") as typeof import("drizzle-orm/bun-sqlite");
      const client = readerClient(() => this.#connect());
      this.#orm = drizzle({ client: client as unknown as Database }) as unknown as Orm;
    }
    return this.#orm;
  }

  #connect(): Database {
    if (this.#connection) return this.#connection;
    const opened = openReader(this.#file);
    if (!opened.ok) {
      if (opened.error.kind === "missing") throw new PeerNotReady(this.#name);
      throw new Error(`the database of sense "${this.#name}" cannot be read: ${opened.error.message}`);
    }
    if (once(opened.value, IS_SET_UP, (statement) => statement.get()) === null) {
      opened.value.close(true);
      throw new PeerNotReady(this.#name);
    }
    this.#connection = opened.value;
    return this.#connection;
  }
}
