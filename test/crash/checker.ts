/**
 * What must hold of a data directory after any crash, once nerve has had one quiet run on it and has stopped. Answers
 * every violation as a sentence; reads nothing but files, and none of nerve's own code. What a sense is owed, and what
 * becomes of the rows of its outbox, the model of the simulator says (`test/sim/oracle/senses.ts`).
 */
import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Violations } from "../sim/oracle/report.ts";
import { SenseOracle } from "../sim/oracle/senses.ts";

export interface Expectations {
  /** Senses whose every compute keeps one row `items(n, content)` and returns `{ n, content }`. */
  readonly writers: readonly string[];
  /** Senses that return `{ rows, last }` of a writer's table. */
  readonly peerReaders: readonly string[];
  /** Listener → the senses whose signals it is computed for; it answers each compute with a signal. */
  readonly listeners: Readonly<Record<string, readonly string[]>>;
  /** Writer → its migration files. */
  readonly migrations: Readonly<Record<string, readonly string[]>>;
  /** Lines a reader outside saw committed, as JSON of the whole row; null when nobody looked. */
  readonly history: string | null;
}

interface SignalRow {
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly payload: string;
  readonly cause: number | null;
  readonly trace: string;
}

interface Item {
  readonly n: number;
  readonly content: string;
}

/** At most so many violations of one kind are spelled out. */
const SHOWN = 5;

const listed = (what: string, found: readonly unknown[]): string[] => {
  const shown = found
    .slice(0, SHOWN)
    .map((item) => `${what}: ${typeof item === "string" ? item : JSON.stringify(item)}`);
  return found.length > SHOWN ? [...shown, `${what}: … ${found.length - SHOWN} more`] : shown;
};

function reading<T>(file: string, read: (db: Database) => T): T {
  const db = new Database(file, { readonly: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

function integrity(file: string): string[] {
  try {
    const rows = reading(file, (db) => db.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all());
    const found = rows.map((row) => row.integrity_check).filter((text) => text !== "ok");
    return listed(`integrity of ${file}`, found);
  } catch (error) {
    return [`integrity of ${file}: ${(error as Error).message}`];
  }
}

/** G2: what somebody saw committed is there, unchanged, and nothing appeared behind a reader's cursor. */
function history(signals: ReadonlyMap<number, SignalRow>, text: string): string[] {
  const seen = text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as SignalRow);
  const ids = new Set(seen.map(({ id }) => id));
  const newest = Math.max(0, ...ids);
  const same = (a: SignalRow, b: SignalRow): boolean =>
    (["sense", "at", "payload", "cause", "trace"] as const).every((column) => a[column] === b[column]);
  const missing = seen.filter(({ id }) => !signals.has(id));
  const changed = seen.filter((row) => {
    const kept = signals.get(row.id);
    return kept !== undefined && !same(row, kept);
  });
  const late = [...signals.keys()].filter((id) => id < newest && !ids.has(id));
  return [
    ...listed("a committed signal is missing", missing),
    ...listed("a committed signal has changed", changed),
    ...listed("a signal appeared behind a reader's cursor", late),
    ...(ids.size === seen.length ? [] : ["a reader saw one id twice"]),
  ];
}

/** G7: rows and signals are the same set, each once. */
function agreement(data: string, sense: string, signals: readonly SignalRow[]): string[] {
  const file = join(data, "senses", `${sense}.db`);
  const items = reading(file, (db) => db.query<Item, []>("SELECT n, content FROM items ORDER BY n").all());
  const rows = new Map(items.map((item) => [item.n, item.content]));
  const told = signals.map(({ payload }) => JSON.parse(payload) as Item);
  return [
    ...listed(
      `${sense}: a signal without its row`,
      told.filter(({ n }) => !rows.has(n)),
    ),
    ...outcomeOf(sense, (model) => {
      for (const { n } of items) model.rowKept(sense, n, 0);
      for (const { n } of told) model.signal(sense, n);
    }),
    ...listed(
      `${sense}: row and signal differ`,
      told.filter(({ n, content }) => rows.has(n) && rows.get(n) !== content),
    ),
  ];
}

/** G7: each file once, by its own record and by what it did. */
function migrations(data: string, sense: string, files: readonly string[]): string[] {
  const file = join(data, "senses", `${sense}.db`);
  return reading(file, (db) => {
    const recorded = db.query<{ name: string }, []>("SELECT name FROM _migrations ORDER BY name").all();
    const done = db.query<{ migration: string }, []>("SELECT migration FROM applied ORDER BY migration").all();
    const wanted = [...files].sort().join(" ");
    const found: string[] = [];
    const names = recorded.map(({ name }) => name).join(" ");
    if (names !== wanted) found.push(`${sense}: _migrations has ${names}, not ${wanted}`);
    const effects = done.map(({ migration }) => migration).join(" ");
    if (effects !== wanted) found.push(`${sense}: applied were ${effects}, not ${wanted}`);
    return found;
  });
}

/** Nothing waits in an outbox that the kernel has not taken. */
function outbox(data: string, sense: string, taken: number): string[] {
  const file = join(data, "senses", `${sense}.db`);
  const rows = reading(file, (db) =>
    db.query<{ id: number }, [number]>("SELECT id FROM _outbox WHERE id > ? ORDER BY id").all(taken),
  );
  return listed(`${sense}: an outbox row was never taken`, rows);
}

/** What the model of a sense finds wrong with what befell it, and with what is left of that. */
function outcomeOf(sense: string, befalls: (model: SenseOracle) => void): string[] {
  const violations = new Violations();
  const model = new SenseOracle();
  if (violations.attempt(() => befalls(model))) violations.attempt(() => model.rested(1));
  return violations.found.map((text) => `${sense}: ${text}`);
}

/**
 * G1: a listener is computed for every signal of its sources, or a log says which compute answered for it. A compute that
 * ended badly has answered as well.
 */
function owed(
  listener: string,
  sources: readonly string[],
  signals: readonly SignalRow[],
  logs: readonly LogRow[],
): string[] {
  const own = logs.filter(({ source }) => source === `sense:${listener}`);
  return outcomeOf(listener, (model) => {
    for (const { id, sense, cause } of signals) {
      if (sources.includes(sense)) model.owes(listener, id, 0);
      if (sense === listener) model.answered(listener, cause);
    }
    for (const { event, data, at } of own) {
      if (event === "compute.coalesced")
        for (const cause of (JSON.parse(data) as { causes: number[] }).causes) model.answered(listener, cause);
      else for (const signal of signals) if (signal.at <= at + FOLDED_MS) model.answered(listener, signal.id);
    }
  });
}

function causes(expected: Expectations, signals: readonly SignalRow[], byId: ReadonlyMap<number, SignalRow>): string[] {
  const wrong = signals.filter(({ id, sense, cause }) => {
    if (cause === null) return false;
    const source = byId.get(cause);
    return source === undefined || cause >= id || !expected.listeners[sense]?.includes(source.sense);
  });
  return listed("a signal whose cause cannot be", wrong);
}

export interface Answers {
  /** Signals a listener was computed for. */
  readonly computed: number;
  /** Signals that a `compute.coalesced` names. */
  readonly coalesced: number;
  /** Signals neither of both: nobody knows what became of them. */
  readonly unanswered: number;
}

interface LogRow {
  readonly at: number;
  readonly source: string;
  readonly event: string;
  readonly data: string;
}

/** Failures are folded into one row a minute. */
const FOLDED_MS = 60_000;
const ANSWERS = "('compute.coalesced', 'compute.failed', 'compute.timed-out')";

/** How the decisions of `listener` were answered, one by one. */
export function answersOf(data: string, listener: string, sources: readonly string[]): Answers {
  return reading(join(data, "logs.db"), (db) => {
    const signals = db.query<SignalRow, []>("SELECT * FROM signals ORDER BY id").all();
    const logs = db.query<LogRow, []>("SELECT * FROM logs WHERE event = 'compute.coalesced'").all();
    const computed = new Set(signals.filter(({ sense }) => sense === listener).map(({ cause }) => cause));
    const coalesced = new Set(
      logs
        .filter(({ source }) => source === `sense:${listener}`)
        .flatMap((row) => (JSON.parse(row.data) as { causes: number[] }).causes),
    );
    const decisions = signals.filter(({ sense }) => sources.includes(sense)).map(({ id }) => id);
    return {
      computed: decisions.filter((id) => computed.has(id)).length,
      coalesced: decisions.filter((id) => coalesced.has(id)).length,
      unanswered: decisions.filter((id) => !computed.has(id) && !coalesced.has(id)).length,
    };
  });
}

/** What SQLite itself finds wrong with any database there is. Holds at every moment, also right after a kill. */
export function findDamage(data: string): string[] {
  const senses = join(data, "senses");
  const own = existsSync(senses) ? readdirSync(senses).filter((name) => name.endsWith(".db")) : [];
  const files = [join(data, "logs.db"), ...own.map((name) => join(senses, name))];
  return files.filter((file) => existsSync(file)).flatMap(integrity);
}

/** After a quiet run that has stopped. */
export function findViolations(data: string, expected: Expectations): string[] {
  const broken = findDamage(data);
  if (broken.length > 0) return broken;
  const store = join(data, "logs.db");
  const { signals, taken, sequence, logs, logSequence, stillOwed, answers } = reading(store, (db) => ({
    signals: db.query<SignalRow, []>("SELECT id, sense, at, payload, cause, trace FROM signals ORDER BY rowid").all(),
    taken: new Map(
      db
        .query<{ sense: string; outbox: number }, []>("SELECT sense, outbox FROM sense_state")
        .all()
        .map(({ sense, outbox }) => [sense, outbox]),
    ),
    sequence: db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'signals'").get()?.seq ?? 0,
    logs: db.query<{ id: number }, []>("SELECT id FROM logs ORDER BY id").all(),
    logSequence: db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'logs'").get()?.seq ?? 0,
    answers: db.query<LogRow, []>(`SELECT at, source, event, data FROM logs WHERE event IN ${ANSWERS}`).all(),
    stillOwed: db.query<{ sense: string }, []>("SELECT sense FROM sense_state WHERE owed IS NOT NULL").all(),
  }));
  const byId = new Map(signals.map((row) => [row.id, row]));
  const of = (sense: string): SignalRow[] => signals.filter((row) => row.sense === sense);
  // Nothing is older than its retention here: ids without a gap, up to the highest ever given.
  const gaps = (rows: readonly { id: number }[]): unknown[] => rows.filter(({ id }, at) => id !== at + 1);
  const peerViews = expected.peerReaders
    .flatMap(of)
    .map(({ payload }) => JSON.parse(payload) as { rows: number; last: number });
  return [
    ...listed("signal ids with a gap", gaps(signals)),
    ...listed("log ids with a gap", gaps(logs)),
    ...(sequence === signals.length ? [] : [`the highest signal id given is ${sequence}, there are ${signals.length}`]),
    ...(logSequence === logs.length ? [] : [`the highest log id given is ${logSequence}, there are ${logs.length}`]),
    ...listed("still owed", stillOwed),
    ...(expected.history === null
      ? []
      : history(byId, existsSync(expected.history) ? readFileSync(expected.history, "utf8") : "")),
    ...causes(expected, signals, byId),
    ...expected.writers.flatMap((sense) => agreement(data, sense, of(sense))),
    ...expected.writers.flatMap((sense) => outbox(data, sense, taken.get(sense) ?? 0)),
    ...listed(
      "a peer saw half a compute",
      peerViews.filter(({ rows, last }) => rows !== last),
    ),
    ...Object.entries(expected.migrations).flatMap(([sense, files]) => migrations(data, sense, files)),
    ...Object.entries(expected.listeners).flatMap(([listener, sources]) => owed(listener, sources, signals, answers)),
  ];
}
