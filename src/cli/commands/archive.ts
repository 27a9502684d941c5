/** Owns `nerve archive`: the files that hold old logs. */

import { existsSync } from "node:fs";
import { counted } from "../../base/counted.ts";
import { safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { formatSize } from "../../base/size.ts";
import type { Archived } from "../../control/contract.ts";
import { damagedByGap } from "../../store/archive-damage.ts";
import { type ArchiveFile, archiveFolder } from "../../store/archive-names.ts";
import { storeFile } from "../../store/tables.ts";
import { keepVerified } from "../../store/verified.ts";
import { verifyArchive } from "../../store/verify-archive.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, type Failure, fail, type Outcome, usageError } from "../frame/outcome.ts";
import { archiveHere } from "../place/archive-here.ts";
import { ask } from "../place/ask.ts";
import { findPlace, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";

const column = (
  title: string,
  align: "left" | "right",
  rank: number,
  cell: (file: ArchiveFile) => string,
): Column<ArchiveFile> => ({ title, align, rank, cell: (file) => span(cell(file)) });

const COLUMNS: readonly Column<ArchiveFile>[] = [
  column("FILE", "left", 0, ({ file }) => file),
  column("DAY", "left", 4, ({ day }) => day),
  column("ROWS", "right", 0, ({ rows }) => String(rows)),
  column("IDS", "left", 1, ({ first_id, last_id }) => `${first_id}–${last_id}`),
  column("SIZE", "right", 1, ({ bytes }) => formatSize(bytes)),
  column("WRITTEN", "left", 3, ({ at }) => localMoment(at)),
  column("SHA-256", "left", 2, ({ sha256 }) => sha256),
];

async function ls(place: Place, json: boolean): Promise<Outcome> {
  const opened = readStore(place);
  if (!opened.ok) return opened;
  const { archive } = opened.value;
  const { files, damaged } = archive.examined();
  // While a row of a file is damaged, it is not known which logs are missing between files.
  const gaps = damaged.length > 0 ? [] : archive.gaps();
  // `after_id` (the file before) matters only to `verify`.
  if (json) for (const { after_id: _, ...file } of files) print(safeJson(file));
  else if (files.length > 0) print(renderTable(COLUMNS, files, stdoutScreen()).join("\n"));
  else if (gaps.length + damaged.length === 0) remark("no archive files");
  const lost = [...damaged, ...gaps.map((gap) => damagedByGap(archiveFolder(place.data), gap))].map(
    ({ problem: found }) => found,
  );
  return lost.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...lost);
}

async function verify(place: Place, json: boolean): Promise<Outcome> {
  const opened = readStore(place);
  if (!opened.ok) return opened;
  const { files, upTo, findings, problems } = await verifyArchive(opened.value, place.data);
  const rows = files.reduce((sum, file) => sum + file.rows, 0);
  const whole =
    files.length === 0 ? "no archive files" : `${counted(files.length, "file")} with ${counted(rows, "log")}: whole`;
  const [first] = problems;
  const finding =
    first === undefined
      ? ({ state: "ok", message: whole } as const)
      : ({ state: "damaged", message: first.message } as const);
  keepVerified(place.data, "archive", { at: Date.now(), ...finding });
  if (json) print(safeJson({ files: files.length, rows, archived_up_to: upTo, damaged: findings }));
  else if (findings.length === 0) print(whole);
  if (findings.length === 0) return ok(EXIT.done);
  return fail(EXIT.finding, ...problems);
}

/** The daemon archives; where none runs, this process does. */
async function archived(place: Place): Promise<Result<Archived, Failure>> {
  const answer = await ask<Archived>(place, "/archive", {});
  if (answer.ok || answer.error.code !== EXIT.unreachable || place.config === null) return answer;
  if (existsSync(storeFile(place.data))) return archiveHere(place.config);
  const opened = readStore(place);
  return opened.ok ? answer : opened;
}

const sentence = ({ files, rows, removed_files, signals }: Archived): string =>
  [
    files === 0 ? "no logs are old enough to move" : `${counted(rows, "log")} moved to ${counted(files, "file")}`,
    ...(removed_files === 0 ? [] : [`${counted(removed_files, "archive file")} removed`]),
    `${counted(signals, "signal")} removed`,
  ].join("; ");

async function run(place: Place, json: boolean): Promise<Outcome> {
  const done = await archived(place);
  if (!done.ok) return done;
  print(json ? safeJson(done.value) : sentence(done.value));
  return ok(EXIT.done);
}

const ACTIONS: Readonly<Record<string, (place: Place, json: boolean) => Promise<Outcome>>> = { ls, verify, run };

export const command = defineCommand({
  details:
    "ls      every file: its day, rows, ids, size and SHA-256\nverify  whether every file is whole and none is missing; ends with exit code 1 and the names of those that are not\nrun     apply `retention` now: move old logs to files, remove old signals, and archive files if they have a limit;\n        by the daemon, or without one by this command",
  arguments: [{ name: "ls|verify|run", required: true }],
  options: {},
  examples: [
    ["nerve archive ls", "what there is"],
    ["nerve archive verify", "before a backup"],
    ["nerve archive run", "after `retention` was set shorter"],
  ],
  async run({ arguments: [word = ""], config, json }) {
    const action = Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
    if (action === undefined) {
      const hint = meantOr(word, Object.keys(ACTIONS), "one of ls, verify, run");
      return usageError(`\`nerve archive\` does not know \`${word}\``, hint);
    }
    const place = findPlace(config);
    return place.ok ? action(place.value, json) : place;
  },
});
