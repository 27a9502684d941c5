/** Owns the question whose error it is that nobody waited for. */

interface Owner {
  readonly name: string;
  /** Of its module; null for a built-in. */
  readonly folder: string | null;
}

/** Bun hands on a rejection without its context. The first file in its stack shows whose it is. Null: nobody knows. */
export function ownerOf(stack: string | null, senses: readonly Owner[]): string | null {
  for (const line of (stack ?? "").split("\n")) {
    const found = senses.filter(({ folder }) => folder !== null && line.includes(`${folder}/`));
    if (found.length > 0) return found.length === 1 ? (found[0]?.name ?? null) : null;
  }
  return senses.length === 1 ? (senses[0]?.name ?? null) : null;
}
