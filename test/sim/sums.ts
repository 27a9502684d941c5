/** What many seeds come to: a line for each set, and the moves that runs, workers and reflexes have made in them. */
import { reachedIn } from "./oracle/moves.ts";
import { type Counts, NO_COUNTS, type Told } from "./told.ts";
import { DAY } from "./words.ts";

export class Sums {
  readonly #told = new Map<string, Told[]>();
  readonly #moves = new Map<string, number>();
  bad = 0;
  seeds = 0;

  add(set: string, told: Told): void {
    const known = this.#told.get(set);
    if (known === undefined) this.#told.set(set, [told]);
    else known.push(told);
    this.seeds++;
    if (told.rule !== null) this.bad++;
    for (const [move, times] of Object.entries(told.moves)) this.#moves.set(move, (this.#moves.get(move) ?? 0) + times);
  }

  /** `24 seeds of day, 24.0 days in 31.2 s of CPU (0.77 days a second): 0 found something; digest 1a2b3c4d; {…}`. */
  lines(): string[] {
    return [...this.#told].map(([set, all]) => {
      const told = all.toSorted((a, b) => a.seed - b.seed);
      const days = told.reduce((sum, { reachedMs }) => sum + reachedMs / DAY, 0);
      const seconds = told.reduce((sum, { cpuMs }) => sum + cpuMs / 1_000, 0);
      const bad = told.filter(({ rule }) => rule !== null).length;
      const digest = told.reduce((crc, one) => Bun.hash.crc32(one.digest, crc), 0);
      const pace = `${days.toFixed(1)} days in ${seconds.toFixed(1)} s of CPU (${(days / seconds).toFixed(2)} days a second)`;
      const counts = JSON.stringify(countsOf(told));
      return `${told.length} seeds of ${set}, ${pace}: ${bad} found something; digest ${digest.toString(16).padStart(8, "0")}; ${counts}`;
    });
  }

  reached(): string[] {
    return reachedIn(this.#moves);
  }

  moves(): string[] {
    return [...this.#moves].sort().map(([move, times]) => `${String(times).padStart(9)}  ${move}`);
  }
}

function countsOf(told: readonly Told[]): Counts {
  const sums: Record<keyof Counts, number> = { ...NO_COUNTS };
  for (const { counts } of told) for (const key of Object.keys(sums) as (keyof Counts)[]) sums[key] += counts[key];
  return sums;
}
