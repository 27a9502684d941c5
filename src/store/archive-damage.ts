/** What can be wrong with the archive, and how a reader is told. */
import { join } from "node:path";
import { type Problem, problem } from "../model/problem.ts";
import type { ArchiveFile } from "./archive-names.ts";

/**
 * Logs above `after`, up to `upTo`, that were archived and that cannot be told where: the row of their file is lost, which
 * shows as each names the last log of the file before it; or the watermark is, which is the last log of the newest.
 */
export interface ArchiveGap {
  readonly lost: "row" | "watermark";
  readonly after: number;
  readonly upTo: number;
}

/** Archived logs cannot be had: reading goes no further, for they are nowhere else. */
export class ArchiveDamaged extends Error {
  readonly problem: Problem;

  /** `upTo`: the last of the logs that cannot be had; null: which there are cannot be told. */
  constructor(path: string, why: string, remedy: string, upTo: number | null) {
    super(`${path} ${why}`);
    this.name = "ArchiveDamaged";
    const above = upTo === null ? "" : `; \`nerve logs --after ${upTo}\` lists what lies above`;
    const hint = `${remedy}${above}`;
    this.problem = problem("archive-damaged", this.message, hint, path);
  }
}

/** A file that does not hold what the table says it holds. */
export const damagedFile = (folder: string, { file, last_id }: ArchiveFile, why: string): ArchiveDamaged => {
  const remedy = "`nerve archive verify` names every damaged file; put back an untouched copy";
  return new ArchiveDamaged(join(folder, file), why, remedy, last_id);
};

/** `log 4`, `logs 4 to 9`. */
export const logsWord = (first: number, last: number): string =>
  first === last ? `log ${first}` : `logs ${first} to ${last}`;

export const damagedByGap = (folder: string, { lost, after, upTo }: ArchiveGap): ArchiveDamaged => {
  const logs = `has ${logsWord(after + 1, upTo)}, but`;
  if (lost === "watermark") {
    const why = `${logs} by \`archived_up_to\` in \`meta\` the archive ends with log ${after}`;
    const remedy = `\`nerve archive verify\` says whether the row of the newest file is right; if so set the watermark to ${upTo}`;
    return new ArchiveDamaged(folder, why, remedy, upTo);
  }
  const remedy = "`nerve archive verify` looks which file it is; insert its row again, from a copy of logs.db";
  return new ArchiveDamaged(folder, `${logs} no row of the table \`archive\` tells in which file`, remedy, upTo);
};
