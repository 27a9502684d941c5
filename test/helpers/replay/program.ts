/** A workflow as data, and how it is run on a thread. Copied beside workflows under test: it imports nothing at run time. */
import type { Thread } from "nerve";

export type Node =
  | StepNode
  | { readonly kind: "sleep"; readonly ms: number; readonly name: string | null }
  /** Awaits that have nothing to do with the thread, before what follows. */
  | { readonly kind: "own"; readonly rounds: number }
  | { readonly kind: "log"; readonly line: string }
  | { readonly kind: "throw" }
  | { readonly kind: "together"; readonly how: Together; readonly branches: readonly (readonly Node[])[] }
  | { readonly kind: "loop"; readonly times: number; readonly body: readonly Node[] }
  | { readonly kind: "catch"; readonly how: Caught; readonly body: readonly Node[]; readonly handler: readonly Node[] };

export interface StepNode {
  readonly kind: "step";
  /** Shared by several nodes where they are numbered by their calls. */
  readonly name: string;
  readonly ms: number;
  /** Tries that fail before one succeeds. */
  readonly fails: number;
  /** Tries after the first; null: none. */
  readonly limit: number | null;
}

export type Together = "all" | "allSettled" | "any" | "race";
export type Caught = "go on" | "rethrow" | "wrap" | "gather" | "words";

export type Program = readonly Node[];

export interface Watcher {
  /** A call of the thread settled. `what`: the step or sleep; `where`: the call in the code. */
  settled(what: string, where: string, value: unknown): void;
  slept(key: string, ms: number, isOver: boolean): void;
  act(node: StepNode, id: string, attempt: number): Promise<unknown>;
  own(): Promise<void>;
}

/** Runs the program as a workflow's code would be run. */
export async function runProgram(program: Program, thread: Thread, watcher: Watcher, where = ""): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const [index, one] of program.entries()) {
    const value = await runNode(one, thread, watcher, `${where}/${index}`);
    if (value !== undefined) values.push(value);
  }
  return values;
}

async function runNode(one: Node, thread: Thread, watcher: Watcher, where: string): Promise<unknown> {
  switch (one.kind) {
    case "step":
      return runStep(one, thread, watcher, where);
    case "sleep": {
      const key = `sleep ${one.ms} ${one.name}`;
      watcher.slept(key, one.ms, false);
      await (one.name === null ? thread.sleep(one.ms) : thread.sleep(one.ms, one.name));
      watcher.slept(key, one.ms, true);
      return watcher.settled(key, where, null);
    }
    case "own":
      for (let round = 0; round < one.rounds; round++) await watcher.own();
      return;
    case "log":
      return thread.log("info", one.line + where);
    case "throw":
      throw new Error("thrown");
    case "together":
      return together(one, thread, watcher, where);
    case "loop": {
      const rounds: unknown[] = [];
      for (let round = 0; round < one.times; round++)
        rounds.push(await runProgram(one.body, thread, watcher, `${where}#${round}`));
      return rounds;
    }
    case "catch":
      return caught(one, thread, watcher, where);
  }
}

async function runStep(one: StepNode, thread: Thread, watcher: Watcher, where: string): Promise<unknown> {
  const act = async ({ id, attempt }: { id: string; attempt: number }) => {
    await watcher.act(one, id, attempt);
    return one.name === "shared" ? where : one.name;
  };
  const options = one.limit === null ? undefined : { retry: { limit: one.limit, interval: 10, backoff: 2 } };
  try {
    const value = await thread.step(one.name, act, options);
    watcher.settled(`step ${one.name}`, where, value);
    return value;
  } catch (error) {
    const { name, message } = error as Error;
    // The run was told to end: the step has not settled.
    if (name !== "TimeoutError") watcher.settled(`step ${one.name}`, where, `${name}: ${message}`);
    throw error;
  }
}

const outcomeOf = (error: unknown): string => `${(error as Error).name}: ${(error as Error).message}`;

async function together(
  { how, branches }: Extract<Node, { kind: "together" }>,
  thread: Thread,
  watcher: Watcher,
  where: string,
): Promise<unknown> {
  const all = branches.map((nodes, index) => runProgram(nodes, thread, watcher, `${where}.${index}`));
  if (how === "all") return Promise.all(all);
  if (how === "any") return Promise.any(all);
  if (how === "race") return Promise.race(all);
  const ends = await Promise.allSettled(all);
  return ends.map((end) => (end.status === "fulfilled" ? end.value : outcomeOf(end.reason)));
}

async function caught(
  { how, body, handler }: Extract<Node, { kind: "catch" }>,
  thread: Thread,
  watcher: Watcher,
  where: string,
): Promise<unknown> {
  try {
    return await runProgram(body, thread, watcher, `${where}t`);
  } catch (error) {
    const handled = await runProgram(handler, thread, watcher, `${where}c`);
    if (how === "rethrow") throw error;
    if (how === "wrap") throw new Error("wrapped", { cause: error });
    if (how === "gather") throw new AggregateError([new Error("another"), error], "gathered");
    if (how === "words") throw new Error(`in other words: ${(error as Error).message}`);
    return [outcomeOf(error), handled];
  }
}
