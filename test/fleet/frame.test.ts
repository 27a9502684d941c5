/** A frame is read back as it was written, and nothing of what is no frame is believed. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { toJson } from "../../src/base/json.ts";
import { type CarriedSignal, MAX_FRAME_BYTES, packFrame, signalText, unpackFrame } from "../../src/fleet/frame.ts";

const TRACE = "0123456789abcdef".repeat(2);
const HEAD = { epoch: "ab12", from: 10, to: 20, lost: 0 };
const signal = (id: number, payload = '{"a":1}'): CarriedSignal => ({
  id,
  sense: "cpu-usage",
  at: 5,
  trace: TRACE,
  payload,
});

const packed = (value: unknown): Uint8Array => Bun.zstdCompressSync(JSON.stringify(value));
/** A frame of one signal with this payload. */
const written = (payload: string): Uint8Array =>
  Bun.zstdCompressSync(
    JSON.stringify({ v: 1, ...HEAD, signals: ["X"] }).replace('"X"', `[12,"a",1,"${TRACE}",${payload}]`),
  );
const refusal = (body: Uint8Array): string => {
  const frame = unpackFrame(body);
  return frame.ok ? "read" : frame.error;
};

test("a frame is read back as it was written, whatever the payloads", () => {
  const payloads = fc.array(
    fc.jsonValue().filter((value) => value !== null && toJson(value).ok && JSON.stringify(value).length < 10_000),
    { maxLength: 50 },
  );
  fc.assert(
    fc.property(payloads, (values) => {
      const signals = values.map((value, at) => signal(11 + at, JSON.stringify(value)));
      const head = { ...HEAD, to: 10 + Math.max(10, values.length) };
      const frame = unpackFrame(packFrame(head, signals.map(signalText)));
      expect(frame).toEqual({ ok: true, value: { ...head, signals } });
    }),
    { numRuns: 200 },
  );
});

test("the largest frame that a host makes is read: of many bytes a character, and of as many objects as it has room for", () => {
  for (const [part, room] of [
    ["\u20ac", 21_000],
    ["{},", 21_000],
    ["[[[]]],", 9_000],
  ] as const) {
    const payload = part === "\u20ac" ? `"${part.repeat(room)}"` : `[${part.repeat(room)}1]`;
    const size = signalText(signal(11, payload)).length;
    const signals = Array.from({ length: Math.floor(MAX_FRAME_BYTES / size) }, (_, at) => signal(11 + at, payload));
    const frame = unpackFrame(packFrame({ ...HEAD, to: 500 }, signals.map(signalText)));
    expect(frame.ok && frame.value.signals.length).toBe(signals.length);
  }
});

test("what is no frame is refused in words", () => {
  const whole = { v: 1, ...HEAD, signals: [] as unknown[] };
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [Buffer.from("garbage"), "no compressed JSON"],
    [new Uint8Array(0), "no compressed JSON"],
    [Bun.zstdCompressSync(Buffer.alloc(50_000_000)), "at most 1 MiB"],
    [Bun.zstdCompressSync("[".repeat(3_000_000)), "no compressed JSON"],
    [packed({ ...whole, pad: Array.from({ length: 300_000 }, () => ({})) }), "objects and lists"],
    [packed({ ...whole, pad: Array.from({ length: 300_000 }, () => []) }), "objects and lists"],
    [packed(null), "no compressed JSON"],
    [packed({ ...whole, v: 2 }), "its version is 2"],
    [packed({ ...whole, v: "V".repeat(900_000) }), "its version is no number, and"],
    [packed({ ...whole, epoch: "a".repeat(65) }), "its ids are no range"],
    [packed({ ...whole, from: 21 }), "its ids are no range"],
    [packed({ ...whole, to: 1.5 }), "its ids are no range"],
    [packed({ ...whole, epoch: 7 }), "its ids are no range"],
    [packed({ ...whole, lost: 11 }), "more lost ids than it has"],
    [packed({ ...whole, signals: {} }), "no list"],
    [
      packed({ ...whole, to: 1_000, signals: Array.from({ length: 501 }, (_, at) => [11 + at, "a", 1, TRACE, 1]) }),
      "at most 500",
    ],
    [packed({ ...whole, signals: [[10, "a", 1, TRACE, 1]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[21, "a", 1, TRACE, 1]] }), "signal 1 of 1"],
    [
      packed({
        ...whole,
        signals: [
          [12, "a", 1, TRACE, 1],
          [12, "a", 1, TRACE, 1],
        ],
      }),
      "signal 2 of 2",
    ],
    [packed({ ...whole, signals: [[12, "../etc", 1, TRACE, 1]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[12, "a", -1, TRACE, 1]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[12, "a", 1, "x", 1]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[12, "a", 1, TRACE, null]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[12, "a", 1, TRACE, "x".repeat(70_000)]] }), "signal 1 of 1"],
    [packed({ ...whole, signals: [[12, "a", 1, TRACE]] }), "signal 1 of 1"],
    [
      packed({ ...whole, signals: Array.from({ length: 5 }, (_, at) => [11 + at, "a", 1, TRACE, "x".repeat(60_000)]) }),
      "larger than 256 KiB",
    ],
    [written(`${"[".repeat(65)}${"]".repeat(65)}`), "signal 1 of 1"],
    [written(`${"[".repeat(60_000)}${"]".repeat(60_000)}`), "signal 1 of 1"],
    [written('{"a":{"__proto__":{"b":1}}}'), "signal 1 of 1"],
  ];
  for (const [body, said] of cases) expect(refusal(body)).toContain(said);
});
