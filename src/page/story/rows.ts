/** A story as the rows of a waterfall: signal → reflex → run → steps → logs, each under what led to it. Pure. */
import { fullNameOf } from "../../model/full-name.ts";
import type { ShownLog, ShownRun, ShownSignal, StoryAnswer } from "../../web/contract.ts";
import type { IconName } from "../parts/icon.tsx";
import { isObject, keyText, summary } from "../words/payload.ts";
import { RUN_MARKS } from "../words/states.ts";
import { type Piece, type StepLine, timelineOf, triesAsPieces } from "./run-timeline.ts";

export interface Dot {
  readonly kind: "signal" | "log" | "fired";
  readonly at: number;
}

export interface StoryRow {
  readonly id: string;
  readonly depth: number;
  readonly icon: IconName;
  readonly name: string;
  readonly meta: string;
  readonly pieces: readonly Piece[];
  readonly dots: readonly Dot[];
  readonly tookMs: number | null;
  /** What opening it shows; null: there is nothing more to say. */
  readonly detail:
    | { readonly kind: "signal"; readonly row: ShownSignal }
    | { readonly kind: "step"; readonly line: StepLine }
    | { readonly kind: "log"; readonly row: ShownLog }
    | { readonly kind: "run"; readonly row: ShownRun }
    | null;
  /** A row that is opened at first: a failure. */
  readonly grave: boolean;
  readonly at: number;
}

/** How long the compute of a signal took, in builds whose signals say so. */
const computeMs = (row: ShownSignal): number | null => {
  const ms = (row as { readonly ms?: unknown }).ms;
  return typeof ms === "number" ? ms : null;
};

const RUN_BESIDE: ReadonlySet<string> = new Set(["log", "output", "run.killed", "run.long", "run.waiting"]);

class Teller {
  readonly #story: StoryAnswer;
  readonly #now: number;
  readonly rows: StoryRow[] = [];

  constructor(story: StoryAnswer, now: number) {
    this.#story = story;
    this.#now = now;
  }

  tell(): readonly StoryRow[] {
    const { signals, runs, logs } = this.#story;
    const known = new Set(signals.map(({ id }) => id));
    for (const signal of signals) if (signal.cause === null || !known.has(signal.cause)) this.#signal(signal, 0);
    const lone = logs.filter((log) => log.event === "reflex.fired" && !known.has(firedFor(log) ?? 0));
    for (const log of lone) this.#fired(log, log.at, 0);
    const begun = new Set(lone.map(runOf));
    for (const run of runs)
      if (!begun.has(run.id) && (run.signal_id === null || !known.has(run.signal_id))) this.#run(run, 0);
    const told = new Set(this.rows.flatMap(({ detail }) => (detail?.kind === "log" ? [detail.row.id] : [])));
    const others = logs.filter((log) => log.run === null && log.event !== "reflex.fired" && !told.has(log.id));
    for (const log of others) this.#log(log, 0);
    return this.rows;
  }

  #signal(signal: ShownSignal, depth: number): void {
    const { signals, runs, logs } = this.#story;
    const ms = computeMs(signal);
    if (ms !== null) {
      const piece: Piece = { kind: "running", from: signal.at - ms, to: signal.at };
      this.#add({
        id: `c${signal.id}`,
        depth,
        icon: "now",
        name: `compute ${fullNameOf(signal)}`,
        pieces: [piece],
        tookMs: ms,
        at: piece.from,
      });
    }
    this.#add({
      id: `s${signal.id}`,
      depth: depth + (ms === null ? 0 : 1),
      icon: "eye",
      name: `${fullNameOf(signal)} #${signal.id}`,
      meta: summary(signal.payload),
      dots: [{ kind: "signal", at: signal.at }],
      detail: { kind: "signal", row: signal },
      at: signal.at,
    });
    const below = depth + 1;
    for (const log of logs)
      if (log.event === "reflex.fired" && firedFor(log) === signal.id) this.#fired(log, signal.at, below);
    const answered = new Set(logs.map(runOf));
    for (const run of runs) if (run.signal_id === signal.id && !answered.has(run.id)) this.#run(run, below);
    for (const next of signals) if (next.cause === signal.id && next.id > signal.id) this.#signal(next, below);
  }

  /** `seenAt`: when its signal came. */
  #fired(log: ShownLog, seenAt: number, depth: number): void {
    const key = isObject(log.data) ? (log.data.key ?? null) : null;
    const waited = log.at - seenAt > 50;
    this.#add({
      id: `f${log.id}`,
      depth,
      icon: "reflex",
      name: log.source.replace("reflex:", ""),
      meta: [key === null ? "" : keyText(key), "fired"].filter((part) => part !== "").join(", "),
      pieces: waited ? [{ kind: "pending", from: seenAt, to: log.at }] : [],
      dots: [{ kind: "fired", at: log.at }],
      tookMs: waited ? log.at - seenAt : null,
      detail: { kind: "log", row: log },
      at: log.at,
    });
    const run = this.#story.runs.find(({ id }) => id === runOf(log));
    if (run !== undefined) this.#run(run, depth + 1);
  }

  #run(run: ShownRun, depth: number): void {
    const own = this.#story.logs.filter((log) => log.run === run.id);
    const { pieces, steps } = timelineOf(run, own, this.#now);
    const end = run.ended_at ?? this.#now;
    this.#add({
      id: `r${run.id}`,
      depth,
      icon: RUN_MARKS[run.state].icon,
      name: `run ${run.id}, ${run.workflow}`,
      meta: RUN_MARKS[run.state].word,
      pieces: pieces.length > 0 ? pieces : [{ kind: "queued", from: run.queued_at, to: end }],
      tookMs: end - run.queued_at,
      detail: { kind: "run", row: run },
      grave: run.error !== null && run.state !== "completed",
      at: run.queued_at,
    });
    const stepRows = steps.map((line) => this.#step(run, line, depth + 1));
    const logRows = own.filter(({ event }) => RUN_BESIDE.has(event)).map((log) => this.#logRow(log, depth + 1));
    this.rows.push(...[...stepRows, ...logRows].sort((a, b) => a.at - b.at));
  }

  #step(run: ShownRun, line: StepLine, depth: number): StoryRow {
    const last = line.tries.at(-1);
    const first = line.tries[0];
    const failed = line.tries.some(({ state }) => state === "failed");
    const icon: IconName =
      last?.state === "failed" ? "fail" : last?.state === "running" ? "run" : failed ? "retry" : "ok";
    return {
      ...EMPTY,
      id: `r${run.id} ${line.name} ${line.nth}`,
      depth,
      icon,
      name: line.nth > 0 ? `${line.name} (${line.nth + 1})` : line.name,
      meta: line.tries.length > 1 ? `${line.tries.length} tries` : "",
      pieces: triesAsPieces(line.tries),
      tookMs: first === undefined || last === undefined ? null : last.to - first.from,
      detail: { kind: "step", line },
      grave: failed,
      at: first?.from ?? run.queued_at,
    };
  }

  #logRow(log: ShownLog, depth: number): StoryRow {
    const meta = log.event === "log" ? log.level : log.event;
    return {
      ...EMPTY,
      id: `l${log.id}`,
      depth,
      icon: "log",
      name: log.message,
      meta,
      dots: [{ kind: "log", at: log.at }],
      detail: { kind: "log", row: log },
      at: log.at,
    };
  }

  #log(log: ShownLog, depth: number): void {
    this.rows.push(this.#logRow(log, depth));
  }

  /** Adds a row of which only what it has is said. */
  #add<Given extends keyof StoryRow>(row: Pick<StoryRow, Given>): void {
    this.rows.push({ ...EMPTY, ...row });
  }
}

const EMPTY: StoryRow = {
  id: "",
  depth: 0,
  icon: "dot",
  name: "",
  meta: "",
  pieces: [],
  dots: [],
  tookMs: null,
  detail: null,
  grave: false,
  at: 0,
};

const fieldOf = (log: ShownLog, field: string): number | null => {
  const value = isObject(log.data) ? log.data[field] : null;
  return typeof value === "number" ? value : null;
};
const firedFor = (log: ShownLog): number | null => fieldOf(log, "signal");
const runOf = (log: ShownLog): number | null => (log.event === "reflex.fired" ? fieldOf(log, "run") : null);

export const storyRows = (story: StoryAnswer, now: number): readonly StoryRow[] => new Teller(story, now).tell();
