/**
 * The messages between the kernel and the push process, as plain data like `definitions.ts`. The push process brings items that it
 * has checked and whose sender it knows. The kernel says what became of them after the commit.
 */
import type { type } from "arktype";
import { bye, COUNT, POSITIVE, shutdown } from "./definitions.ts";

/** A sense with an inbox. `secret`: of signatures, or null. */
const senses = [{ name: "string", secret: "string | null" }, "[]"] as const;

/** The first message. `hosts`: names that a request may be addressed to. */
const init = {
  type: "'init'",
  generation: POSITIVE,
  data: "string",
  hostname: "string",
  port: POSITIVE,
  hosts: ["string", "[]"],
  senses,
} as const;

/** Other senses have inboxes from now on. */
const config = { type: "'config'", generation: POSITIVE, senses } as const;

/** What became of the offers `id`, as `Offered`. Without meaning for a kind: `ids` is empty, `retryAfterS` 0, `key` empty. */
const answers = {
  type: "'answers'",
  generation: POSITIVE,
  answers: [
    {
      id: POSITIVE,
      kind: "'accepted' | 'full' | 'low-space' | 'no-inbox' | 'reused'",
      ids: [POSITIVE, "[]"],
      retryAfterS: COUNT,
      key: "string",
    },
    "[]",
  ],
} as const;

const ready = { type: "'ready'", generation: POSITIVE } as const;

/** Whether it listens; else why not. It tries again by itself. */
const listening = { type: "'listening'", generation: POSITIVE, reason: "string | null" } as const;

/** Items of requests, one offer each. `bodies`: JSON texts. `kind`: of a CloudEvent or a ping. */
const offers = {
  type: "'offers'",
  generation: POSITIVE,
  offers: [
    {
      id: POSITIVE,
      sense: "string",
      bodies: ["string", "[]"],
      key: "string | null",
      identity: "string | null",
      kind: "string | null",
      trace: "string | null",
    },
    "[]",
  ],
} as const;

/** An error that no request waited for. */
const error = { type: "'error'", generation: POSITIVE, message: "string", stack: "string | null" } as const;

export const pushParentDefinitions = { init, config, answers, shutdown } as const;
export const pushDefinitions = { ready, listening, offers, error, bye } as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → push process. */
export type PushParentMessage = Infer<typeof pushParentDefinitions>;
/** Push process → kernel. */
export type PushMessage = Infer<typeof pushDefinitions>;

export type PushParentMessageOf<Type extends PushParentMessage["type"]> = Extract<PushParentMessage, { type: Type }>;
export type PushMessageOf<Type extends PushMessage["type"]> = Extract<PushMessage, { type: Type }>;
