/** Marks on a lane: those that would lie on each other become one with a count. Pure. */

export interface Placed<T> {
  readonly at: number;
  readonly marks: readonly T[];
}

/** `close`: marks within this part of the lane are one. */
export function merged<T extends { readonly at: number }>(
  marks: readonly T[],
  from: number,
  to: number,
  close: number,
): readonly Placed<T>[] {
  const sorted = marks.filter(({ at }) => at >= from && at <= to).sort((a, b) => a.at - b.at);
  const placed: { at: number; marks: T[] }[] = [];
  for (const mark of sorted) {
    const last = placed.at(-1);
    if (last !== undefined && mark.at - last.at < (to - from) * close) last.marks.push(mark);
    else placed.push({ at: mark.at, marks: [mark] });
  }
  return placed;
}

export interface Band {
  readonly from: number;
  readonly to: number;
  readonly tone: string;
}

/** States one after the other as bands; the last one goes on until `to`. Equal neighbours are one. */
export function bandsOf(
  states: readonly { readonly at: number; readonly tone: string }[],
  from: number,
  to: number,
): readonly Band[] {
  const sorted = [...states].sort((a, b) => a.at - b.at);
  const bands: { from: number; to: number; tone: string }[] = [];
  for (const [index, { at, tone }] of sorted.entries()) {
    const end = Math.min(sorted[index + 1]?.at ?? to, to);
    const begin = Math.max(at, from);
    if (end <= begin) continue;
    const last = bands.at(-1);
    if (last !== undefined && last.tone === tone && last.to === begin) last.to = end;
    else bands.push({ from: begin, to: end, tone });
  }
  return bands;
}
