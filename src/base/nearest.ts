/** The closest known word to a mistyped one, for error messages that say what was meant. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  let beforePrevious = previous;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((previous[j] as number) + 1, (row[j - 1] as number) + 1, (previous[j - 1] as number) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforePrevious[j - 2] as number) + 1);
      }
      row.push(best);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length] as number;
}

/** The candidate within a third of the word's length (at least 1, at most 3 edits), or null. */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  let best: string | null = null;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < bestDistance) {
      bestDistance = edits;
      best = candidate;
    }
  }
  return best;
}

/** A shorter word begins too many others. */
const LEAST_BEGINNING = 3;
const MOST_MEANT = 3;

/** The hint about a word nobody knows: the candidate that was most likely meant, or those that begin with it, else `otherwise`. */
export function meantOr(word: string, candidates: Iterable<string>, otherwise: string): string {
  const names = [...new Set(candidates)];
  const meant = nearest(word, names);
  const longer = word.length < LEAST_BEGINNING ? [] : names.filter((name) => name.startsWith(word));
  const all = meant === null ? longer : [meant];
  if (all.length === 0 || all.length > MOST_MEANT) return otherwise;
  return `did you mean ${all.map((name) => `\`${name}\``).join(" or ")}?`;
}
