/**
 * What must hold of runs after any crash, once every one of them has ended and nerve has stopped (G1, G3, §8). Answers every
 * violation as a sentence; reads nothing but files, and none of nerve's own code.
 */
import { Database } from "bun:sqlite";
import { readFileSync } from "node:fs";
import { join } from "node:path";

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
/** After which a run holds a slot, or does not any more. */
const BEGINS = ["run.started", "run.resumed"];
const PAUSES = ["run.sleeping", "run.retrying", ...Object.keys(ENDING)];

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

/** G3, and that the table is what the logs say. */
function oneRun(row: Row, events: readonly Event[]): string[] {
  const found: string[] = [];
  const names = events.map(({ event }) => event);
  const endings = names.filter((name) => name in ENDING);
  const say = (what: string): void => void found.push(`run ${row.id} ${what}: ${names.join(" ")}`);
  if (names[0] !== "run.queued" || names.lastIndexOf("run.queued") !== 0) say("does not begin with its one run.queued");
  if (endings.length !== 1) say(`has ${endings.length} endings`);
  else if (!((names.at(-1) as string) in ENDING)) say("goes on after its ending");
  if (names.filter((name) => name === "run.started").length > 1) say("started twice");
  if (events.some(({ trace }) => trace !== row.trace)) say("has events of another trace");
  const derived = fold(events);
  for (const [column, value] of Object.entries(derived)) {
    const is = row[column as keyof Row];
    if (is !== value) found.push(`run ${row.id}: ${column} is ${is}, its logs say ${value}`);
  }
  if (row.state === "dropped" && (row.started_at !== null || row.attempt !== 0)) say("was dropped after it started");
  const finished = events.filter(({ event }) => event === "step.completed").map(dataOf);
  const twice = finished.filter(
    ({ step, nth }, index) => finished.findIndex((other) => other.step === step && other.nth === nth) !== index,
  );
  return [...found, ...listed(`run ${row.id}: a step that completed twice`, twice)];
}

/** Fresh runs begin in the order of their ids, those of one transaction together, and by the logs no more run at once than may. */
function order(workflow: string, concurrency: number, events: readonly Event[]): string[] {
  const running = new Set<number>();
  const found: string[] = [];
  let newest = 0;
  let newestAt = 0;
  for (const { run, event, id, at } of events) {
    if (event === "run.started") {
      if (run < newest && at !== newestAt)
        found.push(`${workflow}: run ${run} started after run ${newest} (log ${id})`);
      if (run > newest) [newest, newestAt] = [run, at];
    }
    if (BEGINS.includes(event)) running.add(run);
    if (PAUSES.includes(event)) running.delete(run);
    if (running.size > concurrency) found.push(`${workflow}: ${running.size} run at once by the logs (log ${id})`);
  }
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
  const sources = grouped(events, ({ source }) => source);
  const places = grouped(marks, ({ workflow }) => workflow);
  return [
    ...listed(
      "events of a run that has no row",
      [...eventsOf.keys()].filter((id) => !ids.has(id as number)),
    ),
    ...rows.flatMap((row) => oneRun(row, eventsOf.get(row.id) ?? [])),
    ...rows.flatMap((row) => steps(row, eventsOf.get(row.id) ?? [], marksOf.get(numberOf(row)) ?? [])),
    ...requests(rows, asked),
    ...Object.entries(asked.concurrency).flatMap(([workflow, concurrency]) => [
      ...order(workflow, concurrency, sources.get(`workflow:${workflow}`) ?? []),
      ...slots(workflow, concurrency, places.get(workflow) ?? []),
    ]),
  ];
}
