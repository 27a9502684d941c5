/** The new lines of log files, each once: through rotation, cuts and restarts. A signal a line, or one summary. */
import { statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { notBetween } from "drizzle-orm";
import { type Compute, type SenseDatabase, type Series, signals, type Watch } from "nerve";
import { choice, duration, flag, type Infer, orNull, record, text, where } from "nerve/options";
import { groupsIn, pattern } from "nerve/pattern";
import { declaration } from "nerve/payload";
import { lacking } from "nerve/sources";
import { Collected, type Limits } from "./basket.ts";
import { orRefused, type Refused } from "./folder.ts";
import { readFollowed } from "./reader.ts";
import { files, following, samples } from "./schema.ts";
import { type Followed, type Lost, type Survey, survey } from "./survey.ts";

export const options = record({
  // `*` in the name of the file stands for any run of characters.
  path: where(
    text(),
    (path) => !dirname(path).includes("*") && basename(path) !== "" && !path.endsWith("/"),
    "name a file, and have a `*` in its name only: one sense follows the files of one folder",
  ),
  // Lines that do not match are counted.
  match: orNull(pattern()),
  summary: flag(false),
  // Where files begin that are there at the first look.
  from: choice(["end", "start"], "end"),
  keep: duration("7d", { min: "1m", max: "90d" }),
});

type Options = Infer<typeof options>;

const COUNT = "number.integer >= 0";

export const payload = declaration<Options>(({ match, summary }) =>
  summary
    ? { lines: COUNT, matched: COUNT, bytes: COUNT, behind_bytes: COUNT, first: "string | null", last: "string | null" }
    : {
        file: "string",
        line: "string",
        cut: "boolean",
        fields: Object.fromEntries((match === null ? [] : groupsIn(match)).map((name) => [name, "string | null"])),
      },
);

export const series: Series = {
  table: "samples",
  at: "at",
  numbers: { lines: null, matched: null, bytes: "bytes", behind_bytes: "bytes" },
};

export const watch: Watch<Options> = ({ path }) =>
  path.includes("*") ? { dir: dirname(path), match: basename(path) } : { file: path };

/** Of one compute: what nerve takes from it, with room to spare, and a part of the timeout of a sense. */
const MOST_SIGNALS = 500;
const MOST_JSON_BYTES = 960 * 1024;
const LONGEST_MS = 5_000;
/** `first` and `last` of a summary. */
const LONGEST_SHOWN = 1_000;

/** Why there is nothing to follow, in words. */
function absenceOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return `no file is ${path} yet: it is read from its begin once it is there`;
  if (!found.isFile() && !found.isDirectory()) return `${path} is no regular file, and is not read: name a file`;
  return `${path} is a folder, and is not read: name a file, or files by a \`*\`, as ${join(path, "*.log")}`;
}

export const compute: Compute<Options> = async (db, _peers, { options: given, now, log, signal, more }) => {
  const lookedAt = lastLook(db, given.path);
  const wanted = {
    folder: dirname(given.path),
    pattern: basename(given.path),
    fromEnd: lookedAt === null && given.from === "end",
    lookedAt,
  };
  const known = db.select().from(files).all();
  const found = await survey(known, wanted);
  if (found.files.length === 0) {
    for (const lost of found.lost) log("warn", lackOf(lost), lost);
    db.delete(files).run();
    return lacking(db, log, absenceOf(given.path));
  }

  const limits: Limits = { signals: MOST_SIGNALS, bytes: MOST_JSON_BYTES, until: performance.now() + LONGEST_MS };
  const collected = new Collected(given.match, given.summary, limits);
  const { bytes, behind_bytes, refused } = await readAll(db, found, collected, signal);
  if (bytes === 0) refuseAll(found.files, refused);
  for (const lost of found.lost) log("warn", lackOf(lost), lost);
  const isNews = ({ identity }: Unread) => !known.some((file) => file.identity === identity && file.held === "refused");
  for (const { path, reason, bytes } of refused.filter(isNews)) {
    const waiting = bytes === 0 ? "" : `; ${bytes} bytes of it wait to be read`;
    log("warn", `${reason.message}${waiting}; other files are read`, { path, bytes });
  }

  const { lines, matched } = collected;
  if (bytes > 0 && collected.isFull) more();
  if (bytes > 0) {
    const { id } = db
      .insert(samples)
      .values({ at: now, lines, matched, bytes, behind_bytes })
      .returning({ id: samples.id })
      .get();
    const outdated = notBetween(samples.at, now - given.keep, now + given.keep);
    if (id % 100 === 0) db.delete(samples).where(outdated).run();
  }
  if (!given.summary) return signals(collected.payloads);
  if (matched === 0) return null;
  const [first, last] = [collected.first, collected.last].map((line) => line?.slice(0, LONGEST_SHOWN) ?? null);
  return { lines, matched, bytes, behind_bytes, first: first ?? null, last: last ?? null };
};

function lackOf({ path, offset, bytes }: Lost): string {
  const unread = bytes === 0 ? "" : ` with ${bytes} bytes that nobody has read`;
  const remedy = "logrotate's `delaycompress` without `copytruncate` leaves a rotated file to be read";
  return `${path} was cut, replaced or removed${unread}: what came after byte ${offset + bytes} is not known; ${remedy}`;
}

/** Unix milliseconds of the last look at this path; null at the first one. What is kept of another path is dropped. */
function lastLook(db: SenseDatabase, path: string): number | null {
  const last = db.select().from(following).get();
  db.delete(following).run();
  db.insert(following).values({ path, looked_at: Date.now() }).run();
  if (last?.path === path) return last.looked_at;
  db.delete(files).run();
  return null;
}

/** A file that nerve's user may not read. */
interface Unread {
  readonly path: string;
  readonly identity: string;
  readonly reason: Refused;
  /** That are there and were not read. */
  readonly bytes: number;
}

/** Throws where no file that the path chooses may be read: nobody would read one warning for long. */
function refuseAll(followed: readonly Followed[], refused: readonly Unread[]): void {
  const current = followed.filter(({ isCurrent }) => isCurrent).map(({ entry }) => entry.path);
  const unread = refused.filter(({ path }) => current.includes(path));
  if (unread[0] !== undefined && unread.length === current.length) throw unread[0].reason;
}

/** Keeps how far each file was read. */
async function readAll(db: SenseDatabase, found: Survey, collected: Collected, signal: AbortSignal) {
  let bytes = 0;
  let behind = 0;
  const refused: Unread[] = [];
  const rows: (typeof files.$inferInsert)[] = [];
  for (const file of found.files) {
    signal.throwIfAborted();
    const { entry } = file;
    const progress = await orRefused(readFollowed(file, collected));
    const reason = progress instanceof Error ? progress : found.refused.get(entry.path);
    const { place, marks } = progress instanceof Error ? file : progress;
    bytes += place.offset - file.place.offset;
    behind += entry.bytes - place.offset;
    if (reason !== undefined)
      refused.push({ path: entry.path, identity: entry.identity, reason, bytes: entry.bytes - place.offset });
    rows.push({
      path: entry.path,
      identity: entry.identity,
      ...{ offset: place.offset, skipping: place.skipping, head: marks.head, last: marks.last },
      seen_bytes: entry.bytes,
      changed_at: entry.changed_at,
      held: reason === undefined ? file.held : "refused",
      target: file.target,
    });
  }
  db.delete(files).run();
  for (const row of rows) db.insert(files).values(row).run();
  return { bytes, behind_bytes: behind, refused };
}
