/** How large a file usually is: the median of the last ones, which are kept as they come. */
import { and, desc, eq, lte, ne } from "drizzle-orm";
import type { SenseDatabase } from "nerve";
import type { FoundFile } from "nerve/sources";
import { sizes } from "./schema.ts";

/** So many files back. */
const REMEMBERED = 20;
/** Fewer are no habit. */
const FEWEST = 3;

/** The usual size without `file` itself, which is kept for those that come; null while too few are known. */
export function usualBytes(db: SenseDatabase, pattern: string, file: FoundFile): number | null {
  db.delete(sizes).where(ne(sizes.pattern, pattern)).run();
  const known = db.select().from(sizes).orderBy(desc(sizes.id)).limit(REMEMBERED).all();
  const isSame = (one: { readonly file: string; readonly changed_at: number }): boolean =>
    one.file === file.path && one.changed_at === file.changed_at;
  if (!known.some(isSame)) {
    const row = { pattern, file: file.path, changed_at: file.changed_at, bytes: file.bytes };
    const { id } = db.insert(sizes).values(row).returning({ id: sizes.id }).get();
    db.delete(sizes)
      .where(and(eq(sizes.pattern, pattern), lte(sizes.id, id - REMEMBERED)))
      .run();
  }
  const others = known.filter((one) => !isSame(one)).map(({ bytes }) => bytes);
  return others.length < FEWEST ? null : (others.sort((a, b) => a - b)[Math.floor(others.length / 2)] ?? null);
}
