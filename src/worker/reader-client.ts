/**
 * What drizzle sees in place of a raw connection to another sense's database: it can prepare single reading statements
 * and nothing else. There is no way from it to the connection (G6).
 */
import type { Database, Statement } from "bun:sqlite";
import { isExplain } from "../sqlite/explain.ts";
import { once } from "../sqlite/once.ts";
import { whyNotReading } from "../sqlite/statements.ts";

/** The part of a bun:sqlite statement drizzle uses. */
export interface ReadingStatement {
  run(...parameters: never[]): never;
  all(...parameters: never[]): unknown[];
  get(...parameters: never[]): unknown;
  values(...parameters: never[]): unknown[][];
}

const refuse = (what: string): never => {
  throw new Error(`a peer's database is read-only: ${what}`);
};

/** `connect` opens the database at the first query and throws PeerNotReady until there is one. */
export function readerClient(connect: () => Database): { prepare(sql: string): ReadingStatement } {
  const checked = new Map<string, string | null>();
  const why = (sql: string): string | null => {
    const known = checked.get(sql);
    if (known !== undefined) return known;
    const found = whyNotReading(sql);
    if (checked.size >= 200) checked.clear();
    checked.set(sql, found);
    return found;
  };
  return Object.freeze({
    prepare(sql: string): ReadingStatement {
      const reason = why(sql);
      if (reason !== null) return refuse(reason);
      const explains = isExplain(sql);
      const read = <T>(how: (statement: Statement) => T): T =>
        explains ? once(connect(), sql, how) : how(connect().query(sql));
      return Object.freeze({
        run: () => refuse("use all, get or values"),
        all: (...parameters: never[]) => read((statement) => statement.all(...parameters)),
        get: (...parameters: never[]) => read((statement) => statement.get(...parameters)),
        values: (...parameters: never[]) => read((statement) => statement.values(...parameters)),
      });
    },
  });
}
