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
import { Violation } from "../sim/oracle/report.ts";
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

interface Row {
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

const ENDING: Readonly<Record<string, string>> = {
  "run.completed": "completed",
  "run.failed": "failed",
  "run.cancelled": "cancelled",
  "run.timed-out": "timed-out",
  "run.dropped": "dropped",
  "run.joined": "joined",
};
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
  ...Object.keys(ENDING),
];
/** After which a run holds a slot. */
const BEGINS = ["run.started", "run.resumed"];

const SHOWN = 5;

const listed = (what: string, found: readonly unknown[]): string[] => {
  const shown = found.slice(0, SHOWN).map((item) => `${what}: ${JSON.stringify(item)}`);
  return found.length > SHOWN ? [...shown, `${what}: … ${found.length - SHOWN} more`] : shown;
};

const numberOf = ({ input }: Row): number => (JSON.parse(input) as { n: number }).n;
// biome-ignore lint/suspicious/noExplicitAny: the data of each event is another
const dataOf = ({ data }: Event): any => JSON.parse(data);

/** The row its events lead to. */
function fold(events: readonly Event[]): Omit<Row, "input" | "workflow" | "id" | "trace"> {
  let [state, attempt, output, error] = ["queued", 0, null as string | null, null as string | null];
  let [startedAt, endedAt] = [null as number | null, null as number | null];
  for (const event of events) {
    const data = dataOf(event);
    if (event.event === "run.started") startedAt = event.at;
    if (BEGINS.includes(event.event)) [state, attempt] = ["running", data.attempt];
    if (event.event === "run.sleeping" || event.event === "run.retrying") state = "sleeping";
    if (event.event === "run.retrying") error = data.error;
    const ending = ENDING[event.event];
    if (ending === undefined) continue;
    [state, endedAt] = [ending, event.at];
    error = ending === "completed" ? null : data.error;
    if (ending === "completed") output = JSON.stringify(data.output);
  }
  return {
    state,
    attempt,
    output,
    error,
    queued_at: events[0]?.at ?? 0,
    started_at: startedAt,
    ended_at: endedAt,
    last_log_id: events.at(-1)?.id ?? 0,
  };
}

/** The table is what the logs say. */
function oneRun(row: Row, events: readonly Event[]): string[] {
  const endings = events.filter(({ event }) => event in ENDING);
  const found = endings.length === 1 ? [] : [`run ${row.id} has ${endings.length} endings`];
  if (events.some(({ trace }) => trace !== row.trace)) found.push(`run ${row.id} has events of another trace`);
  const derived = fold(events);
  for (const [column, value] of Object.entries(derived)) {
    const is = row[column as keyof Row];
    if (is !== value) found.push(`run ${row.id}: ${column} is ${is}, its logs say ${value}`);
  }
  return found;
}

/** How runs come and go, as the model has it. The model says what it finds first of each run. */
function course(rows: readonly Row[], events: readonly Event[], concurrency: Asked["concurrency"]): string[] {
  const oracle = new RunOracle();
  oracle.configured(
    new Map(
      Object.entries(concurrency).map(([name, most]) => [
        name,
        { name, concurrency: most, overflow: "drop" } as WorkflowConfig,
      ]),
    ),
  );
  const found: string[] = [];
  const faulty = new Set<number>();
  const attempt = (run: number, act: () => void): void => {
    if (faulty.has(run)) return;
    try {
      act();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      found.push(error.message);
      faulty.add(run);
    }
  };
  for (const event of events) {
    attempt(event.run, () => {
      // The kernel and its workers may have ended before each event; nobody has noted when.
      oracle.workerGone(null);
      oracle.log(event.id, event as unknown as NewLog, Number.POSITIVE_INFINITY);
    });
  }
  for (const row of rows) attempt(row.id, () => oracle.row(row as unknown as Run));
  return found.slice(0, SHOWN);
}

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
    ...course(rows, events, asked.concurrency),
    ...rows.flatMap((row) => oneRun(row, eventsOf.get(row.id) ?? [])),
    ...rows.flatMap((row) => steps(row, eventsOf.get(row.id) ?? [], marksOf.get(numberOf(row)) ?? [])),
    ...requests(rows, asked),
    ...Object.entries(asked.concurrency).flatMap(([workflow, concurrency]) => [
      ...slots(workflow, concurrency, places.get(workflow) ?? []),
    ]),
  ];
}
