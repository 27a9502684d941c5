/** What lies in a data folder, as two fingerprints: every row of every table, and every byte of every file. */
import { Database } from "bun:sqlite";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The path of each file below `folder` → what `read` makes of it. */
function eachFile(folder: string, read: (path: string) => string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(folder, { recursive: true }) as string[]) {
    const path = join(folder, name);
    if (lstatSync(path).isFile()) found.set(name, read(path));
  }
  return found;
}

const digest = (content: string | Uint8Array): string =>
  new Bun.CryptoHasher("sha256").update(content).digest("hex").slice(0, 16);

/**
 * Each file → the digest of its bytes. Left out is the index of a write-ahead log (`-shm`): a connection that only reads marks in it
 * how far it reads. Source: https://www.sqlite.org/walformat.html#the_wal_index_file_format
 */
export const bytesOf = (data: string): Map<string, string> => {
  const files = eachFile(data, (path) => (path.endsWith("-shm") ? "" : digest(readFileSync(path))));
  for (const name of [...files.keys()]) if (name.endsWith("-shm")) files.delete(name);
  return files;
};

/** Each table of logs.db and of the senses' databases → the digest of its rows. Left out is `meta`, where the kernel notes its time. */
export function rowsOf(data: string): Map<string, string> {
  const rows = new Map<string, string>();
  eachFile(data, (path) => {
    if (!path.endsWith(".db")) return "";
    using db = new Database(path, { readonly: true });
    const tables = db.query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of tables) {
      if (name !== "meta")
        rows.set(`${path} ${name}`, digest(JSON.stringify(db.query(`SELECT * FROM "${name}"`).values())));
    }
    return "";
  });
  return rows;
}
