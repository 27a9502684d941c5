/** What must be of the files: runs follow from their logs, and every log is there once, in the table or in the archive (G8). */
import type { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../../src/model/log.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import type { MemoryDatabase } from "../memory-database.ts";
import { digestOf } from "../store.ts";
import type { Oracle } from "./oracle.ts";
import { violation } from "./report.ts";
import { RowOracle } from "./rows.ts";

interface ArchiveRow {
  readonly file: string;
  readonly first_id: number;
  readonly last_id: number;
}

export class FileOracle {
  readonly #data: string;
  readonly #database: MemoryDatabase;
  readonly #oracle: Oracle;
  /** What was read since all was read: files by their names, and rows of the table up to an id. */
  readonly #read = new Map<string, string>();
  #readUpTo = 0;
  readonly #rows = new RowOracle();

  constructor(data: string, database: MemoryDatabase, oracle: Oracle) {
    this.#data = data;
    this.#database = database;
    this.#oracle = oracle;
  }

  /** Everything is read, and held against what it must be. */
  all(): void {
    const checked = checkStore(this.#data, this.#database.openReader);
    if (!checked.ok) return violation("rebuild", checked.error.message);
    const { differing, faulty, differences, faults } = checked.value;
    if (differing + faulty > 0) violation("rebuild", JSON.stringify([...differences, ...faults].slice(0, 3)));
    this.#read.clear();
    this.#readUpTo = 0;
    this.news();
  }

  /** Every log has its place, and every row follows from them; what is new is read. */
  news(): void {
    using db = this.#database.connect();
    const files = db.query<ArchiveRow, []>("SELECT file, first_id, last_id FROM archive ORDER BY first_id").all();
    const removed = db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'archive_removed_up_to'").get();
    const watermark = files.at(-1)?.last_id ?? Number(removed?.value ?? 0);
    for (const [index, row] of files.entries()) {
      const before = files[index - 1]?.last_id ?? row.first_id - 1;
      if (row.first_id !== before + 1)
        violation("archive", `${row.file} begins at log ${row.first_id}, and ${before + 1} is to come`);
      const place = `${row.first_id} to ${row.last_id}`;
      if (this.#read.get(row.file) !== place) this.#readFile(row);
      this.#read.set(row.file, place);
    }
    this.#readTable(db, watermark);
    this.#rows.look(db, Number(removed?.value ?? 0));
  }

  #see(row: Log, where: string, next: number): void {
    if (row.id !== next) violation("archive", `${where} has log ${row.id}, and ${next} is to come`);
    if (this.#oracle.logs[row.id] !== digestOf(row.id, row))
      violation("archive", `log ${row.id} in ${where} is not what was committed`);
    this.#rows.take(row);
  }

  #readFile({ file, first_id: first, last_id: last }: ArchiveRow): void {
    let next = first;
    for (const line of readFileSync(join(this.#data, "archive", file), "utf8").split("\n")) {
      if (line !== "") this.#see(JSON.parse(line) as Log, file, next++);
    }
    if (next !== last + 1) violation("archive", `${file} ends at log ${next - 1}, and ${last} is its last`);
  }

  #readTable(db: Database, watermark: number): void {
    const after = Math.max(watermark, this.#readUpTo);
    let next = after + 1;
    for (const row of db.query<Log, [number]>("SELECT * FROM logs WHERE id > ? ORDER BY id").all(after))
      this.#see(row, "logs", next++);
    const { lastLog } = this.#oracle;
    if (next !== lastLog + 1) violation("archive", `the newest log is ${next - 1}, and ${lastLog} was committed`);
    this.#readUpTo = lastLog;
    const { rows = 0 } =
      db.query<{ rows: number }, [number]>("SELECT count(*) AS rows FROM logs WHERE id > ?").get(watermark) ?? {};
    if (rows !== lastLog - watermark)
      violation("archive", `${rows} logs lie above log ${watermark}, which is archived, and ${lastLog} is the newest`);
  }
}
