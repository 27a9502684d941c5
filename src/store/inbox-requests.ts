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
  };
}
