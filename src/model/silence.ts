/** Reflexes that start no workflow for a while, because a person said so: a row of `silences`. */
export interface Silence {
  /** A reflex's name, or a glob. */
  readonly pattern: string;
  readonly why: string;
  /** Unix milliseconds at which it began. */
  readonly at: number;
  /** Unix milliseconds at which it is over, as far as can be told. */
  readonly until: number;
  /** The same on the axis of elapsed time. */
  readonly due: number;
}

/** Which reflexes `pattern` silences: the one of that name, and those it matches as a glob. */
export function silencedBy(pattern: string): (reflex: string) => boolean {
  const glob = new Bun.Glob(pattern);
  return (reflex) => reflex === pattern || glob.match(reflex);
}
