/**
 * Owns the wait until a manual trigger is answered. Signals and failures leave rows with the trigger's trace. A null compute
 * leaves no row, and neither does a repeated failure that the log only counts. The sense's counters show both.
 */

import { ok, type Result } from "../../base/result.ts";
import type { Status } from "../../control/contract.ts";
import { fullNameOf } from "../../model/full-name.ts";
import type { Log } from "../../model/log.ts";
import { problem } from "../../model/problem.ts";
import type { Signal } from "../../model/signal.ts";
import type { StoreReader } from "../../store/open-reader.ts";
import { read } from "../../stories/find-trace.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import type { Place } from "../place/place.ts";

export interface Triggered {
  readonly sense: string;
  readonly trace: string;
}

export interface Settled {
  readonly outcome: "signal" | "no-signal" | "failed";
  /** Of the one compute, in their order. */
  readonly signals: readonly Signal[];
  readonly log: Log | null;
}

type Sense = Status["senses"][number];

const FAILURES: ReadonlySet<string> = new Set([
  "compute.failed",
  "compute.timed-out",
  "compute.killed",
  "compute.cancelled",
]);
const POLL_MS = 100;
/** A compute that runs at the trigger is followed, in less time than this, by the compute that answers the trigger. */
const QUIET_MS = 300;

/** The rows that the trace holds for the sense; null while there are none. */
function look(store: StoreReader, { sense, trace }: Triggered): Settled | null {
  const { signals, logs } = read(store, trace);
  const own = signals.filter((row) => fullNameOf(row) === sense);
  if (own.length > 0) return { outcome: "signal", signals: own, log: null };
  const log = logs.find((row) => row.source === `sense:${sense}` && FAILURES.has(row.event)) ?? null;
  return log === null ? null : { outcome: "failed", signals: [], log };
}

/** States in which no compute starts. */
const COMPUTES_NOT: ReadonlySet<Sense["state"]> = new Set(["failed", "quarantined", "disabled"]);

const failures = (sense: Sense): number => sense.errors + sense.timeouts;

/** The counters of a sense; null when there is no sense of this name. */
async function senseNow(place: Place, name: string): Promise<Result<Sense | null, Failure>> {
  const status = await ask<Status>(place, "/status", null);
  return status.ok ? ok(status.value.senses.find((sense) => sense.name === name) ?? null) : status;
}

/** `before` was read before the trigger. */
export async function waitForTrace(
  place: Place,
  store: StoreReader,
  triggered: Triggered,
  before: Sense,
): Promise<Result<Settled, Failure>> {
  const throttleMs = place.config?.senses.get(triggered.sense)?.throttleMs ?? 0;
  let computes = before.computes;
  let movedAt = performance.now();
  let seen = 0;
  for (;;) {
    const asked = await senseNow(place, triggered.sense);
    // The rows are read after the counters: every row that the counters include is then in the store.
    const settled = look(store, triggered);
    // Many signals of one compute are committed one part behind the other.
    if (settled && (settled.signals.length < 2 || settled.signals.length === seen)) return ok(settled);
    seen = settled?.signals.length ?? 0;
    if (!asked.ok) return asked;
    const sense = asked.value;
    if (sense === null || COMPUTES_NOT.has(sense.state)) {
      const why =
        sense === null ? "is no longer configured" : `is ${sense.state}: ${sense.reason ?? "no reason given"}`;
      return fail(EXIT.finding, problem("not-computed", `sense \`${triggered.sense}\` ${why}`));
    }
    if (sense.computes !== computes) movedAt = performance.now();
    computes = sense.computes;
    const done = computes - before.computes;
    const quietMs = QUIET_MS + 3 * (sense.p99_ms ?? 0) + throttleMs;
    // Two of the computes may not answer the trigger: one settled before the trigger, one was running at the trigger.
    if (done > 2 || (done > 0 && performance.now() - movedAt > quietMs)) {
      return ok({ outcome: failures(sense) > failures(before) ? "failed" : "no-signal", signals: [], log: null });
    }
    await Bun.sleep(POLL_MS);
  }
}
