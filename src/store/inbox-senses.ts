/** The table of what is known of senses with an inbox: what they took last, and how they are tried again after a failure. */
import type { Database } from "bun:sqlite";
import { prepared } from "../sqlite/prepared.ts";
import { isCount } from "./columns.ts";
import { hasInbox } from "./inbox.ts";

/** What is known of a sense with an inbox. */
export interface InboxSense {
  readonly sense: string;
  /** The newest item that it is known to have taken, or null. */
  readonly taken: { readonly origin: string; readonly upTo: number } | null;
  readonly alone: number;
}

interface Row {
  readonly sense: string;
  readonly origin: unknown;
  readonly up_to: unknown;
  readonly alone: unknown;
}

const ALL = "SELECT sense, origin, up_to, alone FROM inbox_senses";

/** What cannot be read is taken for nothing: the sense is tried again as if for the first time. */
const senseOf = ({ sense, origin, up_to, alone }: Row): InboxSense => ({
  sense,
  taken: typeof origin === "string" && isCount(up_to) ? { origin, upTo: up_to } : null,
  alone: isCount(alone) ? alone : 0,
});

export function inboxSenseTable(db: Database) {
  const taken = prepared(
    db,
    `INSERT INTO inbox_senses (sense, origin, up_to, alone) VALUES (?, ?, ?, ?) ON CONFLICT (sense)
     DO UPDATE SET origin = excluded.origin, up_to = excluded.up_to, alone = excluded.alone`,
  );
  return {
    all: (): InboxSense[] => (hasInbox(db) ? db.query<Row, []>(ALL).all().map(senseOf) : []),
    put: ({ sense, taken: newest, alone }: InboxSense): void =>
      void taken().run(sense, newest?.origin ?? null, newest?.upTo ?? 0, alone),
  };
}
