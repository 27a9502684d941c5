/** Makes the stream, or gives it other limits, for `nerve fleet init`. */
import type { Trouble } from "../engine/engine.ts";
import { ALL_SUBJECTS } from "./frames.ts";
import type { Requests } from "./requests.ts";

/** A size or a time of 0: there is no limit. */
export interface Limits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly replicas: number;
}

export interface StreamWish extends Limits {
  readonly stream: string;
}

/** A frame is smaller, with its headers. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const STREAM_NOT_FOUND = 10059;
/** The server remembers message ids for so long. nerve gives none: the least that it allows costs the least. */
const DUPLICATES_MS = 1_000;

const NANOS_PER_MS = 1_000_000;
const nanos = (ms: number): number => ms * NANOS_PER_MS;

/** What JetStream says of a stream that is there. */
interface Config {
  readonly max_bytes: number;
  readonly max_age: number;
  readonly num_replicas: number;
}

export type Made =
  | { readonly kind: "made" }
  | { readonly kind: "there"; readonly limits: Limits; readonly config: Config }
  | Trouble;

/** Full means that nobody's frames are taken, and not that frames go which a hub has not read. */
export async function makeStream(
  requests: Requests,
  { stream, maxBytes, maxAgeMs, replicas }: StreamWish,
): Promise<Made> {
  const info = await requests.json<{ readonly config: Config }>(requests.api(`STREAM.INFO.${stream}`), "", null);
  if (info.kind === "answered")
    return { kind: "there", limits: limitsOf(info.value.config), config: info.value.config };
  if (info.kind !== "refused") return info;
  if (info.refusal.err_code !== STREAM_NOT_FOUND) return requests.refused(info.refusal);
  const made = await requests.ask(`STREAM.CREATE.${stream}`, {
    name: stream,
    subjects: [ALL_SUBJECTS],
    retention: "limits",
    storage: "file",
    discard: "new",
    max_age: nanos(maxAgeMs),
    max_bytes: maxBytes,
    max_msg_size: MAX_MESSAGE_BYTES,
    duplicate_window: nanos(DUPLICATES_MS),
    num_replicas: replicas,
    allow_direct: true,
    deny_delete: true,
    deny_purge: true,
  });
  return made.kind === "answered" ? { kind: "made" } : made;
}

const limitsOf = ({ max_bytes, max_age, num_replicas }: Config): Limits => ({
  maxBytes: Math.max(0, max_bytes),
  maxAgeMs: Math.max(0, max_age) / NANOS_PER_MS,
  replicas: num_replicas,
});

/** Everything else of `config` stays. Null: it is done. */
export async function changeLimits(
  requests: Requests,
  config: Config,
  { stream, maxBytes, maxAgeMs, replicas }: StreamWish,
): Promise<Trouble | null> {
  const limits = { max_bytes: maxBytes || -1, max_age: nanos(maxAgeMs), num_replicas: replicas };
  const changed = await requests.ask(`STREAM.UPDATE.${stream}`, { ...config, ...limits });
  return changed.kind === "answered" ? null : changed;
}
