/** What must be of the files: runs follow from their logs, and every log is there once, in the table or in the archive (G8). */
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../../src/model/log.ts";
import { checkStore } from "../../../src/store/rebuild-store.ts";
import type { Site } from "../site.ts";
import { digestOf, type Oracle } from "./oracle.ts";
import { violation } from "./report.ts";

export function checkFiles({ data, oracle }: Site): void {
  const checked = checkStore(data);
  if (!checked.ok) return violation("rebuild", checked.error.message);
  const { differing, faulty, differences, faults } = checked.value;
  if (differing + faulty > 0) violation("rebuild", JSON.stringify([...differences, ...faults].slice(0, 3)));
  using db = new Database(join(data, "logs.db"), { readonly: true });
  checkLogs(db, data, oracle);
}

function checkLogs(db: Database, data: string, oracle: Oracle): void {
  const files = db
    .query<{ file: string; first_id: number; last_id: number }, []>(
      "SELECT file, first_id, last_id FROM archive ORDER BY first_id",
    )
    .all();
  const removed = Number(
    db.query<{ value: string }, []>("SELECT value FROM meta WHERE key = 'archive_removed_up_to'").get()?.value ?? 0,
  );
  const watermark = files.at(-1)?.last_id ?? removed;
  let next = files[0]?.first_id ?? watermark + 1;
  const see = (row: Log, where: string): void => {
    if (row.id !== next) violation("archive", `${where} has log ${row.id}, and ${next} is to come`);
    if (oracle.logs[row.id] !== digestOf(row))
      violation("archive", `log ${row.id} in ${where} is not what was committed`);
    next++;
  };
  for (const { file, first_id: first } of files) {
    if (first !== next) violation("archive", `${file} begins at log ${first}, and ${next} is to come`);
    for (const line of readFileSync(join(data, "archive", file), "utf8").split("\n")) {
      if (line !== "") see(JSON.parse(line) as Log, file);
    }
  }
  next = watermark + 1;
  for (const row of db.query<Log, [number]>("SELECT * FROM logs WHERE id > ? ORDER BY id").all(watermark))
    see(row, "logs");
  if (next !== oracle.lastLog + 1)
    violation("archive", `the newest log is ${next - 1}, and ${oracle.lastLog} was committed`);
}
