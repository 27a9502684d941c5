/** Heap, trace ids, clock, row limiter: things with state, against models and a clock of the test's own. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SYSTEM_CHANCE } from "../../src/base/chance.ts";
import { type Clock, elapsedSince, inThisBoot, momentOf, systemClock } from "../../src/base/clock.ts";
import { Fifo } from "../../src/base/fifo.ts";
import { Heap } from "../../src/base/heap.ts";
import { clipLine, OUTPUT_LINE_LENGTH, rowLimiter } from "../../src/base/row-limiter.ts";
import { TRACE_PATTERN, traceIds, traceTime } from "../../src/base/trace-id.ts";

import { HandClock } from "../helpers/hand-clock.ts";
import { until } from "../helpers/until.ts";

describe("a heap", () => {
  test("answers like a sorted list to any sequence of put and take", () => {
    const steps = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer(), fc.constant("pop" as const)), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(steps, (operations) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const operation of operations) {
          if (operation === "pop") {
            expect(heap.pop()).toBe(model.shift() ?? null);
          } else {
            heap.push(operation);
            model.push(operation);
            model.sort((a, b) => a - b);
          }
          expect(heap.size).toBe(model.length);
          expect(heap.peek()).toBe(model[0] ?? null);
        }
        while (model.length > 0) expect(heap.pop()).toBe(model.shift() as number);
        expect(heap.pop()).toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  test("is empty when cleared", () => {
    const heap = new Heap<number>((a, b) => a < b);
    heap.push(1);
    heap.clear();
    expect([heap.size, heap.peek(), heap.pop()]).toEqual([0, null, null]);
  });
});

describe("a line of those who wait", () => {
  test("answers like an array to any sequence of add, delete and shift", () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("add", "delete", "shift"), fc.nat(20)), { maxLength: 500 });
    fc.assert(
      fc.property(steps, (operations) => {
        const line = new Fifo<number>();
        const model: number[] = [];
        for (const [operation, item] of operations) {
          const at = model.indexOf(item);
          if (operation === "shift") expect(line.shift()).toBe(model.shift() ?? null);
          else if (operation === "delete") {
            expect(line.delete(item)).toBe(at >= 0);
            if (at >= 0) model.splice(at, 1);
          } else {
            line.add(item);
            if (at < 0) model.push(item);
          }
          expect(line.size).toBe(model.length);
        }
        while (model.length > 0) expect(line.shift()).toBe(model.shift() as number);
        expect(line.shift()).toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});

describe("trace ids", () => {
  test("100,000 are all different, 32 hex digits, and carry their time", () => {
    const next = traceIds(SYSTEM_CHANCE);
    const seen = new Set<string>();
    for (let index = 0; index < 100_000; index++) seen.add(next(1_700_000_000_000 + (index >> 8)));
    expect(seen.size).toBe(100_000);
    for (const id of seen) if (!TRACE_PATTERN.test(id)) throw new Error(id);
    expect(traceTime(next(1_234_567_890_123))).toBe(1_234_567_890_123);
  });

  test("sort by the time of their birth, whatever order they are made in", () => {
    const next = traceIds(SYSTEM_CHANCE);
    fc.assert(
      fc.property(fc.nat(2 ** 47), fc.nat(2 ** 47), (a, b) => {
        const [first, second] = [next(a), next(b)];
        return a === b || a < b === first < second;
      }),
    );
  });
});

describe("elapsed time", () => {
  test("counts suspend and ignores the wall clock within a boot", () => {
    const clock = new HandClock();
    const then = momentOf(clock);
    clock.pass(1_000);
    clock.suspend(60_000);
    clock.step(-86_400_000);
    expect(elapsedSince(then, clock)).toBe(61_000);
  });

  test("goes by the wall clock across boots, and is never negative", () => {
    const clock = new HandClock();
    const then = JSON.parse(JSON.stringify(momentOf(clock)));
    clock.reboot(30_000);
    expect(elapsedSince(then, clock)).toBe(30_000);
    clock.step(-86_400_000);
    expect(elapsedSince(then, clock)).toBe(0);
  });

  test("of an earlier boot becomes one of this boot, as old as the wall clock says and never of a time to come", () => {
    const clock = new HandClock();
    const then = momentOf(clock);
    expect(inThisBoot(then, clock)).toBe(then);
    clock.reboot(30_000);
    const moved = inThisBoot(then, clock);
    clock.step(-86_400_000);
    clock.pass(5_000);
    expect(elapsedSince(moved, clock)).toBe(35_000);
    clock.reboot(1_000);
    const late = inThisBoot({ ...then, wallMs: clock.wallMs() + 1 }, clock);
    clock.pass(7_000);
    expect(elapsedSince(late, clock)).toBe(7_000);
  });

  test("the system's clocks agree about a moment", async () => {
    const clock: Clock = systemClock();
    /** All three at one moment: nothing held this process up between the first and the last. */
    const atOnce = (): [bootMs: number, monotonicMs: number, wallMs: number] => {
      for (;;) {
        const before = clock.monotonicMs();
        const read = [clock.bootMs(), clock.monotonicMs(), clock.wallMs()] as const;
        if (clock.monotonicMs() - before < 1) return [...read];
      }
    };
    const started = atOnce();
    await until("some time has passed", () => clock.monotonicMs() - started[1] > 30);
    const passed = atOnce().map((now, index) => now - (started[index] as number));
    for (const ms of passed) expect(ms).toBeGreaterThan(25);
    expect(Math.max(...passed) - Math.min(...passed)).toBeLessThan(Math.max(...passed) / 2);
    expect(clock.bootId).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a row limiter", () => {
  const collect = (perSecond: number, credit: number) => {
    const rows: string[] = [];
    const limiter = rowLimiter<string>({
      perSecond,
      credit,
      post: (row) => rows.push(row),
      dropped: (count) => `-${count}`,
    });
    return { rows, limiter };
  };

  test("lets so many through and counts the rest in one row", () => {
    const { rows, limiter } = collect(10, Number.POSITIVE_INFINITY);
    for (let index = 0; index < 1_000; index++) limiter.offer("x");
    limiter.finish();
    const kept = rows.filter((row) => row === "x").length;
    // Two seconds' worth where the loop met the turn of one.
    expect([10, 20]).toContain(kept);
    expect(rows.at(-1)).toBe(`-${1_000 - kept}`);
    expect(rows).toHaveLength(kept + 1);
  });

  test("reports what was dropped within a second, by itself", async () => {
    const { rows, limiter } = collect(1, 1);
    limiter.offer("a");
    limiter.offer("b");
    limiter.offer("c");
    await until("both rows are made", () => rows.length === 2);
    expect(rows).toEqual(["a", "-2"]);
    limiter.finish();
    expect(rows).toHaveLength(2);
  });

  test("waits for the reader's credit, which never grows past what was given", async () => {
    const { rows, limiter } = collect(1_000_000, 2);
    limiter.credit(100);
    for (let index = 0; index < 4; index++) limiter.offer(`${index}`);
    limiter.credit(1);
    limiter.offer("4");
    limiter.offer("5");
    limiter.finish();
    expect(rows).toEqual(["0", "1", "4", "-3"]);
  });

  test("rows that were never made are counted only while this second's are used up", () => {
    const { rows, limiter } = collect(1_000_000, 1);
    expect(limiter.skip(5)).toBe(false);
    limiter.offer("a");
    expect(limiter.skip(5)).toBe(true);
    limiter.finish();
    expect(rows).toEqual(["a", "-5"]);
  });
});

test("a line is cut to 8 KiB of UTF-8, never inside a character, and says how much is missing", () => {
  for (const character of ["a", "ä", "€", "💥"]) {
    const size = Buffer.byteLength(character);
    const fits = Math.floor(OUTPUT_LINE_LENGTH / size);
    expect(clipLine(character.repeat(fits))).toBe(character.repeat(fits));
    expect(clipLine(character.repeat(fits + 3))).toBe(
      `${character.repeat(fits)}… (${3 * character.length} more characters)`,
    );
  }
});
