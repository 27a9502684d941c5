/** A store with an archiver in this process, and logs of any age to give it. */

import { Database } from "bun:sqlite";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CHANCE } from "../../src/base/chance.ts";
import type { LogLine } from "../../src/base/logger.ts";
import { traceIds } from "../../src/base/trace-id.ts";
import { Journal } from "../../src/kernel/commits/journal.ts";
import { Ledger } from "../../src/kernel/commits/ledger.ts";
import type { Limits } from "../../src/kernel/upkeep/archive-file.ts";
import { Archiver } from "../../src/kernel/upkeep/archiver.ts";
import type { Log } from "../../src/model/log.ts";
import { archiveFolder } from "../../src/store/archive-names.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { storeFile } from "../../src/store/tables.ts";
import { temporaryFolder } from "./folder.ts";
import { HandClock } from "./hand-clock.ts";
import { worldAt } from "./world.ts";

export const DAY_MS = 86_400_000;
export const NOW = Date.UTC(2025, 5, 30, 12);
/** Noon of a day of June 2025. */
export const june = (day: number): number => Date.UTC(2025, 5, day, 12);
export const ALL_LOGS = {
  after: 0,
  before: null,
  sources: [],
  since: null,
  until: null,
  trace: null,
  level: null,
  limit: 1_000_000,
  newest: false,
};

const trace = traceIds(SYSTEM_CHANCE);

/** A log as it is written; `more` says what is not usual about it. */
export const logAt = (at: number, more: Partial<Omit<Log, "id">> = {}): Omit<Log, "id"> => ({
  at,
  level: "info",
  source: "kernel",
  event: "test",
  run: null,
  trace: trace(at),
  message: `at ${at}`,
  data: null,
  ...more,
});

/** What an outsider sees: the rows of each file, and the table. */
export function seenOutside(data: string) {
  const folder = archiveFolder(data);
  const db = new Database(join(data, "logs.db"), { readonly: true });
  try {
    return {
      names: readdirSync(folder).sort(),
      known: db
        .query<{ file: string }, []>("SELECT file FROM archive ORDER BY first_id")
        .all()
        .map(({ file }) => file),
      upTo: Number(
        db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'archived_up_to'").get()?.value ?? 0,
      ),
      table: db.query<Log, []>("SELECT * FROM logs ORDER BY id").all(),
      rowsOf: (name: string): Log[] =>
        readFileSync(join(folder, name), "utf8")
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Log),
    };
  } finally {
    db.close(true);
  }
}

/** G8, as someone outside reads it: files up to the watermark, the table above it. */
export function everyLog(data: string): Log[] {
  const { known, upTo, table, rowsOf } = seenOutside(data);
  return [...known.flatMap(rowsOf).filter(({ id }) => id <= upTo), ...table.filter(({ id }) => id > upTo)];
}

export interface ArchiveBench extends Disposable {
  readonly data: string;
  readonly folder: string;
  readonly clock: HandClock;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly archiver: Archiver;
  /** What the kernel said. */
  readonly said: LogLine[];
  fill(logs: readonly Omit<Log, "id">[]): void;
  /** Moves logs older than `before`. */
  archive(before: number, more?: Partial<Limits>): ReturnType<Archiver["run"]>;
  /** Ends the archiver and takes up another, as a start does. */
  again(): Archiver;
  /** SQL from outside. */
  sql(text: string): void;
}

export function archiveBench(): ArchiveBench {
  const temporary = temporaryFolder();
  const data = temporary.path;
  const folder = archiveFolder(data);
  mkdirSync(folder, { mode: 0o700 });
  const clock = new HandClock(NOW);
  const opened = openStore(data, "normal", clock.bootId, NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
  const said: LogLine[] = [];
  const journal = new Journal(ledger, { write: (line) => said.push(line) }, clock.wallMs);
  const make = (): Archiver => new Archiver({ world: worldAt(clock), store, ledger, folder, journal });
  let archiver = make();
  return {
    data,
    folder,
    clock,
    store,
    ledger,
    get archiver() {
      return archiver;
    },
    said,
    fill: (logs) => store.commit(() => logs.forEach((log) => void store.logs.append(log))),
    archive: (logsBefore, more = {}) => archiver.run({ logsBefore, archiveBefore: null, now: NOW, ...more }),
    again() {
      archiver.stop();
      archiver = make();
      return archiver;
    },
    sql(text) {
      const db = new Database(storeFile(data));
      db.run(text);
      db.close(true);
    },
    [Symbol.dispose]() {
      archiver.stop();
      ledger.flush();
      store.close();
      temporary[Symbol.dispose]();
    },
  };
}
