/** Owns `nerve runs`: the runs of workflows, ended and active. */

import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { ACTIVE_STATES, ENDINGS, type Run, type RunState } from "../../model/run.ts";
import { runJson } from "../../model/shown-rows.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_RUNS } from "../../store/runs.ts";
import { defineCommand, flag, texts } from "../frame/command.ts";
import { FOUND_DAMAGE } from "../frame/found-damage.ts";
import { EXIT, type Failure, usageError } from "../frame/outcome.ts";
import { type Following, followRuns } from "../lists/follow-runs.ts";
import {
  beginning,
  LIST_OPTIONS,
  list,
  type Page,
  parseRange,
  type Range,
  rowPrinter,
  whole,
} from "../lists/listing.ts";
import { bareName, knownReflexes, knownWorkflows } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { printProblems, remark } from "../screen/failure.ts";
import { runSpans } from "../screen/run-rows.ts";
import { print } from "../screen/terminal.ts";

const STATES: readonly RunState[] = [...ACTIVE_STATES, ...ENDINGS];
const ACTIVE: ReadonlySet<RunState> = new Set(ACTIVE_STATES);

interface Filter {
  /** An empty list means all. The same holds for the next two lists. */
  readonly workflows: readonly string[];
  readonly states: readonly RunState[];
  readonly reflexes: readonly string[];
}

/** A run, and the moment for which the line shows the run. */
interface Shown {
  readonly id: number;
  readonly at: number;
  /** Durations count up to this moment. */
  readonly now: number;
  readonly run: Run;
}

const { follow, since, until, after, trace, limit, wide } = LIST_OPTIONS;

export const command = defineCommand({
  details:
    "Reads the data directory itself: it works whether or not the daemon runs. With -f a run is shown again whenever its\nstate changes. --since and --until are about the time it was queued. States: queued, running, sleeping (also between\nattempts); completed, failed, cancelled, timed-out, dropped.",
  arguments: [{ name: "workflow…", required: false }],
  options: {
    follow,
    active: flag("only those that have not ended"),
    workflow: texts("NAME", "only of this workflow"),
    state: texts("STATE", "only in this state"),
    reflex: texts("NAME", "only those this reflex began"),
    since,
    until,
    after,
    trace,
    limit,
    wide,
  },
  examples: [
    ["nerve runs --active", "what is queued, running or asleep"],
    ["nerve runs -f --workflow page", "the newest of one workflow, and what becomes of it"],
    ["nerve runs --since 1d --state failed --state timed-out --json", "what went wrong, for another program"],
  ],
  async run({ arguments: named, options, config: given, json }) {
    const range = parseRange(options, Date.now());
    if (!range.ok) return range;
    const states = parseStates(options.state, options.active);
    if (!states.ok) return states;
    const place = findPlace(given);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const only = [...named, ...options.workflow].map((name) => bareName("workflow", name));
    const filter = { workflows: only, states: states.value, reflexes: options.reflex };
    const workflows = knownWorkflows(place.value.config, only);
    const known = workflows.ok ? knownReflexes(place.value.config, options.reflex) : workflows;
    const show = rowPrinter<Shown>(
      { json, wide: options.wide },
      "cut",
      ({ run }) => runJson(run),
      ({ run, now }) => runSpans(run, now),
    );
    const following = range.value.follow ? followRuns(opened.value, only) : null;
    if (following !== null && !json && !known.ok) {
      remark(`${known.error.problems[0]?.message} in the config; waiting for one`);
    }
    const source = sourceOf(opened.value, filter, range.value);
    /** Run → its newest log in the listing. A run that changed during the listing was shown in its new state. */
    const listed = new Map<number, number>();
    const note = (shown: Shown): string => {
      const { id, last_log_id } = shown.run;
      if (following !== null && last_log_id > following.beganAt) listed.set(id, last_log_id);
      return show(shown);
    };
    const printed = await list({ source, show: note, json }, { ...range.value, follow: false });
    if (following !== null) {
      const isNews = (run: Run): boolean =>
        run.last_log_id > (listed.get(run.id) ?? 0) && passes(filter, range.value, run);
      printProblems(FOUND_DAMAGE.take(), json);
      await goOn(following, isNews, range.value, printed, (shown) => print(show(shown)));
    } else if (printed === 0) {
      if (!known.ok) return known;
      remark("no runs");
    }
    return ok(EXIT.done);
  },
});

/** An empty result means every state. */
function parseStates(given: readonly string[], onlyActive: boolean): Result<readonly RunState[], Failure> {
  const unknown = given.find((word) => !(STATES as readonly string[]).includes(word));
  if (unknown !== undefined) {
    const hint = meantOr(unknown, STATES, `one of ${STATES.join(", ")}`);
    return usageError(`there is no state \`${unknown}\``, hint);
  }
  const states = given as readonly RunState[];
  if (!onlyActive) return ok(states);
  if (states.length === 0) return ok(ACTIVE_STATES);
  const ended = states.find((state) => !ACTIVE.has(state));
  return ended === undefined ? ok(states) : usageError(`a run that is ${ended} is not --active`);
}

const among = <T>(allowed: readonly T[], value: T): boolean => allowed.length === 0 || allowed.includes(value);

const passes = ({ workflows, states, reflexes }: Filter, range: Range, run: Run): boolean =>
  among(workflows, run.workflow) &&
  among(states, run.state) &&
  (reflexes.length === 0 || (run.reflex !== null && reflexes.includes(run.reflex))) &&
  (range.trace === null || run.trace === range.trace);

function sourceOf({ runs, version }: StoreReader, filter: Filter, range: Range) {
  const { since, until, trace } = range;
  const onlyActive = filter.states.length > 0 && filter.states.every((state) => ACTIVE.has(state));
  const pageOf = (from: number, most: number, newest: boolean): readonly Run[] => {
    if (!onlyActive)
      return runs.list({ ...filter, after: from, before: null, since, until, trace, limit: most, newest });
    // Active runs are few, however many have ended.
    const found = runs
      .active()
      .filter(
        (run) =>
          run.id > from &&
          run.queued_at >= (since ?? run.queued_at) &&
          run.queued_at <= (until ?? run.queued_at) &&
          passes(filter, range, run),
      );
    return newest ? found.slice(-most) : found.slice(0, most);
  };
  return {
    version,
    lastId: runs.lastId,
    begin: () => (onlyActive ? 0 : beginning(range, (at) => firstSince(runs, at))),
    page: (from: number, most: number, newest: boolean): Page<Shown> =>
      whole(
        pageOf(from, most, newest).map((run) => ({
          id: run.id,
          at: run.queued_at,
          now: Date.now(),
          run,
        })),
      ),
  };
}

/** The first id with a run that was queued at `at` or later, found by halving. A set clock may make the id inexact. */
function firstSince(runs: StoreReader["runs"], at: number): number {
  const from = (id: number): Run | undefined => runs.list({ ...ALL_RUNS, after: id - 1, limit: 1 })[0];
  let low = 1;
  let high = runs.lastId() + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const run = from(middle);
    if (run === undefined || run.queued_at >= at) high = middle;
    else low = run.id + 1;
  }
  return low;
}

/** With a cursor `limit` ends the listing; without a cursor the listing has no end. */
async function goOn(
  following: Following,
  isNews: (run: Run) => boolean,
  range: Range,
  printed: number,
  show: (shown: Shown) => void,
): Promise<void> {
  let left = range.after === null ? Number.POSITIVE_INFINITY : range.limit - printed;
  while (left > 0) {
    for (const { run, at } of following.news()) {
      if (left <= 0 || run.id <= (range.after ?? 0) || !isNews(run)) continue;
      show({ id: run.id, at, now: at, run });
      left--;
    }
    if (left > 0) await following.changed();
  }
}
