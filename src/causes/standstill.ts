/** Owns how long nerve stood still before the kernel that runs was started: nobody looked at the host then. */
import { ALL_LOGS } from "../store/logs.ts";
import { readFields } from "./fields.ts";
import type { Scene } from "./scene.ts";

export interface Standstill {
  readonly from: number;
  readonly to: number;
}

/** A restart that takes less is none: the host was looked at before and after. */
const LEAST_MS = 60_000;
/** The log of the start is the first of the kernel since then. One of a later time is of a clock that has been put back since. */
const NEAR = 5;

export function standstillBefore({ store, status }: Scene): Standstill | null {
  if (status === null) return null;
  const to = status.kernel.started_at;
  const near = store.logs.list({ ...ALL_LOGS, sources: ["kernel"], since: to, limit: NEAR });
  const start = near.find(({ event, at }) => event === "kernel.started" && at - to < LEAST_MS);
  if (start === undefined) return null;
  const [before] = store.logs.list({ ...ALL_LOGS, before: start.id, limit: 1, newest: true });
  const { last_signal: signal } = readFields(start.data);
  const seen = typeof signal === "number" ? store.signals.byId(signal) : null;
  const from = Math.max(before?.at ?? 0, seen?.at ?? 0);
  return from > 0 && to - from >= LEAST_MS ? { from, to } : null;
}
