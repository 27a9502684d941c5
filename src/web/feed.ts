/**
 * Owns the stream as a sequence: signals and logs up to what is committed, each once, with the runs and incidents that a log has
 * changed. A place in it is a text; whoever comes back with the text of the last event goes on after that event.
 */

import { parseStored } from "../base/json.ts";
import { fullNameOf, matchesName } from "../model/full-name.ts";
import { isIncidentEvent } from "../model/incident-row.ts";
import { LOG_LEVELS, type Log, type LogLevel } from "../model/log.ts";
import { isQuiet } from "../model/quiet-events.ts";
import { logJson, runJson, type ShownLog, type ShownSignal, signalJson } from "../model/shown-rows.ts";
import type { Signal } from "../model/signal.ts";
import { ALL_LOGS } from "../store/logs.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { ALL_SIGNALS } from "../store/signals.ts";
import type { StreamEvents, Watermarks } from "./contract.ts";

/** Everything up to signal `signal` and log `log` was sent; `isWhole`: also what that log has changed. */
export interface FeedPlace {
  readonly signal: number;
  readonly log: number;
  readonly isWhole: boolean;
}

export const PLACE = /^s(\d{1,15})\.l(\d{1,15})(c?)$/;

export function parsePlace(text: string): FeedPlace | null {
  const [, signal, log, isCut] = PLACE.exec(text) ?? [];
  return signal === undefined ? null : { signal: Number(signal), log: Number(log), isWhole: isCut === "" };
}

/** `c`: the log itself was sent, and what it has changed comes next. */
export const spellPlace = ({ signal, log, isWhole }: FeedPlace): string => `s${signal}.l${log}${isWhole ? "" : "c"}`;

export interface FeedEvent {
  readonly name: Exclude<keyof StreamEvents, "link">;
  readonly row: StreamEvents[Exclude<keyof StreamEvents, "link">];
  /** Where the stream stands after it. */
  readonly place: FeedPlace;
}

/** What a follower wants to see. An empty list and null leave nothing out. */
export interface FeedFilter {
  /** Of signals. */
  readonly sense: readonly string[];
  /** Of logs, as `level`. */
  readonly source: readonly string[];
  /** This level and graver ones. */
  readonly level: LogLevel | null;
}

/** Runs and incidents come whatever is chosen among signals and logs. */
export function passes({ sense, source, level }: FeedFilter, { name, row }: Pick<FeedEvent, "name" | "row">): boolean {
  if (name === "signal")
    return sense.length === 0 || sense.some((name) => matchesName(name, fullNameOf(row as ShownSignal)));
  if (name !== "log") return true;
  const log = row as ShownLog;
  const isGrave = level === null || LOG_LEVELS.indexOf(log.level) >= LOG_LEVELS.indexOf(level);
  return isGrave && (source.length === 0 || source.includes(log.source));
}

/** How many rows of each kind are read at once. */
export interface Portion {
  readonly signals: number;
  readonly logs: number;
}

const MOST_ROWS = 100;
const LEAST_ROWS = 10;
/** Payloads may be large: about so many characters are sent at once. */
const CHARACTERS = 256 * 1024;

export const FIRST_PORTION: Portion = { signals: MOST_ROWS, logs: MOST_ROWS };

const within = (rows: number): number => Math.max(1, Math.min(MOST_ROWS, Math.floor(rows)));

/**
 * The next portion after one of which `events` came, in `characters`. Rows of both kinds are sent in the order of their times, so
 * where one kind is rare, few of its rows are used: no more of them are read than will be.
 */
export function portionAfter({ signals, logs }: Portion, events: readonly FeedEvent[], characters: number): Portion {
  const share = Math.min(2, CHARACTERS / Math.max(1, characters));
  const used = (name: FeedEvent["name"]): number => events.filter((event) => event.name === name).length;
  const wanted = (rows: number, count: number): number =>
    within(share < 1 ? rows * share : Math.max(LEAST_ROWS, 2 * count));
  return { signals: wanted(signals, used("signal")), logs: wanted(logs, used("log")) };
}

/** What a log has changed, as it is now; null: nothing, or a later log has changed it again. A run that gets on has changed, too. */
function changeOf({ runs, incidents }: StoreReader, log: Log): Pick<FeedEvent, "name" | "row"> | null {
  if (log.run !== null) {
    const run = runs.byId(log.run);
    const isOfRow = run?.last_log_id === log.id || (run !== null && isQuiet(run.state, log.event));
    if (run !== null && isOfRow) return { name: "run", row: runJson(run) };
  }
  if (!isIncidentEvent(log.event) || log.data === null) return null;
  const told = parseStored(log.data) as { readonly incident?: unknown } | null;
  const incident = typeof told?.incident === "number" ? incidents.byId(told.incident) : null;
  return incident?.last_log_id === log.id ? { name: "incident", row: incident } : null;
}

/** Some of the events after `place`, and none that is not committed; empty: there are none yet. */
export function nextEvents(
  store: StoreReader,
  place: FeedPlace,
  { signals: topSignal, logs: topLog }: Watermarks,
  portion: Portion,
): FeedEvent[] {
  const events: FeedEvent[] = [];
  let at = place;
  if (!at.isWhole) {
    at = { ...at, isWhole: true };
    const log = store.history.byId(at.log);
    const change = log === null ? null : changeOf(store, log);
    if (change !== null) events.push({ ...change, place: at });
  }
  const signals =
    place.signal >= topSignal
      ? []
      : store.signals.list({ ...ALL_SIGNALS, after: at.signal, before: topSignal + 1, limit: portion.signals });
  const logs =
    place.log >= topLog
      ? []
      : store.history.page({ ...ALL_LOGS, after: at.log, before: topLog + 1, limit: portion.logs });
  for (const row of inTime(signals, logs, portion)) {
    if ("payload" in row) {
      at = { ...at, signal: row.id };
      events.push({ name: "signal", row: signalJson(row), place: at });
      continue;
    }
    const change = changeOf(store, row);
    at = { ...at, log: row.id, isWhole: change === null };
    events.push({ name: "log", row: logJson(row), place: at });
    if (change === null) continue;
    at = { ...at, isWhole: true };
    events.push({ ...change, place: at });
  }
  return events;
}

/** Both in the order of their ids, and beside one another by their times. Only as far as both were read. */
function inTime(signals: readonly Signal[], logs: readonly Log[], portion: Portion): (Signal | Log)[] {
  const rows: (Signal | Log)[] = [];
  let signal = 0;
  let log = 0;
  while (signal < signals.length || log < logs.length) {
    const [first, second] = [signals[signal], logs[log]];
    if (second === undefined || (first !== undefined && first.at <= second.at)) {
      // The other kind was not read to its end: its rows of this time come first in the next reading.
      if (first === undefined || (second === undefined && logs.length === portion.logs)) break;
      rows.push(first);
      signal++;
    } else {
      if (first === undefined && signals.length === portion.signals) break;
      rows.push(second);
      log++;
    }
  }
  return rows;
}
