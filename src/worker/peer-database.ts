/** Read-only Drizzle handles on other senses' databases, opened at their first query. */
import type { Database } from "bun:sqlite";
import { PeerNotReady } from "../model/peer-not-ready.ts";
import type { PeerDatabase, Peers } from "../sdk/index.ts";
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
    if (opened.value.query(IS_SET_UP).get() === null) {
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

type PeerRecord = Record<string, PeerDatabase>;

/** Fills the record at the first look at it, whatever kind of look that is; then it is an ordinary frozen object. */
class FilledAtFirstLook implements ProxyHandler<PeerRecord> {
  readonly #self: string | null;
  #handles: ReadonlyMap<string, PeerHandle> | null;

  constructor(self: string | null, handles: ReadonlyMap<string, PeerHandle>) {
    this.#self = self;
    this.#handles = handles;
  }

  #filled(record: PeerRecord): PeerRecord {
    if (this.#handles === null) return record;
    for (const [name, { database }] of this.#handles) if (name !== this.#self) record[name] = database;
    this.#handles = null;
    return Object.freeze(record);
  }

  get(record: PeerRecord, key: PropertyKey): unknown {
    return Reflect.get(this.#filled(record), key);
  }

  has(record: PeerRecord, key: PropertyKey): boolean {
    return Reflect.has(this.#filled(record), key);
  }

  ownKeys(record: PeerRecord): (string | symbol)[] {
    return Reflect.ownKeys(this.#filled(record));
  }

  getOwnPropertyDescriptor(record: PeerRecord, key: PropertyKey): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(this.#filled(record), key);
  }

  isExtensible(record: PeerRecord): boolean {
    return Reflect.isExtensible(this.#filled(record));
  }

  preventExtensions(record: PeerRecord): boolean {
    return Reflect.preventExtensions(this.#filled(record));
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  setPrototypeOf(): boolean {
    return false;
  }
}

/**
 * The frozen record an author gets: every sense but `self`. A thousand senses that never look at theirs would
 * hold a million entries, so it is filled when one does.
 */
export const peersFor = (self: string | null, handles: ReadonlyMap<string, PeerHandle>): Peers =>
  new Proxy({}, new FilledAtFirstLook(self, handles));
