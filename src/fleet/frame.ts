/**
 * A frame: consecutive signals of one host, as compressed JSON. Whoever reads one believes nothing of it before it is checked; the host
 * is not in it, for the engine vouches for the host.
 */
import { zstdDecompressSync } from "node:zlib";
import { exceedsBytes, toJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TRACE_PATTERN } from "../base/trace-id.ts";
import type { FleetMessageOf } from "../ipc/fleet-definitions.ts";
import { isName } from "../model/name.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";

export type CarriedSignal = FleetMessageOf<"batch">["frames"][number]["signals"][number];

/** Signals with ids in (from, to]. The first `lost` of these ids were removed before they could leave. */
export interface Frame {
  readonly epoch: string;
  readonly from: number;
  readonly to: number;
  readonly lost: number;
  readonly signals: readonly CarriedSignal[];
}

export const MAX_FRAME_SIGNALS = 500;
/** Of the signals as JSON, before compression. */
export const MAX_FRAME_BYTES = 256 * 1024;
/** What is larger once it is unpacked is refused: three bytes for each character of the signals, and the head. */
const MAX_UNPACKED_BYTES = 1024 * 1024;
/** A frame has two characters for each object and list in its signals. Many of them cost more to read than all else. */
const MAX_OPENINGS = MAX_FRAME_BYTES / 2;
const MAX_EPOCH = 64;
const LEVEL = 1;
const VERSION = 1;

export const signalText = ({ id, sense, at, trace, payload }: CarriedSignal): string =>
  `[${id},${JSON.stringify(sense)},${at},${JSON.stringify(trace)},${payload}]`;

/** A frame without its signals. Words that a reader does not know it passes over. */
export type Head = Omit<Frame, "signals"> & Readonly<Record<string, unknown>>;

/** `texts`: the signals of the frame, as `signalText` writes them. */
export function packFrame(head: Head, texts: readonly string[]): Uint8Array {
  const text = JSON.stringify({ v: VERSION, ...head });
  return Bun.zstdCompressSync(`${text.slice(0, -1)},"signals":[${texts.join(",")}]}`, { level: LEVEL });
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Later than this no date is. */
const LAST_TIME = 8.64e15;

function signalOf(value: unknown, above: number, to: number): CarriedSignal | null {
  if (!Array.isArray(value) || value.length !== 5) return null;
  const [id, sense, at, trace, payload] = value as unknown[];
  if (!isCount(id) || id <= above || id > to) return null;
  if (typeof sense !== "string" || !isName(sense)) return null;
  if (!isCount(at) || at > LAST_TIME) return null;
  if (typeof trace !== "string" || !TRACE_PATTERN.test(trace)) return null;
  // What nests too deep must not be written as text, and a refused key must not be stored.
  if (payload === null || !toJson(payload).ok) return null;
  const text = JSON.stringify(payload);
  return exceedsBytes(text, MAX_VALUE_BYTES) ? null : { id, sense, at, trace, payload: text };
}

const [BRACE, BRACKET] = Buffer.from("{[");

/** Counted before anything is read of it: a few hundred bytes can unpack to hundreds of thousands of objects. */
function isCheap(bytes: Uint8Array): boolean {
  if (bytes.length <= MAX_FRAME_BYTES) return true;
  let openings = 0;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === BRACE || bytes[at] === BRACKET) openings++;
  return openings <= MAX_OPENINGS;
}

/** What stands in a frame, unchecked. Null: it is no compressed JSON object. */
export function unpacked(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const bytes = zstdDecompressSync(body, { maxOutputLength: MAX_UNPACKED_BYTES });
    if (!isCheap(bytes)) return null;
    const value = JSON.parse(bytes.toString());
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** The error says what is wrong with the frame. */
export function unpackFrame(body: Uint8Array): Result<Frame, string> {
  const value = unpacked(body);
  if (value === null)
    return err(`it is no compressed JSON of at most 1 MiB with at most ${MAX_OPENINGS} objects and lists`);
  const { v, epoch, from, to, lost, signals } = value;
  if (v !== VERSION)
    return err(`its version is ${typeof v === "number" ? v : "no number"}, and this nerve reads version ${VERSION}`);
  if (typeof epoch !== "string" || epoch.length > MAX_EPOCH || !isCount(from) || !isCount(to) || from > to)
    return err("its ids are no range");
  if (!isCount(lost) || lost > to - from) return err("it counts more lost ids than it has");
  if (!Array.isArray(signals) || signals.length > MAX_FRAME_SIGNALS)
    return err(`it holds no list of at most ${MAX_FRAME_SIGNALS} signals`);
  const read: CarriedSignal[] = [];
  let above = from;
  let room = MAX_FRAME_BYTES;
  for (const [at, written] of signals.entries()) {
    const signal = signalOf(written, above, to);
    if (signal === null) return err(`signal ${at + 1} of ${signals.length} is none, is too large, or is not in order`);
    room -= signal.payload.length;
    if (room < 0) return err("its signals are larger than 256 KiB");
    above = signal.id;
    read.push(signal);
  }
  return ok({ epoch, from, to, lost, signals: read });
}
