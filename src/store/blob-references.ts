/**
 * What refers to blobs, found by reading each signal and each log once, in id order and by slices: of a digest the newest
 * row of each kind is kept, for rows only ever go from the oldest on. Runs change, and are read anew each time.
 */
import type { Database } from "bun:sqlite";
import type { Moment } from "../base/clock.ts";
import { readJson } from "../base/json.ts";
import { prepared } from "../sqlite/prepared.ts";
import { isCount } from "./columns.ts";
import { damagedRow } from "./damage.ts";
import { MetaTable } from "./meta.ts";
import { lastIdOf } from "./sequence.ts";

type Kind = "signal" | "log";

export interface BlobState {
  /** The newest signal and log that refer to it; 0 for none. */
  readonly signal: number;
  readonly log: number;
  /** Since when nothing refers to it, as far as was noticed. */
  readonly unreferenced: Moment | null;
}

interface Text {
  readonly id: number;
  readonly text: string;
}

const MENTION = "$blob";
/** As much text that mentions one is read at once: rows may be short and refer to none, or long and to hundreds. */
const SLICE_CHARS = 256 * 1024;
const DIGEST = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

/** Digests in a text that mentions a blob: rather one too many than one too few, however deep JSON lies within JSON. */
export const digestsIn = (text: string): string[] =>
  text.includes(MENTION) ? [...new Set(text.match(DIGEST) ?? [])] : [];

const SOURCES = {
  signal: { table: "signals", text: "payload" },
  log: { table: "logs", text: "data" },
} as const;

function momentIn(db: Database, digest: string, written: string): Moment {
  const moment = readJson(written) as { [Key in keyof Moment]?: unknown } | null | undefined;
  const isWhole = typeof moment?.bootId === "string" && [moment.bootMs, moment.wallMs].every(Number.isFinite);
  if (!isWhole) throw damagedRow(db.filename, "blob_references", digest, "unreferenced", written, "a moment");
  return moment as unknown as Moment;
}

/** The rows of one table that may refer to blobs. */
class Source {
  readonly #db: Database;
  readonly #meta: MetaTable;
  readonly #table: "signals" | "logs";
  readonly #key: string;
  readonly #first;
  readonly #mentions;
  readonly #note;

  constructor(db: Database, kind: Kind) {
    const { table, text } = SOURCES[kind];
    this.#db = db;
    this.#meta = new MetaTable(db);
    this.#table = table;
    this.#key = `blobs_read_${kind}s`;
    this.#first = prepared<{ id: number | null }, []>(db, `SELECT min(id) AS id FROM ${table}`);
    this.#mentions = prepared<Text, [number, number]>(
      db,
      `SELECT id, ${text} AS text FROM ${table} WHERE id > ? AND id <= ? AND instr(${text}, '${MENTION}') > 0`,
    );
    this.#note = prepared(
      db,
      `INSERT INTO blob_references (digest, ${kind}) VALUES (?, ?)
       ON CONFLICT (digest) DO UPDATE SET ${kind} = max(${kind}, excluded.${kind}), unreferenced = NULL`,
    );
  }

  /** Null while the table is empty. */
  firstId(): number | null {
    return this.#first().get()?.id ?? null;
  }

  lastId(): number {
    return lastIdOf(this.#db, this.#table);
  }

  readUpTo(): number {
    const known = this.#meta.count(this.#key) ?? 0;
    // Rows it passes over would be taken for rows that refer to nothing.
    if (known > this.lastId()) throw this.#meta.damaged(this.#key, String(known));
    return known;
  }

  setReadUpTo(id: number): void {
    this.#meta.set(this.#key, String(id));
  }

  mentions(after: number, upTo: number): Iterable<Text> {
    return this.#mentions().iterate(after, upTo);
  }

  note(row: Text): void {
    for (const digest of digestsIn(row.text)) this.#note().run(digest, row.id);
  }
}

export class BlobReferences {
  readonly #db: Database;
  readonly #sources: Readonly<Record<Kind, Source>>;
  readonly #archived;
  readonly #runs;

  constructor(db: Database) {
    this.#db = db;
    this.#sources = { signal: new Source(db, "signal"), log: new Source(db, "log") };
    this.#archived = prepared<{ first: number | null; last: number | null }, []>(
      db,
      "SELECT min(first_id) AS first, max(last_id) AS last FROM archive",
    );
    this.#runs = prepared<{ id: number; input: string | null; output: string | null }, [number, number]>(
      db,
      `SELECT id, input, output FROM workflow_runs
       WHERE id > ? AND id <= ? AND (instr(input, '${MENTION}') > 0 OR instr(output, '${MENTION}') > 0)`,
    );
  }

  /**
   * Reads up to `limit` rows that were not read yet, fewer where they hold much; true when there are no more. What is in
   * the archive alone has to be read before: see `unreadArchive`. Inside a commit of the store.
   */
  read(kind: Kind, limit: number): boolean {
    const source = this.#sources[kind];
    const last = source.lastId();
    const known = source.readUpTo();
    const from = Math.max(known, (source.firstId() ?? last + 1) - 1);
    let upTo = Math.min(last, from + limit);
    if (upTo <= known) return true;
    let chars = 0;
    for (const row of source.mentions(from, upTo)) {
      source.note(row);
      chars += row.text.length;
      if (chars < SLICE_CHARS) continue;
      upTo = row.id;
      break;
    }
    source.setReadUpTo(upTo);
    return upTo === last;
  }

  /** Digests that rows nobody has read yet refer to. */
  unread(): Set<string> {
    const rows = Object.values(this.#sources).flatMap((source) => [
      ...source.mentions(source.readUpTo(), source.lastId()),
    ]);
    return new Set(rows.flatMap(({ text }) => digestsIn(text)));
  }

  /** Logs that were not read and are in the archive alone: those after the first id, up to the second; or null. */
  unreadArchive(): { readonly after: number; readonly upTo: number } | null {
    const { log } = this.#sources;
    const known = log.readUpTo();
    const { last } = this.#archived().get() ?? { last: null };
    const upTo = Math.min(last ?? 0, (log.firstId() ?? Number.POSITIVE_INFINITY) - 1);
    return upTo > known ? { after: known, upTo } : null;
  }

  /** What was read of the archive, up to the log `upTo`. Inside a commit of the store, as what follows. */
  noteArchived(logs: readonly Text[], upTo: number): void {
    for (const log of logs) this.#sources.log.note(log);
    this.#sources.log.setReadUpTo(upTo);
  }

  /** Digests in runs after `afterId`, and the id to go on from: null when these were the last. */
  inRuns(afterId: number, limit: number): { readonly digests: string[]; readonly next: number | null } {
    const last = this.#db.query<{ id: number | null }, []>("SELECT max(id) AS id FROM workflow_runs").get()?.id ?? 0;
    const upTo = afterId + limit;
    const digests = this.#runs()
      .all(afterId, upTo)
      .flatMap(({ input, output }) => digestsIn(`${input} ${output}`));
    return { digests, next: upTo < last ? upTo : null };
  }

  /** The oldest signal and the oldest log there still are, the archive's included. */
  oldest(): { readonly signal: number; readonly log: number } {
    const none = Number.POSITIVE_INFINITY;
    const { first } = this.#archived().get() ?? { first: null };
    const { signal, log } = this.#sources;
    return { signal: signal.firstId() ?? none, log: Math.min(first ?? none, log.firstId() ?? none) };
  }

  /** A blob is never removed for what a damaged row says: this throws `StoreDamaged`. */
  state(digest: string): BlobState | null {
    const row = this.#db
      .query<{ signal: number; log: number; unreferenced: string | null }, [string]>(
        "SELECT signal, log, unreferenced FROM blob_references WHERE digest = ?",
      )
      .get(digest);
    if (row === null) return null;
    const { signal, log, unreferenced } = row;
    if (!isCount(signal)) throw damagedRow(this.#db.filename, "blob_references", digest, "signal", signal, "an id");
    if (!isCount(log)) throw damagedRow(this.#db.filename, "blob_references", digest, "log", log, "an id");
    return { signal, log, unreferenced: unreferenced === null ? null : momentIn(this.#db, digest, unreferenced) };
  }

  setUnreferenced(digest: string, since: Moment | null): void {
    this.#db
      .query(
        `INSERT INTO blob_references (digest, unreferenced) VALUES (?, ?)
         ON CONFLICT (digest) DO UPDATE SET unreferenced = excluded.unreferenced`,
      )
      .run(digest, since === null ? null : JSON.stringify(since));
  }

  forget(digest: string): void {
    this.#db.query("DELETE FROM blob_references WHERE digest = ?").run(digest);
  }

  /** Known digests in order, after `digest`. */
  after(digest: string, limit: number): string[] {
    const rows = this.#db.query<{ digest: string }, [string, number]>(
      "SELECT digest FROM blob_references WHERE digest > ? ORDER BY digest LIMIT ?",
    );
    return rows.all(digest, limit).map((row) => row.digest);
  }
}
