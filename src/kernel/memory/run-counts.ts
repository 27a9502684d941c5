/** Owns the counts of a workflow's runs that have ended. Nothing is decided by them. */
import { Histogram } from "../../base/histogram.ts";
import { ENDINGS, type Ending, type Run } from "../../model/run.ts";

const SECONDS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];

export class RunCounts {
  readonly ended: Record<Ending, number> = Object.fromEntries(ENDINGS.map((ending) => [ending, 0])) as Record<
    Ending,
    number
  >;
  readonly durations = new Histogram(SECONDS);

  ends({ state, started_at, ended_at }: Run): void {
    if (!Object.hasOwn(this.ended, state)) return;
    this.ended[state as Ending]++;
    if (started_at !== null && ended_at !== null) this.durations.observe(Math.max(0, ended_at - started_at) / 1_000);
  }
}
