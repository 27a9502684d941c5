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

/** The owner makes this table last, after its first migrations: until then the database is still being set up. */
const IS_SET_UP = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_outbox'";

/**
 * A handle on the database of sense `name` at `file`. Opening costs nothing; a query before the file is there throws
 * {@link PeerNotReady}, later ones look again.
 */
export function openPeerDb(name: string, file: string): PeerHandle {
  let connection: Database | null = null;
  const connect = (): Database => {
    if (connection) return connection;
    const opened = openReader(file);
    if (!opened.ok) {
      if (opened.error.kind === "missing") throw new PeerNotReady(name);
      throw new Error(`the database of sense "${name}" cannot be read: ${opened.error.message}`);
    }
    if (once(opened.value, IS_SET_UP, (statement) => statement.get()) === null) {
      opened.value.close(true);
      throw new PeerNotReady(name);
    }
    connection = opened.value;
    return connection;
  };

  let drizzled: Record<string, unknown> | null = null;
  const orm = (): Record<string, unknown> => {
    if (drizzled === null) {
      const { drizzle } = require("drizzle-orm/bun-sqlite") as typeof import("drizzle-orm/bun-sqlite");
      drizzled = drizzle({ client: readerClient(connect) as unknown as Database }) as unknown as Record<
        string,
        unknown
      >;
    }
    return drizzled;
  };
  const verbs = VERBS.map((verb) => [
    verb,
    (...parameters: unknown[]) => {
      const real = orm();
      return (real[verb] as (...parameters: unknown[]) => unknown).apply(real, parameters);
    },
  ]);
  return {
    database: Object.freeze(Object.fromEntries(verbs)) as PeerDatabase,
    close() {
      connection?.close(true);
      connection = null;
    },
  };
}
