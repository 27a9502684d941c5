/** Collects problems while a configuration is read, so that all of them are reported in one go, in the order of the file. */
import { formatProblem, type Problem } from "../model/problem.ts";
import { found, type Place, type Tree } from "./tree.ts";

/** Beyond this nobody reads on, and a hostile file must not make the answer as long as itself. */
const MAX_PROBLEMS = 200;

export interface Report {
  /** Problems of `file` come after those of files announced before it. */
  announce(file: string): void;
  /** `hint` is what to do about it, or null. */
  add(kind: string, place: Place, message: string, hint: string | null): void;
  /** A problem that was found elsewhere; without a place of its own it gets `place`. */
  adopt(problem: Problem, place: Place): void;
  /** `label` must be `what`, but is `tree`. Silent about what was reported before. */
  expected(kind: string, tree: Tree, label: string, what: string, hint: string | null): void;
  /** Something that is allowed, and mostly not what was meant. */
  warn(kind: string, place: Place, message: string, hint: string | null): void;
  isFull(): boolean;
  warnings(): Problem[];
  /** Ordered by file, line and column. */
  problems(): Problem[];
}

export function createReport(mainFile: string): Report {
  const list: Problem[] = [];
  const warned: Problem[] = [];
  const files = new Map<string, number>();
  const announce = (file: string): void => {
    if (!files.has(file)) files.set(file, files.size);
  };
  announce(mainFile);

  const push = (problem: Problem): void => {
    if (list.length >= MAX_PROBLEMS) return;
    if (problem.file !== null) announce(problem.file);
    list.push(problem);
  };
  const add: Report["add"] = (kind, place, message, hint) => push({ kind, message, hint, ...place });
  const rank = (problem: Problem): number => (problem.file === null ? -1 : (files.get(problem.file) ?? -1));

  const inOrder = (problems: readonly Problem[]): Problem[] =>
    problems.toSorted(
      (a, b) => rank(a) - rank(b) || (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
    );

  return {
    announce,
    add,
    adopt: (problem, place) => {
      const placed = problem.file === null ? { ...problem, ...place } : problem;
      // Two patterns may find the same file.
      if (!list.some((known) => formatProblem(known) === formatProblem(placed))) push(placed);
    },
    expected: (kind, tree, label, what, hint) => {
      if (tree.kind !== "broken") add(kind, tree.place, `\`${label}\` must be ${what}, found ${found(tree)}`, hint);
    },
    warn: (kind, place, message, hint) => {
      if (warned.length < MAX_PROBLEMS) warned.push({ kind, message, hint, ...place });
    },
    warnings: () => inOrder(warned),
    isFull: () => list.length >= MAX_PROBLEMS,
    problems: () => {
      const sorted = inOrder(list);
      if (list.length < MAX_PROBLEMS) return sorted;
      const message = `more than ${MAX_PROBLEMS} problems: the rest is not listed`;
      return [...sorted, { kind: "too-many-problems", message, hint: null, file: mainFile, line: null, column: null }];
    },
  };
}
