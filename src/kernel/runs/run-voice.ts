/** Owns what is said about runs beside their own events: lines on stderr at their begin and end, and why a run waits. */
import { counted } from "../../base/counted.ts";
import { formatDuration } from "../../base/duration.ts";
import type { LogLevel } from "../../model/log.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import { type Ending, isOver, type Run } from "../../model/run.ts";
import { differences } from "../../store/run-comparison.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { LiveRun } from "../memory/run.ts";
import type { Reading } from "./histories.ts";

const LEVELS: Readonly<Record<Exclude<Ending, "joined">, LogLevel>> = {
  completed: "info",
  failed: "error",
  cancelled: "warn",
  "timed-out": "error",
  dropped: "warn",
};

/** What is wrong with a row: its state, or else its columns. */
function wrongOf(was: Run | null, is: Run): string {
  if (was === null) return "was gone";
  if (was.state !== is.state) return `was ${was.state}`;
  return `had a wrong ${differences(was, is)
    .map(({ column }) => column)
    .join(", ")}`;
}

export class RunVoice {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Called after the commit of the first beginning. The log exists already. */
  began(run: LiveRun, joined: number): void {
    const { row } = run;
    if (row === null) return;
    const { reflex, signal_id, key } = row;
    const ofKey = key === null ? "" : `, key ${key}`;
    const cause = signal_id === null ? "at its time" : `for signal ${signal_id}${ofKey}`;
    const why = reflex === null ? "by hand" : `by reflex ${reflex} ${cause}`;
    const others = joined === 0 ? "" : `, and ${counted(joined, "other run")} joined it`;
    this.#say(run, "info", "run.started", `run ${run.id} started ${why}${others}`);
  }

  /** Called after the commit of the ending. The log exists already. The line of the other run covers a run that joined it. */
  ended(run: LiveRun, { state, error, started_at, ended_at }: Run): void {
    if (!isOver(state) || state === "joined") return;
    const took = started_at === null || ended_at === null ? "" : ` after ${formatDuration(ended_at - started_at)}`;
    const why = error === null ? "" : `: ${error}`;
    this.#say(run, LEVELS[state], `run.${state}`, `run ${run.id} ${state}${took}${why}`);
  }

  /** Logs once why a run waits although it could go on. */
  waits(run: LiveRun, why: string): void {
    if (run.obstacle === why) return;
    run.obstacle = why;
    const message = `run ${run.id} waits: ${why}`;
    const entry = { level: "warn", event: "run.waiting", message, data: null, trace: run.trace } as const;
    this.#journal.relay({ ...entry, source: run.source }, run.id, () => {});
  }

  /** The run may live, and neither its row nor its logs say how. The next start tries it again. */
  cannotRestore(id: number, row: Run | null, problem: Problem): void {
    const message = `run ${id} waits for the next start of nerve: ${formatProblem(problem)}`;
    const source = row === null ? "kernel" : `workflow:${row.workflow}`;
    const entry = { level: "warn", event: "run.waiting", message, data: null, trace: null } as const;
    this.#journal.relay({ ...entry, source }, id, () => {});
  }

  /** A further attempt failed like the attempt before, because every failed step had been dealt with. */
  ranNothing(run: LiveRun, { attempt }: Run): void {
    const step = run.failedBefore === null ? "NAME" : JSON.stringify(run.failedBefore);
    const message = `attempt ${attempt} of run ${run.id} had nothing to run: every failed step was dealt with; \`nerve retry ${run.id} --from-step ${step}\` does it anew`;
    const entry = { level: "warn", event: "run.nothing-to-run", message, data: null, trace: run.trace } as const;
    this.#journal.relay({ ...entry, source: run.source }, run.id, () => {});
  }

  /** The run goes on, and answers very many steps and sleeps from its log first. */
  long(run: LiveRun, places: number): void {
    const message = `run ${run.id} answers ${places} steps and sleeps from its log each time it goes on, and more each time: let a sense poll, and a reflex on it start a run`;
    const entry = { level: "warn", event: "run.long", message, data: { places }, trace: run.trace } as const;
    this.#journal.relay({ ...entry, source: run.source }, run.id, () => {});
  }

  /** The row of a run differed from its logs. */
  corrected(draft: Draft, { row: is, found: was }: Reading): void {
    const message = `the row of run ${is.id} ${wrongOf(was, is)} and is put right: by its logs the run is ${is.state}`;
    const data = { run: is.id, row: was === null ? null : String(was.state), log: is.state };
    this.#journal.within(draft, `workflow:${is.workflow}`, is.trace).error("run.corrected", message, data);
  }

  #say({ id, source, trace }: LiveRun, level: LogLevel, event: `run.${"started" | Ending}`, message: string): void {
    this.#journal.say({ level, source, event, message, data: { run: id }, trace });
  }
}
