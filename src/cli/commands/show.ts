/** Owns `nerve show`: the whole story of one run, incident or trace. */

import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok } from "../../base/result.ts";
import { duration } from "../../base/times.ts";
import type { Incident } from "../../model/incident-row.ts";
import type { Run } from "../../model/run.ts";
import type { Signal } from "../../model/signal.ts";
import { findStory, type Subject } from "../../stories/find-story.ts";
import { type Node, type Story, tellStory, timeOf } from "../../stories/story.ts";
import { storyJson } from "../../stories/story-json.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, fail } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { INCIDENT_STYLES, incidentFacts, incidentTitle } from "../screen/incident-rows.ts";
import { logSpans, signalSpans } from "../screen/rows.ts";
import { originOf, runSpans, runTitle, STATE_STYLES, timing } from "../screen/run-rows.ts";
import { print, renderLine, type Screen, type Span, span, stdoutScreen, wrapLines } from "../screen/terminal.ts";
import { OFFSET_WIDTH, offset, runLogSpans } from "../stories/run-story.ts";

interface Setting {
  /** Unix milliseconds. Offsets count from here. */
  readonly begin: number;
  readonly now: number;
  readonly screen: Screen;
}

function contentOf(node: Node, parent: Node | null, { now, screen }: Setting): Span[] {
  if (node.kind === "signal") return signalSpans(node.row, screen);
  if (node.kind === "run") return runSpans(node.row, now);
  return parent?.kind === "run" ? runLogSpans(node.row, screen) : logSpans(node.row, screen);
}

function treeLines(parent: Node | null, nodes: readonly Node[], indent: string, setting: Setting): string[] {
  const { begin, screen } = setting;
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1;
    const branch = span(`${indent}${last ? "└─" : "├─"} `, "dim");
    const trunk = `${indent}${last ? "   " : "│  "}`;
    const margin = [span(" ".repeat(OFFSET_WIDTH + 2)), span(`${trunk}  `, "dim")];
    const spans = [offset(timeOf(node) - begin), branch, ...contentOf(node, parent, setting)];
    const below = node.kind === "log" ? [] : treeLines(node, node.children, trunk, setting);
    return [...wrapLines(spans, margin, screen), ...below];
  });
}

const DOT = span(" · ", "dim");
const MARGIN = [span("  ")];

function traceHeading({ trace, begin, signals, logs, runs }: Subject, durationMs: number, screen: Screen): string[] {
  const counts = [
    counted(signals.length, "signal"),
    ...(runs.length === 0 ? [] : [counted(runs.length, "run")]),
    counted(logs.length, "log"),
    duration(durationMs),
  ];
  return [
    renderLine([span(`trace ${trace}`, "bold")], screen),
    ...wrapLines([span(localMoment(begin)), ...counts.flatMap((count) => [DOT, span(count)])], MARGIN, screen),
  ];
}

function runHeading(run: Run, namesake: Signal | null, now: number, screen: Screen): string[] {
  const { id, state, attempt, queued_at, trace } = run;
  const parts = [timing(run, now), ...(attempt > 1 ? [counted(attempt, "attempt")] : []), originOf(run)];
  return [
    renderLine([span(runTitle(run), "bold"), DOT, span(state, STATE_STYLES[state])], screen),
    ...wrapLines([span(localMoment(queued_at)), ...parts.flatMap((part) => [DOT, span(part)])], MARGIN, screen),
    renderLine([span(`trace ${trace}`, "dim")], screen),
    ...(namesake === null
      ? []
      : [renderLine([span(`there is a signal #${id} too: nerve show signal:${id}`, "dim")], screen)]),
  ];
}

function incidentHeading(incident: Incident, now: number, screen: Screen): string[] {
  const { reflex, state, severity, opened_at, reason, trace } = incident;
  const parts = [...incidentFacts(incident, now), `${severity}, by ${escapeForTerminal(reflex)}`];
  return [
    renderLine([span(incidentTitle(incident), "bold"), DOT, span(state, INCIDENT_STYLES[state])], screen),
    ...wrapLines([span(localMoment(opened_at)), ...parts.flatMap((part) => [DOT, span(part)])], MARGIN, screen),
    ...(reason === null ? [] : wrapLines([span(`resolved: ${escapeForTerminal(reason)}`)], MARGIN, screen)),
    renderLine([span(`trace ${trace}`, "dim")], screen),
  ];
}

const beginning = (run: Run | null, signals: readonly Signal[]): string => {
  if (run === null || (run.retry_of === null && signals.length > 0))
    return "a tick, a start, an item or a trigger by hand";
  if (run.retry_of !== null) return `run ${run.retry_of} again: nerve show run:${run.retry_of}`;
  if (run.signal_id !== null) return `signal #${run.signal_id}, which is no longer kept`;
  return run.reflex === null ? "by hand" : `a due time of ${escapeForTerminal(run.reflex)}`;
};

function headingOf(subject: Subject, story: Story, now: number, screen: Screen): string[] {
  const { run, incident, namesake } = subject;
  if (incident !== null) return incidentHeading(incident, now, screen);
  return run === null ? traceHeading(subject, story.durationMs, screen) : runHeading(run, namesake, now, screen);
}

function renderStory(subject: Subject, story: Story, now: number, screen: Screen): string {
  const { run, incident, begin, signals } = subject;
  return [
    ...headingOf(subject, story, now, screen),
    "",
    renderLine(
      [offset(0), span("● "), span(incident === null ? beginning(run, signals) : "a signal that matched", "dim")],
      screen,
    ),
    ...treeLines(null, story.roots, "", { begin, now, screen }),
  ].join("\n");
}

export const command = defineCommand({
  details:
    "A number is a run if there is one of that id, else a signal, whose trace is shown; `run:42`, `signal:42` and\n`incident:42` leave no doubt. A trace is everything one tick, start or trigger by hand led to: give its 32 hex digits,\nor the first 8 or more. The story of a run is the signals that led to it, its steps with how long each took, its waits,\nlogs and ending; that of an incident its changes, and the runs that report them.",
  arguments: [{ name: "run or trace", required: true }],
  options: {},
  examples: [
    ["nerve show 42", "run 42, or where there is none the trace of signal #42"],
    ["nerve show signal:4217", "the trace that signal #4217 belongs to"],
    ["nerve show 019aa5c3f1b2", "by the beginning of its id"],
  ],
  async run({ arguments: [word = ""], config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const found = findStory(opened.value, word);
    if (!found.ok) return fail(EXIT.usage, found.error);
    const story = tellStory(found.value.begin, found.value);
    if (json) print(safeJson(storyJson(found.value, story)));
    else print(renderStory(found.value, story, Date.now(), stdoutScreen()));
    return ok(EXIT.done);
  },
});
