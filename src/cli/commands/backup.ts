/**
 * Owns `nerve backup`: copies everything that nerve keeps, as it is at one moment, into a folder of its own, and proves a
 * backup.
 */
import { resolve } from "node:path";
import { isDatabase } from "../../backup/layout.ts";
import type { Manifest } from "../../backup/manifest.ts";
import { proveBackup } from "../../backup/prove.ts";
import { isInside, takeBackup } from "../../backup/take.ts";
import { counted } from "../../base/counted.ts";
import { safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok } from "../../base/result.ts";
import { formatSize } from "../../base/size.ts";
import type { Problem } from "../../model/problem.ts";
import { PASSING } from "../../store/tables.ts";
import { COMMIT, VERSION } from "../../version.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { ENDED_BY, EXIT, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { findPlace, type Place } from "../place/place.ts";
import { storeFailure } from "../place/store.ts";
import { print } from "../screen/terminal.ts";

export const command = defineCommand({
  details:
    "logs.db and each sense's database are copied as they are at one moment; archive files and blobs get a second name where\nDIR is on the same file system, and are copied elsewhere. A manifest has the SHA-256 of every file. Works beside a\nrunning daemon, which is not held up, and without one. DIR must not exist: it appears once everything is on disk. The\nnext backup removes what a killed one left there. With --check nothing is written: exit code 1 with the name of each\nfile that is not as it was written, and with the findings of `rebuild --check`, `archive verify` and SQLite.",
  arguments: [{ name: "dir", required: true }],
  options: { check: flag("prove the backup in DIR") },
  examples: [
    ["nerve backup /var/backups/nerve/$(date +%F)", "a backup of today"],
    ["nerve backup --check /var/backups/nerve/2026-11-28", "is it whole?"],
  ],
  async run({ arguments: [dir = ""], options, config, json }) {
    const folder = resolve(dir);
    if (options.check) return check(folder, json);
    const place = findPlace(config);
    return place.ok ? take(place.value, folder, json) : place;
  },
});

async function take(place: Place, folder: string, json: boolean): Promise<Outcome> {
  if (isInside(place.data, folder)) {
    return usageError(`${folder} lies inside the data directory`, "a backup belongs elsewhere, best on another disk");
  }
  endBySignals();
  process.umask(0o077);
  const taken = await takeBackup(place.data, folder, { version: VERSION, commit: COMMIT });
  if (!taken.ok) return refusal(place, taken.error);
  print(json ? safeJson({ directory: folder, ...summary(taken.value) }) : sentence("backed up", folder, taken.value));
  return ok(EXIT.done);
}

/** Makes a signal end the process in order, which removes a half-made backup. */
function endBySignals(): void {
  for (const [signal, code] of Object.entries(ENDED_BY))
    process.on(signal as keyof typeof ENDED_BY, () => process.exit(code));
}

function refusal(place: Place, found: Problem): Outcome {
  if (found.kind === "exists" || found.kind === "no-folder") return fail(EXIT.usage, found);
  if (found.kind === "store-missing") return storeFailure(place, found);
  return fail(PASSING.has(found.kind.replace("database-", "store-")) ? EXIT.inUse : EXIT.finding, found);
}

async function check(folder: string, json: boolean): Promise<Outcome> {
  const proven = await proveBackup(folder);
  if (!proven.ok) {
    const isNone = proven.error.some(({ kind }) => kind === "no-backup");
    return fail(isNone ? EXIT.usage : EXIT.finding, ...proven.error);
  }
  print(json ? safeJson({ directory: folder, ...summary(proven.value) }) : sentence("whole:", folder, proven.value));
  return ok(EXIT.done);
}

type About = Omit<Manifest, "format">;

const summary = ({ files, ...about }: About) => ({
  ...about,
  databases: files.filter(({ path }) => isDatabase(path)).length,
  archive_files: files.filter(({ path }) => path.startsWith("archive/")).length,
  blobs: files.filter(({ path }) => path.startsWith("blobs/")).length,
  bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
});

function sentence(did: string, folder: string, about: About): string {
  const { databases, archive_files, blobs, bytes, at, last_signal, last_log } = summary(about);
  const what = [
    counted(databases, "database"),
    counted(archive_files, "archive file"),
    counted(blobs, "blob"),
    formatSize(bytes),
  ].join(", ");
  return `${did} ${folder}: ${what}\nas of ${localMoment(at)}, signal ${last_signal} and log ${last_log}`;
}
