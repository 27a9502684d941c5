/** What started a run, as `run.queued` records it. */
import type { Json } from "../base/json.ts";
import type { TriggerIncident } from "./incident.ts";

/** What `thread.trigger` is: the signal that started the run, or (by hand) only a payload. */
export interface Trigger {
  readonly id: number | null;
  readonly sense: string | null;
  /** Unix milliseconds. */
  readonly at: number | null;
  readonly reflex: string | null;
  /** The value of the reflex's `key`, null where there is none. */
  readonly key: Json;
  /** Whether the payload is one element of the signal's, which `each` picked out. Absent in logs of earlier builds. */
  readonly isElement: boolean;
  /** What the run is to report of an incident; null for any other run. Absent in logs of earlier builds. */
  readonly incident: TriggerIncident | null;
}
