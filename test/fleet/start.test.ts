/** Where sending begins: forward where an acknowledgement was lost, back where the stream has forgotten, and never beside another kernel. */
import { expect, test } from "bun:test";
import type { CarriedFrame } from "../../src/fleet/engine/engine.ts";
import { type Cursor, startAt } from "../../src/fleet/start.ts";

const frame = (epoch: string, to: number, position: number): CarriedFrame => ({
  host: "web",
  position,
  label: { epoch, to },
  body: new Uint8Array(0),
  pending: 0,
});

const CURSOR: Cursor = { epoch: "b", since: 50, upto: 100, sequence: 7 };
const start = (last: CarriedFrame | null, cursor: Partial<Cursor> = {}, isOwn = true, isClaim = false) =>
  startAt(last, { epoch: "b", epochFrom: 40, cursor: { ...CURSOR, ...cursor } }, () => isOwn, isClaim);
const go = (from: number, expected: number, isRewound = false, since = 50) => ({
  kind: "go",
  from,
  since,
  expected,
  isRewound,
});

test.each([
  ["nothing was ever sent", start(null, { sequence: 0 }), go(100, 0)],
  ["the stream was made anew, or the frames went with their time", start(null), go(50, 0, true)],
  ["the last frame is the one that was acknowledged", start(frame("b", 100, 7)), go(100, 7)],
  ["an acknowledgement was lost", start(frame("b", 130, 9)), go(130, 9)],
  [
    "the process was killed before the first acknowledgement was kept",
    start(frame("b", 130, 9), { sequence: 0 }),
    go(130, 9),
  ],
  ["the stream has lost frames", start(frame("b", 80, 5)), go(80, 5, true)],
  ["the stream has lost all frames but one from before the cursor began", start(frame("b", 30, 5)), go(50, 5, true)],
  ["a frame of this epoch is not ours", start(frame("b", 130, 9), {}, false), { kind: "conflict", epoch: "b" }],
  ["another epoch came after ours", start(frame("c", 10, 9)), { kind: "conflict", epoch: "c" }],
  ["after the wait the place is claimed", start(frame("c", 10, 9), {}, true, true), go(100, 9)],
  ["the stream went back to before this epoch", start(frame("a", 10, 3)), go(50, 3, true)],
  [
    "the epoch before sent as far as what survived",
    start(frame("a", 30, 3), { epoch: "a", upto: 30 }),
    go(30, 3, false, 30),
  ],
  [
    "the epoch before sent more than what survived",
    start(frame("a", 90, 3), { epoch: "a", upto: 90 }),
    go(40, 3, false, 40),
  ],
  [
    "the stream has lost frames of the epoch before",
    start(frame("a", 20, 3), { epoch: "a", upto: 30 }),
    go(20, 3, true, 20),
  ],
  ["a host that was made anew takes its name over", start(frame("x", 999, 3), { sequence: 0 }), go(100, 3)],
  [
    "restored from before the epoch that sent last",
    start(frame("x", 999, 3), { epoch: "a", upto: 90 }),
    go(40, 3, false, 40),
  ],
] as const)("%s", (_, found, wanted) => {
  expect(found).toEqual(wanted as never);
});

test("what stands there without saying what it is, is somebody else's", () => {
  expect(start({ ...frame("b", 1, 9), label: null })).toEqual({ kind: "conflict", epoch: null });
});
