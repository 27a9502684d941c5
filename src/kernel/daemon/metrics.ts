/** Owns the answer to what the kernel has counted. Reads; changes nothing. */
import type { MetricsLook } from "../../control/metrics-look.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Engine } from "../engine.ts";
import type { Sense } from "../memory/sense.ts";

/** A group whose worker is gone or stuck computes nothing, whatever its senses did last. */
const isWell = ({ name, state, stats, config }: Sense, { groups, expectations }: Engine): boolean =>
  state === "ok" &&
  stats.failure === null &&
  expectations.staleness("sense", name) === null &&
  groups.get(config.group)?.state === "up";

export function metricsOf(engine: Engine, ledger: Ledger): MetricsLook {
  const { senses, reflexes, workflows, groups } = engine;
  return {
    senses: [...senses.values()].map((sense) => {
      const { emitted, nulls, errors, timeouts, killed, signals, newestSignal, durations } = sense.stats;
      return {
        name: sense.name,
        isWell: isWell(sense, engine),
        signals,
        last_signal: newestSignal,
        computes: { signal: emitted, null: nulls, error: errors, timeout: timeouts, killed },
        duration_seconds: durations.counts,
      };
    }),
    reflexes: [...reflexes.byName].map(([name, { fired, throttled, missed }]) => ({ name, fired, throttled, missed })),
    workflows: [...workflows.byName].map(([name, { counts }]) => {
      const { ended, durations } = workflows.countsOf(name);
      return { name, ...counts, ended: { ...ended }, duration_seconds: durations.counts };
    }),
    groups: [...groups.values()].map(({ name, restarts }) => ({ name, restarts })),
    inboxes: engine.inboxes.totals(),
    commit_seconds: ledger.seconds.counts,
  };
}
