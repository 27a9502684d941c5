/** The table of requests to inboxes whose sender gave them an identity: the same request may come again. */
import type { Database } from "bun:sqlite";
import { prepared } from "../sqlite/prepared.ts";

/** A request that its sender gave an identity. */
export interface InboxRequest {
  /** Id of its first item; the ids of the others follow. */
  readonly first: number;
  readonly items: number;
  readonly sense: string;
  readonly identity: string;
  readonly digest: string;
  /** Elapsed time at which it was accepted. */
  readonly elapsed: number;
}

/** How many requests of a sense there are, or went. */
export interface RequestCount {
  readonly sense: string;
  readonly requests: number;
}

const COLUMNS = "first, items, sense, identity, digest, elapsed";

export function inboxRequestTable(db: Database) {
  const byIdentity = prepared(db, `SELECT ${COLUMNS} FROM inbox_requests WHERE sense = ? AND identity = ?`);
  const put = prepared(db, `INSERT OR REPLACE INTO inbox_requests (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  const forget = prepared(db, "DELETE FROM inbox_requests WHERE sense = ? AND identity = ?");
  const forgetOldest = prepared(
    db,
    "DELETE FROM inbox_requests WHERE first IN (SELECT first FROM inbox_requests WHERE sense = ? ORDER BY first LIMIT ?)",
  );
  return {
    byIdentity: (sense: string, identity: string): InboxRequest | null =>
      byIdentity().get(sense, identity) as InboxRequest | null,
    counts: (): RequestCount[] =>
      db
        .query<RequestCount, []>("SELECT sense, count(*) AS requests FROM inbox_requests GROUP BY sense ORDER BY sense")
        .all(),
    put: ({ first, items, sense, identity, digest, elapsed }: InboxRequest): void =>
      void put().run(first, items, sense, identity, digest, elapsed),
    /** Whether the oldest one came before `elapsed`. */
    isOlderThan(elapsed: number): boolean {
      const oldest = db
        .query<{ elapsed: number }, []>("SELECT elapsed FROM inbox_requests ORDER BY first LIMIT 1")
        .get();
      return oldest !== null && oldest.elapsed < elapsed;
    },
    /** Returns how many went. */
    forget: (sense: string, identity: string): number => forget().run(sense, identity).changes,
    /** Of a sense. Returns how many went. */
    forgetOldest: (sense: string, limit: number): number => forgetOldest().run(sense, limit).changes,
    /** Of those that came before `elapsed`, at most `limit`. Returns which went. */
    forgetBefore(elapsed: number, limit: number): RequestCount[] {
      const sql =
        "DELETE FROM inbox_requests WHERE first IN (SELECT first FROM inbox_requests ORDER BY first LIMIT ?) AND elapsed < ? RETURNING sense";
      const gone = db.query<{ sense: string }, [number, number]>(sql).all(limit, elapsed);
      return [...Map.groupBy(gone, ({ sense }) => sense)].map(([sense, rows]) => ({ sense, requests: rows.length }));
    },
  };
}
