/**
 * Owns the kernel's knowledge of a run's cause, for messages to people: the rule, the newest warnings of the trace, the
 * largest processes at that time. It is read when a run is handed to its worker, from a bounded number of rows.
 */

import { readJson } from "../../base/json.ts";
import { traceTime } from "../../base/trace-id.ts";
import { NOTIFY } from "../../config/channel-uses.ts";
import { type NerveConfig, shownPatterns } from "../../model/config.ts";
import { fullNameOf } from "../../model/full-name.ts";
import type { Cause, CauseProcess } from "../../model/notice.ts";
import { ALL_LOGS } from "../../store/logs.ts";
import type { Store } from "../../store/open.ts";
import type { RunOrder } from "../memory/run.ts";
import type { WorkflowModule } from "./slots.ts";

type Tables = Pick<Store, "logs" | "signals">;

/** No column has an index, and a commit waits while the kernel reads. */
const LOGS_READ = 5_000;
const SIGNALS_READ = 400;
const WARNINGS = 3;
/** A signal of the processes that is older says nothing about the moment. */
const PROCESSES_MS = 5 * 60_000;
const PROCESSES = "processes";

/** True for the built-in workflow that notifies people. A message of an author's own workflow has the author's words. */
export const tellsPeople = ({ config, location }: WorkflowModule): boolean =>
  config.use === NOTIFY && location.ok && location.value.folder === null;

export function causeOf(store: Tables, config: NerveConfig, { trigger, trace }: RunOrder): Cause {
  const reflex = config.reflexes.find(({ name }) => name === trigger.reflex);
  return {
    rule: reflex === undefined ? null : shownPatterns(config, reflex).when,
    warnings: warningsOf(store, trace),
    processes: trigger.id === null ? null : processesBefore(store, config, trigger.id),
  };
}

function warningsOf({ logs }: Tables, trace: string): Cause["warnings"] {
  const last = logs.lastId();
  // An id that was made elsewhere may name a time to come.
  const first = Math.min(logs.firstIdSince(traceTime(trace)), last + 1);
  const after = first > last ? last - LOGS_READ : Math.max(first - 1, last - LOGS_READ);
  const filter = { ...ALL_LOGS, after, trace, level: "warn", limit: WARNINGS, newest: true } as const;
  return logs.list(filter).map(({ at, source, message }) => ({ at, source, message }));
}

/** The largest processes, from the newest signal of that sense up to a second after signal `id`. */
function processesBefore({ signals }: Tables, config: NerveConfig, id: number): Cause["processes"] {
  const senses = new Set([...config.senses.values()].filter(({ use }) => use === PROCESSES).map(({ name }) => name));
  const at = senses.size === 0 ? null : (signals.byId(id)?.at ?? null);
  if (at === null) return null;
  const newest = Math.min(signals.firstIdSince(at + 1_000) - 1, signals.lastId());
  for (let one = newest; one > 0 && one > newest - SIGNALS_READ; one--) {
    const signal = signals.byId(one);
    if (signal !== null && signal.at < at - PROCESSES_MS) return null;
    if (signal !== null && senses.has(fullNameOf(signal))) return topIn(readJson(signal.payload) ?? null);
  }
  return null;
}

const listIn = (payload: unknown, name: string): readonly Readonly<Record<string, unknown>>[] => {
  const list = Object(payload)[name];
  return Array.isArray(list) ? list.filter((item) => typeof item === "object" && item !== null) : [];
};

const numberOr = (value: unknown): number | null => (typeof value === "number" ? value : null);

/** The largest processes by processor time where that is known, else by memory. */
function topIn(payload: unknown): readonly CauseProcess[] {
  const [byCpu, byMemory] = [listIn(payload, "top_cpu"), listIn(payload, "top_memory")];
  return (byCpu.length > 0 ? byCpu : byMemory).slice(0, WARNINGS).flatMap(({ pid, name, cpu_percent }) => {
    const rss = byMemory.find((one) => one.pid === pid)?.rss_bytes;
    if (typeof pid !== "number" || typeof name !== "string") return [];
    return { pid, name, cpuPercent: numberOr(cpu_percent), rssBytes: numberOr(rss) };
  });
}
