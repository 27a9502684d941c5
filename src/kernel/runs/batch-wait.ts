/** Owns the wait of a run for others: its end and its group, from the configuration and from what the run was decided for. Pure. */
import type { BatchWait } from "../../model/batch.ts";
import { batchConfigOf, type WorkflowConfig } from "../../model/config.ts";
import { keyOf } from "../../rules/key.ts";
import type { RunOrder } from "../memory/run.ts";

/** Null where the run begins alone. A run that a person asks for waits for no other. */
export function batchWaitOf(
  config: WorkflowConfig,
  order: RunOrder,
  deadline: (ms: number) => { readonly until: number; readonly due: number },
): BatchWait | null {
  const batch = batchConfigOf(config);
  if (batch === null || order.decision === null || order.retryOf !== null) return null;
  return { group: groupOf(batch.by, order), ...deadline(batch.waitMs) };
}

/** Two groups have two texts, also two groups of two different `by`. */
function groupOf(by: string | null, { trigger, input }: RunOrder): string {
  switch (by) {
    case null:
      return "";
    case "reflex":
      return `reflex ${trigger.reflex}`;
    case "severity":
      return `severity ${trigger.incident?.severity ?? null}`;
    default:
      return `payload.${by} ${keyOf(by, "", input).key}`;
  }
}
