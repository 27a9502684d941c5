/** What foreign code threw, as text: it may be a string, null, or an object whose every property throws in turn. */
export interface Thrown {
  readonly message: string;
  readonly stack: string | null;
}

const DEEPEST_CAUSE = 4;

/** So much of the end of a program's stderr is shown. */
const STDERR_TAIL_BYTES = 2048;

/** What `Bun.$` leaves out of its message, which names the exit code only: the end of what the program wrote to stderr. */
function stderrOf(error: Error): string {
  const { stderr } = error as { readonly stderr?: unknown };
  if (error.name !== "ShellError" || !(stderr instanceof Uint8Array)) return "";
  const tail = Buffer.from(stderr.subarray(-STDERR_TAIL_BYTES)).toString().trim();
  if (tail === "") return "";
  // A cut may lie inside a character.
  return stderr.length > STDERR_TAIL_BYTES ? `: …${tail.replace(/^\ufffd+/, "")}` : `: ${tail}`;
}

/** Errors that stand for a failure which was described before. */
const STANDING = new WeakMap<Error, { readonly message: string; readonly words: string }>();

/** `error` is made anew from the record of a failure: as long as its message stays, it is described by the recorded `words`. */
export function standsFor<Made extends Error>(error: Made, words: string): Made {
  STANDING.set(error, { message: error.message, words });
  return error;
}

/** The error's message, and after it those of its causes: a library's wrapping often hides the reason in there. */
function words(error: Error, depth: number): string {
  const standing = STANDING.get(error);
  if (standing?.message === error.message) return standing.words;
  const text = `${error.name}: ${error.message}${stderrOf(error)}`;
  return error.cause instanceof Error && depth < DEEPEST_CAUSE ? `${text}; ${words(error.cause, depth + 1)}` : text;
}

/** Longest text that is shown of what is no Error. */
const MOST_CHARS = 500;

const clipped = (text: string): string => (text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text);

/** What is no Error, as it would stand in code: a text in quotes, an object with what is in it. */
function shown(thrown: unknown): string {
  if (typeof thrown === "string") return JSON.stringify(clipped(thrown));
  if (typeof thrown !== "object" && typeof thrown !== "function") return String(thrown);
  // Loaded where it is needed: few programs throw what is no Error.
  const { inspect } = require("node:util") as typeof import("node:util");
  const limits = { depth: 2, maxArrayLength: 20, maxStringLength: MOST_CHARS };
  return clipped(inspect(thrown, { ...limits, breakLength: Number.POSITIVE_INFINITY, customInspect: false }));
}

export function describeThrown(thrown: unknown): Thrown {
  try {
    if (!(thrown instanceof Error)) return { message: shown(thrown), stack: null };
    const { stack } = thrown;
    return { message: words(thrown, 0), stack: typeof stack === "string" ? stack : null };
  } catch {
    return { message: "something that cannot be shown", stack: null };
  }
}

function isError(thrown: unknown): boolean {
  try {
    return thrown instanceof Error;
  } catch {
    return false;
  }
}

/** The same where the throwing itself is what is told: what is no Error is said to have been thrown. */
export function describeFailure(thrown: unknown): Thrown {
  const { message, stack } = describeThrown(thrown);
  return { message: isError(thrown) ? message : `threw ${message}`, stack };
}
