/** What may be asked of a running nerve by whoever may look. Changes nothing. */
import type { Failures, SilenceAnswer, Status } from "./contract.ts";
import type { MetricsLook } from "./metrics-look.ts";

export interface Looks {
  status(): Status;
  silences(): readonly SilenceAnswer[];
  /** What the kernel has counted since it started. */
  metrics(): MetricsLook;
  /** `after`: the id of a log; null: from the start of the kernel on. */
  failures(after: number | null): Failures;
}
