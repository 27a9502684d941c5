/** Makes the stream, for `nerve fleet init`. */
import type { Trouble } from "../engine/engine.ts";
import { ALL_SUBJECTS } from "./frames.ts";
import type { Requests } from "./requests.ts";

export interface StreamWish {
  readonly stream: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly replicas: number;
}

/** A frame is smaller, with its headers. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const STREAM_NOT_FOUND = 10059;
/** The server remembers message ids for so long. nerve gives none: the least that it allows costs the least. */
const DUPLICATES_MS = 1_000;

const nanos = (ms: number): number => ms * 1_000_000;

export type Made = { readonly kind: "made" | "there" } | Trouble;

/** Full means that nobody's frames are taken, and not that frames go which a hub has not read. */
export async function makeStream(
  requests: Requests,
  { stream, maxBytes, maxAgeMs, replicas }: StreamWish,
): Promise<Made> {
  const info = await requests.json(requests.api(`STREAM.INFO.${stream}`), "", null);
  if (info.kind === "answered") return { kind: "there" };
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
