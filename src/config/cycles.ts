/**
 * Owns the search for cycles of sense reflexes that nothing slows down: in such a cycle every signal causes the next, for
 * ever. A `throttle` of a sense slows every cycle that the sense is part of. A `throttle` or `debounce` of a reflex does
 * the same. Pure.
 */
export interface Edge {
  /** The sense whose signals trigger. */
  readonly from: string;
  /** The sense that runs. */
  readonly to: string;
}

/**
 * Returns one cycle for each group of senses that reach one another, as `[a, b]` for `a → b → a`: the shortest cycle
 * through the sense that comes first in `edges`. `edges` holds only edges that nothing slows down.
 */
export function findCycles(edges: readonly Edge[]): string[][] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) {
    const targets = next.get(from);
    if (targets) targets.add(to);
    else next.set(from, new Set([to]));
  }
  const cycles: string[][] = [];
  for (const component of components(next)) {
    const start = [...next.keys()].find((sense) => component.has(sense));
    const cycle = start === undefined ? null : shortestCycle(start, next, component);
    if (cycle) cycles.push(cycle);
  }
  return cycles;
}

export const formatCycle = (cycle: readonly string[]): string => [...cycle, cycle[0]].join(" → ");

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Strongly connected components (Tarjan). The stack is our own: a long chain of senses must not overflow the call stack. */
function components(next: Graph): Set<string>[] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const found: Set<string>[] = [];
  const lower = (node: string, to: number): void => {
    low.set(node, Math.min(low.get(node) ?? to, to));
  };

  for (const root of next.keys()) {
    if (order.has(root)) continue;
    const path: { readonly node: string; readonly rest: Iterator<string> }[] = [];
    const enter = (node: string): void => {
      order.set(node, order.size);
      lower(node, order.size - 1);
      open.push(node);
      isOpen.add(node);
      path.push({ node, rest: (next.get(node) ?? new Set<string>()).values() });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const step = top.rest.next();
      if (!step.done) {
        const seen = order.get(step.value);
        if (seen === undefined) enter(step.value);
        else if (isOpen.has(step.value)) lower(top.node, seen);
        continue;
      }
      path.pop();
      const lowest = low.get(top.node) ?? 0;
      const parent = path.at(-1);
      if (parent) lower(parent.node, lowest);
      if (lowest === order.get(top.node)) found.push(close(top.node, open, isOpen));
    }
  }
  return found;
}

function close(root: string, open: string[], isOpen: Set<string>): Set<string> {
  const component = new Set<string>();
  for (let node = open.pop(); node !== undefined; node = node === root ? undefined : open.pop()) {
    isOpen.delete(node);
    component.add(node);
  }
  return component;
}

function shortestCycle(start: string, next: Graph, within: ReadonlySet<string>): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let index = 0; index < queue.length; index++) {
    const node = queue[index] as string;
    for (const target of next.get(node) ?? []) {
      if (target === start) return trace(node, start, cameFrom);
      if (!within.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, node);
      queue.push(target);
    }
  }
  return null;
}

function trace(last: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const cycle = [last];
  for (let node = last; node !== start; ) {
    node = cameFrom.get(node) ?? start;
    cycle.unshift(node);
  }
  return cycle;
}
