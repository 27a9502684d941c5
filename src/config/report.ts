/** Owns the collection of problems while a configuration is read: all problems are reported at once, in the order of the file. */
import { formatProblem, type Problem } from "../model/problem.ts";
import { found, type Place, type Tree } from "./tree.ts";

/** A person reads no further than this. The limit also keeps a hostile file from making the answer as long as the file. */
const MAX_PROBLEMS = 200;

export interface Report {
  /** Problems of `file` come after the problems of files that were announced earlier. */
  announce(file: string): void;
  /** `hint` is the remedy, or null. */
  add(kind: string, place: Place, message: string, hint: string | null): void;
  /** Adds a problem that another part found; a problem without a place gets `place`. */
  adopt(problem: Problem, place: Place): void;
  /** Adds that `label` must be `what` but is `tree`. Adds nothing for a tree that was reported before. */
  expected(kind: string, tree: Tree, label: string, what: string, hint: string | null): void;
  /** Adds a warning on something that is allowed but is most likely a mistake. */
  warn(kind: string, place: Place, message: string, hint: string | null): void;
  isFull(): boolean;
  warnings(): Problem[];
  /** Problems in the order of file, line and column. */
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
      // Two patterns may include the same file.
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
