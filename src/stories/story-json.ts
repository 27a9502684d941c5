/** Owns a story for programs: what `nerve show --json` prints, and what `/api/v1/runs/ID` and `/api/v1/traces/ID` answer. */
import { logJson, runJson, signalJson } from "../model/shown-rows.ts";
import type { Subject } from "./find-story.ts";
import { type Story, stepsOf } from "./story.ts";

export const storyJson = ({ run, incident, trace, begin, signals, logs, runs }: Subject, { durationMs }: Story) => ({
  kind: incident !== null ? "incident" : run === null ? "trace" : "run",
  ...(incident === null ? {} : { incident }),
  ...(run === null ? {} : { run: runJson(run) }),
  trace,
  at: begin,
  duration_ms: durationMs,
  signals: signals.map(signalJson),
  runs: runs.map((row) => ({ ...runJson(row), steps: stepsOf(logs.filter((log) => log.run === row.id)) })),
  logs: logs.map(logJson),
});
