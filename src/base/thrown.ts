/** What foreign code threw, as text: it may be a string, null, or an object whose every property throws in turn. */
export interface Thrown {
  readonly message: string;
  readonly stack: string | null;
}

export function describeThrown(thrown: unknown): Thrown {
  try {
    if (!(thrown instanceof Error)) return { message: String(thrown), stack: null };
    const { stack } = thrown;
    return { message: `${thrown.name}: ${thrown.message}`, stack: typeof stack === "string" ? stack : null };
  } catch {
    return { message: "something that cannot be shown", stack: null };
  }
}
