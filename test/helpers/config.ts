/** Configurations as the parser makes them, where a test cares for some keys only: a new key touches this file alone. */

import { type ConfigSource, NOTHING_AROUND } from "../../src/config/source.ts";
import type { WorkflowConfig } from "../../src/model/config.ts";

/** A text with some of what can be around it. */
export const around = (some: Partial<ConfigSource>): ConfigSource => ({ ...NOTHING_AROUND, ...some });

export interface Limits {
  readonly concurrency: number;
  readonly maxQueue: number | "drop";
}

/** A workflow of which its limits matter. A sense of which nothing matters is `unwrittenSense`, a reflex is in reflex.ts. */
export function workflowConfig(name: string, { concurrency, maxQueue }: Limits): WorkflowConfig {
  const common = {
    name,
    use: name,
    with: null,
    needs: null,
    expectEveryMs: null,
    concurrency,
    timeoutMs: null,
    gracePeriodMs: null,
    retry: null,
  };
  return maxQueue === "drop"
    ? { ...common, overflow: "drop" }
    : { ...common, overflow: "queue", maxQueue, batch: null };
}
