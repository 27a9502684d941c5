/** Owns `nerve rebuild`: derives the tables of runs and incidents from the logs, or compares the tables with the logs. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { DEFAULT_DURABILITY } from "../../config/defaults.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { RESTORE } from "../../store/damage.ts";
import type { IncidentDifference } from "../../store/incident-fold.ts";
import { checkStore, type Rebuilt, rebuildStore } from "../../store/rebuild-store.ts";
import type { Difference } from "../../store/run-comparison.ts";
import { keepVerified, type SoundnessFinding } from "../../store/verified.ts";
import { defineCommand, flag } from "../frame/command.ts";
import { EXIT, fail, type Outcome } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { storeFailure } from "../place/store.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { print, type Span, span, stdoutScreen } from "../screen/terminal.ts";

/** Kinds of problems that may be gone at the next try. */
const NOT_NOW: ReadonlySet<string> = new Set(["store-locked", "store-no-space"]);

export const command = defineCommand({
  details:
    "The logs are the truth, the tables `workflow_runs` and `incidents` sum them up. With --check nothing is changed: exit code 1\nif any run differs, with its columns, their values in the table and those the logs say (the first 100). Works beside a running\ndaemon. A history that cannot be (a second ending, say) is reported with the id of its log, and its run is left alone.",
  arguments: [],
  options: { check: flag("only compare") },
  examples: [
    ["nerve rebuild --check", "is the table what the logs say?"],
    ["nerve rebuild", "make it so"],
  ],
  async run({ options, config, json }) {
    const place = findPlace(config);
    if (!place.ok) return place;
    const { data } = place.value;
    const durability = place.value.config?.durability ?? DEFAULT_DURABILITY;
    const done = options.check ? checkStore(data) : rebuildStore(data, durability, Date.now());
    if (!done.ok)
      return NOT_NOW.has(done.error.kind) ? fail(EXIT.inUse, done.error) : storeFailure(place.value, done.error);
    if (options.check) keepVerified(data, "tables", findingOf(done.value));
    return tell(done.value, options.check, json);
  },
});

const isEqual = ({ differing, wasGone, incidents }: Rebuilt): boolean =>
  differing === 0 && !wasGone && incidents.differing === 0 && !incidents.wasGone;

function tell(done: Rebuilt, onlyChecked: boolean, json: boolean): Outcome {
  const { wasGone, ...counts } = done;
  if (json) print(safeJson({ equal: isEqual(done), was_gone: wasGone, ...counts }));
  else print(lines(done, onlyChecked).join("\n"));
  const problems = [...(onlyChecked && !isEqual(done) ? [notEqual(done)] : []), ...faults(done)];
  return problems.length === 0 ? ok(EXIT.done) : fail(EXIT.finding, ...problems);
}

function findingOf(done: Rebuilt): SoundnessFinding {
  const [first] = [...(isEqual(done) ? [] : [notEqual(done)]), ...faults(done)];
  const at = Date.now();
  if (first !== undefined) return { at, state: "damaged", message: first.message };
  return { at, state: "ok", message: "the tables of runs and incidents are what the logs say" };
}

const notEqual = ({ differing, wasGone, incidents }: Rebuilt): Problem => {
  const hint = "`nerve rebuild` puts it right";
  if (wasGone) return problem("runs-differ", "the table of runs is gone", hint);
  if (differing > 0) {
    return problem("runs-differ", `${counted(differing, "run differs", "runs differ")} from what the logs say`, hint);
  }
  const message = incidents.wasGone
    ? "the table of incidents is gone"
    : `${counted(incidents.differing, "incident differs", "incidents differ")} from what the logs say`;
  return problem("incidents-differ", message, hint);
};

function faults({ faulty, faults: listed, incidents }: Rebuilt): Problem[] {
  const more = faulty - listed.length;
  return [
    ...incidents.faults.map((message) => problem("bad-history", message)),
    ...listed.map(({ message }) => problem("bad-history", message, RESTORE)),
    ...(more === 0
      ? []
      : [problem("bad-history", `and ${counted(more, "more history", "more histories")} that cannot be`)]),
  ];
}

function lines(done: Rebuilt, onlyChecked: boolean): string[] {
  return [...runLines(done, onlyChecked), ...incidentLines(done, onlyChecked)];
}

function runLines(done: Rebuilt, onlyChecked: boolean): string[] {
  const { runs, events, differing, differences, wasGone } = done;
  const derived = `${counted(runs, "run")} from ${counted(events, "event")}`;
  if (wasGone) return onlyChecked ? [] : [`made the table of runs anew: ${derived}`];
  if (differing === 0) return [`the table of runs is what the logs say: ${derived}`];
  const table = renderTable(COLUMNS, differences, stdoutScreen());
  return onlyChecked ? table : [...table, "", `put ${counted(differing, "run")} right, of ${derived}`];
}

function incidentLines({ incidents }: Rebuilt, onlyChecked: boolean): string[] {
  const { incidents: all, differing, differences, wasGone } = incidents;
  const derived = counted(all, "incident");
  if (wasGone) return onlyChecked ? [] : [`made the table of incidents anew: ${derived}`];
  if (differing === 0) return all === 0 ? [] : [`the table of incidents is what the logs say: ${derived}`];
  const table = renderTable(INCIDENT_COLUMNS, differences, stdoutScreen());
  return onlyChecked ? table : [...table, "", `put ${counted(differing, "incident")} right, of ${derived}`];
}

const shown = (value: Difference["table"]): Span =>
  value === null ? span("–", "dim") : span(escapeForTerminal(String(value).slice(0, 200)));

const COLUMNS: readonly Column<Difference>[] = [
  { title: "RUN", align: "right", rank: 0, cell: ({ run }) => span(String(run)) },
  { title: "COLUMN", align: "left", rank: 0, cell: ({ column }) => span(column) },
  { title: "TABLE", align: "left", rank: 0, cell: ({ table }) => shown(table) },
  { title: "LOGS", align: "left", rank: 0, cell: ({ log }) => shown(log) },
];

const INCIDENT_COLUMNS: readonly Column<IncidentDifference>[] = [
  { title: "INCIDENT", align: "right", rank: 0, cell: ({ incident }) => span(String(incident)) },
  { title: "COLUMN", align: "left", rank: 0, cell: ({ column }) => span(column) },
  { title: "TABLE", align: "left", rank: 0, cell: ({ table }) => shown(table) },
  { title: "LOGS", align: "left", rank: 0, cell: ({ log }) => shown(log) },
];
