/**
 * The messages between the kernel and the fleet process, as plain data like `definitions.ts`. The fleet process carries signals
 * made here to the stream, and frames of other hosts to the kernel. The kernel commits: it answers each batch and each step of the
 * cursor after the commit. Settings that change start another fleet process.
 */
import type { type } from "arktype";
import { bye, COUNT, POSITIVE, shutdown } from "./definitions.ts";

/** What the configuration says of the stream and of who may use it. Files are absolute paths. `send`: names of senses, with `*`. */
const settings = {
  servers: ["string", "[]"],
  nkey: "string | null",
  creds: "string | null",
  ca: "string | null",
  cert: "string | null",
  key: "string | null",
  domain: "string | null",
  stream: "string",
  send: ["string", "[]"],
  /** `HOST/SENSE`, with `*` on either side. Empty: this host receives nothing. */
  receive: ["string", "[]"],
  everyMs: POSITIVE,
  beatMs: POSITIVE,
  silentAfterMs: POSITIVE,
} as const;

/** An id, and the mark of the newest signal that this host had made then: a text that no other signal has. */
const proof = { id: COUNT, mark: "string" } as const;

/**
 * How far an epoch of this host was sent. `proof`: its newest signal up to there. `start`: the newest id when the kernel started that
 * sent that far. Null: not known.
 */
const reach = { epoch: "string", to: COUNT, proof: [proof, "|", "null"], start: [proof, "|", "null"] } as const;

/**
 * How far the signals of this host have left. `since`: frames of `epoch` begin behind this id. `upto`: the highest id that the engine
 * has acknowledged. `sequence`: the place of that frame in the stream, 0 before the first frame. `proof`: the newest signal made here
 * up to `upto`, null where none is known. `others`: how far other epochs were sent under the name of this host.
 */
const cursor = {
  epoch: "string",
  since: COUNT,
  upto: COUNT,
  sequence: COUNT,
  proof: [proof, "|", "null"],
  others: [reach, "[]"],
} as const;

/** How far the stream was taken. `stream`: which stream, made anew it has another name. `position`: the last place that was taken. */
const place = { stream: "string", position: COUNT } as const;

/** What is committed of another host: all its signals of `epoch` up to the id `upto`, as far as they are known. */
const origin = { host: "string", epoch: "string", upto: COUNT } as const;

/**
 * The first message. `data`: the folder with logs.db, which this process reads. `epoch`: the one in which frames of this host leave.
 * `epochFrom`: the highest id that the epoch of `cursor` left where that is another one. `startedAt`: the newest id when this kernel
 * started; `firstStartedAt`: when the first one did that has started since `cursor.upto`. `takenAt`: Unix milliseconds at which something
 * of another host was taken last, 0: never. `origins`: a host has one for each of its epochs. What is committed of this
 * host this process sees by itself.
 */
const init = {
  type: "'init'",
  generation: POSITIVE,
  data: "string",
  host: "string",
  epoch: "string",
  epochFrom: COUNT,
  startedAt: COUNT,
  firstStartedAt: COUNT,
  settings,
  cursor,
  place: [place, "|", "null"],
  takenAt: COUNT,
  origins: [origin, "[]"],
} as const;

/** The cursor of `forwarded` is committed. */
const kept = { type: "'kept'", generation: POSITIVE, upto: COUNT } as const;

/** The batch `id` is committed: its signals, the decisions that they caused, its hosts and its place. */
const stored = { type: "'stored'", generation: POSITIVE, id: POSITIVE } as const;

/** Other hosts are to be asked. `hosts`: their names. */
const ask = {
  type: "'ask'",
  generation: POSITIVE,
  id: POSITIVE,
  hosts: ["string", "[]"],
  timeoutMs: POSITIVE,
} as const;

/** What this host answers to the question `id` of another host: a JSON text. */
const reply = { type: "'reply'", generation: POSITIVE, id: POSITIVE, text: "string" } as const;

const ready = { type: "'ready'", generation: POSITIVE } as const;

/**
 * What became of a side: each try that fails, and once that it is connected. `out`: what leaves; `in`: what comes. `blocked`:
 * connected, and the stream refuses. `why`: a sentence without secrets, null where it is connected. `nextMs`: until the next
 * try, null where it is connected.
 */
const link = {
  type: "'link'",
  generation: POSITIVE,
  side: "'out' | 'in'",
  state: "'connected' | 'offline' | 'blocked'",
  why: "string | null",
  nextMs: "number.integer >= 0 | null",
} as const;

/**
 * How many frames wait in the stream behind what the kernel has. `pending`: null while this process cannot know, or is not
 * connected. Posted when it changes to or from 0, and once a second at most in between.
 */
const waiting = { type: "'waiting'", generation: POSITIVE, pending: "number.integer >= 0 | null" } as const;

/**
 * This process has not caught up for `silentAfterMs`, and has looked at the last frame of each host in the stream. `heard`: hosts that live.
 * Posted again and again until `waiting` is 0 or null: what comes in batches meanwhile says nothing of who lives. `pending`, `lagMs`: places
 * and time between the newest frame of the stream and the newest that was taken, by the server's clock. `busiest`: whose frames come most of all now,
 * `share` in a hundred.
 */
const behind = {
  type: "'behind'",
  generation: POSITIVE,
  pending: COUNT,
  lagMs: COUNT,
  busiest: "string | null",
  share: COUNT,
  heard: ["string", "[]"],
} as const;

/** How full the stream is, as `StreamRoom` has it: at the beginning of a session, and then once a minute. */
const room = {
  type: "'room'",
  generation: POSITIVE,
  room: {
    bytes: COUNT,
    max_bytes: COUNT,
    messages: COUNT,
    max_messages: COUNT,
    max_age_ms: COUNT,
    oldest_at: COUNT,
    newest_at: COUNT,
  },
} as const;

/**
 * Something that a person should know. `conflict`: another kernel sends under this host's name. `rewound`: the stream has lost
 * frames that it had acknowledged, they are sent again. `server`: the server runs, and is not what it should be.
 */
const notice = {
  type: "'notice'",
  generation: POSITIVE,
  kind: "'conflict' | 'rewound' | 'server'",
  message: "string",
} as const;

/**
 * The engine has acknowledged all up to `cursor.upto`: the cursor is to be committed. `signals`: how many left with this frame. `lost`:
 * ids that retention removed before they could leave, at most so many signals of `send` are among them. `copied`: why another epoch
 * begins with this cursor, a sentence; null: the epoch goes on.
 */
const forwarded = {
  type: "'forwarded'",
  generation: POSITIVE,
  cursor,
  signals: COUNT,
  lost: COUNT,
  copied: "string | null",
} as const;

/** `at` and `trace`: as made there. `payload`: the text of a JSON value. */
const signal = { id: POSITIVE, sense: "string", at: COUNT, trace: "string", payload: "string" } as const;

/**
 * What one host sent: its signals with ids in (from, to] that this host receives, in the order of their ids. Frames that follow one
 * another without a gap are one. `from` above what is known of the host: what lies between is missing. `lost`: as the sender counted.
 * `sentAt`, `storedAt`: Unix milliseconds by the clock of the sender and of the server, of the newest of the frames; null: nobody says.
 * `refused`: why a frame could not be read; its signals are missing. A refused frame without an epoch says nothing about its host.
 */
const frame = {
  host: "string",
  epoch: "string",
  from: COUNT,
  to: COUNT,
  lost: COUNT,
  refused: "string | null",
  sentAt: "number.integer >= 0 | null",
  storedAt: "number.integer >= 0 | null",
  signals: [signal, "[]"],
} as const;

/** What came, to be committed as one. A beat is a frame without signals. There are at most two batches without an answer. */
const batch = {
  type: "'batch'",
  generation: POSITIVE,
  id: POSITIVE,
  place,
  frames: [frame, "[]"],
} as const;

/** What the hosts answered. `text`: a JSON text; null: no answer, and `why`. */
const answers = {
  type: "'answers'",
  generation: POSITIVE,
  id: POSITIVE,
  answers: [{ host: "string", text: "string | null", why: "string | null" }, "[]"],
} as const;

/** Another host asks for the status of this one. */
const asked = { type: "'asked'", generation: POSITIVE, id: POSITIVE } as const;

/** An error that nothing waited for. */
const error = { type: "'error'", generation: POSITIVE, message: "string", stack: "string | null" } as const;

export const fleetParentDefinitions = { init, kept, stored, ask, reply, shutdown } as const;
export const fleetDefinitions = {
  ready,
  link,
  waiting,
  behind,
  room,
  notice,
  forwarded,
  batch,
  answers,
  asked,
  error,
  bye,
} as const;

type Infer<Definitions> = { [Key in keyof Definitions]: type.infer<Definitions[Key]> }[keyof Definitions];

/** Kernel → fleet process. */
export type FleetParentMessage = Infer<typeof fleetParentDefinitions>;
/** Fleet process → kernel. */
export type FleetMessage = Infer<typeof fleetDefinitions>;

export type FleetParentMessageOf<Type extends FleetParentMessage["type"]> = Extract<FleetParentMessage, { type: Type }>;
export type FleetMessageOf<Type extends FleetMessage["type"]> = Extract<FleetMessage, { type: Type }>;
