/**
 * What must hold of runs after any crash, once every one of them has ended and nerve has stopped (G1, G3, §8). Answers every
 * violation as a sentence; reads nothing but files, and none of nerve's own code. The rules on events are the simulator's
 * (`test/sim/oracle/runs.ts`).
 */
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { WorkflowConfig } from "../../src/model/config.ts";
import type { NewLog } from "../../src/model/log.ts";
import type { Run } from "../../src/model/run.ts";
import { Moves } from "../sim/oracle/moves.ts";
import { Violations } from "../sim/oracle/report.ts";
import { ENDINGS, RunRow } from "../sim/oracle/run-rows.ts";
import { RunOracle } from "../sim/oracle/runs.ts";

export interface Asked {
  /** Runs the kernel had answered for, by the number in their input. */
  readonly runs: ReadonlyMap<number, number>;
  /** Ids of runs whose cancelling the kernel had answered for. */
  readonly cancelled: readonly number[];
  /** Every number that was asked for, answered or not. */
  readonly numbers: number;
  readonly concurrency: Readonly<Record<string, number>>;
  /** File of the marks the runs left. */
  readonly marks: string;
}

export interface Row {
  readonly id: number;
  readonly workflow: string;
  readonly state: string;
  readonly input: string;
  readonly output: string | null;
  readonly attempt: number;
  readonly queued_at: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly trace: string;
  readonly last_log_id: number;
}

interface Event {
  readonly id: number;
  readonly at: number;
  readonly run: number;
  readonly source: string;
  readonly event: string;
  readonly trace: string;
  readonly data: string;
}

interface Mark {
  readonly at: number;
  readonly what: "in" | "out" | "step";
  readonly workflow: string;
  readonly n: number;
  readonly pid: number;
  readonly step: string | null;
  readonly id: string | null;
}

const EVENTS = [
  "run.queued",
  "run.started",
  "run.resumed",
  "run.sleeping",
  "run.retrying",
  "step.started",
  "step.completed",
  "step.failed",
  "sleep.started",
  "sleep.ended",
  ...Object.keys(ENDINGS),
];
/** What is decided at a start has the stamp of its beginning. */
const STARTING_MS = 5_000;

const SHOWN = 5;

const listed = (what: string, found: readonly unknown[]): string[] => {
  const shown = found.slice(0, SHOWN).map((item) => `${what}: ${JSON.stringify(item)}`);
  return found.length > SHOWN ? [...shown, `${what}: … ${found.length - SHOWN} more`] : shown;
};

const numberOf = ({ input }: Row): number => (JSON.parse(input) as { n: number }).n;
// biome-ignore lint/suspicious/noExplicitAny: the data of each event is another
const dataOf = ({ data }: Event): any => JSON.parse(data);

/** The table is what the logs say. */
function oneRun(row: Row, events: readonly Event[]): string[] {
  const endings = events.filter(({ event }) => event in ENDINGS);
  const found = endings.length === 1 ? [] : [`run ${row.id} has ${endings.length} endings`];
  if (events.some(({ trace }) => trace !== row.trace)) found.push(`run ${row.id} has events of another trace`);
  const must = new RunRow();
  for (const event of events) must.follows(event, dataOf(event));
  const differences = must.differences(row as unknown as Run);
  return [...found, ...differences.map((difference) => `run ${row.id}: ${difference}`)];
}

/** Of a run's event what the model looks at. */
export type CourseEvent = Pick<Event, "id" | "at" | "run" | "source" | "event" | "trace" | "data">;

/**
 * How runs come and go, as the model has it. The model says what it finds first of each run. `elapsedOf` gives the place of a
 * moment on the axis of elapsed time. Events of one moment may be of one transaction.
 */
export function course(
  rows: readonly Row[],
  events: readonly CourseEvent[],
  configs: ReadonlyMap<string, WorkflowConfig>,
  elapsedOf: (at: number) => number,
): string[] {
  const oracle = new RunOracle(new Moves(), STARTING_MS);
  oracle.configured(configs);
  const violations = new Violations();
  const faulty = new Set<number>();
  const attempt = (run: number, act: () => void): void => {
    if (!faulty.has(run) && !violations.attempt(act)) faulty.add(run);
  };
  let moment = 0;
  for (const event of events) {
    if (event.at > moment) oracle.batches.committed(oracle.newest);
    moment = event.at;
    attempt(event.run, () => {
      // The kernel and its workers may have ended before each event; nobody has noted when.
      oracle.workerGone(null);
      oracle.log(event.id, event as unknown as NewLog, elapsedOf(event.at));
    });
  }
  for (const row of rows) attempt(row.id, () => oracle.row(row as unknown as Run));
  return violations.found.slice(0, SHOWN);
}

const dropping = (concurrency: Asked["concurrency"]): Map<string, WorkflowConfig> =>
  new Map(
    Object.entries(concurrency).map(([name, most]) => [
      name,
      { name, concurrency: most, overflow: "drop" } as WorkflowConfig,
    ]),
  );

/** By what the runs did: in how many slots they were, and that one worker at a time was there. */
function slots(workflow: string, concurrency: number, marks: readonly Mark[]): string[] {
  const found: string[] = [];
  const gone = new Set<number>();
  const inside = new Set<number>();
  let pid: number | null = null;
  for (const mark of marks) {
    if (mark.pid !== pid) {
      if (gone.has(mark.pid)) found.push(`${workflow}: worker ${mark.pid} did something after another had begun`);
      if (pid !== null) gone.add(pid);
      pid = mark.pid;
      inside.clear();
    }
    if (mark.what === "in") inside.add(mark.n);
    if (mark.what === "out") inside.delete(mark.n);
    if (inside.size > concurrency) found.push(`${workflow}: ${inside.size} were in a slot at once: ${[...inside]}`);
  }
  return found.slice(0, SHOWN);
}

/** A step has one id, and does not run again once it is finished. */
function steps(row: Row, events: readonly Event[], marks: readonly Mark[]): string[] {
  const found: string[] = [];
  const ids = new Map<string, string>();
  for (const { what, step, id, at } of marks) {
    if (what !== "step" || step === null || id === null) continue;
    const known = ids.get(step) ?? id;
    ids.set(step, known);
    if (known !== id) found.push(`run ${row.id}: step ${step} ran with the ids ${known} and ${id}`);
    const done = events.find((event) => event.event === "step.completed" && dataOf(event).step === step);
    if (done !== undefined && at > done.at) found.push(`run ${row.id}: step ${step} ran after it had completed`);
  }
  const unmarked = events.filter((event) => event.event === "step.completed" && !ids.has(dataOf(event).step));
  return [...found, ...listed(`run ${row.id}: a step that completed and never ran`, unmarked.map(dataOf))];
}

/** What was asked for is there, once. */
function requests(rows: readonly Row[], { runs, cancelled, numbers }: Asked): string[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const seen = new Map<number, number>();
  const found: string[] = [];
  for (const row of rows) {
    const n = numberOf(row);
    if (seen.has(n)) found.push(`request ${n} made the runs ${seen.get(n)} and ${row.id}`);
    if (n > numbers) found.push(`run ${row.id} was never asked for`);
    seen.set(n, row.id);
  }
  for (const [n, id] of runs) {
    if (seen.get(n) !== id) found.push(`request ${n} was answered with run ${id}, which is not there`);
  }
  for (const id of cancelled) {
    const state = byId.get(id)?.state;
    if (state !== "cancelled") found.push(`run ${id} was said to be cancelled and is ${state}`);
  }
  return found;
}

const grouped = <T>(items: readonly T[], by: (item: T) => string | number): Map<string | number, T[]> => {
  const groups = new Map<string | number, T[]>();
  for (const item of items) {
    const group = groups.get(by(item));
    if (group === undefined) groups.set(by(item), [item]);
    else group.push(item);
  }
  return groups;
};

export function findRunViolations(data: string, asked: Asked): string[] {
  const db = new Database(join(data, "logs.db"), { readonly: true });
  const rows = db.query<Row, []>("SELECT * FROM workflow_runs ORDER BY id").all();
  const logs = db.query<Event, []>("SELECT * FROM logs WHERE run IS NOT NULL ORDER BY id").all();
  db.close(true);
  const events = logs.filter(({ event }) => EVENTS.includes(event));
  const marks = readFileSync(asked.marks, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Mark);
  const ids = new Set(rows.map(({ id }) => id));
  const eventsOf = grouped(events, ({ run }) => run);
  const marksOf = grouped(marks, ({ n }) => n);
  const places = grouped(marks, ({ workflow }) => workflow);
  return [
    ...listed(
      "events of a run that has no row",
      [...eventsOf.keys()].filter((id) => !ids.has(id as number)),
    ),
    ...course(rows, events, dropping(asked.concurrency), () => Number.POSITIVE_INFINITY),
    ...rows.flatMap((row) => oneRun(row, eventsOf.get(row.id) ?? [])),
    ...rows.flatMap((row) => steps(row, eventsOf.get(row.id) ?? [], marksOf.get(numberOf(row)) ?? [])),
    ...requests(rows, asked),
    ...Object.entries(asked.concurrency).flatMap(([workflow, concurrency]) => [
      ...slots(workflow, concurrency, places.get(workflow) ?? []),
    ]),
  ];
}
