/** Owns the result of a backtest as JSON, for programs. */
import { targetOf } from "../../model/config.ts";
import { LISTED } from "./agreement.ts";
import type { Range, Tested } from "./backtest.ts";
import { configOf, type Row, type TimedRow } from "./comparison.ts";

const countsJson = (tested: Tested | null) => ({
  signals: tested?.signals ?? null,
  matched: tested?.matched ?? null,
  fired: tested?.fired ?? null,
  throttled: tested?.throttled ?? null,
  over_key_limit: tested?.limited ?? null,
  dropped_estimate: tested?.droppedEstimate ?? null,
  batches_estimate: tested?.batchesEstimate ?? null,
  incidents: tested?.incidents?.incidents ?? null,
  messages: tested?.incidents?.messages ?? null,
});

export const timedJson = ({ reflex, workflow, due, thereDue, started, missed }: TimedRow, { since, until }: Range) => ({
  reflex,
  target: `workflow ${workflow}`,
  since,
  until,
  due,
  live: { started, missed },
  against: thereDue === null ? null : { due: thereDue },
});

export function rowJson(row: Row, { since, until }: Range) {
  const { name, here, other, change, onlyHere, onlyOther, live, reasons } = row;
  const config = configOf(row);
  const differences = [
    ...(live?.onlyLive.firings ?? []).map((firing) => ({ only: "live", ...firing })),
    ...(live?.onlyReplayed.firings ?? []).map((firing) => ({ only: "replay", ...firing })),
  ];
  const against = {
    change,
    ...countsJson(other),
    only_here: onlyHere.count,
    only_there: onlyOther.count,
    differences: [
      ...onlyHere.firings.map((firing) => ({ only: "here", ...firing })),
      ...onlyOther.firings.map((firing) => ({ only: "there", ...firing })),
    ].slice(0, LISTED),
  };
  return {
    reflex: name,
    target: config === undefined ? null : `${config.kind} ${targetOf(config)}`,
    since,
    until,
    ...countsJson(here),
    begins_after: row.beginsAfter,
    live:
      live === null
        ? null
        : {
            agreed: live.agreed,
            only_live: live.onlyLive.count,
            only_replay: live.onlyReplayed.count,
            differences: differences.slice(0, LISTED),
            reasons: [...reasons.gaps, ...reasons.occurrences.slice(-LISTED)],
          },
    against: change === null ? null : against,
  };
}
