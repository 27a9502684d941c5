/** Owns runs as text: one line or a part of a sentence for people, and JSON objects with the columns as keys. */

import { escapeForTerminal } from "../../base/escape.ts";
import { duration, until } from "../../base/times.ts";
import { isOver, type Run, type RunState } from "../../model/run.ts";
import { padded } from "./rows.ts";
import { type Span, type Style, span } from "./terminal.ts";

export const STATE_STYLES: Readonly<Record<RunState, Style | null>> = {
  queued: "dim",
  running: "cyan",
  sleeping: "cyan",
  completed: "green",
  failed: "red",
  cancelled: "yellow",
  "timed-out": "red",
  dropped: "red",
  joined: "dim",
};

const STATE_WIDTH = "completed".length;

/** `by-name · signal #17`, `by-name · at its time`, `by-name · signal #17, key web-1`, `retry of #4`, `by hand`. */
export function originOf({ retry_of, reflex, signal_id, key }: Run): string {
  if (retry_of !== null) return `retry of #${retry_of}`;
  if (reflex === null) return "by hand";
  const ofKey = key === null ? "" : `, key ${escapeForTerminal(key)}`;
  return `${escapeForTerminal(reflex)} · ${signal_id === null ? "at its time" : `signal #${signal_id}${ofKey}`}`;
}

/** How long the run waited, how long it took, and when it continues. */
export function timing(run: Run, now: number): string {
  const { state, queued_at, started_at, ended_at } = run;
  const end = Math.max(ended_at ?? now, queued_at);
  if (started_at === null) return `${isOver(state) ? "after" : "for"} ${duration(end - queued_at)}`;
  const waited = started_at - queued_at;
  const parts = [
    ...(waited >= 1_000 ? [`waited ${duration(waited)}`] : []),
    isOver(state) ? `took ${duration(end - started_at)}` : `for ${duration(Math.max(0, now - started_at))}`,
    ...(run.until === null ? [] : [`goes on ${until(run.until, now)}`]),
  ];
  return parts.join(", ");
}

const firstLine = (text: string): string => escapeForTerminal(text.split("\n", 1)[0] ?? "");

export function runSpans(run: Run, now: number): Span[] {
  const { id, workflow, state, attempt, error } = run;
  return [
    span(padded(`${workflow} #${id}`), "cyan"),
    span(`${state.padEnd(STATE_WIDTH)} `, STATE_STYLES[state]),
    ...(attempt > 1 ? [span(`attempt ${attempt}, `, "yellow")] : []),
    span(timing(run, now)),
    span(` · ${originOf(run)}`, "dim"),
    ...(error === null ? [] : [span("  "), span(firstLine(error), isOver(state) ? "red" : "yellow")]),
  ];
}

export const runTitle = ({ id, workflow }: Pick<Run, "id" | "workflow">): string =>
  `run ${id} of ${escapeForTerminal(workflow)}`;
