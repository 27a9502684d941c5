/** `nerve backtest`: what reflexes would have done with the signals that are kept. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import { targetOf } from "../../model/config.ts";
import { BEGINNING, momentAt } from "../../rules/course.ts";
import { isSameReflex } from "../../rules/same-reflex.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { knownReflex } from "../place/known-names.ts";
import { findPlace, loadConfig } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import {
  type Agreement,
  BesideLive,
  BesideOther,
  type Edges,
  LISTED,
  NONE,
  type Sample,
} from "../replays/agreement.ts";
import {
  type Backtest,
  backtest,
  type Firing,
  isRecorded,
  type Range,
  type Side,
  type Tested,
} from "../replays/backtest.ts";
import { gapsOf, unreadableWords } from "../replays/gaps.ts";
import { type Fired, type Incident, type Recorded, readRecorded } from "../replays/recorded.ts";
import { beganAfter, standingsIn } from "../replays/standing.ts";
import { remark } from "../screen/failure.ts";
import { shownScalar } from "../screen/payload.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";
import { duration, parseSince } from "../screen/times.ts";

/** Signals before the range that are looked at, for what reflexes remember when it begins. */
const WARM_UP = 1_000_000;
/** Differences that are shown to a person, of each reflex, and reasons. */
const SHOWN = 10;

export const command = defineCommand({
  details:
    "Signals are read from the store, as far back as `retention` keeps them, and put through the rules again. The outcome is\nheld against what the daemon decided (its logs `reflex.fired`), from the signal on after which it\nloaded the rules as they are now, and what a replay cannot know is named. With --against it is held against the rules of\nanother file instead. Runs that would have been dropped are an estimate, by how long the latest runs of the workflow took.\nNeeds no daemon.",
  arguments: [{ name: "reflex…", required: false }],
  options: {
    since: text("WHEN", "only from then on: 90s, 1h, 7d, 2026-11-22 or '2026-11-22 10:30' (default: all that is kept)"),
    until: text("WHEN", "only until then"),
    against: text("FILE", "hold it against the rules of this other configuration"),
    firings: flag("each firing too, a line each"),
  },
  examples: [
    ["nerve backtest --since 7d", "every reflex over a week"],
    ["nerve backtest page-on-critical --firings", "when exactly"],
    ["nerve backtest --against changed.yaml", "what a change would change, before it is made"],
  ],
  async run({ arguments: names, options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const here = place.value.config;
    if (here === null) return fail(EXIT.badConfig, ...place.value.problems);
    const other = options.against === null ? ok(null) : loadConfig(options.against);
    if (!other.ok) return other;
    for (const name of names) {
      const known = knownReflex(other.value === null ? [here] : [here, other.value], name);
      if (!known.ok) return known;
      const isBlind = [here, other.value].every(
        (one) => !one?.reflexes.some((reflex) => reflex.name === name && reflex.on.length > 0),
      );
      if (isBlind) return usageError(`reflex \`${name}\` looks at no signals, so there is nothing to replay`);
    }
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const store = opened.value;
    const range = rangeOf(store, options, Date.now());
    if (!range.ok) return range;
    const live = new Map<string, Fired[]>();
    const { warmFrom } = range.value;
    // All there is needs no search by time, which a set clock may mislead.
    const warmSince = store.signals.byId(warmFrom - 1) === null ? 0 : (store.signals.byId(warmFrom)?.at ?? 0);
    const recorded = readRecorded(store, warmSince, lifetimeOf(store).aheadMs, (row) => {
      if (other.value !== null || (row.due === null && row.signal < range.value.from)) return;
      const rows = live.get(row.reflex);
      if (rows === undefined) live.set(row.reflex, [row]);
      else rows.push(row);
    });
    const isAsked = (name: string): boolean => names.length === 0 || names.includes(name);
    const standingOf = standingsIn(store);
    const standings = new Map(here.reflexes.map((reflex) => [reflex.name, standingOf(reflex)]));
    const begun = new Map(
      [...standings].flatMap(([name, standing]) => {
        const after = beganAfter(standing);
        return after === null ? [] : [[name, after] as const];
      }),
    );
    const edges = edgesOf(store, range.value, recorded);
    const besides = new Map<string, { readonly live: BesideLive; readonly other: BesideOther }>();
    const isByKey = (name: string): boolean =>
      [here, other.value].some(
        (config) => (config?.reflexes.find((reflex) => reflex.name === name)?.each ?? null) !== null,
      );
    const besideOf = (name: string) => {
      const known = besides.get(name);
      if (known !== undefined) return known;
      const common = Math.max(warmFrom, (begun.get(name) ?? 0) + 1);
      const made = {
        live: new BesideLive(live.get(name) ?? [], { ...edges, common }),
        other: new BesideOther(isByKey(name)),
      };
      besides.set(name, made);
      return made;
    };
    const startedAt = performance.now();
    const done = backtest({
      store,
      range: range.value,
      // Of rules that were not there nobody knows what would have been done to them.
      course: { ...recorded.course, ...(other.value === null ? { begun } : { turns: [] }) },
      here,
      other: other.value,
      names,
      fired: (side, reflex, firing, elapsed) => {
        if (!isAsked(reflex.name)) return;
        if (other.value === null) besideOf(reflex.name).live.replayed(firing, elapsed);
        else besideOf(reflex.name).other.fired(side, firing);
        if (options.firings) printFiring(side, reflex.name, firing, other.value !== null, json);
      },
    });
    const tookMs = performance.now() - startedAt;
    const isTwo = other.value !== null;
    const from = { id: warmFrom, at: range.value.since, isOldest: store.signals.byId(warmFrom - 1) === null };
    const reasonsOf = (name: string): Reasons => {
      const standing = standings.get(name) ?? { kind: "unknown" };
      const { since, until } = range.value;
      const begunAt = standing.kind === "loaded" ? Math.max(since, standing.at) : since;
      const concerns = ({ source, at }: Incident): boolean =>
        (source === "kernel" || source === `reflex:${name}`) && at >= begunAt && at <= until;
      const gaps = gapsOf({ reflex: name, standing, from, unreadable: done.unreadable, now: until });
      return { gaps, incidents: recorded.incidents.filter(concerns) };
    };
    const found = rowsOf(done, isTwo, begun, reasonsOf, besideOf).filter(({ name }) => isAsked(name));
    if (json) for (const row of found) print(safeJson(rowJson(row, range.value)));
    else tell(found, done, range.value, tookMs, isTwo);
    return ok(EXIT.done);
  },
});

function rangeOf(
  { signals }: StoreReader,
  { since, until }: { readonly since: string | null; readonly until: string | null },
  now: number,
): Result<Range, Failure> {
  const from = since === null ? null : parseSince(since, now);
  const end = until === null ? null : parseSince(until, now);
  for (const [name, given, at] of [["since", since, from] as const, ["until", until, end] as const]) {
    if (given === null || at !== null) continue;
    const message = `--${name} takes a time, not \`${given}\``;
    return usageError(message, "as in 90s, 1h, 7d, 2026-11-22 or '2026-11-22 10:30'");
  }
  if (from !== null && end !== null && from >= end) {
    return usageError(
      "--since is not before --until",
      "they are the beginning and the end of the time that is replayed",
    );
  }
  const last = signals.lastId();
  const [oldest] = signals.list({ ...ALL_SIGNALS, limit: 1 });
  const first = oldest?.id ?? last + 1;
  const begin = from === null ? first : Math.max(first, signals.firstIdSince(from));
  return ok({
    from: begin,
    to: end === null ? last : Math.min(last, signals.firstIdSince(end) - 1),
    since: Math.max(from ?? 0, oldest?.at ?? 0),
    until: Math.min(end ?? now, now),
    asked: from,
    warmFrom: Math.max(first, begin - WARM_UP),
  });
}

/** What is compared with what was recorded: of younger deadlines than anything that is, nobody knows yet. */
function edgesOf({ signals }: StoreReader, range: Range, { course, first, lastElapsed }: Recorded): Edges {
  const { from, to, warmFrom, since, until } = range;
  const begin = momentAt(BEGINNING, since, course.steps);
  const newest = { ...begin, elapsed: Math.max(begin.elapsed, lastElapsed) };
  const last = momentAt(newest, signals.byId(to)?.at ?? 0, course.steps).elapsed;
  const end = Math.min(momentAt(begin, until, course.steps).elapsed, Math.max(lastElapsed, last));
  return { firstLog: first ?? 0, common: warmFrom, from, to, begin: begin.elapsed, end };
}

// ── what came out ────────────────────────────────────────────────────────

interface Row {
  readonly name: string;
  readonly here: Tested | null;
  readonly other: Tested | null;
  /** Null without a second configuration. */
  readonly change: "same" | "changed" | "new" | "gone" | null;
  readonly onlyHere: Sample;
  readonly onlyOther: Sample;
  /** Null where nothing was recorded of it. */
  readonly live: Agreement | null;
  /** The signal after which it has these rules, and is held against live; null for all. */
  readonly beginsAfter: number | null;
  /** Why live and replay may differ. */
  readonly reasons: Reasons;
}

interface Reasons {
  /** Of what the replay does not have. */
  readonly gaps: readonly Incident[];
  readonly incidents: readonly Incident[];
}

function rowsOf(
  { sides }: Backtest,
  isTwo: boolean,
  begun: ReadonlyMap<string, number>,
  reasonsOf: (name: string) => Reasons,
  besideOf: (name: string) => { readonly live: BesideLive; readonly other: BesideOther },
): Row[] {
  const names = [...new Set([...sides.here.keys(), ...sides.other.keys()])];
  return names.map((name) => {
    const one = sides.here.get(name) ?? null;
    const two = sides.other.get(name) ?? null;
    const isLive = !isTwo && one !== null && isRecorded(one.config);
    return {
      name,
      here: one,
      other: two,
      change: isTwo ? changeOf(one, two) : null,
      onlyHere: isTwo ? besideOf(name).other.only("here") : NONE,
      onlyOther: isTwo ? besideOf(name).other.only("other") : NONE,
      live: isLive ? besideOf(name).live.result() : null,
      beginsAfter: isLive ? (begun.get(name) ?? null) : null,
      reasons: isLive ? reasonsOf(name) : { gaps: [], incidents: [] },
    };
  });
}

function changeOf(one: Tested | null, two: Tested | null): "same" | "changed" | "new" | "gone" {
  if (one === null) return "new";
  if (two === null) return "gone";
  return isSameReflex(one.config, two.config) ? "same" : "changed";
}

const countsJson = (tested: Tested | null) => ({
  signals: tested?.signals ?? null,
  matched: tested?.matched ?? null,
  fired: tested?.fired ?? null,
  throttled: tested?.throttled ?? null,
  over_key_limit: tested?.limited ?? null,
  dropped_estimate: tested?.droppedEstimate ?? null,
});

const configOf = ({ here, other }: Row) => (here ?? other)?.config;

function rowJson(row: Row, { since, until }: Range) {
  const { name, here, other, change, onlyHere, onlyOther, live, reasons } = row;
  const config = configOf(row);
  const differences = [
    ...(live?.onlyLive.firings ?? []).map((firing) => ({ only: "live", ...firing })),
    ...(live?.onlyReplayed.firings ?? []).map((firing) => ({ only: "replay", ...firing })),
  ];
  const against = {
    change,
    ...countsJson(other),
    only_here: onlyHere.count,
    only_there: onlyOther.count,
    differences: [
      ...onlyHere.firings.map((firing) => ({ only: "here", ...firing })),
      ...onlyOther.firings.map((firing) => ({ only: "there", ...firing })),
    ].slice(0, LISTED),
  };
  return {
    reflex: name,
    target: config === undefined ? null : `${config.kind} ${targetOf(config)}`,
    since,
    until,
    ...countsJson(here),
    begins_after: row.beginsAfter,
    live:
      live === null
        ? null
        : {
            agreed: live.agreed,
            only_live: live.onlyLive.count,
            only_replay: live.onlyReplayed.count,
            differences: differences.slice(0, LISTED),
            reasons: [...reasons.gaps, ...reasons.incidents.slice(-LISTED)],
          },
    against: change === null ? null : against,
  };
}

function printFiring(side: Side, reflex: string, firing: Firing, isTwo: boolean, json: boolean): void {
  const of = isTwo ? { config: side === "here" ? "here" : "there" } : {};
  if (json) print(safeJson({ firing: { reflex, ...of, ...firing } }));
  else {
    const where = isTwo ? ` (${side === "here" ? "here" : "there"})` : "";
    print(`${localMoment(firing.at)}  ${escapeForTerminal(reflex)}${where}  ${forSignal(firing)}`);
  }
}

const forSignal = ({ signal, key }: Firing): string =>
  `signal #${signal}${key === null ? "" : `, key ${shownScalar(key)}`}`;

// ── for people ───────────────────────────────────────────────────────────

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

function tell(rows: readonly Row[], done: Backtest, range: Range, tookMs: number, isTwo: boolean): void {
  if (rows.length === 0) {
    remark("no reflex looks at signals");
    return;
  }
  print(renderTable(isTwo ? BOTH : ALONE, rows, stdoutScreen()).join("\n"));
  for (const line of begunLines(rows, range)) print(line);
  for (const row of rows) for (const line of differencesOf(row)) print(line);
  const reasons = reasonsOf(rows);
  for (const line of reasons) print(line);
  // Where nothing differs, it is to be known all the same.
  if (reasons.length === 0 && done.unreadable.length > 0) print("");
  if (reasons.length === 0) for (const id of done.unreadable.slice(0, SHOWN)) print(`  ${unreadableWords(id)}`);
  const took = `${counted(done.signals, "signal")} replayed in ${duration(tookMs)}`;
  print(`\n${localMoment(range.since)} to ${localMoment(range.until)}; ${took}`);
}

/** Those of which not all that is replayed is held against live. */
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

/** Of all reflexes that differ, each once. */
function reasonsOf(rows: readonly Row[]): string[] {
  const different = rows.filter(({ live }) => live !== null && live.onlyLive.count + live.onlyReplayed.count > 0);
  const linesOf = (incidents: readonly Incident[]): string[] => {
    const inOrder = incidents.toSorted((a, b) => a.at - b.at);
    return [...new Set(inOrder.map(reasonLine))].slice(-SHOWN);
  };
  const gaps = linesOf(different.flatMap(({ reasons }) => reasons.gaps));
  const incidents = linesOf(different.flatMap(({ reasons }) => reasons.incidents));
  return gaps.length + incidents.length === 0 ? [] : ["", "  it may be because of:", ...gaps, ...incidents];
}

function reasonLine({ at, source, message }: Incident): string {
  const who = source === "kernel" ? "" : `${escapeForTerminal(source)}: `;
  return `    ${localMoment(at)}  ${who}${escapeForTerminal(message)}`;
}

function listed({ count, firings }: Sample, what: string): string[] {
  if (count === 0) return [];
  const shown = firings.slice(0, SHOWN).map((firing) => `    ${localMoment(firing.at)}  ${forSignal(firing)}`);
  const more = count - shown.length;
  return ["", `  ${what}:`, ...shown, ...(more === 0 ? [] : [`    and ${more} more`])];
}
