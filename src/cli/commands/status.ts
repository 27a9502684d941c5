/** Owns `nerve status`: the daemon's account of itself, as tables. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { formatSize } from "../../base/size.ts";
import { ago, duration, until } from "../../base/times.ts";
import type { Status } from "../../control/contract.ts";
import { withoutChannel } from "../../model/channel.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { warn } from "../screen/failure.ts";
import { fleetLines } from "../screen/fleet-lines.ts";
import { otlpLines } from "../screen/otlp-lines.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, renderLine, type Screen, type Span, type Style, span, stdoutScreen } from "../screen/terminal.ts";

type Group = Status["groups"][number];
type Sense = Status["senses"][number];
type Reflex = Status["reflexes"][number];
type Inbox = Status["inboxes"][number];
type Workflow = Status["workflows"][number];

const STATES: Readonly<Record<Group["state"] | Sense["state"], Style>> = {
  up: "green",
  ok: "green",
  starting: "yellow",
  backoff: "yellow",
  stuck: "red",
  failing: "red",
  stale: "red",
  failed: "red",
  quarantined: "red",
  disabled: "dim",
};

const name = <Row extends { readonly name: string }>(title: string): Column<Row> => ({
  title,
  align: "left",
  rank: 0,
  cell: (row) => span(escapeForTerminal(row.name)),
});

/** A column of counts in which a 0 is empty. */
const count = <Row>(
  title: string,
  rank: number,
  of: (row: Row) => number,
  style: Style | null = null,
): Column<Row> => ({
  title,
  align: "right",
  rank,
  cell: (row) => (of(row) === 0 ? span("0", "dim") : span(String(of(row)), style)),
});

const right = <Row>(title: string, rank: number, of: (row: Row) => string | null): Column<Row> => ({
  title,
  align: "right",
  rank,
  cell: (row) => span(of(row) ?? "–", of(row) === null ? "dim" : null),
});

const GROUPS: readonly Column<Group>[] = [
  name("GROUP"),
  { title: "STATE", align: "left", rank: 0, cell: ({ state }) => span(state, STATES[state]) },
  right("PID", 2, ({ pid }) => (pid === null ? null : String(pid))),
  count("RESTARTS", 1, ({ restarts }) => restarts, "yellow"),
  right("MEMORY", 1, ({ memory }) => (memory === 0 ? null : formatSize(memory))),
];

const senseColumns = (now: number): readonly Column<Sense>[] => [
  name("SENSE"),
  { title: "STATE", align: "left", rank: 0, cell: ({ state }) => span(state, STATES[state]) },
  { title: "GROUP", align: "left", rank: 8, cell: ({ group }) => span(escapeForTerminal(group), "dim") },
  count("COMPUTES", 2, ({ computes }) => computes),
  count("NULLS", 7, ({ nulls }) => nulls),
  count("ERRORS", 3, ({ errors }) => errors, "red"),
  count("TIMEOUTS", 5, ({ timeouts }) => timeouts, "red"),
  count("MISSED", 6, ({ missed }) => missed, "yellow"),
  right("P50", 6, ({ p50_ms: ms }) => (ms === null ? null : duration(ms))),
  right("P99", 4, ({ p99_ms: ms }) => (ms === null ? null : duration(ms))),
  right("LAST SIGNAL", 1, ({ last_signal: last }) => (last === null ? null : ago(last, now))),
  right("NEXT", 3, ({ next_due: due }) => (due === null ? null : until(due, now))),
];

const reflexColumns = (now: number): readonly Column<Reflex>[] => [
  name("REFLEX"),
  {
    title: "STATE",
    align: "left",
    rank: 0,
    cell: ({ enabled, silenced_until: silenced }) => {
      if (!enabled) return span("disabled", "dim");
      return silenced === null ? span("enabled", "green") : span("silenced", "yellow");
    },
  },
  { title: "TARGET", align: "left", rank: 1, cell: ({ target }) => span(escapeForTerminal(target)) },
  count("FIRED", 0, ({ fired }) => fired),
  count("THROTTLED", 2, ({ throttled }) => throttled),
  count("MISSED", 3, ({ missed }) => missed, "yellow"),
  right("NEXT", 2, ({ next_due: due }) => (due === null ? null : until(due, now))),
];

const INBOXES: readonly Column<Inbox>[] = [
  { title: "INBOX", align: "left", rank: 0, cell: ({ sense }) => span(escapeForTerminal(sense)) },
  count("WAITING", 0, ({ waiting }) => waiting),
  count("DEAD", 0, ({ dead }) => dead, "red"),
];

const WORKFLOWS: readonly Column<Workflow>[] = [
  name("WORKFLOW"),
  count("RUNNING", 0, ({ running }) => running),
  count("QUEUED", 0, ({ queued }) => queued),
  count("SLEEPING", 1, ({ sleeping }) => sleeping),
];

function kernelLines({ kernel }: Status, now: number, screen: Screen): string[] {
  const dot = span(" · ", "dim");
  const first: Span[] = [
    span(`nerve ${kernel.version}`, "bold"),
    dot,
    span(`pid ${kernel.pid}`),
    dot,
    span(`up ${duration(Math.max(0, Math.floor((now - kernel.started_at) / 1000) * 1000))}`),
    dot,
    span(escapeForTerminal(kernel.data), "dim"),
  ];
  const store = kernel.store ?? "ok";
  const trouble =
    store === "ok" ? [] : [renderLine([span(`nothing new is begun: ${escapeForTerminal(store)}`, "red")], screen)];
  return [renderLine(first, screen), ...trouble];
}

/** Puts the file before a reason that does not name the file. */
const placed = (place: string | null, reason: string): string =>
  place === null || reason.includes(place) ? reason : `${place}: ${reason}`;

/** The lines of senses and workflows that are not well, with their reasons. A narrow terminal does not cut them. */
function reasons({ senses, broken_workflows: workflows }: Status, screen: Screen): string[] {
  const unwell = [
    ...senses.flatMap(({ name: sense, state, reason, place }) =>
      reason === null ? [] : { name: sense, state, reason: placed(place, reason) },
    ),
    ...workflows.map(({ name: workflow, reason }) => ({ name: workflow, state: "failed" as const, reason })),
  ];
  if (unwell.length === 0) return [];
  const free: Screen = { ...screen, width: null };
  const lines = unwell.map(({ name: what, state, reason }) =>
    renderLine([span(escapeForTerminal(what), STATES[state]), span(`: ${escapeForTerminal(reason)}`)], free),
  );
  return ["", ...lines];
}

function incidentLines({ incidents: { open, acked } }: Status, screen: Screen): string[] {
  if (open === 0) return [];
  const known = acked === 0 ? "" : `, ${acked} acknowledged`;
  const line = [span(`${counted(open, "incident")} open${known}`, "red"), span(": nerve incidents --open", "dim")];
  return ["", renderLine(line, screen)];
}

/** Where nobody outside hears of nerve: channels and the watchdog, while they fail. */
function unheard({ channels, watchdog }: Status, screen: Screen): string[] {
  const failing = [
    ...channels
      .filter(({ state }) => state === "failing")
      .map(({ name, reason }) => ({
        title: `channel ${name}`,
        reason: reason === null ? null : withoutChannel(name, reason),
      })),
    ...(watchdog?.state === "failing" ? [{ title: "watchdog", reason: watchdog.reason }] : []),
  ];
  if (failing.length === 0) return [];
  const free: Screen = { ...screen, width: null };
  const lines = failing.map(({ title, reason }) =>
    renderLine([span(escapeForTerminal(title), "yellow"), span(`: ${escapeForTerminal(reason ?? "")}`)], free),
  );
  return ["", ...lines];
}

/** Senses that have not been handed all signals yet; one that a moment will mend is left out. */
function deliveryLines({ deliveries }: Status, now: number, screen: Screen): string[] {
  const late = deliveries.filter(({ since }) => now - since >= LATE_MS);
  if (late.length === 0) return [];
  const free: Screen = { ...screen, width: null };
  const lines = late.map(({ sense, waiting, since }) =>
    renderLine(
      [
        span(escapeForTerminal(sense), "yellow"),
        span(`: ${counted(waiting, "signal")} to be delivered, the oldest came ${ago(since, now)}`),
      ],
      free,
    ),
  );
  return ["", ...lines];
}

/** Addresses of the config that nerve does not listen on. */
function unlistened({ listeners }: Status, screen: Screen): string[] {
  const failed = listeners.filter(({ name, state }) => name !== "fleet" && name !== "otlp" && state === "failed");
  if (failed.length === 0) return [];
  const free: Screen = { ...screen, width: null };
  const lines = failed.map(({ name: section, address, reason }) =>
    renderLine(
      [span(section, "red"), span(`: does not listen on ${address}: ${escapeForTerminal(reason ?? "")}`)],
      free,
    ),
  );
  return ["", ...lines];
}

/** The newest bad ending of each workflow. */
function lastFailures({ failures }: Status, now: number, screen: Screen): string[] {
  const newest = new Map(failures.map((failure) => [failure.workflow, failure]));
  if (newest.size === 0) return [];
  const free: Screen = { ...screen, width: null };
  const lines = [...newest.values()].map(({ workflow, run, state, error, at }) => {
    const ago = duration(Math.max(0, Math.floor((now - at) / 1000) * 1000));
    const why = error === null ? "" : `: ${error}`;
    const text = `: run ${run} ${state === "failed" ? "failed" : `ended ${state}`} ${ago} ago${why}`;
    return renderLine([span(escapeForTerminal(workflow), "yellow"), span(escapeForTerminal(text))], free);
  });
  return ["", ...lines];
}

function renderStatus(status: Status, now: number, screen: Screen): string {
  const table = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] =>
    rows.length === 0 ? [] : ["", ...renderTable(columns, rows, screen)];
  return [
    ...kernelLines(status, now, screen),
    ...table(GROUPS, status.groups),
    ...table(senseColumns(now), status.senses),
    ...reasons(status, screen),
    ...table(reflexColumns(now), status.reflexes),
    ...table(WORKFLOWS, status.workflows),
    ...table(INBOXES, status.inboxes),
    ...deliveryLines(status, now, screen),
    ...incidentLines(status, screen),
    ...unheard(status, screen),
    ...unlistened(status, screen),
    ...fleetLines(status.fleet ?? null, now, screen),
    ...otlpLines(status.otlp ?? null, now, screen),
    ...lastFailures(status, now, screen),
  ].join("\n");
}

const LATE_MS = 10_000;
const LOOK_AGAIN_MS = 1_000;
const CLEAR = "\x1b[H\x1b[2J\x1b[3J";

/** Prints one look. A terminal shows the newest look alone; elsewhere looks stand below one another. */
function tellPeople(status: Status, follows: boolean, isFirst: boolean): void {
  const screen = stdoutScreen();
  const before = follows && screen.terminal ? CLEAR : isFirst ? "" : "\n";
  print(before + renderStatus(status, Date.now(), screen));
}

export const command = defineCommand({
  details:
    "Counts are since the daemon started. A sense is failing after an error, a timeout or a kill, until one of its\ncomputes succeeds. P50 and P99 are of the newest computes. A narrow terminal gets the columns that matter most; --json has\nthem all. Ends with exit code 3 when no daemon answers.",
  arguments: [],
  options: { follow: flag("look again every second, until Ctrl-C", "f") },
  examples: [
    ["nerve status", "one look"],
    ["nerve status -f", "and keep looking"],
    ["nerve status --json | jq '.senses[] | select(.state != \"ok\")'", "what is not well"],
  ],
  async run({ config, options, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    for (let looks = 1; ; looks++) {
      const answer = await ask<Status>(place.value, "/status", null);
      if (!answer.ok) return answer;
      if (json) print(safeJson(answer.value));
      else tellPeople(answer.value, options.follow, looks === 1);
      if (!options.follow) break;
      await Bun.sleep(LOOK_AGAIN_MS);
    }
    const { file, problems } = place.value;
    if (problems.length > 0) warn(`${file} has problems since the daemon read it; see \`nerve check\``, json);
    return ok(EXIT.done);
  },
});
