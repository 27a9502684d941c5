/** The messages between the kernel and the watchdog process, in the notation of `definitions.ts`. */
import type { type } from "arktype";
import { bye, MS, POSITIVE, shutdown } from "./definitions.ts";

/** The first message. The address never stands in arguments or environment. */
const init = { type: "'init'", generation: POSITIVE, url: "string" } as const;

/** A commit has just succeeded: the address is to be asked for once. */
const ping = { type: "'ping'", generation: POSITIVE, id: POSITIVE } as const;

const ready = { type: "'ready'", generation: POSITIVE } as const;

/** The ping is over. `error`: what was wrong, without the address; null: it was answered as it should be. */
const pinged = {
  type: "'pinged'",
  generation: POSITIVE,
  id: POSITIVE,
  error: "string | null",
  durationMs: MS,
} as const;

/** Something is wrong with a message or with the process itself. */
const error = { type: "'error'", generation: POSITIVE, message: "string" } as const;

export const watchdogParentDefinitions = { init, ping, shutdown } as const;
export const watchdogDefinitions = { ready, pinged, error, bye } as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → watchdog process. */
export type WatchdogParentMessage = Infer<typeof watchdogParentDefinitions>;
/** Watchdog process → kernel. */
export type WatchdogMessage = Infer<typeof watchdogDefinitions>;
export type WatchdogMessageOf<Type extends WatchdogMessage["type"]> = Extract<WatchdogMessage, { type: Type }>;
