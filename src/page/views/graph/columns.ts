/** Where the nodes of a graph stand: senses that reflexes look at, the reflexes, their targets; in the order that crosses few lines. Pure. */
import type { GraphAnswer, GraphNode } from "../../../web/contract-host.ts";

export interface Place {
  readonly node: GraphNode;
  /** A sense that is a target as well stands a second time, dashed. */
  readonly repeated: boolean;
}

export interface Line {
  readonly id: string;
  /** Rows in the column on the left and on the right. */
  readonly from: number;
  readonly to: number;
}

export interface Columns {
  readonly nodes: readonly [readonly Place[], readonly Place[], readonly Place[]];
  readonly edges: readonly [readonly Line[], readonly Line[]];
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.MAX_SAFE_INTEGER : values.reduce((sum, value) => sum + value, 0) / values.length;

/** `nodes` by the middle of the rows that they are joined with; those that are joined with none go last. */
function byNeighbours(nodes: readonly GraphNode[], rowsOf: (node: GraphNode) => readonly number[]): GraphNode[] {
  const ranked = nodes.map((node, index) => ({ node, index, at: mean(rowsOf(node)) }));
  return ranked.sort((a, b) => a.at - b.at || a.index - b.index).map(({ node }) => node);
}

export function columnsOf({ nodes, edges }: GraphAnswer): Columns {
  const incoming = new Map<string, string[]>();
  const outgoing = new Map<string, string[]>();
  const put = (map: Map<string, string[]>, key: string, value: string): void =>
    void map.set(key, [...(map.get(key) ?? []), value]);
  for (const { from, to } of edges) {
    put(outgoing, from, to);
    put(incoming, to, from);
  }
  const heard = (node: GraphNode): boolean => (outgoing.get(node.id) ?? []).length > 0;
  const senses = nodes.filter(({ kind }) => kind === "sense" || kind === "remote");
  const left = [...senses.filter(heard), ...senses.filter((node) => !heard(node))];
  const rowIn = (column: readonly GraphNode[], ids: readonly string[]): number[] =>
    ids.map((id) => column.findIndex((node) => node.id === id)).filter((row) => row >= 0);
  // A reflex of the clock alone stands beside the sense that it runs.
  const beside = (node: GraphNode): readonly number[] => {
    const before = rowIn(left, incoming.get(node.id) ?? []);
    return before.length > 0 ? before : rowIn(left, outgoing.get(node.id) ?? []);
  };
  const middle = byNeighbours(
    nodes.filter(({ kind }) => kind === "reflex"),
    beside,
  );
  const targets = nodes.filter(
    (node) => node.kind === "workflow" || (node.kind === "sense" && (incoming.get(node.id) ?? []).length > 0),
  );
  const right = byNeighbours(targets, (node) => rowIn(middle, incoming.get(node.id) ?? []));
  const lines = (from: readonly GraphNode[], to: readonly GraphNode[]): Line[] =>
    edges.flatMap((edge) => {
      const a = from.findIndex(({ id }) => id === edge.from);
      const b = to.findIndex(({ id }) => id === edge.to);
      return a < 0 || b < 0 ? [] : [{ id: `${edge.from} ${edge.to}`, from: a, to: b }];
    });
  const places = (column: readonly GraphNode[], repeated: boolean): Place[] =>
    column.map((node) => ({ node, repeated: repeated && node.kind === "sense" }));
  return {
    nodes: [places(left, false), places(middle, false), places(right, true)],
    edges: [lines(left, middle), lines(middle, right)],
  };
}
