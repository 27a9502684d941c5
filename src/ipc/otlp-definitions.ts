/**
 * The messages between the kernel and the process that sends by OTLP, as plain data like `definitions.ts`. The process reads logs.db and
 * sends; the kernel commits how far it has come.
 */
import type { type } from "arktype";
import { bye, COUNT, POSITIVE, shutdown } from "./definitions.ts";

const KIND = "'signals' | 'logs' | 'runs'";

/** The first message. `cursors`: of the kinds that are sent, each with the id behind which it begins. */
const init = {
  type: "'init'",
  generation: POSITIVE,
  data: "string",
  host: "string",
  epoch: "string",
  endpoint: "string",
  headers: [{ name: "string", value: "string" }, "[]"],
  signals: ["string", "[]"],
  logs: "'debug' | 'info' | 'warn' | 'error' | null",
  everyMs: POSITIVE,
  cursors: [{ kind: KIND, upto: COUNT }, "[]"],
} as const;

/** The last step of this kind is committed. */
const kept = { type: "'kept'", generation: POSITIVE, kind: KIND } as const;

const ready = { type: "'ready'", generation: POSITIVE } as const;

/**
 * What became of a kind: each request of which nothing was taken, and once that it is connected. `blocked`: the receiver answers,
 * and takes nothing for now. `refusing`: it refused the request for good, and the step says so as well. `status`: what it answered,
 * null where it did not. `why`: a sentence without secrets, null where it is connected. `nextMs`: until the next try, null where none is
 * waited for.
 */
const link = {
  type: "'link'",
  generation: POSITIVE,
  kind: KIND,
  state: "'connected' | 'offline' | 'blocked' | 'refusing'",
  status: "number.integer >= 0 | null",
  why: "string | null",
  nextMs: "number.integer >= 0 | null",
} as const;

/**
 * All ids up to `upto` were looked at, and what is sent of them was answered: the cursor is to be committed. `sent`: numbers, logs
 * or spans that were taken. `refused`: those that were refused for good, and `why`. `lost`: ids that retention removed before. There is at most one step of
 * a kind without an answer.
 */
const step = {
  type: "'step'",
  generation: POSITIVE,
  kind: KIND,
  upto: COUNT,
  sent: COUNT,
  refused: COUNT,
  lost: COUNT,
  why: "string | null",
} as const;

/** An error that nothing waited for. */
const error = { type: "'error'", generation: POSITIVE, message: "string", stack: "string | null" } as const;

export const otlpParentDefinitions = { init, kept, shutdown } as const;
export const otlpDefinitions = { ready, link, step, error, bye } as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → the process that sends by OTLP. */
export type OtlpParentMessage = Infer<typeof otlpParentDefinitions>;
/** The process that sends by OTLP → kernel. */
export type OtlpMessage = Infer<typeof otlpDefinitions>;

export type OtlpParentMessageOf<Type extends OtlpParentMessage["type"]> = Extract<OtlpParentMessage, { type: Type }>;
export type OtlpMessageOf<Type extends OtlpMessage["type"]> = Extract<OtlpMessage, { type: Type }>;
