/** Owns the sizes of what nerve keeps on disk. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const FILES = ["logs.db", "logs.db-wal"];
const FOLDERS = ["archive"];

/** The names in a folder; none where the folder cannot be read. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const bytesOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function bytesIn(folder: string): number {
  let bytes = 0;
  for (const name of namesIn(folder)) bytes += bytesOf(join(folder, name));
  return bytes;
}

/** `logs.db`, `senses/NAME.db` with what SQLite keeps beside each, and every other folder as a whole. */
export function storeBytes(data: string, senses: Iterable<string>): Map<string, number> {
  const bytes = new Map(FILES.map((file) => [file, bytesOf(join(data, file))]));
  for (const folder of FOLDERS) bytes.set(folder, bytesIn(join(data, folder)));
  for (const sense of senses) {
    const file = join(data, "senses", `${sense}.db`);
    bytes.set(`senses/${sense}.db`, bytesOf(file) + bytesOf(`${file}-wal`));
  }
  return bytes;
}
