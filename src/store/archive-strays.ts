/** What lies in `data/archive` and in no row of the table `archive`: whose it is, and what to do with it. */
import { join } from "node:path";
import type { ArchiveTable } from "./archive.ts";
import { logsWord } from "./archive-damage.ts";
import { isArchiveName, isTemporaryName } from "./archive-names.ts";
import { endsOf, idIn } from "./archive-reader.ts";

export type Stray =
  /** Its logs are in the table, and the next start removes it: it was not finished, or was to be known next. */
  | { readonly kind: "unfinished" }
  /** Nothing reads it. `why` goes on after its name. */
  | { readonly kind: "foreign"; readonly why: string; readonly remedy: string };

type Archive = Pick<ArchiveTable, "upTo" | "log" | "gaps">;

const MOVE = "move it out of data/archive";

export function strayOf(archive: Archive, folder: string, name: string): Stray {
  if (isTemporaryName(name)) return { kind: "unfinished" };
  const ends = isArchiveName(name) ? endsOf(join(folder, name)) : null;
  if (ends === null) return foreign("it is nothing nerve wrote", MOVE);
  if ([ends.first, ends.last].every((line) => isInTable(archive, line))) return { kind: "unfinished" };
  const [first, last] = [idIn(ends.first), idIn(ends.last)];
  if (first === null || last === null) return foreign("it does not begin and end as nerve's do", MOVE);
  const logs = `it holds ${logsWord(first, last)}`;
  if (archive.gaps().some(({ after, upTo }) => first <= upTo && last > after))
    return foreign(`${logs}, and its row is lost`, "insert it again, from a copy of logs.db");
  const isAhead = last > archive.upTo();
  const whose = isAhead
    ? "that this logs.db, put back from an older copy perhaps, does not have"
    : "of another logs.db";
  return foreign(`${logs} ${whose}`, `nothing reads it: ${MOVE}, or put back the logs.db it belongs to`);
}

const foreign = (why: string, remedy: string): Stray => ({
  kind: "foreign",
  why: `is in no row of the table \`archive\`: ${why}`,
  remedy,
});

function isInTable(archive: Archive, line: string): boolean {
  const id = idIn(line);
  const row = id !== null && id > archive.upTo() ? archive.log(id) : null;
  return row !== null && Bun.deepEquals(row, JSON.parse(line), true);
}
