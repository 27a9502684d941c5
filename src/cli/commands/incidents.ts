/** Owns `nerve incidents`: the open incidents, and the incidents that were open. */
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import type { NerveConfig } from "../../model/config.ts";
import { INCIDENT_STATES, type IncidentState } from "../../model/incident.ts";
import type { Incident } from "../../model/incident-row.ts";
import type { IncidentFilter } from "../../store/incidents.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { defineCommand, flag, texts } from "../frame/command.ts";
import { EXIT, type Failure, fail, usageError } from "../frame/outcome.ts";
import { LIST_OPTIONS, list, POLL_MS, parseRange, type Range, rowPrinter, whole } from "../lists/listing.ts";
import { knownReflexes, knownSenses } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { incidentSpans } from "../screen/incident-rows.ts";
import { print } from "../screen/terminal.ts";

const OPEN: readonly IncidentState[] = INCIDENT_STATES.filter((state) => state !== "resolved");

const { follow, sense, since, until, after, trace, limit, wide } = LIST_OPTIONS;

interface Shown {
  readonly id: number;
  readonly at: number;
  readonly row: Incident;
}

export const command = defineCommand({
  details:
    "Reads the data directory itself: it works whether or not the daemon runs. With -f an incident is shown again whenever its\nstate changes. --since and --until are about the time at which it opened. States: open, acked, resolved.",
  arguments: [{ name: "reflex…", required: false }],
  options: {
    follow,
    open: flag("only those that have not resolved"),
    state: texts("STATE", "only in this state"),
    reflex: texts("NAME", "only those of this reflex"),
    sense,
    since,
    until,
    after,
    trace,
    limit,
    wide,
  },
  examples: [
    ["nerve incidents --open", "what is wrong now"],
    ["nerve incidents -f disk-full", "the newest of one reflex, and what becomes of them"],
    ["nerve incidents --sense disks --state resolved", "what a sense led to, and is over"],
    ["nerve incidents --since 7d --json", "what was wrong this week, for another program"],
  ],
  async run({ arguments: named, options, config: given, json }) {
    const range = parseRange(options, Date.now());
    if (!range.ok) return range;
    const place = findPlace(given);
    if (!place.ok) return place;
    const opened = readStore(place.value);
    if (!opened.ok) return opened;
    const reflexes = [...named, ...options.reflex].map((name) => name.replace(/^reflex:/, ""));
    const known = knownReflexes(place.value.config, reflexes);
    const states = statesOf(options.state, options.open);
    if (!states.ok) return states;
    const { config } = place.value;
    const senses = knownSenses(config, options.sense);
    if (!senses.ok) return senses;
    if (config === null && options.sense.length > 0) return fail(EXIT.badConfig, ...place.value.problems);
    const listeners = config === null || options.sense.length === 0 ? null : listenersTo(config, options.sense);
    const show = rowPrinter<Shown>(
      { json, wide: options.wide },
      "cut",
      ({ row }) => row,
      ({ row }) => incidentSpans(row, Date.now()),
    );
    const filter = { states: states.value, reflexes: among(reflexes, listeners) };
    const shown = new Map<number, IncidentState>();
    const source = sourceOf(opened.value, filter, range.value);
    const note = (one: Shown): string => {
      shown.set(one.id, one.row.state);
      return show(one);
    };
    const beganAt = opened.value.logs.lastId();
    const printed = await list({ source, show: note, json }, { ...range.value, follow: false });
    if (range.value.follow) await goOn(opened.value, filter, shown, beganAt, (row) => print(note(shownOf(row))));
    else if (printed === 0) {
      if (!known.ok) return known;
      remark("no incidents");
    }
    return ok(EXIT.done);
  },
});

/** No state means every state. */
function statesOf(given: readonly string[], onlyOpen: boolean): Result<readonly IncidentState[], Failure> {
  const known: readonly string[] = INCIDENT_STATES;
  const unknown = given.find((word) => !known.includes(word));
  if (unknown !== undefined) {
    const there = `there are: ${known.join(", ")}`;
    return usageError(`there is no state \`${unknown}\``, meantOr(unknown, known, there));
  }
  if (!onlyOpen) return ok(given as readonly IncidentState[]);
  if (given.includes("resolved")) return usageError("an incident that is resolved is not --open");
  return ok(given.length === 0 ? OPEN : (given as readonly IncidentState[]));
}

/** Reflexes that look at the signals of one of `senses`. */
const listenersTo = ({ reflexes }: NerveConfig, senses: readonly string[]): readonly string[] =>
  reflexes.filter(({ on }) => on.some((name) => senses.includes(name))).map(({ name }) => name);

/** No reflex has this name. */
const NOBODY = "-";

/** Those of `reflexes` that listen too; where both say something and have none in common, a name that nobody has. */
function among(reflexes: readonly string[], listeners: readonly string[] | null): readonly string[] {
  if (listeners === null) return reflexes;
  const both = reflexes.length === 0 ? listeners : reflexes.filter((name) => listeners.includes(name));
  return both.length === 0 ? [NOBODY] : both;
}

const shownOf = (row: Incident): Shown => ({ id: row.id, at: row.opened_at, row });

function sourceOf(
  { incidents, version }: StoreReader,
  filter: Pick<IncidentFilter, "states" | "reflexes">,
  range: Range,
) {
  const { since, until, trace } = range;
  return {
    version,
    lastId: () => incidents.newestId(),
    begin: () => 0,
    page: (from: number, most: number, newest: boolean) =>
      whole(
        incidents.list({ ...filter, after: from, before: null, since, until, trace, limit: most, newest }).map(shownOf),
      ),
  };
}

/** Shows each incident whose state has changed since the incident was last shown, until Ctrl-C. */
async function goOn(
  store: StoreReader,
  { states, reflexes }: Pick<IncidentFilter, "states" | "reflexes">,
  shown: ReadonlyMap<number, IncidentState>,
  beganAt: number,
  show: (row: Incident) => void,
): Promise<never> {
  let cursor = beganAt;
  let seen = -1;
  for (;;) {
    const version = store.version();
    if (version !== seen) {
      for (const row of store.incidents.changedSince(cursor)) {
        cursor = Math.max(cursor, row.last_log_id);
        const isNews = shown.get(row.id) !== row.state;
        const isMeant = reflexes.length === 0 || reflexes.includes(row.reflex);
        const isOfState = states.length === 0 || states.includes(row.state) || shown.has(row.id);
        if (isNews && isMeant && isOfState) show(row);
      }
    }
    seen = version;
    await Bun.sleep(POLL_MS);
  }
}
