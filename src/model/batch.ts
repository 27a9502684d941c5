/**
 * A batch: the decisions of reflexes for one workflow that wait for one another, and begin as one run. Each decision stays a
 * run of its own. The first run of a group waits, and takes along the others that are queued when it starts.
 */
import type { Json } from "../base/json.ts";
import type { TriggerIncident } from "./incident.ts";
import type { Trigger } from "./trigger.ts";

/** `by` of a workflow's `batch` that are words; any other text is a payload path. */
export const BATCH_WORDS = ["reflex", "severity"] as const;

/** Runs of one workflow that may wait in batches. */
export const MAX_BATCHED = 10_000;
/** What `items` hold at most: so many, and so many bytes of JSON. */
export const MAX_ITEMS = 100;
export const MAX_ITEMS_BYTES = 256 * 1024;

/** Until when a run waits for others of its group. `due` is `until` on the axis of elapsed time. */
export interface BatchWait {
  readonly group: string;
  readonly until: number;
  readonly due: number;
}

/** One of those that a run reports, as its own thread would have been given it. The whole signal is not copied. */
export interface BatchItem {
  readonly id: number | null;
  readonly sense: string | null;
  readonly at: number | null;
  readonly payload: Json;
  readonly reflex: string | null;
  readonly key: Json;
  readonly due: number | null;
  readonly signal: null;
  readonly incident: TriggerIncident | null;
  readonly batch: null;
}

/** `trigger.batch`. `more`: what `items` have no room for. */
export interface Batch {
  readonly items: readonly BatchItem[];
  readonly more: number;
}

/** What a run was decided for. */
export interface Decided {
  readonly trigger: Trigger;
  readonly input: Json;
}

export function itemOf({ trigger, input }: Decided): BatchItem {
  const { id, sense, at, reflex, key, due, incident } = trigger;
  return { id, sense, at, payload: input, reflex, key, due, signal: null, incident, batch: null };
}

/**
 * Runs of one batch in the order of their ids → one of each incident, the newest, and every other run. An incident has the
 * place of its oldest run.
 */
export function distinct<R extends { readonly incident: string | null }>(runs: Iterable<R>): R[] {
  const found = new Map<unknown, R>();
  for (const run of runs) found.set(run.incident ?? run, run);
  return [...found.values()];
}

const BRACKETS = 2;

/** The oldest that fit, and the number of the others. `oldest`: the oldest of `count`, in their order. */
export function batchOf(oldest: readonly Decided[], count: number): Batch {
  const items: BatchItem[] = [];
  let bytes = BRACKETS;
  for (const decided of oldest.slice(0, MAX_ITEMS)) {
    const item = itemOf(decided);
    bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
    if (items.length > 0 && bytes > MAX_ITEMS_BYTES) break;
    items.push(item);
  }
  return { items, more: count - items.length };
}
