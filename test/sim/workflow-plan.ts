/** The workflows of a simulated world, and what their code does. */
import type { BatchConfig, WorkflowConfig } from "../../src/model/config.ts";
import { type Below, pick } from "../rules/random.ts";
import type { Op, Program } from "./flow-worker.ts";
import { CHANNELS, HOUR, MINUTE, SECOND } from "./words.ts";

/** Shorter than any interval of a reflex that the clock makes due. */
const batchOf = (below: Below): BatchConfig | null =>
  below(4) === 0
    ? null
    : {
        waitMs: pick(below, [5, 30, 120]) * SECOND,
        by: pick(below, [null, "reflex", "severity", "host"]),
      };

export function workflowOf(below: Below, name: string): WorkflowConfig {
  const common = {
    name,
    use: name === "tells" ? "notify" : "program",
    with: null,
    needs: null,
    expectEveryMs: name === "quick" || name === "long" ? pick(below, [null, 10 * MINUTE, HOUR]) : null,
    concurrency: pick(below, [null, 2, 4]),
    timeoutMs: name === "long" ? 10 * MINUTE : pick(below, [null, MINUTE]),
    gracePeriodMs: pick(below, [null, 2 * SECOND]),
    retry:
      below(2) === 0
        ? { limit: 1 + below(3), intervalMs: pick(below, [5, 60]) * SECOND, backoff: 2, maxIntervalMs: null }
        : null,
  };
  if (name === "drops") return { ...common, overflow: "drop" };
  const batch = name === "tells" ? batchOf(below) : null;
  return { ...common, overflow: "queue", maxQueue: pick(below, [3, 20, 100]), batch };
}

export function programOf(below: Below, name: string): Program {
  const step = (n: number, ms: number): Op => ({
    kind: "step",
    name: `${name}-${n}`,
    ms,
    retries: below(3),
    retryMs: pick(below, [1, 4, 30]) * SECOND,
  });
  const sleep = (ms: number, nth: number): Op => ({ kind: "sleep", ms, nth });
  switch (name) {
    case "quick":
      return [step(1, 50)];
    case "steps":
      return [step(1, 100), step(2, 400), step(3, 100)];
    case "long":
      return [step(1, 200), sleep(MINUTE, 0), step(2, 200), sleep(10 * MINUTE, 0), sleep(MINUTE, 1), step(3, 100)];
    case "tells":
      return CHANNELS.flatMap((channel, index): Op[] => [step(index + 1, 300), { kind: "notify", channel }]);
    default:
      return [step(1, 2_000), step(2, 500)];
  }
}
