/** How full a stream is, and when it will be: by the frames that are in it. */
import { expect, test } from "bun:test";
import {
  fullInMs,
  isFilling,
  nextLookMs,
  percentFull,
  roomWords,
  type StreamRoom,
} from "../../src/model/stream-room.ts";

const GB = 1024 ** 3;
const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
const room = (some: Partial<StreamRoom>): StreamRoom => ({
  ...{ bytes: 4 * GB, max_bytes: 10 * GB, messages: 1_000, max_messages: 0, max_age_ms: 7 * DAY },
  ...{ oldest_at: NOW - 2 * DAY, newest_at: NOW },
  ...some,
});

test("the limit that is nearer counts, and a stream without limits is never full", () => {
  expect(percentFull(room({}))).toBe(40);
  expect(percentFull(room({ max_messages: 1_250 }))).toBe(80);
  expect(percentFull(room({ max_bytes: 0 }))).toBe(0);
});

test("filling begins at 80 %, and ends under 70 %", () => {
  expect([0.79, 0.8].map((part) => isFilling(room({ bytes: Math.ceil(part * 10 * GB) }), false))).toEqual([
    false,
    true,
  ]);
  expect([0.69, 0.7].map((part) => isFilling(room({ bytes: Math.ceil(part * 10 * GB) }), true))).toEqual([false, true]);
});

test("at the rate of its frames a stream is full in so long, unless frames go with their time before", () => {
  expect(fullInMs(room({}))).toBe(3 * DAY);
  expect(fullInMs(room({ bytes: GB }))).toBeNull();
  expect(fullInMs(room({ bytes: GB, max_age_ms: 0 }))).toBe(18 * DAY);
  expect(fullInMs(room({ bytes: 10 * GB }))).toBe(0);
  expect(fullInMs(room({ oldest_at: NOW - 30_000 }))).toBeNull();
  expect(fullInMs(room({ oldest_at: 0, newest_at: 0, bytes: 0, messages: 0 }))).toBeNull();
  expect(fullInMs(room({ max_bytes: 0 }))).toBeNull();
});

test("a stream is looked at once a minute, and oftener while it fills up", () => {
  const fast = { oldest_at: NOW - 70_000, newest_at: NOW };
  expect(nextLookMs(room({}))).toBe(60_000);
  expect(nextLookMs(room({ ...fast, bytes: 5 * GB }))).toBe(17_500);
  expect(nextLookMs(room({ ...fast, bytes: 7.9 * GB }))).toBe(5_000);
  expect(nextLookMs(room({ bytes: 8.5 * GB }))).toBe(5_000);
});

test("the words say how full, how old, and when", () => {
  expect(roomWords(room({}), NOW)).toBe(
    "40 % full (4.0 GB of 10.0 GB), its oldest frame is 2d old of at most 7d, at this rate full in 3d",
  );
  expect(roomWords(room({ max_bytes: 0, max_age_ms: 0, oldest_at: 0, newest_at: 0 }), NOW)).toBe(
    "holds 4.0 GB without a limit",
  );
});
