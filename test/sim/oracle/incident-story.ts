/**
 * When an incident of one key must open, match again and end: the whole story of the key is there, from its first signal on.
 * Shares nothing with `src/rules/incident-rule.ts`.
 */
import type { ActsAt, Happening, Later } from "./decisions.ts";
import { IncidentLife, type LifeWords, type Move } from "./incident-life.ts";

export type Chapter =
  | Happening
  /** Somebody resolves it, for this reason. */
  | { readonly kind: "resolve"; readonly reason: string; readonly elapsed: number };

export interface Story {
  readonly must: readonly string[];
  /** What may have followed already. */
  readonly may: readonly string[];
}

const lineOf = (move: Move): string =>
  move.kind === "resolves" ? "resolved null" : `${move.kind === "opens" ? "opened" : "again"} ${move.signal}`;

export function storyOf(
  words: LifeWords,
  chapters: readonly Chapter[],
  actsAt: ActsAt,
  end: number,
  after: Later,
): Story {
  const must: string[] = [];
  const life = new IncidentLife(after);
  for (const chapter of chapters) {
    const due = life.due(words);
    if (due !== null && due.at <= chapter.elapsed) must.push(lineOf(life.acts()));
    if (chapter.kind === "resolve") {
      if (life.isOpen) must.push(`resolved ${chapter.reason}`);
      life.resolvedByHand();
      continue;
    }
    const { id: signal, elapsed: at, matches, clears } = chapter;
    const move = life.hears(words, { signal, at, matches, clears });
    if (move !== null) must.push(lineOf(move));
  }
  const due = life.due(words);
  const acting = due === null ? null : actsAt(due.at, due.setAt);
  if (acting === null || acting > end) return { must, may: [] };
  const last = lineOf(life.acts());
  // What is due at this very moment may come before the end, or after.
  return acting >= end - 2 ? { must, may: [last] } : { must: [...must, last], may: [] };
}
