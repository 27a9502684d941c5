/** Which file is a copy of which: by their content, for who copies a log gives the copy any time and any name. */
import { type Entry, orRefused, withFile } from "./folder.ts";
import { areEqual, headOf, isDistinct, type Marks, marksOf } from "./known.ts";
import type { Place } from "./lines.ts";

/** The heads of files, each read once in a look: a folder may hold a year of logs, and each is compared with each. */
export class Heads {
  readonly #known = new Map<string, Promise<string | null>>();

  of(entry: Entry): Promise<string | null> {
    const known = this.#known.get(entry.identity) ?? withFile(entry, headOf);
    this.#known.set(entry.identity, known);
    return known;
  }
}

/** What was read of a file that is cut or gone. */
interface Read extends Place, Marks {
  readonly identity: string;
}

/** The newest file with the same content up to where we were. A file that was read for little has to have the right name. */
export async function copyOf(
  file: Read,
  entries: readonly Entry[],
  isLikely: (entry: Entry) => boolean,
): Promise<Entry | null> {
  if (file.offset === 0) return null;
  const candidates = entries
    .filter(({ identity, bytes }) => identity !== file.identity && bytes >= file.offset)
    .filter((entry) => isDistinct(file.offset) || isLikely(entry))
    .sort((a, b) => b.changed_at - a.changed_at);
  for (const entry of candidates) {
    const marks = await orRefused(withFile(entry, (open) => marksOf(open, file.offset)));
    if (!(marks instanceof Error) && areEqual(marks, file)) return entry;
  }
  return null;
}

/**
 * The bytes from the begin in which a file is equal to one of the others, to the end of the shorter of the two; null where
 * no other begins with the same.
 */
export async function sharedBytes(
  entry: Entry,
  others: readonly Entry[],
  heads: Heads,
  isEnough: (bytes: number) => boolean,
): Promise<number | null> {
  for (const other of others) {
    const bytes = Math.min(entry.bytes, other.bytes);
    if (!isEnough(bytes) || entry.identity === other.identity) continue;
    if (isDistinct(bytes) && (await heads.of(entry)) !== (await heads.of(other))) continue;
    const [marks, theirs] = await Promise.all(
      [entry, other].map((one) => withFile(one, (file) => marksOf(file, bytes))),
    );
    if (areEqual(marks ?? null, theirs ?? null)) return bytes;
  }
  return null;
}
