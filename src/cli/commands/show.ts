/** `nerve show`: the whole story of one trace. */
import { counted } from "../../base/counted.ts";
import { ok } from "../../base/result.ts";
import { traceTime } from "../../base/trace-id.ts";
import { defineCommand } from "../command.ts";
import { findTrace } from "../find-trace.ts";
import { EXIT } from "../outcome.ts";
import { findPlace } from "../place.ts";
import { logJson, logSpans, signalJson, signalSpans } from "../rows.ts";
import { readStore } from "../store.ts";
import { type Node, type Story, tellStory } from "../story.ts";
import { print, renderLine, type Screen, type Span, span, stdoutScreen } from "../terminal.ts";
import { duration, localMoment } from "../times.ts";

const OFFSET_WIDTH = 9;

const offset = (ms: number): Span => {
  const text = ms < 0 ? `-${duration(-ms)}` : `+${duration(ms)}`;
  return span(`${text.padStart(OFFSET_WIDTH)}  `, "dim");
};

function treeLines(nodes: readonly Node[], begin: number, indent: string, screen: Screen): string[] {
  return nodes.flatMap((node, index) => {
    const last = index === nodes.length - 1;
    const branch = span(`${indent}${last ? "└─" : "├─"} `, "dim");
    const content = node.kind === "signal" ? signalSpans(node.row) : logSpans(node.row);
    const line = renderLine([offset(node.row.at - begin), branch, ...content], screen);
    const below =
      node.kind === "signal" ? treeLines(node.children, begin, `${indent}${last ? "   " : "│  "}`, screen) : [];
    return [line, ...below];
  });
}

/** Exported for tests: the whole text. */
export function renderStory(
  trace: string,
  story: Story,
  counts: { signals: number; logs: number },
  screen: Screen,
): string {
  const begin = traceTime(trace);
  const dot = span(" · ", "dim");
  return [
    renderLine([span(`trace ${trace}`, "bold")], screen),
    renderLine(
      [
        span(localMoment(begin)),
        dot,
        span(counted(counts.signals, "signal")),
        dot,
        span(counted(counts.logs, "log")),
        dot,
        span(duration(story.durationMs)),
      ],
      screen,
    ),
    "",
    renderLine([offset(0), span("● "), span("a tick, a start or a trigger by hand", "dim")], screen),
    ...treeLines(story.roots, begin, "", screen),
  ].join("\n");
}

export const command = defineCommand({
  summary: "the whole story of one trace: what began it, the signals, the logs, in time order",
  details:
    "A trace is everything one tick, start or trigger by hand led to. Give its 32 hex digits, the first 8 or more of\nthem, or the id of any of its signals.",
  arguments: [{ name: "trace", required: true }],
  options: {},
  examples: [
    ["nerve show 4217", "the trace that signal #4217 belongs to"],
    ["nerve show 019aa5c3f1b2", "by the beginning of its id"],
  ],
  async run({ arguments: [word = ""], config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const found = findTrace(opened.value, word);
    if (!found.ok) return found;
    const { trace, signals, logs } = found.value;
    const story = tellStory(traceTime(trace), signals, logs);
    if (json) {
      const rows = { signals: signals.map(signalJson), logs: logs.map(logJson) };
      print(JSON.stringify({ trace, at: traceTime(trace), duration_ms: story.durationMs, ...rows }));
    } else print(renderStory(trace, story, { signals: signals.length, logs: logs.length }, stdoutScreen()));
    return ok(EXIT.done);
  },
});
