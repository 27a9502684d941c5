/** Owns `nerve fleet status`: every host that was heard of, from the store; with `--live` also what each says of itself. */

import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import type { JsonObject } from "../../base/json.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { ago, duration } from "../../base/times.ts";
import type { HostsAnswer, Status } from "../../control/contract.ts";
import { clockWords, fleetConcerns } from "../../model/fleet-concerns.ts";
import type { FleetClock, FleetStatus, RecentHost } from "../../model/fleet-status.ts";
import type { Origin } from "../../model/origin.ts";
import { roomWords } from "../../model/stream-room.ts";
import { triesWords } from "../../model/tries.ts";
import { EXIT, type Failure, type Outcome, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace, type Place } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { remark, warn } from "../screen/failure.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, span, stdoutScreen } from "../screen/terminal.ts";
import { hostWords } from "./host-words.ts";

/** Hosts of one request to the kernel. */
const ASKED_AT_ONCE = 500;

const right = (title: string, rank: number, cell: (origin: Origin) => string): Column<Origin> => ({
  title,
  align: "right",
  rank,
  cell: (origin) => span(cell(origin)),
});

/** What a host says of itself now. `status`: null where it did not answer, and `why`. */
interface Live {
  readonly status: JsonObject | null;
  readonly why: string | null;
}

const wordsOf = ({ status, why }: Live): string => (status === null ? (why ?? "no answer") : hostWords(status));

async function liveOf(place: Place, hosts: readonly string[]): Promise<Result<ReadonlyMap<string, Live>, Failure>> {
  const answers = new Map<string, Live>();
  for (let at = 0; at < hosts.length; at += ASKED_AT_ONCE) {
    const some = hosts.slice(at, at + ASKED_AT_ONCE);
    const answer = await ask<HostsAnswer>(place, "/ask-hosts", { hosts: some });
    if (!answer.ok) return answer;
    for (const { host, status: own, why } of answer.value.hosts) answers.set(host, { status: own, why });
  }
  return ok(answers);
}

const nowColumn = (live: ReadonlyMap<string, Live>): Column<Origin> => ({
  title: "NOW",
  align: "left",
  rank: 0,
  cell: ({ host }) => span(escapeForTerminal(wordsOf(live.get(host) ?? { status: null, why: null }))),
});

/** Why the states are not those of this moment, or null. */
function deafness(fleet: FleetStatus | null, now: number): string | null {
  if (fleet === null)
    return "no daemon with `fleet` answers: nobody is heard, and the states are those of its last moment";
  const incoming = fleet.in;
  if (incoming === null) return "this host receives nothing: `fleet.receive` and `on` name no sense of another host";
  if (incoming.state === "connected") return null;
  const said = [incoming.why, triesWords(incoming, now)].filter((part) => part !== null);
  const because = said.length === 0 ? "" : ` (${said.join("; ")})`;
  return `this host has heard no other host for ${duration(Math.max(0, now - incoming.since))}${because}: the states are those of then`;
}

const conflictOf = ({ host }: Origin, fleet: FleetStatus | null): RecentHost | null =>
  fleet?.conflicts.find((conflict) => conflict.host === host) ?? null;

const clockOf = ({ host }: Origin, fleet: FleetStatus | null): FleetClock | null =>
  fleet?.clocks.find((clock) => clock.host === host) ?? null;

const isLateNow = ({ host }: Origin, fleet: FleetStatus | null): boolean =>
  fleet?.late.some((late) => late.host === host) ?? false;

function stateOf(origin: Origin, fleet: FleetStatus | null): string {
  const clock = clockOf(origin, fleet);
  const isConflict = conflictOf(origin, fleet) !== null && origin.state !== "silent";
  const state = isConflict ? "conflict" : origin.state;
  return clock === null ? state : `${state}, clock ${clockWords(clock)}`;
}

/** A host as one object. `conflict`: since when two kernels send under its name, and the last sign of that. `late_now`: in the last five minutes. */
export function shownHost(origin: Origin, fleet: FleetStatus | null, live: ReadonlyMap<string, Live> | null) {
  const conflict = conflictOf(origin, fleet);
  const signs = conflict === null ? null : { since: conflict.since, at: conflict.at };
  const about = { conflict: signs, clock_ahead_ms: clockOf(origin, fleet)?.ahead_ms ?? null };
  return { ...origin, ...about, late_now: isLateNow(origin, fleet), ...(live?.get(origin.host) ?? {}) };
}

const columnsAt = (
  now: number,
  fleet: FleetStatus | null,
  live: ReadonlyMap<string, Live> | null,
): readonly Column<Origin>[] => [
  { title: "HOST", align: "left", rank: 0, cell: ({ host }) => span(host) },
  { title: "STATE", align: "left", rank: 0, cell: (origin) => span(stateOf(origin, fleet)) },
  right("LAST", 1, ({ at }) => (at === 0 ? "never" : ago(at, now))),
  right("SIGNALS", 2, ({ signals }) => String(signals)),
  right("MISSING", 1, ({ missing }) => String(missing)),
  right("LATE", 3, (origin) => `${origin.late}${isLateNow(origin, fleet) ? ", now" : ""}`),
  ...(live === null ? [] : [nowColumn(live)]),
];

export async function status(
  hosts: readonly string[],
  isLive: boolean,
  given: string | null,
  json: boolean,
): Promise<Outcome> {
  const place = findPlace(given);
  if (!place.ok) return place;
  const opened = readStore(place.value);
  if (!opened.ok) return opened;
  const known = opened.value.origins.all();
  const unknown = hosts.find((name) => !known.some(({ host }) => host === name));
  if (unknown !== undefined) {
    const names = known.map(({ host }) => host);
    return usageError(
      `nothing was ever heard of \`${escapeForTerminal(unknown)}\``,
      meantOr(unknown, names, "`nerve fleet status` lists who was"),
    );
  }
  const origins = known.filter(({ host }) => hosts.length === 0 || hosts.includes(host));
  const live =
    isLive && origins.length > 0
      ? await liveOf(
          place.value,
          origins.map(({ host }) => host),
        )
      : null;
  if (live !== null && !live.ok) return live;
  const answers = live === null ? null : live.value;
  const asked = await ask<Status>(place.value, "/status", null);
  const fleet = asked.ok ? asked.value.fleet : null;
  const now = Date.now();
  if (json) for (const origin of origins) print(safeJson(shownHost(origin, fleet, answers)));
  else if (origins.length > 0) print(renderTable(columnsAt(now, fleet, answers), origins, stdoutScreen()).join("\n"));
  else remark("no host was heard of");
  const stream = fleet?.stream ?? null;
  if (stream !== null && !json)
    print(
      `\nthe stream ${stream.stream} is ${roomWords(stream, now)}, as of ${ago(Math.min(stream.looked_at, now), now)}`,
    );
  const deaf = deafness(fleet, now);
  if (deaf !== null) warn(deaf, json);
  for (const { kind, reason } of fleet === null ? [] : fleetConcerns(fleet))
    if (kind === "behind" || kind === "filling") warn(reason, json);
  return ok(EXIT.done);
}
