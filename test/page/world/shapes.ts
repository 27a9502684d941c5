/** Rows of a made-up host, each with what matters filled in; typed by the contract of the API. */

import type { Json } from "../../../src/base/json.ts";
import type { Incident } from "../../../src/model/incident-row.ts";
import { MADE_HERE } from "../../../src/model/signal.ts";
import type { SenseRow, ShownLog, ShownRun, ShownSignal } from "../../../src/web/contract.ts";
import type { ReflexRow } from "../../../src/web/contract-reflexes.ts";

/** The moment at which the pictures are taken. */
export const NOW = Date.parse("2026-11-28T06:28:24.000Z");
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const STARTED = NOW - 294_000;

export const traceOf = (n: number): string => `01a220d4ed395f99ed36a9c8${n.toString(16).padStart(8, "0")}`;

export const sense = (name: string, given: Partial<SenseRow>): SenseRow => ({
  name,
  group: "default",
  state: "ok",
  reason: null,
  place: null,
  computes: 59,
  nulls: 0,
  errors: 0,
  timeouts: 0,
  missed: 0,
  p50_ms: 2.1,
  p99_ms: 7.3,
  last_signal: NOW - 3_000,
  next_due: NOW + 2_000,
  use: name,
  clocks: ["every 5s"],
  heard_by: [],
  last: null,
  series: [],
  inbox: null,
  ...given,
});

export const signal = (
  id: number,
  of: string,
  at: number,
  payload: Json,
  given: Partial<ShownSignal> = {},
): ShownSignal => ({
  id,
  sense: of,
  at,
  payload,
  cause: null,
  trace: traceOf(id),
  ...MADE_HERE,
  ...given,
});

export const log = (id: number, at: number, given: Partial<ShownLog>): ShownLog => ({
  id,
  at,
  level: "info",
  source: "kernel",
  event: "log",
  run: null,
  trace: traceOf(id),
  message: "",
  data: null,
  ...given,
});

export const run = (id: number, workflow: string, given: Partial<ShownRun>): ShownRun => ({
  id,
  workflow,
  reflex: null,
  state: "completed",
  signal_id: null,
  input: null,
  output: null,
  attempt: 1,
  queued_at: NOW - 60_000,
  started_at: NOW - 59_990,
  ended_at: NOW - 59_900,
  error: null,
  trace: traceOf(500 + id),
  last_log_id: 1,
  retry_of: null,
  first_log_id: 1,
  until: null,
  key: null,
  decision: null,
  events: 3,
  ...given,
});

export const incident = (id: number, given: Partial<Incident>): Incident => ({
  id,
  reflex: "queue-stuck",
  key: null,
  severity: "critical",
  summary: "",
  state: "open",
  opened_at: NOW - MINUTE,
  acked_at: null,
  acked_by: null,
  resolved_at: null,
  count: 1,
  notified_at: NOW - MINUTE,
  signal_id: 1,
  last_signal_id: 1,
  trace: traceOf(id),
  reason: null,
  first_log_id: 1,
  last_log_id: 1,
  ...given,
});

export const reflex = (name: string, target: string, given: Partial<ReflexRow>): ReflexRow => ({
  name,
  target,
  enabled: true,
  fired: 0,
  throttled: 0,
  missed: 0,
  next_due: null,
  silenced_until: null,
  on: [],
  clocks: [],
  words: [],
  key: null,
  incident: false,
  keys: 0,
  pending: 0,
  ...given,
});
