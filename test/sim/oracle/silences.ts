/** What must be of silences: while one holds, a reflex that it covers starts nothing, and reports no incident but its end. */
import { violation } from "./report.ts";

/** For as long a disk may take nothing: what was decided before a silence is committed in it. */
const REFUSED_MS = 130_000;

interface Silence {
  readonly since: number;
  readonly lastsMs: number;
}

export class SilenceOracle {
  readonly #silences = new Map<string, Silence>();

  begins(pattern: string, lastsMs: number, elapsed: number): void {
    this.#silences.set(pattern, { since: elapsed, lastsMs });
  }

  ends(pattern: string): void {
    this.#silences.delete(pattern);
  }

  starts(run: number, reflex: string, elapsed: number): void {
    for (const [pattern, { since, lastsMs }] of this.#silences) {
      if (!new Bun.Glob(pattern).match(reflex)) continue;
      if (elapsed > since + REFUSED_MS && elapsed < since + lastsMs - REFUSED_MS)
        violation("silence", `${reflex} starts run ${run}, and ${pattern} is silenced`);
    }
  }
}
