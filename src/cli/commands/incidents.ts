/** Owns `nerve incidents`: the open incidents, and the incidents that were open. */
import { ok } from "../../base/result.ts";
import { INCIDENT_STATES, type IncidentState } from "../../model/incident.ts";
import { type Incident, isResolved } from "../../model/incident-row.ts";
import type { IncidentFilter } from "../../store/incidents.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { defineCommand, flag, texts } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { LIST_OPTIONS, list, POLL_MS, parseRange, type Range, rowPrinter, whole } from "../lists/listing.ts";
import { knownReflexes } from "../place/known-names.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark } from "../screen/failure.ts";
import { incidentSpans } from "../screen/incident-rows.ts";
import { print } from "../screen/terminal.ts";

const OPEN: readonly IncidentState[] = INCIDENT_STATES.filter((state) => state !== "resolved");

const { follow, since, until, after, trace, limit, wide } = LIST_OPTIONS;

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
    reflex: texts("NAME", "only those of this reflex"),
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
    const show = rowPrinter<Shown>(
      { json, wide: options.wide },
      "cut",
      ({ row }) => row,
      ({ row }) => incidentSpans(row, Date.now()),
    );
    const filter = { states: options.open ? OPEN : [], reflexes };
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
      whole(incidents.list({ ...filter, after: from, since, until, trace, limit: most, newest }).map(shownOf)),
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
        if (isNews && isMeant && (states.length === 0 || !isResolved(row) || shown.has(row.id))) show(row);
      }
    }
    seen = version;
    await Bun.sleep(POLL_MS);
  }
}
