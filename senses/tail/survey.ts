/**
 * Which files are to be read, and from where on. A file is followed under whatever name it has in its folder: one that was
 * renamed is read to its end before the one that took its name. A generation that came and lost its name between two looks is
 * found by its name, which begins with that of the log (`app.log.1`, `app.log-20261128`), and by its time. A copy of a file
 * that is still there is not read: it has nothing new, until that file is cut or gone.
 */
import { basename } from "node:path";
import { matches } from "nerve/glob";
import { copyOf, Heads, sharedBytes } from "./copies.ts";
import { type Entry, orRefused, Refused, withFile } from "./folder.ts";
import { areEqual, isDistinct, type Marks, marksOf } from "./known.ts";
import type { Place } from "./lines.ts";
import { Look, lookAround } from "./look.ts";
import { isChosen } from "./names.ts";

/**
 * Why a file is not read: it is new and may be a copy that is being made; it is a copy of one that is there, up to its place;
 * nerve's user may not read it.
 */
export type Held = "new" | "copy" | "refused";

/** What is kept of a file between two computes. */
export interface Known extends Place, Marks {
  readonly path: string;
  readonly identity: string;
  readonly seen_bytes: number;
  readonly changed_at: number;
  readonly held: Held | null;
  readonly target: string | null;
}

export interface Followed {
  readonly entry: Entry;
  readonly place: Place;
  /** Of what lies behind the place. */
  readonly marks: Marks;
  /** True while the file has a name that the path chooses. */
  readonly isCurrent: boolean;
  /** Null where it is to be read. */
  readonly held: Held | null;
  /** Where its name is a link, or was: the path of the log behind the link. */
  readonly target: string | null;
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
  /** By the paths of the files that nerve's user may not read. */
  readonly refused: ReadonlyMap<string, Refused>;
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
/** Of files that lost their name so many are kept in mind, the newest. */
const MOST_FORMER = 1_000;
const NEWLINE = 10;
const NO_MARKS: Marks = { head: "", last: "" };
const BEGIN: Place = { offset: 0, skipping: false };

export async function survey(known: readonly Known[], wanted: Wanted): Promise<Survey> {
  const look = await lookAround(known, wanted);
  const current = await look.chosen();
  const round = new Round(known, current, wanted);
  for (const file of known) await round.recognise(file, look);
  // Names are read again behind the files: a copy that is shorter than what is read now is among them.
  const after = await Look.at(wanted, known);
  for (const file of round.cut) await round.succeed(file, after);
  for (const entry of current) await round.meet(entry, !wanted.fromEnd);
  for (const { entry, file } of round.held) await round.settle(entry, file);
  for (const entry of await after.all()) {
    if (!after.isFormer(entry)) continue;
    if (wanted.lookedAt === null || isFresh(entry, wanted)) await round.meet(entry, wanted.lookedAt !== null);
  }
  for (const [name, refused] of look.refused) if (isChosen(name, wanted.pattern)) round.refuseUnseen(refused, name);
  return { files: inOrder([...round.followed.values()]), lost: round.lost, refused: round.refused };
}

/** How each file goes on, found in one look. */
class Round {
  readonly followed = new Map<string, Followed>();
  readonly lost: Lost[] = [];
  readonly refused = new Map<string, Refused>();
  /** Files that were known, and are no longer what they were. */
  readonly cut: Known[] = [];
  /** Files that were not read so far, and are there. */
  readonly held: { readonly entry: Entry; readonly file: Known }[] = [];
  readonly #current: ReadonlyMap<string, Entry>;
  readonly #wanted: Wanted;
  readonly #heads = new Heads();
  /** Of the files that were known, by their numbers. */
  readonly #targets: ReadonlyMap<string, string | null>;

  constructor(known: readonly Known[], current: readonly Entry[], wanted: Wanted) {
    this.#targets = new Map(known.map(({ identity, target }) => [identity, target]));
    this.#current = new Map(current.map((entry) => [entry.identity, entry]));
    this.#wanted = wanted;
  }

  /** Whether a file is there, and is what it was. */
  async recognise(file: Known, look: Look): Promise<void> {
    const entry = this.#current.get(file.identity) ?? (await look.find(file));
    const unseen = look.refused.get(basename(file.path));
    if (entry === null && unseen !== undefined) this.#refuse(unseen, entryOf(file), file);
    else if (entry === null) this.cut.push(file);
    else
      await this.#orRefuse(entry, file, async () => {
        if (!(await isSame(file, entry, this.#wanted))) this.cut.push(file);
        else if (file.held === "new" || file.held === "copy") this.held.push({ entry, file });
        else if (file.held === "refused" && file.head === "") await this.#begin(entry, file.offset, null);
        else this.#follow(entry, file, file, null);
      });
  }

  /** Who copies a log and cuts it leaves in the copy what was not read. */
  async succeed(file: Known, after: Look): Promise<void> {
    if (file.held === "copy") return;
    const isLikely = (entry: Entry) => after.isFormer(entry) && isFresh(entry, this.#wanted);
    const copy = await copyOf(file, await after.all(), isLikely);
    if (copy !== null) this.#follow(copy, file, file, null);
    const { path, seen_bytes } = file;
    const offset = copy?.bytes ?? file.offset;
    const mayLack = copy === null ? await this.#mayLack(file, after) : offset < seen_bytes;
    if (mayLack) this.lost.push({ path, offset, bytes: Math.max(0, seen_bytes - offset) });
  }

  /** A file of which nothing was known. */
  async meet(entry: Entry, fromBegin: boolean): Promise<void> {
    const { identity } = entry;
    if (this.followed.has(identity) || this.held.some((held) => held.entry.identity === identity)) return;
    if (!fromBegin) await this.#orRefuse(entry, null, () => this.#begin(entry, entry.bytes, null));
    else if (this.cut.some((file) => file.identity === identity)) this.#follow(entry, BEGIN, NO_MARKS, null);
    else await this.settle(entry, null);
  }

  /** Whether a file that was not read so far is a copy, may be one, or is to be read. */
  async settle(entry: Entry, file: Known | null): Promise<void> {
    if (!this.followed.has(entry.identity)) await this.#orRefuse(entry, file, () => this.#settle(entry, file));
  }

  async #settle(entry: Entry, file: Known | null): Promise<void> {
    const isCurrent = this.#current.has(entry.identity);
    const isFresh = Date.now() - entry.changed_at < COPIED_MS;
    const others = [...this.followed.values()].filter(({ held }) => held === null).map((other) => other.entry);
    const shared = await sharedBytes(entry, others, this.#heads, isCurrent ? isDistinct : (bytes) => bytes > 0);
    const agreed = file?.offset ?? 0;
    if (shared === entry.bytes) await this.#begin(entry, shared, "copy");
    // Its original was read further than the copy goes.
    else if (file?.held === "copy" && this.cut.some(({ offset }) => offset >= entry.bytes))
      await this.#begin(entry, entry.bytes, null);
    else if (isCurrent ? isFresh && shared !== null : isFresh || entry.bytes === 0)
      this.#follow(entry, file ?? BEGIN, file ?? NO_MARKS, file?.held ?? "new");
    // It is longer than what it was copied from.
    else await this.#begin(entry, shared !== null && isDistinct(shared) ? Math.max(shared, agreed) : agreed, null);
  }

  async #begin(entry: Entry, offset: number, held: Held | null): Promise<void> {
    if (offset === 0) return this.#follow(entry, BEGIN, NO_MARKS, held);
    const marks = await withFile(entry, (file) => marksOf(file, offset));
    if (marks !== null) this.#follow(entry, await placeAt(entry, offset), marks, held);
  }

  #follow(entry: Entry, { offset, skipping }: Place, { head, last }: Marks, held: Held | null): void {
    const isCurrent = this.#current.has(entry.identity);
    const target = entry.target ?? this.#targets.get(entry.identity) ?? null;
    const [place, marks] = [
      { offset, skipping },
      { head, last },
    ];
    this.followed.set(entry.identity, { entry, place, marks, isCurrent, held, target });
  }

  /** A file that may not be read stays where it was, and stops no other. */
  async #orRefuse(entry: Entry, file: Known | null, act: () => Promise<void>): Promise<void> {
    const refused = await orRefused(act());
    if (!(refused instanceof Refused)) return;
    const isPassed = this.#wanted.lookedAt === null && (this.#wanted.fromEnd || !this.#current.has(entry.identity));
    const place = file ?? (isPassed ? { offset: entry.bytes, skipping: false } : BEGIN);
    this.#refuse(refused, entry, { ...place, head: file?.head ?? "", last: file?.last ?? "" });
  }

  #refuse(refused: Refused, entry: Entry, known: Place & Marks): void {
    this.refused.set(entry.path, refused);
    this.#follow(entry, known, known, "refused");
  }

  /** Not even its number is known. */
  refuseUnseen(refused: Refused, name: string): void {
    if (this.refused.has(refused.path)) return;
    const entry = { path: refused.path, name, identity: `refused:${name}`, bytes: 0, changed_at: 0, target: null };
    this.#refuse(refused, entry, { ...BEGIN, ...NO_MARKS });
  }

  /** Whether a file of which nothing is left may have held more than was read. */
  async #mayLack(file: Known, look: Look): Promise<boolean> {
    if (file.seen_bytes > file.offset) return true;
    if (file.held !== null) return false;
    const rested = (this.#wanted.lookedAt ?? 0) - file.changed_at;
    const name = basename(file.path);
    if (!matches(this.#wanted.pattern, name)) return rested < SETTLED_MS;
    return rested < RESTED_MS || (await look.named(name)) !== null;
  }
}

/** As a file was at the last look. */
const entryOf = ({ path, identity, seen_bytes, changed_at, target }: Known): Entry => ({
  ...{ path, name: basename(path), identity },
  ...{ bytes: seen_bytes, changed_at, target },
});

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

/** A number of an inode is given again, and a file may be cut and grow beyond where we were. */
async function isSame(file: Known, entry: Entry, { lookedAt }: Wanted): Promise<boolean> {
  if (entry.bytes < file.offset) return false;
  // The clock of files is coarse: one that was changed shortly before the last look may have been changed after it as well.
  const isUnchanged = entry.bytes === file.seen_bytes && entry.changed_at === file.changed_at;
  const isOld = lookedAt !== null && entry.changed_at < lookedAt - SETTLED_MS;
  if (file.offset === 0 || file.head === "" || (isUnchanged && isOld)) return true;
  const marks = await withFile(entry, (open) => marksOf(open, file.offset));
  // Renamed at this moment: the next look finds it under its new name.
  return marks === null || areEqual(marks, file);
}

/** A line that is half written before a place is skipped. */
async function placeAt(entry: Entry, offset: number): Promise<Place> {
  const before = await withFile(entry, async (file) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, offset - 1);
    return bytesRead === 0 ? NEWLINE : buffer[0];
  });
  return { offset, skipping: before !== NEWLINE };
}
