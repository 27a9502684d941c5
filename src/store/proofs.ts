/**
 * Which ids were given, by whatever proves it: rows, what refers to rows, the archive. No id is given twice (G2), even
 * where the sequence that counts them was lost, or logs.db was begun anew beside an archive that knows better.
 */
import type { Database } from "bun:sqlite";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { counted } from "../base/counted.ts";
import type { Log } from "../model/log.ts";
import { archiveFolder, isArchiveName } from "./archive-names.ts";
import { endsOf, idIn, linesOf } from "./archive-reader.ts";
import { highestIn, NUMBERED, type Numbered, raiseSequence } from "./sequence.ts";

const most = (db: Database, sql: string): number => {
  const { id = null } = db.query<{ id: unknown }, []>(sql).get() ?? {};
  return Number.isSafeInteger(id) ? Math.max(0, id as number) : 0;
};

/** The highest ids that tables prove. */
function proven(db: Database): Record<Numbered, number> {
  return {
    signals: Math.max(
      highestIn(db, "signals"),
      most(db, "SELECT max(since) AS id FROM reflexes WHERE typeof(since) = 'integer'"),
      most(db, "SELECT max(signal) AS id FROM blob_references WHERE typeof(signal) = 'integer'"),
      most(db, "SELECT max(signal_id) AS id FROM workflow_runs WHERE typeof(signal_id) = 'integer'"),
    ),
    logs: Math.max(
      highestIn(db, "logs"),
      most(db, "SELECT max(last_id) AS id FROM archive WHERE typeof(last_id) = 'integer'"),
      most(db, "SELECT max(last_log_id) AS id FROM workflow_runs WHERE typeof(last_log_id) = 'integer'"),
    ),
    workflow_runs: Math.max(
      highestIn(db, "workflow_runs"),
      most(db, "SELECT max(run) AS id FROM logs WHERE run IS NOT NULL AND typeof(run) = 'integer'"),
    ),
    incidents: highestIn(db, "incidents"),
    inbox: Math.max(
      highestIn(db, "inbox"),
      most(db, "SELECT max(first + items - 1) AS id FROM inbox_requests WHERE typeof(first + items) = 'integer'"),
      most(db, "SELECT max(up_to) AS id FROM inbox_senses WHERE typeof(up_to) = 'integer'"),
    ),
  };
}

export interface Restored {
  readonly table: Numbered;
  readonly from: string;
  readonly to: number;
}

/** Raises each sequence to what is proven, and to what `further` says. Inside a transaction. */
export function restoreSequences(db: Database, further: Record<Numbered, number>): Restored[] {
  const floors = proven(db);
  return NUMBERED.flatMap((table) => {
    const to = Math.max(floors[table], further[table]);
    const from = raiseSequence(db, table, to);
    return from === null ? [] : [{ table, from: String(from), to }];
  });
}

export const NO_PROOF: Record<Numbered, number> = { signals: 0, logs: 0, workflow_runs: 0, incidents: 0, inbox: 0 };

/** What lies in a data directory that only a store of before can have put there. */
interface Remains {
  /** Names of the files of the archive. */
  readonly files: readonly string[];
  /** How many databases of senses. */
  readonly senses: number;
}

/** Null: there is nothing, as before a first start. */
function remainsIn(data: string): Remains | null {
  const files = namesOr(archiveFolder(data)).filter(isArchiveName);
  const senses = namesOr(join(data, "senses")).filter(
    (name) => name.endsWith(".db") && (statSync(join(data, "senses", name), { throwIfNoEntry: false })?.size ?? 0) > 0,
  );
  return files.length === 0 && senses.length === 0 ? null : { files, senses: senses.length };
}

const remainsWords = ({ files, senses }: Remains): string =>
  `${counted(files.length, "archive file")} and ${counted(senses, "database")} of senses`;

/** Of a logs.db that is not there: what lies beside it, in words. Null where no nerve has kept anything. */
export function besideStore(data: string): string | null {
  const remains = remainsIn(data);
  return remains === null ? null : remainsWords(remains);
}

/** What a new logs.db finds in its data directory that it did not make. */
export interface Earlier {
  readonly beside: string;
  readonly ids: Record<Numbered, number>;
}

/** Null: this is a first start. */
export function earlierStore(data: string): Earlier | null {
  const remains = remainsIn(data);
  if (remains === null) return null;
  return { beside: remainsWords(remains), ids: idsInFiles(archiveFolder(data), remains.files) };
}

const namesOr = (folder: string): string[] =>
  existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];

/** What files of the archive prove: their last logs, and the signals, runs and incidents that the newest of them tells of. */
function idsInFiles(folder: string, files: readonly string[]): Record<Numbered, number> {
  const ids = { ...NO_PROOF };
  let newest = "";
  for (const file of files) {
    const last = idIn(endsOf(join(folder, file))?.last ?? "");
    if (last === null || last <= ids.logs) continue;
    ids.logs = last;
    newest = file;
  }
  for (const line of newest === "" ? [] : linesOf(join(folder, newest))) {
    const { run, data } = parsed(line);
    if (Number.isSafeInteger(run)) ids.workflow_runs = Math.max(ids.workflow_runs, run as number);
    for (const [, id] of (data ?? "").matchAll(/"(?:signal|id)":(\d{1,15})/g))
      ids.signals = Math.max(ids.signals, Number(id));
    for (const [, id] of (data ?? "").matchAll(/"incident":(\d{1,15})/g))
      ids.incidents = Math.max(ids.incidents, Number(id));
  }
  return ids;
}

function parsed(line: string): Pick<Log, "run" | "data"> {
  try {
    const { run, data } = JSON.parse(line) as Log;
    return { run, data: typeof data === "string" ? data : null };
  } catch {
    return { run: null, data: null };
  }
}
