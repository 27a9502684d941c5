/** What became of a run's time, and of each of its steps, from the logs of the run. Pure. */
import type { Json, JsonObject } from "../../base/json.ts";
import type { ShownLog, ShownRun } from "../../web/contract.ts";
import { isObject } from "../words/payload.ts";

export type PieceKind = "queued" | "running" | "retry" | "sleeping" | "completed" | "failed" | "pending";

export interface Piece {
  readonly kind: PieceKind;
  readonly from: number;
  readonly to: number;
}

export interface Try {
  readonly from: number;
  readonly to: number;
  readonly state: "running" | "completed" | "failed";
  readonly error: string | null;
  readonly result: Json;
  /** When it is tried again, or null. */
  readonly until: number | null;
}

export interface StepLine {
  readonly name: string;
  readonly nth: number;
  readonly tries: readonly Try[];
}

export interface Attempt {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly steps: readonly StepLine[];
  /** Steps that an attempt before had finished: their results are used again. */
  readonly kept: readonly string[];
  readonly failed: boolean;
  /** How long it waited for the next attempt after this one; null: there is none. */
  readonly waitsUntil: number | null;
}

export interface RunTimeline {
  readonly pieces: readonly Piece[];
  readonly attempts: readonly Attempt[];
  /** All tries of each step, over all attempts. */
  readonly steps: readonly StepLine[];
  readonly split: Readonly<Record<"queued" | "running" | "retry" | "sleeping", number>>;
}

const ENDINGS: ReadonlySet<string> = new Set([
  "run.completed",
  "run.failed",
  "run.timed-out",
  "run.cancelled",
  "run.dropped",
  "run.joined",
]);

const text = (data: JsonObject, key: string): string => (typeof data[key] === "string" ? (data[key] as string) : "");
const number = (data: JsonObject, key: string): number | null =>
  typeof data[key] === "number" ? (data[key] as number) : null;
const dataOf = (log: ShownLog): JsonObject => (isObject(log.data) ? log.data : {});

/** What a run did from its queueing to its end, or to `now` while it goes on. */
function piecesOf(run: ShownRun, logs: readonly ShownLog[], now: number): Piece[] {
  const pieces: Piece[] = [];
  let kind: PieceKind | null = "queued";
  let from = run.queued_at;
  let stepWaits = false;
  const turn = (next: PieceKind | null, at: number): void => {
    if (kind !== null && at > from) pieces.push({ kind, from, to: at });
    kind = next;
    from = at;
  };
  for (const log of logs) {
    const data = dataOf(log);
    if (log.event === "step.failed") stepWaits = number(data, "until") !== null;
    if (log.event === "run.started" || log.event === "run.resumed") turn("running", log.at);
    else if (log.event === "run.sleeping") turn(stepWaits ? "retry" : "sleeping", log.at);
    else if (log.event === "run.retrying") turn("retry", log.at);
    else if (ENDINGS.has(log.event)) turn(null, log.at);
    if (log.event === "run.resumed") stepWaits = false;
  }
  turn(null, run.ended_at ?? now);
  return pieces;
}

/** A try as `step.completed` or `step.failed` tells it. */
function tryOf(log: ShownLog, begun: number | null): Try {
  const data = dataOf(log);
  const duration = number(data, "duration_ms") ?? 0;
  const failed = log.event === "step.failed";
  return {
    from: begun ?? log.at - duration,
    to: log.at,
    state: failed ? "failed" : "completed",
    error: failed ? text(data, "error") : null,
    result: failed ? null : (data.result ?? null),
    until: number(data, "until"),
  };
}

class Steps {
  readonly #lines = new Map<string, { readonly name: string; readonly nth: number; readonly tries: Try[] }>();
  readonly #begun = new Map<string, number>();

  take(log: ShownLog): void {
    const data = dataOf(log);
    const name = text(data, "step");
    const nth = number(data, "nth") ?? 0;
    const key = `${name}\0${nth}`;
    if (log.event === "step.started") {
      this.#begun.set(key, log.at);
      this.#line(key, name, nth);
      return;
    }
    this.#line(key, name, nth).push(tryOf(log, this.#begun.get(key) ?? null));
    this.#begun.delete(key);
  }

  #line(key: string, name: string, nth: number): Try[] {
    const known = this.#lines.get(key);
    if (known !== undefined) return known.tries;
    const tries: Try[] = [];
    this.#lines.set(key, { name, nth, tries });
    return tries;
  }

  /** What is under way ends at `end`, as far as is known. */
  close(end: number): readonly StepLine[] {
    for (const [key, from] of this.#begun) {
      this.#lines.get(key)?.tries.push({ from, to: end, state: "running", error: null, result: null, until: null });
    }
    this.#begun.clear();
    return [...this.#lines.values()];
  }
}

interface Begun {
  readonly number: number;
  readonly from: number;
  readonly steps: Steps;
  readonly kept: readonly string[];
}

function attemptsOf(run: ShownRun, logs: readonly ShownLog[], now: number): Attempt[] {
  const attempts: Attempt[] = [];
  const finished: string[] = [];
  const open: { begun: Begun | null } = { begun: null };
  const end = (to: number, failed: boolean, waitsUntil: number | null): void => {
    const { begun } = open;
    if (begun === null) return;
    const steps = begun.steps.close(to);
    attempts.push({ number: begun.number, from: begun.from, to, steps, kept: begun.kept, failed, waitsUntil });
    for (const { name, tries } of steps) if (tries.at(-1)?.state === "completed") finished.push(name);
    open.begun = null;
  };
  const begin = (number: number, from: number): void => {
    open.begun ??= { number, from, steps: new Steps(), kept: [...finished] };
  };
  for (const log of logs) {
    const data = dataOf(log);
    if (log.event === "run.started" || log.event === "run.resumed")
      begin(number(data, "attempt") ?? attempts.length + 1, log.at);
    else if (log.event.startsWith("step.")) open.begun?.steps.take(log);
    else if (log.event === "run.retrying") end(log.at, true, number(data, "until"));
    else if (ENDINGS.has(log.event)) end(log.at, log.event !== "run.completed", null);
  }
  end(run.ended_at ?? now, false, null);
  return attempts;
}

/** `logs`: those of the run. */
export function timelineOf(run: ShownRun, logs: readonly ShownLog[], now: number): RunTimeline {
  const own = logs.filter((log) => log.run === run.id).sort((a, b) => a.id - b.id);
  const pieces = piecesOf(run, own, now);
  const attempts = attemptsOf(run, own, now);
  const all = new Map<string, { name: string; nth: number; tries: Try[] }>();
  for (const { name, nth, tries } of attempts.flatMap(({ steps }) => steps)) {
    const key = `${name}\0${nth}`;
    const line = all.get(key) ?? { name, nth, tries: [] };
    line.tries.push(...tries);
    all.set(key, line);
  }
  const spent = (kind: PieceKind): number =>
    pieces.filter((piece) => piece.kind === kind).reduce((sum, { from, to }) => sum + to - from, 0);
  const split = {
    queued: spent("queued"),
    running: spent("running"),
    retry: spent("retry"),
    sleeping: spent("sleeping"),
  };
  return { pieces, attempts, steps: [...all.values()], split };
}

/** The tries of a step as pieces of a bar, with the waits between them. */
export function triesAsPieces(tries: readonly Try[]): readonly Piece[] {
  return tries.flatMap(({ from, to, state, until }, index): Piece[] => {
    const next = tries[index + 1];
    const wait: Piece[] = until === null || next === undefined ? [] : [{ kind: "retry", from: to, to: next.from }];
    return [{ kind: state, from, to }, ...wait];
  });
}
