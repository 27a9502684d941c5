/**
 * Which files are to be read, and from where on. A file is followed under whatever name it has in its folder: one that was
 * renamed is read to its end before the one that took its name. A generation that came and lost its name between two looks is
 * found by its name, which begins with that of the log (`app.log.1`, `app.log-20261128`), and by its time.
 */
import { open } from "node:fs/promises";
import { basename, extname } from "node:path";
import { matches } from "nerve/glob";
import { type Entry, entryAt, namesIn, refusal } from "./folder.ts";
import { headOf, isDistinct, type Marks, marksOf } from "./known.ts";
import type { Place } from "./lines.ts";

/** What is kept of a file between two computes. */
export interface Known extends Place, Marks {
  readonly path: string;
  readonly identity: string;
  readonly seen_bytes: number;
  readonly changed_at: number;
}

export interface Followed {
  readonly entry: Entry;
  readonly place: Place;
  /** Of what lies behind the place. */
  readonly marks: Marks;
  /** True while the file has a name that the path chooses. */
  readonly isCurrent: boolean;
  /** True while it may be a copy that is being made: it is not read yet. */
  readonly isHeld: boolean;
}

/** A file that was cut, replaced or removed, and no copy of it is there: what came after the last look nobody knows. */
export interface Lost {
  readonly path: string;
  /** That were read. */
  readonly offset: number;
  /** That were seen and never read. */
  readonly bytes: number;
}

export interface Survey {
  /** In the order in which they are to be read. */
  readonly files: readonly Followed[];
  readonly lost: readonly Lost[];
}

export interface Wanted {
  readonly folder: string;
  /** Of the names, with `*`. */
  readonly pattern: string;
  /** True where what is there at the first look is passed over. */
  readonly fromEnd: boolean;
  /** Unix milliseconds of the last look; null at the first. */
  readonly lookedAt: number | null;
}

/** The clock of files is behind by as much as a tick of the kernel. */
const CLOCK_MS = 50;
const SETTLED_MS = 2_000;
/** A file that was not written for so long, and is removed without another in its place, is taken for finished. */
const RESTED_MS = 60_000;
/** A copy that was not written for so long is whole. */
const COPIED_MS = 1_000;
const ATTEMPTS = 3;
/** Of files that lost their name so many are kept in mind, the newest. */
const MOST_FORMER = 1_000;
const PACKED = /\.(?:gz|bz2|xz|zst|lz4|lzma|zip)$/;
/** A count, or a date with or without a time. */
const NUMBER = /^(?:\.\d+|[-.]\d[\d-]{5,})$/;
const NO_MARKS: Marks = { head: "", last: "" };
/** Of a file that is held. */
const HELD: Marks = { head: "held", last: "" };
const BEGIN: Place = { offset: 0, skipping: false };

class Look {
  readonly #folder: string;
  readonly #names: readonly string[];
  readonly #entries = new Map<string, Entry | null>();

  constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = names;
  }

  async at(name: string): Promise<Entry | null> {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const entry = this.#names.includes(name) ? await entryAt(this.#folder, name) : null;
    this.#entries.set(name, entry);
    return entry;
  }

  async chosen(pattern: string): Promise<readonly Entry[]> {
    const isChosen = (name: string) => matches(pattern, name) && (!name.startsWith(".") || pattern.startsWith("."));
    const found = await Promise.all(this.#names.filter(isChosen).map((name) => this.at(name)));
    return found.filter((entry) => entry !== null);
  }

  async all(): Promise<readonly Entry[]> {
    return (await Promise.all(this.#names.map((name) => this.at(name)))).filter((entry) => entry !== null);
  }
}

/** The heads of files, each read once in a look: a folder may hold a year of logs, and each is compared with each. */
class Heads {
  readonly #known = new Map<string, Promise<string | null>>();

  of(entry: Entry): Promise<string | null> {
    const known = this.#known.get(entry.identity) ?? withFile(entry, headOf);
    this.#known.set(entry.identity, known);
    return known;
  }
}

export async function survey(known: readonly Known[], wanted: Wanted): Promise<Survey> {
  const look = await lookAround(known, wanted.folder);
  const heads = new Heads();
  const current = new Map((await look.chosen(wanted.pattern)).map((entry) => [entry.identity, entry]));
  const followed = new Map<string, Followed>();
  const follow = (entry: Entry, place: Place, marks: Marks): void => {
    const isCurrent = current.has(entry.identity);
    followed.set(entry.identity, { entry, place, marks, isCurrent, isHeld: !isCurrent && marks.head === HELD.head });
  };

  const cut: Known[] = [];
  const held: Entry[] = [];
  for (const file of known) {
    const entry = current.get(file.identity) ?? (await whereIs(file, look));
    if (entry !== null && file.head === HELD.head) held.push(entry);
    else if (entry !== null && (await isSame(file, entry, wanted))) follow(entry, file, file);
    else cut.push(file);
  }
  const lost: Lost[] = [];
  // Who copies a log and cuts it leaves in the copy what was not read. The copy may be newer than the names that were read.
  const after = cut.length === 0 ? look : new Look(wanted.folder, await namesIn(wanted.folder));
  for (const file of cut) {
    const copy = await copyOf(file, await after.all(), (entry) => isFormer(entry, wanted) && isFresh(entry, wanted));
    if (copy !== null) follow(copy, file, file);
    else if (await mayLack(file, after, wanted)) {
      lost.push({ path: file.path, offset: file.offset, bytes: Math.max(0, file.seen_bytes - file.offset) });
    }
  }
  for (const entry of current.values()) {
    if (followed.has(entry.identity)) continue;
    const isCopy = await isCopyOfOne(entry, [...followed.values()], heads, isDistinct);
    await begin(entry, wanted.fromEnd || isCopy, follow);
  }
  const former = (await after.all()).filter((entry) => isFormer(entry, wanted) && isFresh(entry, wanted));
  for (const entry of [...held, ...(wanted.lookedAt === null ? await look.all() : former)]) {
    if (followed.has(entry.identity) || !isFormer(entry, wanted)) continue;
    if (wanted.lookedAt === null) await begin(entry, true, follow);
    else if (Date.now() - entry.changed_at < COPIED_MS) follow(entry, BEGIN, HELD);
    else await begin(entry, await isCopyOfOne(entry, [...followed.values()], heads, (bytes) => bytes > 0), follow);
  }
  return { files: inOrder([...followed.values()]), lost };
}

/** A file that is renamed while the names are read is in none of them: it is looked for again before it counts as gone. */
async function lookAround(known: readonly Known[], folder: string): Promise<Look> {
  for (let attempt = 1; ; attempt++) {
    const look = new Look(folder, await namesIn(folder));
    const places = await Promise.all(known.map((file) => whereIs(file, look)));
    if (attempt === ATTEMPTS || !places.includes(null)) return look;
  }
}

type Follow = (entry: Entry, place: Place, marks: Marks) => void;

async function begin(entry: Entry, atEnd: boolean, follow: Follow): Promise<void> {
  const place = atEnd ? await endOf(entry) : BEGIN;
  const marks = place.offset === 0 ? null : await withFile(entry, (file) => marksOf(file, place.offset));
  if (place.offset === 0 || marks !== null) follow(entry, place, marks ?? NO_MARKS);
}

/** A name that a log has once it is rotated, and that is not packed. */
const isFormer = ({ name }: Entry, { pattern }: Wanted): boolean =>
  !PACKED.test(name) &&
  !matches(pattern, name) &&
  ([".*", "-*"].some((end) => matches(pattern + end, name)) || isNumbered(name, pattern));

/** `app-20261128.log` or `app.1.log`: logrotate's `extension` keeps the end of the name. */
function isNumbered(name: string, pattern: string): boolean {
  const end = extname(pattern);
  const stem = basename(pattern, end);
  if (end === "" || pattern.includes("*") || !name.startsWith(stem) || !name.endsWith(end)) return false;
  return NUMBER.test(name.slice(stem.length, -end.length));
}

const isFresh = ({ changed_at }: Entry, { lookedAt }: Wanted): boolean => changed_at >= (lookedAt ?? 0) - CLOCK_MS;

function inOrder(files: readonly Followed[]): readonly Followed[] {
  const sorted = files.toSorted(byAge);
  const former = sorted.filter(({ isCurrent }) => !isCurrent);
  return [...former.slice(-MOST_FORMER), ...sorted.filter(({ isCurrent }) => isCurrent)];
}

/** What was renamed away first, then by the last change. */
const byAge = (a: Followed, b: Followed): number =>
  Number(a.isCurrent) - Number(b.isCurrent) ||
  a.entry.changed_at - b.entry.changed_at ||
  (a.entry.name < b.entry.name ? -1 : 1);

/** Under its last name, or under another of its folder. */
async function whereIs({ path, identity }: Known, look: Look): Promise<Entry | null> {
  const there = await look.at(basename(path));
  if (there?.identity === identity) return there;
  return (await look.all()).find((entry) => entry.identity === identity) ?? null;
}

/** What `act` makes of the open file; null where another file has its name by now. */
export async function withFile<T>(
  { path, identity }: Entry,
  act: (file: Awaited<ReturnType<typeof open>>) => Promise<T>,
): Promise<T | null> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw refusal(error, path);
  });
  if (file === null) return null;
  try {
    const { dev, ino } = await file.stat({ bigint: true });
    return `${dev}:${ino}` === identity ? await act(file) : null;
  } finally {
    await file.close();
  }
}

/** Whether a file of which nothing is left may have held more than was read. */
async function mayLack(file: Known, look: Look, { pattern, lookedAt }: Wanted): Promise<boolean> {
  if (file.seen_bytes > file.offset) return true;
  if (file.head === HELD.head) return false;
  const rested = (lookedAt ?? 0) - file.changed_at;
  const name = basename(file.path);
  if (!matches(pattern, name)) return rested < SETTLED_MS;
  return rested < RESTED_MS || (await look.at(name)) !== null;
}

/** A number of an inode is given again, and a file may be cut and grow beyond where we were. */
async function isSame(file: Known, entry: Entry, { lookedAt }: Wanted): Promise<boolean> {
  if (entry.bytes < file.offset) return false;
  // The clock of files is coarse: one that was changed shortly before the last look may have been changed after it as well.
  const isUnchanged = entry.bytes === file.seen_bytes && entry.changed_at === file.changed_at;
  const isOld = lookedAt !== null && entry.changed_at < lookedAt - SETTLED_MS;
  if (file.offset === 0 || (isUnchanged && isOld)) return true;
  const marks = await withFile(entry, (open) => marksOf(open, file.offset));
  // Renamed at this moment: the next look finds it under its new name.
  return marks === null || (marks.head === file.head && marks.last === file.last);
}

async function hasMarks(entry: Entry, { offset, head, last }: Place & Marks): Promise<boolean> {
  const marks = await withFile(entry, (file) => marksOf(file, offset));
  return marks?.head === head && marks.last === last;
}

/** The newest file with the same content up to where we were. One that was read for little has to have the right name. */
async function copyOf(
  file: Known,
  entries: readonly Entry[],
  isLikely: (entry: Entry) => boolean,
): Promise<Entry | null> {
  if (file.offset === 0) return null;
  const candidates = entries
    .filter(({ identity, bytes }) => identity !== file.identity && bytes >= file.offset)
    .filter((entry) => isDistinct(file.offset) || isLikely(entry))
    .sort((a, b) => b.changed_at - a.changed_at);
  for (const entry of candidates) if (await hasMarks(entry, file)) return entry;
  return null;
}

/** A copy of a file that is still followed itself holds nothing new; it may be as it was some time ago, or not whole yet. */
async function isCopyOfOne(
  entry: Entry,
  followed: readonly Followed[],
  heads: Heads,
  isEnough: (bytes: number) => boolean,
): Promise<boolean> {
  for (const { entry: other, isHeld } of followed) {
    const bytes = Math.min(entry.bytes, other.bytes);
    if (isHeld || !isEnough(bytes) || entry.identity === other.identity) continue;
    if (isDistinct(bytes) && (await heads.of(entry)) !== (await heads.of(other))) continue;
    const [marks, others] = await Promise.all(
      [entry, other].map((one) => withFile(one, (file) => marksOf(file, bytes))),
    );
    if (marks && others && marks.head === others.head && marks.last === others.last) return true;
  }
  return false;
}

/** Behind the last line end; a line that is half written is skipped. */
async function endOf(entry: Entry): Promise<Place> {
  const last = await withFile(entry, async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, Math.max(0, entry.bytes - 1));
    return bytesRead === 0 ? 10 : buffer[0];
  });
  return { offset: entry.bytes, skipping: entry.bytes > 0 && last !== 10 };
}
