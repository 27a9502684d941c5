/**
 * What is wrong with something a person gave us. Every refusal (config, SQL, a module, a request) is one of these,
 * so that each face (terminal, `--json`, HTTP) shows the same thing, place and remedy.
 */
export interface Problem {
  /** Stable, kebab-case: `unknown-key`, `bad-duration`, `not-found` … */
  readonly kind: string;
  /** What is wrong, naming the thing: one sentence, no trailing stop. */
  readonly message: string;
  /** What to do about it, or null. */
  readonly hint: string | null;
  readonly file: string | null;
  /** 1-based, or null when the problem has no place in a file. */
  readonly line: number | null;
  readonly column: number | null;
}

/** A problem that concerns a whole file, or (`file` null) no file. */
export const problem = (
  kind: string,
  message: string,
  hint: string | null = null,
  file: string | null = null,
): Problem => ({
  kind,
  message,
  hint,
  file,
  line: null,
  column: null,
});

/** The same problem, saying which sense or workflow it is of where it does not yet. */
export const about = (kind: "sense" | "workflow", name: string, found: Problem): Problem =>
  found.message.includes(name) ? found : { ...found, message: `${kind} \`${name}\`: ${found.message}` };

/** `file:line:column`, as far as it is known; null: it is about no file. */
export const placeOf = ({ file, line, column }: Problem): string | null =>
  [file, line, column].filter((part) => part !== null).join(":") || null;

/** `file:line:column: message (hint)`, the one-line form every face shares. */
export function formatProblem(problem: Problem): string {
  const place = placeOf(problem);
  const text = problem.hint === null ? problem.message : `${problem.message}; ${problem.hint}`;
  return place === null || text.startsWith(place) ? text : `${place}: ${text}`;
}
