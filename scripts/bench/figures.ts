/** A measured figure beside what it is measured against, and how a run's figures are shown. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

export interface Figure {
  readonly suite: string;
  readonly name: string;
  readonly unit: string;
  readonly floor: number;
  readonly nerve: number;
  /** What is held against the target: mostly nerve / floor. */
  readonly ratio: number;
  readonly target: Target | null;
  /** Where the time goes. */
  readonly detail: string;
}

/** Middle of `values`; of an even number the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Median of `pick` over the rounds. */
export const medianOf = <T>(rounds: readonly T[], pick: (round: T) => number): number => median(rounds.map(pick));

export const meets = ({ ratio, target }: Figure): boolean | null => {
  if (target === null) return null;
  return "atLeast" in target ? ratio >= target.atLeast : ratio <= target.atMost;
};

const number = (value: number): string => {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 10_000) return `${(value / 1000).toFixed(value >= 100_000 ? 0 : 1)}k`;
  if (Number.isInteger(value)) return String(value);
  return value.toPrecision(Math.abs(value) >= 1000 ? 4 : 3);
};

const targetText = (target: Target | null): string => {
  if (target === null) return "";
  return "atLeast" in target ? `≥ ${number(target.atLeast)}` : `≤ ${number(target.atMost)}`;
};

const verdict = (figure: Figure): string => {
  const met = meets(figure);
  return met === null ? "" : met ? "ok" : "SHORT";
};

const HEAD = ["figure", "unit", "floor", "nerve", "ratio", "target", "", "where it goes"];

export function printFigures(figures: readonly Figure[]): void {
  const rows = figures.map((figure) => [
    `${figure.suite}: ${figure.name}`,
    figure.unit,
    number(figure.floor),
    number(figure.nerve),
    number(figure.ratio),
    targetText(figure.target),
    verdict(figure),
    figure.detail,
  ]);
  const widths = HEAD.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const isNumber = (column: number): boolean => column >= 2 && column <= 5;
  for (const row of [HEAD, ...rows]) {
    const cells = row.map((cell, column) => {
      const width = column === HEAD.length - 1 ? 0 : (widths[column] ?? 0);
      return isNumber(column) ? cell.padStart(width) : cell.padEnd(width);
    });
    console.log(cells.join("  ").trimEnd());
  }
}

export const jsonFigure = (figure: Figure): string => JSON.stringify({ ...figure, ok: meets(figure) });
