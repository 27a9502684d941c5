/**
 * Owns the process of one query, from its question to its last row. The process can be killed at any moment, and is killed when
 * its time is up: a statement of SQLite cannot be interrupted from within.
 */
import type { Database } from "bun:sqlite";
import type { StatementSync } from "node:sqlite";
import type { Problem } from "../model/problem.ts";
import { problem } from "../model/problem.ts";
import { openReader } from "../sqlite/open.ts";
import { archiveFolder } from "../store/archive-names.ts";
import { storeFile, storeProblem } from "../store/tables.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { ArchivedLogs, chosenFrom } from "./archive.ts";
import { type Attached, Connection } from "./connection.ts";
import type { Question, Refusal, Rows, SqlMessage, SqlParentMessage } from "./messages.ts";
import { ARCHIVE, MOST_SENSES, namedIn, quoted } from "./names.ts";
import { breakdown, notReading, problemAt, refusal } from "./refusals.ts";
import { cellOf, csvLine, distinct, jsonLine, MOST_CHARACTERS, sizeOf, type Value } from "./values.ts";

/** A message holds about so much, at most so many rows, and what came in so long a time. */
const PIECE = { characters: 64 * 1024, rows: 2_000, ms: 100 };
/** The parent ends a query that is late. The process ends itself only where the parent does not. */
const LATE_MS = 2_000;

/** The query has no answer, or no more of it. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(about: Refusal["about"], found: Problem) {
    super(found.message);
    this.refusal = { about, problem: found };
  }
}

/** The rows of a message that is being filled. */
interface Piece {
  readonly rows: Value[][];
  characters: number;
  readonly beganAt: number;
}

const newPiece = (): Piece => ({ rows: [], characters: 0, beganAt: performance.now() });
const isFull = ({ rows, characters, beganAt }: Piece): boolean =>
  rows.length >= PIECE.rows || characters >= PIECE.characters || performance.now() - beganAt >= PIECE.ms;

class Query {
  readonly #channel: Channel<SqlMessage>;
  #more: (() => void) | null = null;

  constructor() {
    this.#channel = openChannel<SqlMessage>((raw) => this.#receive(raw as SqlParentMessage));
  }

  broken(message: string, stack: string | null): void {
    this.#end({ about: "answer", problem: problem("internal", `this is a bug in nerve: ${stack ?? message}`) });
  }

  #receive(message: SqlParentMessage): void {
    if (message.type === "query") void this.#answer(message);
    else this.#more?.();
  }

  #end(refusal: Refusal | null): void {
    this.#channel.leave({ type: "end", refusal });
  }

  async #answer(question: Question): Promise<void> {
    setTimeout(() => process.exit(1), question.limitMs + LATE_MS);
    try {
      await this.#run(question);
      this.#end(null);
    } catch (error) {
      if (error instanceof Refused) return this.#end(error.refusal);
      const found = storeProblem(storeFile(question.data), error);
      if (found !== null) return this.#end({ about: "store", problem: found });
      this.broken((error as Error).message, (error as Error).stack ?? null);
    }
  }

  async #run(question: Question): Promise<void> {
    const { sql, data, days, now } = question;
    const unreadable = notReading(sql);
    if (unreadable !== null) throw new Refused("query", unreadable);
    const known = question.senses.map(({ sense }) => sense);
    const named = namedIn(sql, known);
    const attached = attachedFor(question, named.senses);
    using archived = named.archive ? new ArchivedLogs() : null;
    if (archived !== null) attached.push({ name: ARCHIVE, file: archived.file });
    const store = opened(storeFile(data));
    const connection = new Connection(storeFile(data), attached);
    const statement = prepared(sql, connection, known);
    if (archived !== null) {
      const chosen = chosenFrom(store, data, days, now);
      if (chosen.cut !== null) this.#channel.post({ type: "cut", message: chosen.cut });
      archived.fill(archiveFolder(data), chosen.files, watermarkOf(connection));
    }
    store.close(true);
    await this.#send(statement, question, connection);
  }

  async #send(statement: StatementSync, question: Question, connection: Connection): Promise<void> {
    const names = distinct(statement.columns().map(({ name }) => name));
    this.#channel.post({ type: "columns", names });
    let piece = newPiece();
    try {
      for (const row of statement.iterate() as Iterable<unknown> as Iterable<Value[]>) {
        for (const [at, value] of row.entries()) piece.characters += measured(value, names[at] ?? "");
        piece.rows.push(row);
        if (!isFull(piece)) continue;
        await this.#hand(rowsOf(piece.rows, names, question));
        piece = newPiece();
      }
    } catch (error) {
      if (piece.rows.length > 0) await this.#hand(rowsOf(piece.rows, names, question));
      if (error instanceof Refused) throw error;
      // A pragma is asked about when its rows are read.
      if (connection.refused !== null) throw new Refused("query", refusal(question.sql, error, connection, []));
      const { about, problem: found } = breakdown(error, connection);
      throw new Refused(about, found);
    }
    if (piece.rows.length > 0) await this.#hand(rowsOf(piece.rows, names, question));
  }

  /** Returns once the rows are written, so that no more than one message waits anywhere. */
  async #hand(rows: Rows): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#more = resolve;
    this.#channel.post({ type: "rows", rows });
    await promise;
  }
}

/** Throws for a value that is too large to hand on. */
function measured(value: Value, column: string): number {
  const size = sizeOf(value);
  if (size <= MOST_CHARACTERS) return size;
  const message = `a value of \`${column}\` has ${size} characters, and at most ${MOST_CHARACTERS} are shown`;
  throw new Refused("answer", problem("query", message, "take a part of it: substr(…), length(…)"));
}

function rowsOf(rows: readonly (readonly Value[])[], names: readonly string[], { format }: Question): Rows {
  if (format === "table") return { format, cells: rows.map((row) => row.map(cellOf)) };
  return { format, lines: rows.map((row) => (format === "json" ? jsonLine(names, row) : csvLine(row))) };
}

/** A database that can be read. */
function opened(file: string): Database {
  const reader = openReader(file);
  if (reader.ok) return reader.value;
  const { kind, message } = reader.error;
  throw new Refused("store", problem(`store-${kind}`, message, "put back a copy of the file", file));
}

function attachedFor({ sql, senses }: Question, named: ReadonlyMap<string, string>): Attached[] {
  if (named.size > MOST_SENSES) {
    const message = `the query names ${named.size} senses, and at most ${MOST_SENSES} can be read at once`;
    throw new Refused("query", problemAt(sql, 0, message, "join fewer senses, or ask in two queries"));
  }
  return [...named].map(([name, sense]) => {
    const file = senses.find((one) => one.sense === sense)?.file ?? "";
    const reader = openReader(file);
    if (reader.ok) {
      reader.value.close(true);
      return { name, file };
    }
    const { kind, message } = reader.error;
    if (kind === "missing") {
      const hint = `a sense has a database once it has computed; signals of it are in \`signals\``;
      throw new Refused("query", problemAt(sql, 0, `the sense ${quoted(sense)} keeps no table: ${message}`, hint));
    }
    throw new Refused("store", problem(`store-${kind}`, message, "put back a copy of the file", file));
  });
}

function prepared(sql: string, connection: Connection, known: readonly string[]): StatementSync {
  try {
    const statement = connection.db.prepare(sql);
    statement.setReturnArrays(true);
    statement.setReadBigInts(true);
    return statement;
  } catch (error) {
    const { errcode = 0 } = error as { errcode?: number };
    const found = breakdown(error, connection);
    if (found.about === "store") throw new Refused("store", found.problem);
    if (errcode !== 1 && connection.refused === null) throw new Refused(found.about, found.problem);
    throw new Refused("query", refusal(sql, error, connection, known));
  }
}

/** The last log that the snapshot of the query believes to be in the archive. */
function watermarkOf({ db }: Connection): number {
  const row = db.prepare("SELECT value FROM main.meta WHERE key = 'archived_up_to'").get() ?? {};
  return Number(row.value ?? 0);
}

export function runSql(parentPid: number): void {
  const query = new Query();
  enterWorker(parentPid, (message, stack) => query.broken(message, stack));
}
