/** Owns the result of a backtest as text, for people. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { shownScalar } from "../../base/shown-scalar.ts";
import { duration } from "../../base/times.ts";
import { targetOf } from "../../model/config.ts";
import { unreadableWords } from "../../replays/gaps.ts";
import type { Occurrence } from "../../replays/recorded.ts";
import { remark } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";
import { NONE, type Sample } from "./agreement.ts";
import type { Backtest, Firing, Range } from "./backtest.ts";
import { configOf, type Row, type TimedRow } from "./comparison.ts";

/** At most this many differences of each reflex are shown, and this many reasons. */
const SHOWN = 10;

export const forSignal = ({ signal, key }: Firing): string =>
  `signal #${signal}${key === null ? "" : `, key ${shownScalar(key)}`}`;

const amount = (value: number | null | undefined, prefix = ""): string =>
  value === null || value === undefined ? "–" : `${prefix}${value}`;

const column = (title: string, rank: number, cell: (row: Row) => string): Column<Row> => ({
  title,
  align: "right",
  rank,
  cell: (row) => span(cell(row), cell(row) === "–" || cell(row) === "0" ? "dim" : null),
});

const NAME: Column<Row> = {
  title: "REFLEX",
  align: "left",
  rank: 0,
  cell: ({ name }) => span(escapeForTerminal(name)),
};

const ALONE: readonly Column<Row>[] = [
  NAME,
  {
    title: "STARTS",
    align: "left",
    rank: 3,
    cell: (row) => {
      const config = configOf(row);
      return span(config === undefined ? "" : `${config.kind} ${targetOf(config)}`);
    },
  },
  column("SIGNALS", 2, ({ here }) => amount(here?.signals)),
  column("MATCHED", 1, ({ here }) => amount(here?.matched)),
  column("FIRED", 0, ({ here }) => amount(here?.fired)),
  column("THROTTLED", 1, ({ here }) => amount(here?.throttled)),
  column("DROPPED", 2, ({ here }) => amount(here?.droppedEstimate, "~")),
  {
    title: "LIVE",
    align: "left",
    rank: 0,
    cell: ({ live }) => {
      if (live === null) return span("not recorded", "dim");
      const differ = live.onlyLive.count + live.onlyReplayed.count;
      return differ === 0 ? span(`${live.agreed} agree`) : span(`${live.agreed} agree, ${differ} differ`, "yellow");
    },
  },
];

const BOTH: readonly Column<Row>[] = [
  NAME,
  { title: "", align: "left", rank: 0, cell: ({ change }) => span(change ?? "", change === "same" ? "dim" : "yellow") },
  column("MATCHED", 2, ({ here }) => amount(here?.matched)),
  column("THERE", 2, ({ other }) => amount(other?.matched)),
  column("FIRED", 0, ({ here }) => amount(here?.fired)),
  column("THERE", 0, ({ other }) => amount(other?.fired)),
  column("THROTTLED", 1, ({ here }) => amount(here?.throttled)),
  column("THERE", 1, ({ other }) => amount(other?.throttled)),
  column("DROPPED", 3, ({ here }) => amount(here?.droppedEstimate, "~")),
  column("THERE", 3, ({ other }) => amount(other?.droppedEstimate, "~")),
  column("ONLY HERE", 1, ({ onlyHere }) => String(onlyHere.count)),
  column("ONLY THERE", 1, ({ onlyOther }) => String(onlyOther.count)),
];

export interface Printed {
  readonly rows: readonly Row[];
  readonly timed: readonly TimedRow[];
  readonly done: Backtest;
  readonly range: Range;
  readonly tookMs: number;
  readonly isTwo: boolean;
}

export function printComparison({ rows, timed, done, range, tookMs, isTwo }: Printed): void {
  if (rows.length + timed.length === 0) {
    remark("no reflex looks at signals, and the clock starts no workflow");
    return;
  }
  if (rows.length > 0) print(renderTable(isTwo ? BOTH : ALONE, rows, stdoutScreen()).join("\n"));
  for (const line of timedLines(timed)) print(line);
  for (const line of incidentLines(rows)) print(line);
  for (const line of batchLines(rows)) print(line);
  for (const line of begunLines(rows, range)) print(line);
  for (const row of rows) for (const line of differencesOf(row)) print(line);
  const reasons = reasonsOf(rows);
  for (const line of reasons) print(line);
  // Damaged payloads are named also where nothing differs.
  if (reasons.length === 0 && done.unreadable.length > 0) print("");
  if (reasons.length === 0) for (const id of done.unreadable.slice(0, SHOWN)) print(`  ${unreadableWords(id)}`);
  const took = `${counted(done.signals, "signal")} replayed in ${duration(tookMs)}`;
  print(`\n${localMoment(range.since)} to ${localMoment(range.until)}; ${took}`);
}

/** A line for each reflex with incidents: `disk-full: 3 incidents and 7 messages instead of 61`. */
function incidentLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ name, here, other }) => {
    const kept = here?.incidents ?? null;
    if (kept === null) return [];
    const messages = `${counted(kept.incidents, "incident")} and ${counted(kept.messages, "message")}`;
    const there = other === null ? null : (other.incidents?.messages ?? other.fired);
    const beside = there === null ? `for ${counted(here?.matched ?? 0, "match", "matches")}` : `instead of ${there}`;
    return [`  ${escapeForTerminal(name)}: ${messages} ${beside}`];
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

/** A line for each reflex that the clock makes due: `nightly: due 7 times (there 14); 7 runs were started, 0 due times missed`. */
function timedLines(timed: readonly TimedRow[]): string[] {
  const lines = timed.map(({ reflex, due, thereDue, started, missed }) => {
    const times = (count: number | null): string =>
      count === null ? "too often to count, or from each start on" : counted(count, "time");
    const there = thereDue === null ? "" : ` (there ${times(thereDue)})`;
    const live = `${counted(started, "run was", "runs were")} started, ${counted(missed, "due time")} missed`;
    return `  ${escapeForTerminal(reflex)}: due ${times(due)}${there}; ${live}`;
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

/** A line for each reflex whose workflow has `batch`: `disk-full: its decisions would have begun about 2 runs`. */
function batchLines(rows: readonly Row[]): string[] {
  const lines = rows.flatMap(({ name, here, other }) => {
    const estimate = here?.batchesEstimate ?? null;
    if (estimate === null) return [];
    const there = other?.batchesEstimate ?? null;
    const beside = there === null ? "" : ` (there about ${there})`;
    const by = here?.moreBatchesBy ?? null;
    const more = by === null ? "" : `, more where ${escapeForTerminal(by)} differs`;
    return [
      `  ${escapeForTerminal(name)}: its decisions would have begun about ${counted(estimate, "run")}, for they wait in batches${more}${beside}`,
    ];
  });
  return lines.length === 0 ? [] : ["", ...lines];
}

/** The reflexes that were loaded within the range. Only their later firings are compared with live firings. */
function begunLines(rows: readonly Row[], { from }: Range): string[] {
  const begun = rows.flatMap(({ name, beginsAfter }) =>
    beginsAfter === null || beginsAfter < from ? [] : [`${escapeForTerminal(name)} (#${beginsAfter})`],
  );
  if (begun.length === 0) return [];
  return ["", "  held against live only since these rules were loaded, after signal:", `    ${begun.join(", ")}`];
}

function differencesOf({ name, change, live, onlyHere, onlyOther }: Row): string[] {
  const of = escapeForTerminal(name);
  return [
    ...listed(live?.onlyLive ?? NONE, `${of} fired, and by the replay it would not have`),
    ...listed(live?.onlyReplayed ?? NONE, `${of} did not fire, and by the replay it would have`),
    ...(change === "changed" ? listed(onlyHere, `${of} fires only here`) : []),
    ...(change === "changed" ? listed(onlyOther, `${of} fires only there`) : []),
  ];
}

/** The reasons of all reflexes that differ, each reason once. */
function reasonsOf(rows: readonly Row[]): string[] {
  const different = rows.filter(({ live }) => live !== null && live.onlyLive.count + live.onlyReplayed.count > 0);
  const linesOf = (occurrences: readonly Occurrence[]): string[] => {
    const inOrder = occurrences.toSorted((a, b) => a.at - b.at);
    return [...new Set(inOrder.map(reasonLine))].slice(-SHOWN);
  };
  const gaps = linesOf(different.flatMap(({ reasons }) => reasons.gaps));
  const occurrences = linesOf(different.flatMap(({ reasons }) => reasons.occurrences));
  return gaps.length + occurrences.length === 0 ? [] : ["", "  it may be because of:", ...gaps, ...occurrences];
}

function reasonLine({ at, source, message }: Occurrence): string {
  const who = source === "kernel" ? "" : `${escapeForTerminal(source)}: `;
  return `    ${localMoment(at)}  ${who}${escapeForTerminal(message)}`;
}

function listed({ count, firings }: Sample, what: string): string[] {
  if (count === 0) return [];
  const shown = firings.slice(0, SHOWN).map((firing) => `    ${localMoment(firing.at)}  ${forSignal(firing)}`);
  const more = count - shown.length;
  return ["", `  ${what}:`, ...shown, ...(more === 0 ? [] : [`    and ${more} more`])];
}
