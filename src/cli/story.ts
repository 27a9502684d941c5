/**
 * A trace as the tree it is: what began it, the signals each signal led to, and beside them what was logged meanwhile.
 * A log knows its sense and its time; it stands with the signal whose compute wrote it.
 */
import type { Log } from "../model/log.ts";
import type { Signal } from "../model/signal.ts";

export type Node =
  | { readonly kind: "signal"; readonly row: Signal; readonly children: Node[] }
  | { readonly kind: "log"; readonly row: Log };

export interface Story {
  readonly roots: readonly Node[];
  /** From the birth of the trace to its newest row. */
  readonly durationMs: number;
}

const byTime = (a: Node, b: Node): number =>
  a.row.at - b.row.at || (a.kind === b.kind ? a.row.id - b.row.id : a.kind === "log" ? -1 : 1);

export function tellStory(begin: number, signals: readonly Signal[], logs: readonly Log[]): Story {
  const nodes = new Map(signals.map((row) => [row.id, { kind: "signal" as const, row, children: [] as Node[] }]));
  const roots: Node[] = [];
  /** Where the effects of a signal stand; what caused it may be gone, or (in a damaged store) come after it. */
  const under = (signal: Signal | null): Node[] => {
    const cause = signal?.cause ?? null;
    return cause !== null && signal !== null && cause < signal.id ? (nodes.get(cause)?.children ?? roots) : roots;
  };
  for (const node of nodes.values()) under(node.row).push(node);
  for (const row of logs) under(signalOf(row, signals)).push({ kind: "log", row });
  const sort = (list: Node[]): void => {
    list.sort(byTime);
    for (const node of list) if (node.kind === "signal") sort(node.children);
  };
  sort(roots);
  const last = Math.max(begin, ...[...signals, ...logs].map(({ at }) => at));
  return { roots, durationMs: last - begin };
}

/** The signal of the log's sense that came next, else its newest before; null when that sense emitted none. */
function signalOf(log: Log, signals: readonly Signal[]): Signal | null {
  const mine = signals.filter(({ sense }) => log.source === `sense:${sense}`);
  return mine.find(({ at }) => at >= log.at) ?? mine.at(-1) ?? null;
}
