/** Random workflows: how they are made and edited. */
import fc from "fast-check";
import type { Caught, Node, Program, Together } from "./program.ts";

const ms = fc.constantFrom(0, 1, 5, 20, 50, 300, 5_000);
const { node } = fc.letrec<{ node: Node; nodes: Node[] }>((tie) => ({
  nodes: fc.array(tie("node"), { minLength: 1, maxLength: 4 }),
  node: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("step" as const),
        name: fc.constantFrom("", "", "shared"),
        ms,
        fails: fc.constantFrom(0, 0, 0, 0, 1, 2, 99),
        limit: fc.constantFrom(null, null, 0, 1, 3),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("sleep" as const),
        ms: fc.constantFrom(1, 5, 20, 50, 300, 5_000, 3_600_000),
        name: fc.constantFrom(null, null, null, "a", "b"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("log" as const), line: fc.constantFrom("x", "y") }) },
    { weight: 1, arbitrary: fc.constant({ kind: "throw" as const }) },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant("together" as const),
        how: fc.constantFrom<Together>("all", "allSettled", "any", "race", "race"),
        branches: fc.array(
          fc
            .tuple(fc.nat({ max: 3 }), tie("nodes"))
            .map(([rounds, nodes]): Node[] => [{ kind: "own", rounds }, ...nodes]),
          { minLength: 1, maxLength: 3 },
        ),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant("loop" as const), times: fc.nat({ max: 3 }), body: tie("nodes") }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant("catch" as const),
        how: fc.constantFrom<Caught>("go on", "rethrow", "wrap", "gather", "words"),
        body: tie("nodes"),
        handler: tie("nodes"),
      }),
    },
  ),
}));

/** Every node once, in the order of the code, each changed by `change`; null leaves it out. */
export function mapNodes(program: Program, change: (node: Node) => readonly Node[]): Program {
  return program.flatMap((one) => {
    const inner = (nodes: readonly Node[]) => mapNodes(nodes, change);
    if (one.kind === "together") return change({ ...one, branches: one.branches.map(inner) });
    if (one.kind === "loop") return change({ ...one, body: inner(one.body) });
    if (one.kind === "catch") return change({ ...one, body: inner(one.body), handler: inner(one.handler) });
    return change(one);
  });
}

export function nodesOf(program: Program): Node[] {
  const found: Node[] = [];
  mapNodes(program, (one) => {
    found.push(one);
    return [one];
  });
  return found;
}

/** Steps without a name get one of their own. */
function named(program: Program, prefix: string): Program {
  let count = 0;
  return mapNodes(program, (one) => [
    one.kind === "step" && one.name === "" ? { ...one, name: `${prefix}${count++}` } : one,
  ]);
}

export const withoutOwnAwaits = (program: Program): Program =>
  mapNodes(program, (one) => [one.kind === "own" ? { ...one, rounds: 0 } : one]);

/** With a name of its own for each step. */
export const unshared = (program: Program): Program =>
  named(
    mapNodes(program, (one) => [one.kind === "step" && one.name === "shared" ? { ...one, name: "" } : one]),
    "u",
  );

/** With a name of its own for each sleep. */
function apart(program: Program): Program {
  let count = 0;
  return mapNodes(program, (one) => [one.kind === "sleep" ? { ...one, name: `sleep ${count++}` } : one]);
}

/** Where calls of one name follow awaits of one's own side by side, their order is not known: then each has its name. */
export const anyProgram: fc.Arbitrary<Program> = fc
  .tuple(fc.array(node, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([nodes, hasOwnAwaits]) => {
    const program = named(nodes, "s");
    return hasOwnAwaits ? apart(unshared(program)) : withoutOwnAwaits(program);
  });

/** An edit of the code: parts are left out, added, or changed. No name is used twice. */
export interface Edit {
  readonly leaveOut: readonly number[];
  readonly add: readonly (readonly [number, Node])[];
}

export const anyEdit: fc.Arbitrary<Edit> = fc.record({
  leaveOut: fc.array(fc.nat({ max: 12 }), { maxLength: 3 }),
  add: fc.array(fc.tuple(fc.nat({ max: 12 }), node), { maxLength: 2 }),
});

export function edited(program: Program, { leaveOut, add }: Edit, prefix: string): Program {
  let index = 0;
  return mapNodes(program, (one) => {
    const here = index++;
    const added = add.flatMap(([at, node], which) =>
      at === here ? named(unsharedNode(node), `${prefix}${which}-`) : [],
    );
    return leaveOut.includes(here) && one.kind !== "own" ? added : [...added, one];
  });
}

const unsharedNode = (node: Node): Program =>
  mapNodes([node], (one) => [one.kind === "step" ? { ...one, name: "" } : one]);

/** Who wins, or what fails first, is for the clock to say. */
export function dependsOnTime(program: Program): boolean {
  const nodes = nodesOf(program);
  const fails = nodes.some((one) => one.kind === "throw" || (one.kind === "step" && one.fails > (one.limit ?? 0)));
  const safe: readonly Together[] = fails ? ["allSettled"] : ["all", "allSettled"];
  return nodes.some((one) => one.kind === "together" && !safe.includes(one.how));
}
