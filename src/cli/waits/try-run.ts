/** Owns `nerve once` of a workflow: one run on scratch copies, with its logs as they come. */

import { safeJson } from "../../base/escape.ts";
import type { Json } from "../../base/json.ts";
import { parseStored } from "../../base/json.ts";
import { ok } from "../../base/result.ts";
import type { RunAnswer } from "../../control/contract.ts";
import type { Log } from "../../model/log.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Run } from "../../model/run.ts";
import { logJson } from "../../model/shown-rows.ts";
import { eventOf, stepsOf } from "../../stories/story.ts";
import { EXIT, fail, type Outcome } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import type { Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { authorFrames } from "../screen/author-frames.ts";
import { print, type Screen, span, stdoutScreen, wrapLines } from "../screen/terminal.ts";
import { OFFSET_WIDTH, offset, runLogSpans } from "../stories/run-story.ts";
import { ending } from "./wait-for-run.ts";

export interface Tried {
  readonly workflow: string;
  readonly input: Json;
  /** The user's folder; null for a built-in. */
  readonly module: string | null;
  readonly json: boolean;
}

/** `place` belongs to a daemon for this run alone. */
export async function tryRun(place: Place, { workflow, input, module, json }: Tried): Promise<Outcome> {
  const answer = await ask<RunAnswer>(place, "/run", { workflow, input });
  if (!answer.ok) return answer;
  const store = readStore(place);
  if (!store.ok) return store;
  const logs: Log[] = [];
  const tell = teller(stdoutScreen());
  const ended = await ending(place, store.value, answer.value.run, (log) => {
    logs.push(log);
    if (!json) tell(log);
  });
  store.value.close();
  if (!ended.ok) return ended;
  const run = ended.value;
  const found = run.state === "completed" ? null : problemOf(run, logs.at(-1) ?? null, module);
  if (json) print(safeJson(asJson(run, logs)));
  return found === null ? ok(EXIT.done) : fail(EXIT.finding, found);
}

function teller(screen: Screen): (log: Log) => void {
  const margin = [span(" ".repeat(OFFSET_WIDTH + 4))];
  let begin: number | null = null;
  return (log) => {
    begin ??= log.at;
    print(wrapLines([offset(log.at - begin), ...runLogSpans(log, screen)], margin, screen).join("\n"));
  };
}

const asJson = (run: Run, logs: readonly Log[]) => ({
  workflow: run.workflow,
  outcome: run.state,
  output: run.output === null ? null : parseStored(run.output),
  duration_ms: (run.ended_at ?? run.queued_at) - run.queued_at,
  steps: stepsOf(logs),
  logs: logs.map(logJson),
  error: run.error,
});

/** The problem of a run that did not complete, with the place in the author's files where the error was thrown. */
function problemOf({ workflow, state, error }: Run, last: Log | null, module: string | null): Problem {
  const found = problem(`run.${state}`, `workflow \`${workflow}\`: ${error ?? state}`);
  const event = last === null ? null : eventOf(last);
  const stack = event?.event === "run.failed" ? event.data.stack : null;
  const frame = authorFrames(stack).find(({ file }) => module !== null && file.startsWith(module));
  return frame === undefined ? found : { ...found, file: frame.file, line: frame.line, column: frame.column };
}
