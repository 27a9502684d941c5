/**
 * Which runs live, noted in `meta` now and then: a record beside the rows of the runs. A start holds the rows against it,
 * so that a run whose row is lost, or says that the run has ended, is found. The logs after the note say which runs began and
 * ended since: a start reads these, and no others.
 */
import type { Database } from "bun:sqlite";
import { isJsonObject, readJson } from "../base/json.ts";
import { ENDINGS } from "../model/run.ts";
import { isCount, isId } from "./columns.ts";
import { lastIdOf } from "./sequence.ts";

const KEY = "live_runs";
/** Where there is no note, the logs are read from so many before the newest on. */
const MOST_LOGS = 100_000;

/** By id: the first log of the run. */
export type LiveRuns = ReadonlyMap<number, number>;

export interface Living {
  readonly runs: LiveRuns;
  /** The note is gone or damaged: a run that began before the logs that were read is known by its row alone. */
  readonly isNoteLost: boolean;
}

interface Note {
  readonly upTo: number;
  readonly runs: readonly (readonly [number, number])[];
}

const BORDERS = ["run.queued", ...ENDINGS.map((ending) => `run.${ending}`)];

export class LiveRunsNote {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** `upTo`: the newest log that is committed. Inside a commit of the store. */
  write(upTo: number, runs: LiveRuns): void {
    const value = JSON.stringify({ up_to: upTo, runs: [...runs] });
    this.#db
      .query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(KEY, value);
  }

  /** Takes as many steps as there are logs after the note. */
  living(): Living {
    const last = lastIdOf(this.#db, "logs");
    const note = this.#read(last);
    const runs = new Map(note?.runs);
    const since = this.#db.query<{ id: number; run: unknown; event: string }, [number, string]>(
      "SELECT id, run, event FROM logs NOT INDEXED WHERE id > ? AND run IS NOT NULL AND event IN (SELECT value FROM json_each(?))",
    );
    const from = note?.upTo ?? Math.max(0, last - MOST_LOGS);
    for (const { id, run, event } of since.iterate(from, JSON.stringify(BORDERS))) {
      if (!isId(run)) continue;
      if (event === "run.queued") runs.set(run, id);
      else runs.delete(run);
    }
    return { runs, isNoteLost: note === null };
  }

  #read(lastLog: number): Note | null {
    const { value = null } =
      this.#db.query<{ value: unknown }, [string]>("SELECT value FROM meta WHERE key = ?").get(KEY) ?? {};
    const note = typeof value === "string" ? readJson(value) : undefined;
    if (!isJsonObject(note)) return null;
    const { up_to: upTo, runs } = note;
    if (!isCount(upTo) || upTo > lastLog || !Array.isArray(runs) || !runs.every(isPair)) return null;
    return { upTo, runs: runs as unknown as Note["runs"] };
  }
}

const isPair = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && pair.every(isId);
