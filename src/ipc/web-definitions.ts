/**
 * The messages between the kernel and the web process, as plain data like `definitions.ts`. The web process has one question,
 * `look`. Nothing that it says changes anything.
 */
import type { type } from "arktype";
import { bye, COUNT, POSITIVE, shutdown } from "./definitions.ts";

/** The first message. `config`: what `sentConfig` makes of a configuration. */
const init = {
  type: "'init'",
  generation: POSITIVE,
  data: "string",
  version: "string",
  config: "unknown",
  /** What was filled into the configuration, and what is shown instead. It is in no answer. */
  secrets: [{ written: "string", value: "string" }, "[]"],
} as const;

/** Another configuration is in force, with the same address. */
const config = {
  type: "'config'",
  generation: POSITIVE,
  config: "unknown",
  secrets: [{ written: "string", value: "string" }, "[]"],
} as const;

/** The answer to the look `id`. */
const seen = { type: "'seen'", generation: POSITIVE, id: POSITIVE, look: "unknown" } as const;

/** The highest ids that are committed. Posted while somebody follows. */
const watermarks = { type: "'watermarks'", generation: POSITIVE, signals: COUNT, logs: COUNT } as const;

const ready = { type: "'ready'", generation: POSITIVE } as const;

/** Whether it listens; else why not. It tries again by itself. */
const listening = { type: "'listening'", generation: POSITIVE, reason: "string | null" } as const;

/** `follows`: somebody follows the stream; the kernel posts watermarks until the next look says otherwise. */
const look = { type: "'look'", generation: POSITIVE, id: POSITIVE, follows: "boolean" } as const;

/** An error that no request waited for. */
const error = { type: "'error'", generation: POSITIVE, message: "string", stack: "string | null" } as const;

export const webParentDefinitions = { init, config, seen, watermarks, shutdown } as const;
export const webDefinitions = { ready, listening, look, error, bye } as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → web process. */
export type WebParentMessage = Infer<typeof webParentDefinitions>;
/** Web process → kernel. */
export type WebMessage = Infer<typeof webDefinitions>;

export type WebParentMessageOf<Type extends WebParentMessage["type"]> = Extract<WebParentMessage, { type: Type }>;
export type WebMessageOf<Type extends WebMessage["type"]> = Extract<WebMessage, { type: Type }>;
