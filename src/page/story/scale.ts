/** The time axis of a waterfall: stretches in which nothing changed are folded, so that what happened has room. Pure. */

export interface Fold {
  readonly from: number;
  readonly to: number;
  /** In percent of the width. */
  readonly left: number;
  readonly width: number;
}

export interface Stretch {
  readonly from: number;
  readonly left: number;
  readonly width: number;
}

export interface Scale {
  readonly folds: readonly Fold[];
  /** The stretches that are not folded. */
  readonly open: readonly Stretch[];
  /** Percent of the width at a time. */
  readonly x: (at: number) => number;
}

const FOLD_WIDTH = 6.5;
const LEAST_FOLD_MS = 1_500;
const TIMES_MEDIAN = 5;
/** Folds together never take more than this. */
const MOST_FOLDED = 65;

interface Gap {
  readonly from: number;
  readonly to: number;
  readonly folded: boolean;
}

function gapsOf(times: readonly number[], fold: boolean): readonly Gap[] {
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  const gaps = sorted.slice(1).map((to, index) => ({ from: sorted[index] ?? to, to }));
  const lengths = gaps.map(({ from, to }) => to - from).sort((a, b) => a - b);
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  const limit = Math.max(LEAST_FOLD_MS, TIMES_MEDIAN * median);
  return gaps.map((gap) => ({ ...gap, folded: fold && gaps.length > 1 && gap.to - gap.from > limit }));
}

/** `times`: whenever something changed. */
export function scaleOf(times: readonly number[], fold: boolean): Scale {
  const gaps = gapsOf(times, fold);
  const folded = gaps.filter((gap) => gap.folded).length;
  const each = folded === 0 ? 0 : Math.min(FOLD_WIDTH, MOST_FOLDED / folded);
  const openMs = gaps.filter((gap) => !gap.folded).reduce((sum, { from, to }) => sum + to - from, 0);
  const perMs = openMs === 0 ? 0 : (100 - each * folded) / openMs;
  const evenly = openMs === 0 && folded > 0 ? 100 / folded : each;
  const folds: Fold[] = [];
  const open: { from: number; left: number; width: number }[] = [];
  const edges: { readonly at: number; readonly left: number }[] = [];
  let left = 0;
  let isOpen = false;
  for (const { from, to, folded: isFolded } of gaps) {
    const width = isFolded ? evenly : (to - from) * perMs;
    edges.push({ at: from, left });
    const current = open.at(-1);
    if (isFolded) folds.push({ from, to, left, width });
    else if (isOpen && current !== undefined) current.width += width;
    else open.push({ from, left, width });
    isOpen = !isFolded;
    left += width;
  }
  edges.push({ at: gaps.at(-1)?.to ?? times[0] ?? 0, left });
  return { folds, open, x: (at) => between(edges, at) };
}

function between(edges: readonly { readonly at: number; readonly left: number }[], at: number): number {
  const after = edges.findIndex((edge) => edge.at >= at);
  const next = edges[after];
  const last = edges.at(-1);
  if (next === undefined) return last?.left ?? 0;
  const before = edges[after - 1];
  if (before === undefined || next.at === at) return next.left;
  return before.left + ((at - before.at) / (next.at - before.at)) * (next.left - before.left);
}
