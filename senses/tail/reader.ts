/** Reads what is new in a file, and takes it only where the file stayed what it was meanwhile. */
import { withFile } from "./folder.ts";
import { type Marks, marksOf } from "./known.ts";
import { type Line, type Place, readLines } from "./lines.ts";
import type { Followed } from "./survey.ts";

/** What a compute has found so far. What was taken since a mark can be given back. */
export interface Basket {
  readonly take: (path: string, line: Line) => boolean;
  readonly goesOn: () => boolean;
  readonly mark: () => () => void;
}

export interface Progress {
  readonly place: Place;
  readonly marks: Marks;
}

/** A file without a line end at its end, which lost its name and rests for so long, is written no further. */
const RESTED_MS = 60_000;

export async function readFollowed(
  { entry, place, marks, isCurrent, held }: Followed,
  basket: Basket,
): Promise<Progress> {
  const unchanged = { place, marks };
  if (held !== null || place.offset >= entry.bytes) return unchanged;
  const giveBack = basket.mark();
  const progress = await withFile(entry, async (file) => {
    const reached = await readLines(file, {
      from: place,
      end: entry.bytes,
      isFinished: !isCurrent && Date.now() - entry.changed_at > RESTED_MS,
      take: (line) => basket.take(entry.path, line),
      goesOn: basket.goesOn,
    });
    if (reached.offset === place.offset) return null;
    const found = { place: reached, marks: await marksOf(file, reached.offset) };
    // Cut while it was read: what was read may be of two files.
    const before = place.offset === 0 ? marks : await marksOf(file, place.offset);
    const { size } = await file.stat();
    const isWhole = size >= reached.offset && before.head === marks.head && before.last === marks.last;
    return isWhole ? found : null;
  });
  if (progress === null) giveBack();
  return progress ?? unchanged;
}
