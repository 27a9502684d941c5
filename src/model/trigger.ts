/** What started a run, as `run.queued` records it. */
import type { Json } from "../base/json.ts";
import type { TriggerIncident } from "./incident.ts";

/** What `thread.trigger` is: the signal or the due time that started the run, or (by hand) only a payload. */
export interface Trigger {
  readonly id: number | null;
  readonly sense: string | null;
  /** Unix milliseconds. */
  readonly at: number | null;
  readonly reflex: string | null;
  /** The value of the reflex's `key`, null where there is none. */
  readonly key: Json;
  /** Whether the payload is one element of the signal's, which `each` picked out. */
  readonly isElement: boolean;
  /** Unix milliseconds of the time that the clock made due; null: a signal or a person started the run. */
  readonly due: number | null;
  /** What the run is to report of an incident; null for any other run. */
  readonly incident: TriggerIncident | null;
}

/**
 * The trigger with the host that its signal came from, or this one. `host` is not enumerable: what is stored, sent or compared of a
 * trigger stays what it was.
 */
export const fromHost = <T extends object>(trigger: T, host: string): T & { readonly host: string } =>
  Object.defineProperty(trigger, "host", { value: host }) as T & { readonly host: string };
