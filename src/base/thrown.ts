/** What foreign code threw, as text: it may be a string, null, or an object whose every property throws in turn. */
export interface Thrown {
  readonly message: string;
  readonly stack: string | null;
}

const DEEPEST_CAUSE = 4;

/** What it says, and after it what its causes say: a library's wrapping often hides the reason in there. */
function words(error: Error, depth: number): string {
  const text = `${error.name}: ${error.message}`;
  return error.cause instanceof Error && depth < DEEPEST_CAUSE ? `${text}; ${words(error.cause, depth + 1)}` : text;
}

export function describeThrown(thrown: unknown): Thrown {
  try {
    if (!(thrown instanceof Error)) return { message: String(thrown), stack: null };
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
