/** Owns the graph of senses, reflexes and workflows: what triggers what, from the configuration alone. Pure. */

import { formatDuration } from "../base/duration.ts";
import type { Json } from "../base/json.ts";
import {
  type NerveConfig,
  type ReflexConfig,
  type SenseConfig,
  shownPatterns,
  targetOf,
  type WorkflowConfig,
} from "../model/config.ts";
import { isRemote } from "../model/full-name.ts";
import { DEFAULT_SEVERITY } from "../model/incident.ts";
import { isKeyed, shownKeyWord } from "../rules/key.ts";
import { worstCaseRates } from "./rates.ts";
import { watchWords } from "./watches.ts";

/** A rate is the most times in an hour; Infinity where nothing bounds it. */
export interface SenseNode {
  readonly kind: "sense";
  readonly id: string;
  readonly config: SenseConfig;
  readonly most: number;
}

/** A sense of another host, or a pattern of such senses. */
export interface RemoteNode {
  readonly kind: "remote";
  readonly id: string;
  readonly name: string;
}

export interface ReflexNode {
  readonly kind: "reflex";
  readonly id: string;
  readonly config: ReflexConfig;
  /** The triggers by the clock: `every 1s`, `at start`. */
  readonly clocks: readonly string[];
  /** The reflex's words in short, in the order in which they apply: `when status 'critical'`, `for 30s`. */
  readonly words: readonly string[];
  readonly most: number;
  /** The rate for one value of `key`; the same as `most` without `key`. */
  readonly mostPerKey: number;
}

export interface WorkflowNode {
  readonly kind: "workflow";
  readonly id: string;
  readonly config: WorkflowConfig;
  readonly most: number;
  /** The reflexes that start the workflow. */
  readonly reflexes: readonly ReflexNode[];
}

/** From the id of a sense to the reflexes that look at its signals, and from the id of a reflex to its targets. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
}

export interface Graph {
  readonly senses: readonly SenseNode[];
  readonly remotes: readonly RemoteNode[];
  readonly reflexes: readonly ReflexNode[];
  readonly workflows: readonly WorkflowNode[];
  readonly edges: readonly GraphEdge[];
  /** Senses that trigger one another without a bound: `[a, b]` for `a → b → a`. */
  readonly unbounded: readonly (readonly string[])[];
}

export function graphOf(config: NerveConfig): Graph {
  const rates = worstCaseRates(config);
  const reflexes = config.reflexes.map((reflex): ReflexNode => {
    const { most = 0, mostPerKey = 0 } = rates.reflexes.get(reflex.name) ?? {};
    const id = `reflex:${reflex.name}`;
    return {
      kind: "reflex",
      id,
      config: reflex,
      clocks: clocksOf(reflex),
      words: wordsOf({ ...reflex, ...shownPatterns(config, reflex) }),
      most,
      mostPerKey,
    };
  });
  return {
    senses: [...config.senses.values()].map((sense) => ({
      kind: "sense",
      id: `sense:${sense.name}`,
      config: sense,
      most: rates.senses.get(sense.name) ?? 0,
    })),
    remotes: [...new Set(config.reflexes.flatMap(({ on }) => on.filter(isRemote)))].map((name) => ({
      kind: "remote",
      id: `sense:${name}`,
      name,
    })),
    reflexes,
    workflows: [...config.workflows.values()].map((workflow) => ({
      kind: "workflow",
      id: `workflow:${workflow.name}`,
      config: workflow,
      most: rates.workflows.get(workflow.name) ?? 0,
      reflexes: reflexes.filter((node) => node.config.kind === "workflow" && targetOf(node.config) === workflow.name),
    })),
    edges: reflexes.flatMap(({ id, config: reflex }) => [
      ...reflex.on.map((sense) => ({ from: `sense:${sense}`, to: id })),
      { from: id, to: `${reflex.kind}:${targetOf(reflex)}` },
      ...escalatedTo(reflex).map((workflow) => ({ from: id, to: `workflow:${workflow}` })),
    ]),
    unbounded: rates.unbounded,
  };
}

/** The workflows of `escalate`, without the reflex's own workflow. */
function escalatedTo(reflex: ReflexConfig): string[] {
  if (reflex.kind !== "workflow") return [];
  const names = new Set(reflex.incident?.escalate.map(({ workflow }) => workflow));
  names.delete(reflex.workflow);
  return [...names];
}

function incidentWords(reflex: ReflexConfig): string[] {
  if (reflex.kind !== "workflow" || reflex.incident === null) return [];
  const { severity, resolveAfterMs, remindEveryMs, escalate, inhibitedBy } = reflex.incident;
  return [
    `incident ${severity ?? DEFAULT_SEVERITY}`,
    ...(resolveAfterMs === null ? [] : [`resolve after ${formatDuration(resolveAfterMs)}`]),
    ...(remindEveryMs === null ? [] : [`remind every ${formatDuration(remindEveryMs)}`]),
    ...escalate.map(({ afterMs, workflow }) => `escalate to ${workflow} after ${formatDuration(afterMs)}`),
    ...(inhibitedBy.length === 0 ? [] : [`inhibited by ${inhibitedBy.join(", ")}`]),
  ];
}

/** The triggers that are no signals: `every 1s`, `at start`, `watch /var/log/syslog`, `inbox`. */
export function clocksOf(reflex: ReflexConfig): string[] {
  const { intervalMs, cron, tz, onStart } = reflex;
  return [
    ...(intervalMs === null ? [] : [`every ${formatDuration(intervalMs)}`]),
    ...(cron === null ? [] : [`cron ${cron}${tz === null ? "" : ` (${tz})`}`]),
    ...(onStart === true ? ["at start"] : []),
    ...(reflex.kind === "sense" ? watchWords(reflex.watch) : []),
  ];
}

function wordsOf(reflex: ReflexConfig): string[] {
  const { each, when, clear, edge, forMs, count, debounce, throttleMs, key } = reflex;
  const max = debounce?.maxMs ?? null;
  return [
    ...(reflex.kind === "sense" && reflex.deliver === true ? ["deliver"] : []),
    ...(each === null ? [] : [`each of ${each}`]),
    ...(when === null ? [] : [`when ${shortPattern(when)}`]),
    ...(clear === null ? [] : [`clear ${shortPattern(clear)}`]),
    ...(edge === null ? [] : [`edge ${edge}`]),
    ...(forMs === null ? [] : [`for ${formatDuration(forMs)}`]),
    ...(count === null ? [] : [`${count.n} within ${formatDuration(count.withinMs)}`]),
    ...(debounce === null
      ? []
      : [`debounce ${formatDuration(debounce.waitMs)}${max === null ? "" : ` up to ${formatDuration(max)}`}`]),
    ...(throttleMs === null ? [] : [`throttle ${formatDuration(throttleMs)}`]),
    ...(isKeyed(key) ? [`per ${shownKeyWord(key)}`] : []),
    ...incidentWords(reflex),
  ];
}

const LONGEST_PATTERN = 100;

/** `{ status: "'critical'", disk: { used: number > 5 } }` → `status 'critical', disk.used number > 5`. */
function shortPattern(definition: Json): string {
  const text = partsOf(definition, "").join(", ");
  return text.length <= LONGEST_PATTERN ? text : `${text.slice(0, LONGEST_PATTERN).toWellFormed()}…`;
}

function partsOf(part: Json, path: string): string[] {
  if (typeof part === "object" && part !== null && !Array.isArray(part)) {
    const entries = Object.entries(part);
    if (entries.length > 0)
      return entries.flatMap(([key, value]) => partsOf(value ?? null, path === "" ? key : `${path}.${key}`));
  }
  const text = typeof part === "string" ? part : JSON.stringify(part);
  return [path === "" ? text : `${path} ${text}`];
}
