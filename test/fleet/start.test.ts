/** Where sending begins: forward where an acknowledgement was lost, back where the stream has forgotten, never beside another kernel, and never under ids that another copy of the data has given. */
import { expect, test } from "bun:test";
import type { Cursor, Reach, Standing } from "../../src/fleet/proof.ts";
import { type IsOurs, startAt } from "../../src/fleet/start.ts";

const PROOF = { id: 1, mark: "m1" };
/** `others`: null where a nerve wrote the frame that knows no such word. */
const frame = (epoch: string, to: number, position: number, others: readonly Reach[] | null = null): Standing => ({
  position,
  label: { epoch, to },
  evidence: { kind: "proof", proof: PROOF },
  start: null,
  others,
  from: 0,
  lost: 0,
  signals: [],
});
const sent = (to: number): readonly Reach[] => [{ epoch: "b", to, proof: PROOF, start: null }];

const CURSOR: Cursor = { epoch: "b", since: 50, upto: 100, sequence: 7, proof: null, others: [] };
const start = (last: Standing | null, cursor: Partial<Cursor> = {}, isOurs: boolean | null = true, isClaim = false) => {
  const answer: IsOurs = () => isOurs;
  return startAt(last, { epoch: "b", epochFrom: 40, cursor: { ...CURSOR, ...cursor } }, answer, isClaim);
};
const go = (from: number, expected: number, isRewound = false, since = 50) => ({
  kind: "go",
  from,
  since,
  expected,
  isRewound,
});
const ANEW = { kind: "anew", last: expect.anything() };
const CONFLICT = { kind: "conflict", epoch: "c" };

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
  [
    "the first acknowledgement under a new epoch of logs.db was lost",
    start(frame("b", 60, 9), { epoch: "a", upto: 90 }),
    go(60, 9, false, 60),
  ],
  ["the stream has lost frames", start(frame("b", 80, 5)), go(80, 5, true)],
  ["the stream has lost frames, and retention the proof", start(frame("b", 80, 5), {}, null), go(80, 5, true)],
  ["the stream has lost all frames but one from before the cursor began", start(frame("b", 30, 5)), go(50, 5, true)],
  ["another copy has sent under this epoch", start(frame("b", 130, 9), {}, false), ANEW],
  ["another copy has sent less under this epoch", start(frame("b", 80, 9), {}, false), ANEW],
  ["a frame ahead of the cursor cannot be compared", start(frame("b", 130, 9), {}, null), ANEW],
  ["another copy has sent before the first acknowledgement", start(frame("b", 130, 9), { sequence: 0 }, false), ANEW],
  ["another frame stands where ours did", start(frame("b", 90, 7), {}, false), ANEW],
  ["another epoch came after ours", start(frame("c", 10, 9)), CONFLICT],
  ["another epoch came after what we sent of ours", start(frame("c", 10, 9, sent(100))), CONFLICT],
  ["another epoch came after what another copy sent of ours", start(frame("c", 10, 9, sent(130)), {}, false), ANEW],
  ["the same before this host sent", start(frame("c", 10, 9, sent(130)), { sequence: 0 }, false), ANEW],
  ["the same under a new epoch of logs.db", start(frame("c", 10, 9, sent(130)), { epoch: "a" }, false), ANEW],
  ["another epoch came, which does not know ours", start(frame("c", 10, 9, [])), ANEW],
  ["after the wait the place is claimed", start(frame("c", 10, 9), {}, true, true), go(100, 9)],
  [
    "after the wait the place of an epoch that knows ours is claimed",
    start(frame("c", 10, 9, sent(100)), {}, true, true),
    go(100, 9),
  ],
  [
    "what the stream has lost before another epoch came is sent again",
    start(frame("c", 10, 9, sent(80)), {}, true, true),
    go(80, 9, true),
  ],
  ["after the wait another copy has sent", start(frame("c", 10, 9, sent(130)), {}, false, true), ANEW],
  ["the stream went back to before this epoch", start(frame("a", 10, 3, [])), go(50, 3, true)],
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
