/**
 * Owns the text format of Prometheus, version 0.0.4.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import type { Counts } from "../base/histogram.ts";

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly labels: Labels;
  readonly value: number;
}

const escaped = (value: string): string =>
  value.toWellFormed().replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

function labelled(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

const numeral = (value: number): string =>
  Number.isFinite(value) ? String(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";

const head = (name: string, type: string, help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${type}`,
];

/** The lines of a family. None where the family has no series. */
export function family(name: string, type: "counter" | "gauge", help: string, series: readonly Series[]): string[] {
  if (series.length === 0) return [];
  return [
    ...head(name, type, help),
    ...series.map(({ labels, value }) => `${labelled(name, labels)} ${numeral(value)}`),
  ];
}

export interface Distribution {
  readonly labels: Labels;
  readonly counts: Counts;
}

export function histograms(name: string, help: string, all: readonly Distribution[]): string[] {
  return all.length === 0 ? [] : [...head(name, "histogram", help), ...all.flatMap((one) => histogram(name, one))];
}

function histogram(name: string, { labels, counts: { bounds, counts, sum } }: Distribution): string[] {
  let below = 0;
  const buckets = counts.map((count, at) => {
    below += count;
    const le = at < bounds.length ? numeral(bounds[at] as number) : "+Inf";
    return `${labelled(`${name}_bucket`, { ...labels, le })} ${below}`;
  });
  return [
    ...buckets,
    `${labelled(`${name}_sum`, labels)} ${numeral(sum)}`,
    `${labelled(`${name}_count`, labels)} ${below}`,
  ];
}
