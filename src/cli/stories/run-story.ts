/** Owns the story of a run, one line for each log: steps with their durations and results, waits, and the ending. */
import { escapeForTerminal } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { duration } from "../../base/times.ts";
import type { Log } from "../../model/log.ts";
import { eventOf } from "../../stories/story.ts";
import { authorFrames } from "../screen/author-frames.ts";
import { payloadSpans } from "../screen/payload.ts";
import { messageSpans } from "../screen/rows.ts";
import { escapeLines, type Screen, type Span, span } from "../screen/terminal.ts";

export const OFFSET_WIDTH = 9;

/** The time since the beginning. */
export const offset = (ms: number): Span => {
  const text = ms < 0 ? `-${duration(-ms)}` : `+${duration(ms)}`;
  return span(`${text.padStart(OFFSET_WIDTH)}  `, "dim");
};

const value = (of: Json, screen: Screen): Span[] =>
  of === null ? [] : [span(" → ", "dim"), ...payloadSpans(of, screen)];

/** `step find owner, call 2, attempt 3 · 12 ms`. */
const stepSpans = (mark: Span, data: { step: string; nth: number; attempt: number }, ms: number | null): Span[] => [
  mark,
  span(`step ${escapeForTerminal(data.step)}`),
  ...(data.nth > 0 ? [span(`, call ${data.nth + 1}`)] : []),
  ...(data.attempt > 1 ? [span(`, attempt ${data.attempt}`, "yellow")] : []),
  ...(ms === null ? [] : [span(` · ${duration(ms)}`, "dim")]),
];

const because = (error: string | null): Span[] => (error === null ? [] : [span(`: ${escapeLines(error)}`)]);

/** ` at /etc/nerve/workflows/page/index.ts:7:12`. */
function thrownAt(stack: string | null): Span[] {
  const [frame] = authorFrames(stack);
  return frame === undefined ? [] : [span(` at ${escapeForTerminal(frame.file)}:${frame.line}:${frame.column}`, "dim")];
}

/** The line of a run's log, without the run's own name. */
export function runLogSpans(log: Log, screen: Screen): Span[] {
  const told = eventOf(log);
  if (told === null) return messageSpans(log, screen);
  const { event, data } = told;
  switch (event) {
    case "run.queued":
      return [
        span("queued"),
        ...(data.from_step === null ? [] : [span(`, from step ${escapeForTerminal(data.from_step)}`)]),
        ...value(data.input, screen),
      ];
    case "run.started":
      return [span("started")];
    case "step.started":
      return stepSpans(span("… ", "dim"), data, null);
    case "step.completed":
      return [...stepSpans(span("✓ ", "green"), data, data.duration_ms), ...value(data.result, screen)];
    case "step.failed": {
      const again = data.until === null ? "" : `, again after ${duration(Math.max(0, data.until - log.at))}`;
      return [
        ...stepSpans(span("✗ ", "red"), data, data.duration_ms),
        span(again, "yellow"),
        ...because(data.error),
        ...thrownAt(data.stack),
      ];
    }
    case "sleep.started":
    case "run.sleeping":
      return [span(`sleeps for ${duration(Math.max(0, data.until - log.at))}`)];
    case "sleep.ended":
      return [span("has slept", "dim")];
    case "run.retrying":
      return [
        span(`attempt ${data.attempt} follows after ${duration(Math.max(0, data.until - log.at))}`, "yellow"),
        ...because(data.error),
        ...thrownAt(data.stack),
      ];
    case "run.completed":
      return [span("completed", "green"), ...value(data.output, screen)];
    case "run.failed":
      return [span("failed", "red"), ...because(data.error), ...thrownAt(data.stack)];
    case "run.timed-out":
    case "run.cancelled":
    case "run.dropped":
      return [span(event.slice("run.".length).replace("-", " "), "red"), ...because(data.error)];
    case "run.joined":
      return [span(`joined to run ${data.into}`)];
    case "run.resumed":
      return messageSpans(log, screen);
  }
}
