/** The table of requests to inboxes whose sender gave them an identity: the same request may come again. */
import type { Database } from "bun:sqlite";

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

export function inboxRequestTable(db: Database) {
  return {
    byIdentity: (sense: string, identity: string): InboxRequest | null =>
      db
        .query<InboxRequest, [string, string]>(
          "SELECT first, items, sense, identity, digest, elapsed FROM inbox_requests WHERE sense = ? AND identity = ?",
        )
        .get(sense, identity),
    /** Takes the place of an older one with its identity. */
    put: ({ first, items, sense, identity, digest, elapsed }: InboxRequest): void =>
      void db
        .query(
          "INSERT OR REPLACE INTO inbox_requests (first, items, sense, identity, digest, elapsed) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .run(first, items, sense, identity, digest, elapsed),
    /** Whether the oldest one came before `elapsed`. */
    isOlderThan(elapsed: number): boolean {
      const oldest = db
        .query<{ elapsed: number }, []>("SELECT elapsed FROM inbox_requests ORDER BY first LIMIT 1")
        .get();
      return oldest !== null && oldest.elapsed < elapsed;
    },
    /** Of a sense, the newest one beyond the `known` newest; null: there are no more than those. */
    newestBeyond: (sense: string, known: number): { readonly sense: string; readonly first: number } | null =>
      db
        .query<{ sense: string; first: number }, [string, number]>(
          "SELECT sense, first FROM inbox_requests WHERE sense = ? ORDER BY first DESC LIMIT 1 OFFSET ?",
        )
        .get(sense, known),
    /** Returns how many went. */
    forgetBefore: (elapsed: number, limit: number): number =>
      db
        .query(
          "DELETE FROM inbox_requests WHERE first IN (SELECT first FROM inbox_requests ORDER BY first LIMIT ?) AND elapsed < ?",
        )
        .run(limit, elapsed).changes,
    forgetUpTo: (sense: string, first: number, limit: number): number =>
      db
        .query(
          "DELETE FROM inbox_requests WHERE first IN (SELECT first FROM inbox_requests WHERE sense = ? AND first <= ? ORDER BY first LIMIT ?)",
        )
        .run(sense, first, limit).changes,
  };
}
