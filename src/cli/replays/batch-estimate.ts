/**
 * Owns the estimate of how many runs a workflow with `batch` would have begun. It plays the waits of the groups through. The
 * result is an estimate: the time until a batch gets a slot is not known, and groups by a payload path count as one group for
 * each reflex, or for each key where the path is the reflex's `key`.
 */
import { type BatchConfig, batchConfigOf, type NerveConfig, type ReflexConfig } from "../../model/config.ts";
import { DEFAULT_SEVERITY } from "../../model/incident.ts";
import { fixedSeverity } from "../../rules/summary.ts";

export class BatchEstimate {
  /** Reflex → the number of batches whose first decision is of the reflex. */
  readonly begun = new Map<string, number>();
  readonly #batch: BatchConfig;
  /** Group → when its newest batch begins. */
  readonly #ends = new Map<string, number>();

  constructor(batch: BatchConfig) {
    this.#batch = batch;
  }

  /** What may tell groups apart that count as one group here, for a sentence; null where the groups are known. */
  unknownIn = (reflex: ReflexConfig): string | null => unknownGroups(this.#batch.by, reflex);

  /** Plays one decision. The decisions must come in the order of time. */
  decide(reflex: ReflexConfig, key: string, at: number): void {
    const group = groupOf(this.#batch.by, reflex, key);
    if (at < (this.#ends.get(group) ?? Number.NEGATIVE_INFINITY)) return;
    this.#ends.set(group, at + this.#batch.waitMs);
    this.begun.set(reflex.name, (this.begun.get(reflex.name) ?? 0) + 1);
  }
}

function unknownGroups(by: string | null, reflex: ReflexConfig): string | null {
  if (by === null || by === "reflex" || by === reflex.key) return null;
  if (by !== "severity") return `\`${by}\``;
  const incident = reflex.kind === "workflow" ? reflex.incident : null;
  return incident === null || fixedSeverity(incident.severity) !== null ? null : "the severity";
}

function groupOf(by: string | null, reflex: ReflexConfig, key: string): string {
  if (by === null) return "";
  if (by === "reflex") return reflex.name;
  if (by !== "severity") return by === reflex.key ? key : reflex.name;
  const incident = reflex.kind === "workflow" ? reflex.incident : null;
  return incident === null ? "" : (fixedSeverity(incident.severity) ?? DEFAULT_SEVERITY);
}

/** An estimate for each workflow with `batch`. */
export const batchEstimatesOf = (config: NerveConfig | null): Map<string, BatchEstimate> =>
  new Map(
    [...(config?.workflows ?? [])].flatMap(([name, workflow]) => {
      const batch = batchConfigOf(workflow);
      return batch === null ? [] : [[name, new BatchEstimate(batch)] as const];
    }),
  );
