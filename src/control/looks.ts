/** What may be asked of a running nerve by whoever may look. Changes nothing. */
import type { SilenceAnswer, Status } from "./contract.ts";

export interface Looks {
  status(): Status;
  silences(): readonly SilenceAnswer[];
}
