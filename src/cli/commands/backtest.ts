/** Owns `nerve backtest`: what reflexes would have done with the signals that are kept. */
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { localMoment } from "../../base/local-time.ts";
import { ok, type Result } from "../../base/result.ts";
import { parseSince } from "../../base/times.ts";
import type { NerveConfig, ReflexConfig } from "../../model/config.ts";
import { hasClock } from "../../replays/due-times.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { ALL_SIGNALS } from "../../store/signals.ts";
import { defineCommand, flag, text } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { lifetimeOf } from "../place/elapsed.ts";
import { knownReflex } from "../place/known-names.ts";
import { findPlace, loadRules } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import type { Firing, Range, Side } from "../replays/backtest.ts";
import { Comparison } from "../replays/comparison.ts";
import { rowJson, timedJson } from "../replays/comparison-json.ts";
import { forSignal, printComparison } from "../replays/comparison-text.ts";
import { print } from "../screen/terminal.ts";

/** The replay begins this many signals before the range, so that reflexes have their memory when the range begins. */
const WARM_UP = 1_000_000;

export const command = defineCommand({
  details:
    "Signals are read from the store, as far back as `retention` keeps them, and put through the rules again. The outcome is\nheld against what the daemon decided (its logs `reflex.fired`), from the signal on after which it\nloaded the rules as they are now, and what a replay cannot know is named. With --against it is held against the rules of\nanother file instead. Runs that would have been dropped are an estimate, by how long the latest runs of the workflow took,\nand so are batches. Of reflexes that the clock makes due, the due times of the range are counted.\nNeeds no daemon.",
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
  async run({ arguments: given, options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const here = place.value.config;
    if (here === null) return fail(EXIT.badConfig, ...place.value.problems);
    const other = options.against === null ? ok(null) : loadRules(options.against, true);
    if (!other.ok) return other;
    const meant = namesOf(given, other.value === null ? [here] : [here, other.value]);
    if (!meant.ok) return meant;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const store = opened.value;
    const range = rangeOf(store, options, Date.now());
    if (!range.ok) return range;
    const isTwo = other.value !== null;
    const startedAt = performance.now();
    const comparison = new Comparison({
      store,
      range: range.value,
      here,
      other: other.value,
      names: meant.value,
      aheadMs: lifetimeOf(store).aheadMs,
      fired: (side, reflex, firing) => {
        if (options.firings) printFiring(side, reflex, firing, isTwo, json);
      },
    });
    const { rows, timed, done } = comparison.run();
    if (json) {
      for (const row of rows) print(safeJson(rowJson(row, range.value)));
      for (const row of timed) print(safeJson(timedJson(row, range.value)));
    } else printComparison({ rows, timed, done, range: range.value, tookMs: performance.now() - startedAt, isTwo });
    return ok(EXIT.done);
  },
});

/** The names of the wanted reflexes. Each of them looks at signals in one of `configs`, or starts a workflow by the clock. */
function namesOf(given: readonly string[], configs: readonly NerveConfig[]): Result<readonly string[], Failure> {
  const names: string[] = [];
  for (const name of given) {
    const known = knownReflex(configs, name);
    if (!known.ok) return known;
    const isIt = (one: ReflexConfig): boolean =>
      one.name === known.value && (one.on.length > 0 || (one.kind === "workflow" && hasClock(one)));
    if (!configs.some(({ reflexes }) => reflexes.some(isIt))) {
      return usageError(`reflex \`${known.value}\` looks at no signals, so there is nothing to replay`);
    }
    names.push(known.value);
  }
  return ok(names);
}

function rangeOf(
  { signals }: StoreReader,
  { since, until }: { readonly since: string | null; readonly until: string | null },
  now: number,
): Result<Range, Failure> {
  const from = since === null ? null : parseSince(since, now);
  const end = until === null ? null : parseSince(until, now);
  for (const [name, given, at] of [["since", since, from] as const, ["until", until, end] as const]) {
    if (given === null || at !== null) continue;
    const message = `\`--${name}\` takes a time, not \`${given}\``;
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

function printFiring(side: Side, reflex: string, firing: Firing, isTwo: boolean, json: boolean): void {
  const of = isTwo ? { config: side === "here" ? "here" : "there" } : {};
  if (json) print(safeJson({ firing: { reflex, ...of, ...firing } }));
  else {
    const where = isTwo ? ` (${side === "here" ? "here" : "there"})` : "";
    print(`${localMoment(firing.at)}  ${escapeForTerminal(reflex)}${where}  ${forSignal(firing)}`);
  }
}
