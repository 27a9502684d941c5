/** Owns `--wait` of `run` and `retry`: a run's logs on stderr as they come, then its output, or the reason for no output. */

import { safeJson } from "../../base/escape.ts";
import { parseStored } from "../../base/json.ts";
import { localTime } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import type { RunAnswer, Status } from "../../control/contract.ts";
import type { Log } from "../../model/log.ts";
import { problem } from "../../model/problem.ts";
import { isOver, type Run } from "../../model/run.ts";
import { runJson } from "../../model/shown-rows.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { EXIT, type Failure, fail, type Outcome } from "../frame/outcome.ts";
import { POLL_MS } from "../lists/listing.ts";
import { ask } from "../place/ask.ts";
import { configOption, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { logSpans } from "../screen/rows.ts";
import { runTitle } from "../screen/run-rows.ts";
import { print, printError, span, stderrScreen, wrapLines } from "../screen/terminal.ts";

/** While nothing happens, the wait asks at this interval whether the daemon lives. */
const ASK_MS = 2_000;

export interface Ordered {
  readonly place: Place;
  /** The value of `-c`, or null. */
  readonly given: string | null;
  readonly json: boolean;
}

/** Prints the answer to `run` and `retry` once the run is durable; with `wait`, once the run is over. */
export async function tellOrder(answer: RunAnswer, wait: boolean, about: Ordered): Promise<Outcome> {
  return wait ? waitForRun(answer, about) : tellAnswer(answer, about);
}

function tellAnswer(answer: RunAnswer, { place, given, json }: Ordered): Outcome {
  const { run, workflow, state } = answer;
  const here = configOption(place.file, given);
  if (json) print(safeJson(answer));
  if (state === "dropped") return fail(EXIT.finding, dropped(run, workflow));
  if (!json) {
    print(`${runTitle({ id: run, workflow })} is ${state}`);
    print(`watch it: nerve show ${run}${here}, nerve runs -f${here}`);
  }
  return ok(EXIT.done);
}

const dropped = (id: number, workflow: string) =>
  problem("run.dropped", `${runTitle({ id, workflow })} was dropped`, `see \`nerve show ${id}\``);

async function waitForRun({ run: id }: RunAnswer, { place, json }: Ordered): Promise<Outcome> {
  const opened = readStore(place);
  if (!opened.ok) return opened;
  const ended = await ending(place, opened.value, id, json ? () => {} : printLog());
  if (!ended.ok) return ended;
  const run = ended.value;
  if (json) print(safeJson(runJson(run)));
  else if (run.state === "completed") print(pretty(run.output));
  if (run.state === "completed") return ok(EXIT.done);
  const why = run.error === null ? "" : `: ${run.error}`;
  return fail(
    EXIT.finding,
    problem(`run.${run.state}`, `${runTitle(run)} ${SAID[run.state]}${why}`, `see \`nerve show ${id}\``),
  );
}

const SAID: Readonly<Record<Run["state"], string>> = {
  queued: "is queued",
  running: "is running",
  sleeping: "is asleep",
  completed: "completed",
  failed: "failed",
  cancelled: "was cancelled",
  "timed-out": "timed out",
  dropped: "was dropped",
  joined: "joined another run",
};

const pretty = (output: string | null): string => safeJson(output === null ? null : parseStored(output), 2);

/** The margin below the first line of a log. */
const MARGIN = [span("    ")];

function printLog(): (log: Log) => void {
  const screen = stderrScreen();
  return (log) => {
    if (log.level !== "debug")
      printError(
        wrapLines([span(`${localTime(log.at)}  `, "dim"), ...logSpans(log, screen)], MARGIN, screen).join("\n"),
      );
  };
}

const goesOn = (id: number): string =>
  `run ${id} is kept, and goes on when the daemon is back: see \`nerve show ${id}\``;

/** Returns the run's row once the run is over. `show` receives each of the run's logs. */
export async function ending(
  place: Place,
  store: StoreReader,
  id: number,
  show: (log: Log) => void,
): Promise<Result<Run, Failure>> {
  let next: number | null = null;
  let quietSince = performance.now();
  for (;;) {
    const version = store.version();
    const run = store.runs.byId(id);
    if (run !== null) {
      for (const log of store.history.ofRun(id, next ?? run.first_log_id)) {
        show(log);
        next = log.id + 1;
      }
      // The commit that ended the run also holds its last log. The logs were read after the row, so none is missing.
      if (isOver(run.state)) return ok(run);
    }
    while (store.version() === version) {
      await Bun.sleep(POLL_MS);
      if (performance.now() - quietSince < ASK_MS) continue;
      const alive = await ask<Status>(place, "/status", null);
      if (!alive.ok)
        return fail(alive.error.code, ...alive.error.problems.map((found) => ({ ...found, hint: goesOn(id) })));
      quietSince = performance.now();
    }
    quietSince = performance.now();
  }
}
