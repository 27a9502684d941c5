/** What needs attention on this host, worst first, each with why, since when, and what to type. Pure. */
import type { Status } from "../../control/contract.ts";
import type { Incident } from "../../model/incident-row.ts";
import type { SenseRow } from "../../web/contract.ts";
import type { IconName } from "../parts/icon.tsx";
import { count, counted, digits } from "../words/numbers.ts";
import { isObject } from "../words/payload.ts";
import { SENSE_MARKS } from "../words/states.ts";

export interface Attention {
  readonly id: string;
  readonly tone: "crit" | "warn";
  readonly icon: IconName;
  /** The state, in a word. */
  readonly word: string;
  readonly title: string;
  /** For the one sentence, after its colon: `CPU is at 100 %`. */
  readonly clause: string;
  /** What the clause leaves out where there are others: `limit 98 %`; or the empty string. */
  readonly limit: string;
  readonly why: string;
  readonly since: number | null;
  readonly command: string;
  /** The view that says more, and what is selected there. */
  readonly leads: {
    readonly view: "incidents" | "senses" | "runs" | "logs" | "store" | "signals";
    readonly sel: string;
  };
}

export interface Facts {
  readonly status: Status | null;
  readonly senses: readonly SenseRow[];
  readonly incidents: readonly Incident[];
}

/** A run that failed is of yesterday's worries after this time. */
const FAILURE_MS = 3_600_000;

const lowerFirst = (text: string): string =>
  /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
/** A sentence's end is its own. */
const unstopped = (text: string): string => text.replace(/[.!]+$/, "");

function ofIncident(row: Incident): Attention {
  const acked = row.state === "acked";
  const tone = !acked && row.severity === "critical" ? "crit" : "warn";
  const key = row.key === null ? "" : ` · ${row.key}`;
  return {
    id: `incident:${row.id}`,
    tone,
    icon: acked ? "hand" : tone,
    word: acked ? "acked" : row.severity,
    title: row.summary,
    clause: lowerFirst(unstopped(row.summary)),
    limit: "",
    why: `${row.reflex}${key}${acked ? `, acked by ${row.acked_by ?? "someone"}` : ""}${row.count > 1 ? `, began to match ${count(row.count)} times` : ""}`,
    since: row.opened_at,
    command: acked ? `nerve show incident:${row.id}` : `nerve ack ${row.id}`,
    leads: { view: "incidents", sel: String(row.id) },
  };
}

const CRITICAL: ReadonlySet<string> = new Set(["failed", "quarantined", "stale"]);

/** How often it failed, in words. */
export function troubleOf(sense: SenseRow): string {
  const { computes, errors, timeouts, state, reason } = sense;
  if (state === "failing" && timeouts > errors) return `timed out ${count(timeouts)} of ${counted(computes, "time")}`;
  if (state === "failing") return `failed ${count(errors)} of ${counted(computes, "time")}`;
  return reason ?? state;
}

function ofSense(sense: SenseRow): Attention | null {
  if (sense.state === "ok" || sense.state === "disabled") return null;
  const mark = SENSE_MARKS[sense.state];
  const never = sense.last_signal === null;
  const timing = sense.state === "failing" && sense.timeouts > sense.errors;
  return {
    id: `sense:${sense.name}`,
    tone: CRITICAL.has(sense.state) ? "crit" : "warn",
    icon: timing ? "clock" : mark.icon,
    word: timing ? "timing out" : mark.word,
    title: never ? `${sense.name} has never answered` : `${sense.name} is ${timing ? "timing out" : mark.word}`,
    clause: `sense ${sense.name} ${never ? "has never answered" : `is ${timing ? "timing out" : mark.word}`}`,
    limit: "",
    why: [sense.state === "failing" ? troubleOf(sense) : null, sense.reason].filter((part) => part !== null).join(": "),
    since: sense.last_signal,
    command: sense.state === "quarantined" ? `nerve enable ${sense.name}` : `nerve once ${sense.name}`,
    leads: { view: "senses", sel: sense.name },
  };
}

const CHECK_WORDS: Readonly<Record<string, string>> = {
  cpu_percent: "CPU is at",
  memory_percent: "memory is at",
  swap_percent: "swap is at",
  load5_per_core: "load per core is",
  disk_percent: "is full to",
  inodes_percent: "has used inodes to",
  cpu_pressure_percent: "CPU pressure is",
  memory_pressure_percent: "memory pressure is",
  io_pressure_percent: "I/O pressure is",
};

interface Check {
  readonly sense: string;
  readonly check: string;
  readonly value: number;
  readonly status: string;
  readonly warning: number;
  readonly critical: number;
}

/** The checks of a payload of the built-in sense `host-health`. */
export function checksOf(sense: SenseRow | null): readonly Check[] {
  const payload = sense?.last?.payload ?? null;
  const checks = isObject(payload) ? payload.checks : null;
  return Array.isArray(checks)
    ? (checks as unknown as readonly Check[]).filter((one) => typeof one?.value === "number")
    : [];
}

function ofCheck(health: SenseRow, { sense, check, value, status, warning, critical }: Check): Attention | null {
  if (status !== "warning" && status !== "critical") return null;
  const ofDisk = /^(disk|inodes)/.test(check);
  const percent = /percent/.test(check) ? " %" : "";
  const words = `${ofDisk ? `${sense} ` : ""}${CHECK_WORDS[check] ?? `${check} is`} ${digits(value)}${percent}`;
  const limit = status === "critical" ? critical : warning;
  const tone = status === "critical" ? "crit" : "warn";
  return {
    id: `check:${sense}:${check}`,
    tone,
    icon: tone,
    word: status,
    title: `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
    clause: words,
    limit: `limit ${digits(limit)}${percent}`,
    why: `${check} of ${sense} is ${digits(value)}, ${status} from ${digits(limit)}`,
    since: null,
    command: `nerve signals --sense ${sense} -n 20`,
    leads: { view: "signals", sel: String(health.last?.id ?? "") },
  };
}

function ofKernel(status: Status): Attention[] {
  const found: Attention[] = [];
  const { store } = status.kernel;
  const base = { since: null, tone: "crit", icon: "crit", limit: "" } as const;
  if (store !== "ok") {
    const leads = { view: "store", sel: "" } as const;
    found.push({
      ...base,
      id: "store",
      word: "store",
      title: "The store",
      clause: lowerFirst(store),
      why: store,
      command: "nerve status",
      leads,
    });
  }
  for (const { name, state, restarts } of status.groups) {
    if (state !== "stuck" && state !== "backoff") continue;
    const tone = state === "stuck" ? "crit" : "warn";
    const why = `${counted(restarts, "restart")} since nerve started`;
    const title = state === "stuck" ? `Group ${name} is stuck` : `The worker of group ${name} died and waits to start`;
    const command = `nerve logs --source kernel -n 20`;
    const leads = { view: "logs", sel: "" } as const;
    found.push({
      id: `group:${name}`,
      limit: "",
      tone,
      icon: "skull",
      word: state,
      title,
      clause: lowerFirst(title),
      why,
      since: null,
      command,
      leads,
    });
  }
  for (const { name, reason } of status.broken_workflows) {
    const title = `Workflow ${name} does not load`;
    const leads = { view: "runs", sel: "" } as const;
    found.push({
      ...base,
      id: `workflow:${name}`,
      word: "broken",
      title,
      clause: lowerFirst(title),
      why: reason,
      command: "nerve check",
      leads,
    });
  }
  return found;
}

function ofFailures(status: Status, at: number): Attention[] {
  const recent = status.failures.filter((one) => at - one.at < FAILURE_MS);
  return recent
    .slice(-3)
    .reverse()
    .map(({ run, workflow, state, error, at: since }) => ({
      id: `run:${run}`,
      tone: "warn",
      icon: "fail",
      word: state.replace("-", " "),
      title: `Run ${run} of ${workflow} ${state === "failed" ? "failed" : `ended ${state.replace("-", " ")}`}`,
      clause: `run ${run} of ${workflow} ${state === "failed" ? "failed" : `ended ${state.replace("-", " ")}`}`,
      limit: "",
      why: error ?? "",
      since,
      command: `nerve retry ${run}`,
      leads: { view: "runs", sel: String(run) },
    }));
}

const RANK = { crit: 0, warn: 1 } as const;

/** Critical before warning, then the newest. */
export function attentionOf({ status, senses, incidents }: Facts): readonly Attention[] {
  const health = senses.find(({ use }) => use === "host-health") ?? null;
  const checks =
    health === null || health.state !== "ok" ? [] : checksOf(health).flatMap((check) => ofCheck(health, check) ?? []);
  const latest = Math.max(
    0,
    ...senses.map(({ last_signal: at }) => at ?? 0),
    ...(status?.failures ?? []).map(({ at }) => at),
  );
  const items = [
    ...incidents.map(ofIncident),
    ...senses.flatMap((sense) => ofSense(sense) ?? []),
    ...checks,
    ...(status === null ? [] : [...ofKernel(status), ...ofFailures(status, latest)]),
  ];
  return items.sort((a, b) => RANK[a.tone] - RANK[b.tone] || (b.since ?? 0) - (a.since ?? 0));
}
