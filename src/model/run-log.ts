/**
 * The logs of one run as they are read: what each of them is, parsed, and whether it can follow the ones before it. The
 * kernel, `nerve rebuild` and every list read the logs of runs through here.
 */
import { readJson } from "../base/json.ts";
import type { Log } from "./log.ts";
import { isQuiet } from "./quiet-events.ts";
import { advance, COMES_IN, isRunEvent, type Recorded, type Run, type RunEvent } from "./run.ts";
import { parseRunData } from "./run-data.ts";
import type { StepPlace } from "./run-places.ts";

/** Events with the id of a run that change nothing of it. */
const BESIDE: ReadonlySet<string> = new Set(["log", "output", "run.waiting", "run.nothing-to-run", "run.long"]);

/**
 * `event`: an event of a run; `n` is its number among the events of the run, null where it is not recorded. `beside`: something else that happened meanwhile. `damaged`: it has the id of a run, and
 * `column` is nothing that nerve writes there; `why` reads on behind the name of the column.
 */
export type RunLog =
  | { readonly kind: "event"; readonly row: Recorded; readonly event: RunEvent; readonly n: number | null }
  | { readonly kind: "beside"; readonly event: string }
  | { readonly kind: "damaged"; readonly id: number; readonly column: keyof Log; readonly why: string };

export type DamagedLog = Extract<RunLog, { kind: "damaged" }>;

export const damagedMessage = ({ id, column, why }: DamagedLog): string => `log ${id}: ${column} ${why}`;

const OF_WORKFLOW = "workflow:";

export function runLogOf(log: Log): RunLog {
  const { id, at, run, source, event, trace, data } = log;
  if (run === null || BESIDE.has(event)) return { kind: "beside", event };
  const damaged = (column: keyof Log, why: string): RunLog => ({ kind: "damaged", id, column, why });
  if (!isRunEvent(event)) return damaged("event", `is ${JSON.stringify(event)}, which is no event of a run`);
  if (!source.startsWith(OF_WORKFLOW)) return damaged("source", `is ${JSON.stringify(source)}, which is no workflow`);
  if (trace === null) return damaged("trace", "is NULL");
  const read = data === null ? undefined : readJson(data);
  const parsed = parseRunData(event, read);
  if (!parsed.ok) return damaged("data", `of ${event} ${parsed.error}`);
  const row = { id, at, run, workflow: source.slice(OF_WORKFLOW.length), trace };
  const { n } = read as { readonly [key in "n"]: unknown };
  if (n === undefined) return { kind: "event", row, event: parsed.value, n: null };
  if (!Number.isSafeInteger(n) || Number(n) < 1) return damaged("data", `of ${event} has no number from 1 on as n`);
  return { kind: "event", row, event: parsed.value, n: Number(n) };
}

type EventLog = Extract<RunLog, { kind: "event" }>;

/** What of a row its `run.queued` alone says. */
const FIXED = [
  "workflow",
  "reflex",
  "signal_id",
  "input",
  "queued_at",
  "trace",
  "retry_of",
  "first_log_id",
  "key",
  "decision",
] as const satisfies readonly (keyof Run)[];

/**
 * Whether `run` can be the row of a run that lives, of which these are the oldest event and the newest one that the row names.
 * What only the events between them say (the moment it started, an error of an earlier attempt) is not asked.
 */
export function agrees(run: Run, first: EventLog, newest: EventLog): boolean {
  if (first.event.event !== "run.queued" || first.row.run !== run.id) return false;
  const begun = advance(null, first.row, first.event);
  if (FIXED.some((column) => run[column] !== begun[column])) return false;
  const sleeps = run.state === "sleeping";
  if (run.output !== null || run.ended_at !== null || sleeps !== (run.until !== null)) return false;
  const { event } = newest.event;
  // Until when it sleeps is in an event before.
  if (sleeps && event !== "run.sleeping" && event !== "run.retrying") return false;
  if (event === "run.queued") return isSame(run, { ...begun, events: run.events === null ? null : 1 });
  // Earlier builds named quiet events as well.
  if (isQuiet(run.state, event)) return run.last_log_id === newest.row.id;
  const [from = run.state] = COMES_IN[event];
  const state = COMES_IN[event].includes(run.state) ? run.state : from;
  const before = { ...run, state, events: run.events === null ? null : run.events - 1 };
  return isSame(run, advance(before, newest.row, newest.event));
}

const isSame = (one: Run, other: Run): boolean =>
  (Object.keys(one) as (keyof Run)[]).every((column) => one[column] === other[column]);

const keyOf = ({ step, nth }: StepPlace): string => `${nth} ${step}`;

/** Events of a run are not there, by the number of one that came later. */
export class EventsGone extends Error {}

/** The events of one run, from its `run.queued` on. Throws for what cannot follow, as `advance` does. */
export class RunChain {
  #row: Run;
  #newestId: number;
  #quiet = 0;
  /** The attempts of steps that began and have not settled. */
  readonly #begun = new Map<string, number>();

  constructor(recorded: Recorded, event: RunEvent) {
    this.#row = advance(null, recorded, event);
    this.#newestId = recorded.id;
  }

  /** The run after what was taken. */
  get row(): Run {
    return this.#row;
  }

  /** How many quiet events were taken since the newest one that changed the row. */
  get quiet(): number {
    return this.#quiet;
  }

  /** The row as earlier builds wrote it, which named and counted quiet events at once. */
  get counted(): Run {
    const { events } = this.#row;
    return { ...this.#row, last_log_id: this.#newestId, events: events === null ? null : events + this.#quiet };
  }

  /** `n`: the number of the event, where it is recorded. */
  take(recorded: Recorded, event: RunEvent, n: number | null): void {
    this.#follows(recorded, event, n);
    const row = advance(this.#row, recorded, event, this.#quiet);
    this.#followStep(recorded, event);
    this.#quiet = row === this.#row ? this.#quiet + 1 : 0;
    this.#newestId = recorded.id;
    this.#row = row;
  }

  /** Whether every event before number `n` was taken. */
  #follows({ id, run }: Recorded, { event }: RunEvent, n: number | null): void {
    const { events } = this.#row;
    const before = (events ?? 0) + this.#quiet;
    if (n === null || events === null || n === before + 1) return;
    const gone = n - 1 - before;
    const are = gone === 1 ? "is" : "are";
    throw new EventsGone(`log ${id}: of the ${n - 1} events of run ${run} before ${event} ${gone} ${are} gone`);
  }

  /** A step settles once for each time it begins. */
  #followStep({ id, run }: Recorded, { event, data }: RunEvent): void {
    if (event === "step.started") return void this.#begun.set(keyOf(data), data.attempt);
    if (event !== "step.completed" && event !== "step.failed") return;
    const key = keyOf(data);
    if (this.#begun.get(key) !== data.attempt) {
      const step = `step ${JSON.stringify(data.step)}, number ${data.nth} of that name`;
      throw new Error(`log ${id}: ${event} of run ${run}, ${step}, whose try ${data.attempt} did not begin`);
    }
    this.#begun.delete(key);
  }
}
