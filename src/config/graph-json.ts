/** Owns the graph for programs: what `nerve graph --json` prints, and what `/api/v1/graph` answers. */
import type { Graph } from "./graph.ts";

/** Null where nothing bounds the rate. */
const perHour = (most: number): number | null => (Number.isFinite(most) ? most : null);

export const graphJson = (file: string, { senses, remotes, reflexes, workflows, edges, unbounded }: Graph) => ({
  file,
  nodes: [
    ...senses.map(({ kind, id, config: { name, use, group, throttleMs }, most }) => ({
      ...{ id, kind, name, use, group },
      throttle_ms: throttleMs,
      per_hour: perHour(most),
    })),
    ...remotes.map(({ kind, id, name }) => ({ id, kind, name })),
    ...reflexes.map(({ kind, id, config: { name, key }, clocks, words, most, mostPerKey }) => ({
      ...{ id, kind, name, clocks, words, key },
      per_hour: perHour(most),
      per_hour_per_key: perHour(mostPerKey),
    })),
    ...workflows.map(({ kind, id, config: { name, use }, most }) => ({
      ...{ id, kind, name, use },
      per_hour: perHour(most),
    })),
  ],
  edges,
  unbounded,
});
