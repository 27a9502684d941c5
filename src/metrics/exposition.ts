/** Owns the page `/metrics`: what the kernel has counted, what the store holds, and the numbers that senses see. */
import { COMPUTE_OUTCOMES, type MetricsLook } from "../control/metrics-look.ts";
import type { FleetStatus } from "../model/fleet-status.ts";
import { SEVERITIES } from "../model/incident.ts";
import type { OtlpStatus } from "../model/otlp-status.ts";
import { ACTIVE_STATES, ENDINGS } from "../model/run.ts";
import type { StoreReader } from "../store/open-reader.ts";
import { COMMIT, VERSION } from "../version.ts";
import { ofFleet, ofOtlp } from "./joined.ts";
import { type Distribution, family, histograms, type Series } from "./text.ts";
import type { Numbers } from "./values.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface MetricsParts {
  /** Null: the kernel has not answered, and only what lies on disk is known. */
  readonly look: MetricsLook | null;
  /** By sense, where `metrics` asks for numbers. Null: they could not be read in time. */
  readonly numbers: ReadonlyMap<string, Numbers | null>;
  /** Null: as of `look`, or the configuration has none. */
  readonly fleet: FleetStatus | null;
  readonly otlp: OtlpStatus | null;
  readonly store: Pick<StoreReader, "incidents" | "origins">;
  /** File or folder of the data directory → bytes. */
  readonly bytes: ReadonlyMap<string, number>;
}

export function exposition(parts: MetricsParts): string {
  const { look, fleet, otlp, store, bytes } = parts;
  const lines = [
    ...family("nerve_build_info", "gauge", "The build of nerve that answers; always 1.", [
      { labels: { version: VERSION, commit: COMMIT, bun: Bun.version }, value: 1 },
    ]),
    ...(look === null
      ? []
      : [...ofSenses(look), ...ofReflexes(look), ...ofRuns(look), ...ofInboxes(look), ...ofKernel(look)]),
    ...family("nerve_incidents_open", "gauge", "Incidents that have not resolved.", openIncidents(parts)),
    ...family(
      "nerve_store_bytes",
      "gauge",
      "Size of a file of the data directory, or of all files of a folder.",
      [...bytes].map(([file, value]) => ({ labels: { file }, value })),
    ),
    ...ofFleet(fleet, fleet === null ? [] : store.origins.all()),
    ...ofOtlp(otlp),
    ...(look === null ? [] : ofSignals(parts)),
  ];
  return `${lines.join("\n")}\n`;
}

function ofSenses({ senses }: MetricsLook): string[] {
  const durations = senses.map(
    ({ name, duration_seconds }): Distribution => ({ labels: { sense: name }, counts: duration_seconds }),
  );
  const computes = senses.flatMap(({ name, computes }) =>
    COMPUTE_OUTCOMES.map((outcome): Series => ({ labels: { sense: name, outcome }, value: computes[outcome] })),
  );
  const signals = senses.map(({ name, signals: value }): Series => ({ labels: { sense: name }, value }));
  const newest = senses.flatMap(({ name, last_signal }): Series[] =>
    last_signal === null ? [] : [{ labels: { sense: name }, value: last_signal.at / 1_000 }],
  );
  return [
    ...histograms("nerve_compute_duration_seconds", "How long computes took that ended by themselves.", durations),
    ...family("nerve_computes_total", "counter", "Computes by what came of them.", computes),
    ...family("nerve_signals_total", "counter", "Signals of a sense.", signals),
    ...family("nerve_last_signal_timestamp_seconds", "gauge", "When the newest signal was committed.", newest),
  ];
}

function ofReflexes({ reflexes }: MetricsLook): string[] {
  const decisions = reflexes.flatMap(({ name, fired, throttled, missed }) =>
    Object.entries({ fired, throttled, missed }).map(
      ([outcome, value]): Series => ({ labels: { reflex: name, outcome }, value }),
    ),
  );
  return family("nerve_decisions_total", "counter", "Decisions of a reflex, as nerve status counts them.", decisions);
}

function ofRuns({ workflows }: MetricsLook): string[] {
  const runs = workflows.flatMap((workflow) => [
    ...ACTIVE_STATES.map((state): Series => ({ labels: { workflow: workflow.name, state }, value: workflow[state] })),
    ...ENDINGS.map((state): Series => ({ labels: { workflow: workflow.name, state }, value: workflow.ended[state] })),
  ]);
  const durations = workflows.map(
    ({ name, duration_seconds }): Distribution => ({ labels: { workflow: name }, counts: duration_seconds }),
  );
  return [
    ...family("nerve_runs", "gauge", "Runs: queued, running and sleeping now, ended since nerve started.", runs),
    ...histograms("nerve_run_duration_seconds", "From the beginning of a run to its end.", durations),
  ];
}

function ofInboxes({ inboxes }: MetricsLook): string[] {
  const items = inboxes.flatMap(({ sense, waiting, dead }) =>
    Object.entries({ waiting, dead }).map(([state, value]): Series => ({ labels: { sense, state }, value })),
  );
  return family("nerve_inbox_items", "gauge", "Items in the inbox of a sense: waiting for a compute, or dead.", items);
}

const ofKernel = ({ groups, commit_seconds }: MetricsLook): string[] => [
  ...family(
    "nerve_group_restarts_total",
    "counter",
    "Restarts of the worker of a group.",
    groups.map(({ name, restarts }) => ({ labels: { group: name }, value: restarts })),
  ),
  ...histograms("nerve_commit_duration_seconds", "How long commits of the store took.", [
    { labels: {}, counts: commit_seconds },
  ]),
];

function openIncidents({ store }: MetricsParts): Series[] {
  const open = new Map(store.incidents.openBySeverity().map(({ severity, open: count }) => [severity, count]));
  return SEVERITIES.map((severity) => ({ labels: { severity }, value: open.get(severity) ?? 0 }));
}

function ofSignals({ numbers }: MetricsParts): string[] {
  const values: Series[] = [];
  const leftOut: Series[] = [];
  for (const [sense, found] of numbers) {
    const fields = new Set<string>();
    for (const [path, value] of found?.values ?? []) {
      const field = path.toWellFormed();
      if (!fields.has(field)) values.push({ labels: { sense, field }, value });
      fields.add(field);
    }
    leftOut.push({ labels: { sense }, value: found?.leftOut ?? Number.NaN });
  }
  return [
    ...family("nerve_signal_value", "gauge", "A number of the newest payload of a sense.", values),
    ...family("nerve_signal_values_left_out", "gauge", "Numbers beyond the most series of one sense.", leftOut),
  ];
}
