/** The messages between the kernel and the processes beside the workers, checked. */
import {
  type FleetMessage,
  type FleetParentMessage,
  fleetDefinitions,
  fleetParentDefinitions,
} from "./fleet-definitions.ts";
import {
  type OtlpMessage,
  type OtlpParentMessage,
  otlpDefinitions,
  otlpParentDefinitions,
} from "./otlp-definitions.ts";
import { type Parse, parser } from "./parser.ts";
import {
  type PushMessage,
  type PushParentMessage,
  pushDefinitions,
  pushParentDefinitions,
} from "./push-definitions.ts";
import {
  type WatchdogMessage,
  type WatchdogParentMessage,
  watchdogDefinitions,
  watchdogParentDefinitions,
} from "./watchdog-definitions.ts";
import { type WebMessage, type WebParentMessage, webDefinitions, webParentDefinitions } from "./web-definitions.ts";

/** What the watchdog process accepts from the kernel. */
export const parseWatchdogParentMessage: Parse<WatchdogParentMessage> =
  parser<WatchdogParentMessage>(watchdogParentDefinitions);

/** What the kernel accepts from the watchdog process. */
export const parseWatchdogMessage: Parse<WatchdogMessage> = parser<WatchdogMessage>(watchdogDefinitions);

/** What the web process accepts from the kernel. */
export const parseWebParentMessage: Parse<WebParentMessage> = parser<WebParentMessage>(webParentDefinitions);

/** What the kernel accepts from the web process. */
export const parseWebMessage: Parse<WebMessage> = parser<WebMessage>(webDefinitions);

/** What the push process accepts from the kernel. */
export const parsePushParentMessage: Parse<PushParentMessage> = parser<PushParentMessage>(pushParentDefinitions);

/** What the kernel accepts from the push process. */
export const parsePushMessage: Parse<PushMessage> = parser<PushMessage>(pushDefinitions);

/** What the fleet process accepts from the kernel. */
export const parseFleetParentMessage: Parse<FleetParentMessage> = parser<FleetParentMessage>(fleetParentDefinitions);

/** What the kernel accepts from the fleet process. */
export const parseFleetMessage: Parse<FleetMessage> = parser<FleetMessage>(fleetDefinitions);

/** What the process that sends by OTLP accepts from the kernel. */
export const parseOtlpParentMessage: Parse<OtlpParentMessage> = parser<OtlpParentMessage>(otlpParentDefinitions);

/** What the kernel accepts from the process that sends by OTLP. */
export const parseOtlpMessage: Parse<OtlpMessage> = parser<OtlpMessage>(otlpDefinitions);
