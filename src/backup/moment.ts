/**
 * Owns the moment of a backup: read transactions on logs.db and on every sense's database that fit one another.
 *
 * A sense commits its rows and their signals (in its `_outbox`) at once. Then the kernel commits the signals, and how far
 * it has taken the outbox (`sense_state.outbox`). A later compute removes the taken rows from the outbox. So a copy of a
 * sense that is older than the copy of logs.db would lack rows of signals that are there. A younger copy loses nothing as
 * long as its outbox still holds everything that logs.db had not taken.
 *
 * Where nobody commits between the first transaction and the last, all are of one moment, and nothing else is needed. Where
 * databases are written so often that no such moment is found soon, the second rule is read off each copy. Nobody waits:
 * neither the kernel nor a worker.
 */
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { SqliteProblem } from "../sqlite/open.ts";
import { type Reading, Snapshot, SnapshotFault } from "../sqlite/snapshot.ts";
import { SENSES, STORE, sensesIn } from "./layout.ts";

/** One moment for all databases is sought for this long. */
const ONE_MOMENT_MS = 1_000;
/** Any moment is sought for this long. */
const GIVE_UP_MS = 60_000;
const LONGEST_PAUSE_MS = 8;

export class Moment {
  readonly isOne: boolean;
  readonly store: Snapshot;
  readonly senses: ReadonlyMap<string, Snapshot>;

  constructor(isOne: boolean, store: Snapshot, senses: ReadonlyMap<string, Snapshot>) {
    this.isOne = isOne;
    this.store = store;
    this.senses = senses;
  }

  close(): void {
    for (const snapshot of [this.store, ...this.senses.values()]) snapshot.close();
  }
}

const number = (value: unknown): number => (typeof value === "number" ? value : 0);

/** True when the outbox of `sense` holds every signal that the kernel had not taken by the moment of `store`. */
export function isCarriedOver(store: Reading, sense: string, database: Reading): boolean {
  const taken = number(store.value("SELECT outbox FROM sense_state WHERE sense = ?", sense));
  if (database.value("SELECT 1 FROM sqlite_schema WHERE name = '_outbox'") === null) return taken === 0;
  const given = number(database.value("SELECT seq FROM sqlite_sequence WHERE name = '_outbox'"));
  const waiting = number(database.value("SELECT count(*) FROM _outbox WHERE id > ?", taken));
  return given - taken === waiting;
}

/** Connections to the databases of a data directory. */
class Connections {
  readonly #data: string;
  readonly store: Snapshot;
  readonly senses = new Map<string, Snapshot>();

  constructor(data: string) {
    this.#data = data;
    this.store = new Snapshot(join(data, STORE));
  }

  /** Connects to new databases. True when every database had a connection already. */
  areAll(): boolean {
    const missing = sensesIn(this.#data).filter((name) => !this.senses.has(name));
    for (const name of missing) this.senses.set(name, new Snapshot(join(this.#data, SENSES, `${name}.db`)));
    return missing.length === 0;
  }

  get all(): readonly Snapshot[] {
    return [this.store, ...this.senses.values()];
  }

  close(): void {
    for (const snapshot of this.all) snapshot.close();
  }
}

/** The problem of a database that is to be copied, in SQLite's words. */
export const databaseProblem = ({ kind, file, message }: SqliteProblem): Problem =>
  problem(`database-${kind}`, message, null, file);

/** Begins every transaction, logs.db first. True when nobody committed meanwhile. */
function begin(all: readonly Snapshot[]): boolean {
  const before = all.map(({ version }) => version);
  for (const snapshot of all) snapshot.begin();
  return all.every(({ version }, index) => version === before[index]);
}

export async function findMoment(data: string): Promise<Result<Moment, Problem>> {
  let connections: Connections | null = null;
  try {
    connections = new Connections(data);
    const { store, senses } = connections;
    const startedAt = performance.now();
    const passed = (ms: number): boolean => performance.now() - startedAt > ms;
    for (connections.areAll(); ; await Bun.sleep(Math.random() * LONGEST_PAUSE_MS)) {
      const isOne = begin(connections.all);
      // A sense may have made its database since.
      if (!connections.areAll()) continue;
      if (isOne) return ok(new Moment(true, store, senses));
      if (!passed(ONE_MOMENT_MS)) continue;
      const apart = [...senses].filter(([name, database]) => !isCarriedOver(store, name, database));
      if (apart.length === 0) return ok(new Moment(false, store, senses));
      if (!passed(GIVE_UP_MS)) continue;
      connections.close();
      const names = apart.map(([name]) => name).join(", ");
      const message = `no moment was found at which logs.db and the databases of ${names} agree: they are written too often`;
      return err(problem("no-moment", message, "try again when less is computed"));
    }
  } catch (error) {
    connections?.close();
    if (error instanceof SnapshotFault) return err(databaseProblem(error.found));
    throw error;
  }
}
