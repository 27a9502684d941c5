/**
 * What must be of blobs: whatever a signal, a log, an archived log or a run refers to is there, and so is what was put less
 * than a day ago. Whoever looks reads every row: a blob goes seldom.
 */
import type { Database } from "bun:sqlite";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BlobDisk } from "../blob-disk.ts";
import type { Machine } from "../machine.ts";
import type { MemoryDatabase } from "../memory-database.ts";
import { DAY, MINUTE } from "../words.ts";
import { violation } from "./report.ts";

interface Row {
  readonly id: number;
  readonly text: string;
}

/** A clock that runs too fast makes a file look older, by as much. */
const SLACK_MS = 5 * MINUTE;

/** Where texts that may refer to a blob are kept. */
const ROWS: Readonly<Record<string, string>> = {
  signal: "SELECT id, payload AS text FROM signals WHERE instr(payload, ?) > 0",
  log: "SELECT id, data AS text FROM logs WHERE instr(data, ?) > 0",
  run: "SELECT id, coalesce(input, '') || coalesce(output, '') AS text FROM workflow_runs WHERE instr(text, ?) > 0",
};

export class BlobOracle {
  readonly #data: string;
  readonly #database: MemoryDatabase;
  readonly #machine: Machine;
  /** When each was put last; and how many times the clock had been set by then. */
  readonly #puts = new Map<string, { readonly at: number; readonly sets: number }>();
  /** How many times somebody has set the clock, or the machine has booted: the age of a file is not known then. */
  #sets = 0;
  /** Blobs that went before the signal that refers to them was committed, a day or more after they were put. */
  readonly #late = new Set<string>();
  removals = 0;

  constructor(data: string, database: MemoryDatabase, machine: Machine) {
    this.#data = data;
    this.#database = database;
    this.#machine = machine;
  }

  clockSet(): void {
    this.#sets++;
  }

  put(digest: string): void {
    this.#puts.set(digest, { at: this.#machine.realMs, sets: this.#sets });
    this.#late.delete(digest);
  }

  removed(digest: string): void {
    this.removals++;
    const put = this.#puts.get(digest);
    const age = this.#machine.realMs - (put?.at ?? 0);
    if (put !== undefined && put.sets === this.#sets && age < DAY - SLACK_MS)
      violation("blob-young", `blob ${digest} is removed ${age} ms after it was put`);
    using db = this.#database.connect();
    const [by] = this.#referring(db, digest);
    if (by !== undefined) violation("blob-removed", `blob ${digest} is removed, and ${by} refers to it`);
    this.#late.add(digest);
  }

  #referring(db: Database, digest: string): string[] {
    const rows = Object.entries(ROWS).flatMap(([kind, sql]) =>
      db
        .query<Row, [string]>(sql)
        .all(digest)
        .map(({ id }) => `${kind} ${id}`),
    );
    const files = db.query<{ file: string }, []>("SELECT file FROM archive").all();
    const archived = files.filter(({ file }) =>
      readFileSync(join(this.#data, "archive", file), "utf8").includes(digest),
    );
    return [...rows, ...archived.map(({ file }) => file)];
  }

  /** Whatever rows refer to is there. */
  all(disk: BlobDisk): void {
    using db = this.#database.connect();
    const isThere = new Map<string, boolean>();
    for (const [kind, sql] of Object.entries(ROWS)) {
      for (const { id, text } of db.query<Row, [string]>(sql).all("$blob")) {
        for (const [, digest = ""] of text.matchAll(/"\$blob\\*":\\*"([0-9a-f]{64})/g)) {
          const known = isThere.get(digest) ?? (this.#late.has(digest) || existsSync(disk.pathOf(digest)));
          isThere.set(digest, known);
          if (!known) violation("blob-lost", `${kind} ${id} refers to blob ${digest}, which is not there`);
        }
      }
    }
  }
}
