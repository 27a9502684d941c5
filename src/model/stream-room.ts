/** Owns how full the stream is: how much it holds of its limits, and when it will be full at the rate of the frames in it. Pure. */
import { formatSize } from "../base/size.ts";
import { duration } from "../base/times.ts";

/** What a server says of its stream. A limit of 0: there is none. Times are Unix milliseconds by the server's clock, 0: there is no frame. */
export interface StreamRoom {
  readonly bytes: number;
  readonly max_bytes: number;
  readonly messages: number;
  readonly max_messages: number;
  readonly max_age_ms: number;
  readonly oldest_at: number;
  readonly newest_at: number;
}

/** A stream is filling from here on, until less is taken than the other. */
const FILLING_PERCENT = 80;
const AT_EASE_PERCENT = 70;
/** Frames of less time say nothing of a rate. */
const LEAST_SPAN_MS = 60_000;

const shareOf = (held: number, most: number): number => (most === 0 ? 0 : held / most);

/** Of the limit that is nearer. */
export const percentFull = ({ bytes, max_bytes, messages, max_messages }: StreamRoom): number =>
  Math.floor(100 * Math.max(shareOf(bytes, max_bytes), shareOf(messages, max_messages)));

export const isFilling = (room: StreamRoom, before: boolean): boolean =>
  percentFull(room) >= (before ? AT_EASE_PERCENT : FILLING_PERCENT);

/** Null: at this rate frames go with their time before there is no room; or nobody can tell. */
export function fullInMs(room: StreamRoom): number | null {
  const spanMs = room.newest_at - room.oldest_at;
  if (room.oldest_at === 0 || spanMs < LEAST_SPAN_MS) return null;
  const untilFull = (held: number, most: number): number =>
    most === 0 ? Number.POSITIVE_INFINITY : Math.max(0, most - held) / (held / spanMs);
  const ms = Math.round(Math.min(untilFull(room.bytes, room.max_bytes), untilFull(room.messages, room.max_messages)));
  const isGoneBefore = room.max_age_ms > 0 && spanMs + ms >= room.max_age_ms;
  return Number.isFinite(ms) && !isGoneBefore ? ms : null;
}

const LOOK_MS = { longest: 60_000, shortest: 5_000 };
/** Of the time until the stream is full. */
const LOOK_SHARE = 0.25;

/** When to ask again: early enough to see a stream fill up. A stream that has filled up may be given room at any time. */
export function nextLookMs(room: StreamRoom): number {
  const fullMs = isFilling(room, false) ? 0 : (fullInMs(room) ?? Number.POSITIVE_INFINITY);
  return Math.min(LOOK_MS.longest, Math.max(LOOK_MS.shortest, fullMs * LOOK_SHARE));
}

/** `83 % full (8.3 GB of 10.0 GB), its oldest frame is 5d old, at this rate full in 1d` */
export function roomWords(room: StreamRoom, now: number): string {
  const { bytes, max_bytes, messages, max_messages, oldest_at, max_age_ms } = room;
  const of = [
    ...(max_bytes > 0 ? [`${formatSize(bytes)} of ${formatSize(max_bytes)}`] : []),
    ...(max_messages > 0 ? [`${messages} of ${max_messages} frames`] : []),
  ];
  const limits =
    of.length === 0 ? `holds ${formatSize(bytes)} without a limit` : `${percentFull(room)} % full (${of.join(", ")})`;
  const most = max_age_ms === 0 ? "" : ` of at most ${duration(max_age_ms)}`;
  const oldest = oldest_at === 0 ? "" : `, its oldest frame is ${duration(Math.max(0, now - oldest_at))} old${most}`;
  const fullMs = fullInMs(room);
  return `${limits}${oldest}${fullMs === null ? "" : `, at this rate full in ${duration(fullMs)}`}`;
}
