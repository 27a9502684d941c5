/** Computes that fail with items: who is tried again, when, and what is dead (G11). */
import { describe, expect, test } from "bun:test";
import { ALL_LOGS } from "../../../src/store/logs.ts";
import { type Fate, given, InboxBench } from "../../helpers/inbox-bench.ts";

const texts = (bodies: readonly unknown[]): string[] => bodies.map((body) => JSON.stringify(body));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, nth) => nth + 1);

/** Fails with any of these bodies. */
const failsWith =
  (bad: readonly number[], how: Fate = "fails") =>
  ({ inbox }: { readonly inbox: readonly { readonly body: string }[] }): Fate =>
    inbox.some(({ body }) => bad.includes(Number(body))) ? how : "takes";

const dead = (bench: InboxBench) =>
  bench.store.logs
    .list({ ...ALL_LOGS, sources: ["sense:a"] })
    .filter(({ event }) => event === "item.dead")
    .map(({ data }) => JSON.parse(data ?? "null").item);

describe("a bad item", () => {
  test.each([["fails"], ["dies"]] as const)(
    "among others is dead, and the others are taken in order (%s)",
    async (how) => {
      using bench = new InboxBench();
      bench.loads();
      await bench.push(given(upTo(6)));
      await bench.serve(failsWith([3], how), 300_000, 1_000);
      expect(bench.signals).toEqual(texts([1, 2, 4, 5, 6]));
      expect(bench.left("waiting")).toEqual([]);
      expect(bench.left("dead")).toEqual(texts([3]));
      expect(dead(bench)).toEqual([3]);
      await bench.push(given([7, 8]));
      await bench.pass(1_000);
      expect(bench.asked?.inbox.length).toBe(2);
    },
  );

  test("beside another one blocks nobody", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(7)));
    await bench.serve(failsWith([1, 3, 4, 5]), 900_000, 1_000);
    expect(bench.signals).toEqual(texts([2, 6, 7]));
    expect(bench.left("dead")).toEqual(texts([1, 3, 4, 5]));
  });

  test("in a row of ten costs seconds: the waits of each begin anew", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(11)));
    const from = bench.clock.bootMs();
    let passed = Number.NaN;
    const fate = failsWith(upTo(10));
    await bench.serve(
      (compute) => {
        const fated = fate(compute);
        if (fated === "takes") passed = bench.clock.bootMs() - from;
        return fated;
      },
      120_000,
      200,
    );
    expect(bench.signals).toEqual(texts([11]));
    expect(bench.left("dead")).toEqual(texts(upTo(10)));
    // Two waits of an item, 1 s and 2 s, and pauses of 1 s, 2 s … 9 s between items, none behind the first.
    expect(passed).toBeGreaterThanOrEqual(75_000);
    expect(passed).toBeLessThan(85_000);
  });

  test("among others holds them up for its own two waits, and no longer", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(6)));
    const alone: number[] = [];
    const fate = failsWith([3]);
    await bench.serve(
      (compute) => {
        if (compute.inbox.length === 1) alone.push(bench.clock.bootMs());
        return fate(compute);
      },
      30_000,
      100,
    );
    const [first = 0] = alone;
    // Items 1 and 2, three tries of 3, item 4, the last try of 3, items 5 and 6.
    const moments = [0, 0, 0, 1, 3, 3, 3, 3, 3];
    expect(alone.map((moment) => Math.floor((moment - first) / 1_000))).toEqual(moments);
    expect(bench.left("dead")).toEqual(texts([3]));
  });

  test("that comes after the long waits of another one begins with 1 s", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1]));
    await bench.serve(() => "fails", 200_000, 1_000);
    await bench.push(given([2]));
    const at: number[] = [];
    await bench.serve(
      ({ inbox }) => {
        if (inbox.length === 1 && inbox[0]?.body === "2") at.push(bench.clock.bootMs());
        return "fails";
      },
      20_000,
      100,
    );
    const waits = at.slice(1, 3).map((moment, nth) => Math.round((moment - (at[nth] ?? 0)) / 1_000));
    expect(waits).toEqual([1, 2]);
  });

  test("that comes last waits, and is dead once a later one passes", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1]));
    await bench.serve(failsWith([1]));
    expect(bench.left("waiting")).toEqual(texts([1]));
    await bench.push(given([2]));
    await bench.serve(failsWith([1]));
    expect(bench.signals).toEqual(texts([2]));
    expect(bench.left("dead")).toEqual(texts([1]));
  });

  test("that comes last is taken where it passes at last", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1]));
    let tries = 0;
    await bench.serve(() => (++tries < 9 ? "fails" : "takes"), 300_000, 1_000);
    expect(bench.signals).toEqual(texts([1]));
  });

  test("leaves others their order, across a restart of the kernel at any time", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(40)));
    for (let round = 0; round < 60; round++) {
      await bench.settle();
      bench.loads();
      await bench.settle();
      const { asked } = bench;
      if (asked !== null) bench.answers(failsWith([5, 17])(asked));
      if (round % 3 === 0) {
        await bench.settle();
        bench.restart();
      } else await bench.pass(2_000);
    }
    await bench.serve(failsWith([5, 17]), 300_000, 1_000);
    expect(bench.signals).toEqual(texts(upTo(40).filter((n) => n !== 5 && n !== 17)));
    expect(bench.left("dead")).toEqual(texts([5, 17]));
  });
});

describe("a bad sense", () => {
  test("kills no items: they wait, and are taken once it is mended", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(5)));
    const until = bench.clock.bootMs() + 3_600_000;
    let computes = 0;
    await bench.serve(
      () => {
        computes++;
        return bench.clock.bootMs() < until ? "fails" : "takes";
      },
      3_700_000,
      5_000,
    );
    expect(bench.signals.toSorted()).toEqual(texts(upTo(5)));
    expect(bench.left("dead")).toEqual([]);
    expect(computes).toBeGreaterThan(50);
    expect(computes).toBeLessThan(200);
  });

  test("is tried again after 1 s, 2 s … 60 s", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1]));
    const at: number[] = [];
    for (let tries = 0; tries < 9; tries++) {
      while (bench.asked === null) await bench.pass(100);
      at.push(bench.clock.bootMs());
      bench.answers("fails");
      await bench.settle();
    }
    const waits = at.slice(1).map((moment, nth) => Math.round((moment - (at[nth] ?? 0)) / 1_000));
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  test("with many items is tried more and more seldom, down to three times a minute", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(200)));
    let computes = 0;
    const fails = (): Fate => {
      computes++;
      return "fails";
    };
    await bench.serve(fails, 3_600_000, 5_000);
    computes = 0;
    await bench.serve(fails, 3_600_000, 5_000);
    expect(computes).toBeGreaterThan(100);
    expect(computes).toBeLessThanOrEqual(180);
    expect(bench.left("dead")).toEqual([]);
  });

  test("computes for its other reasons meanwhile, without the items", async () => {
    using bench = new InboxBench("senses: { a: { inbox: } }\nreflexes: [{ sense: a, interval: 1s }]");
    bench.loads();
    await bench.push(given([1]));
    bench.answers("fails");
    await bench.pass(500);
    await bench.pass(100);
    await bench.settle();
    for (let tries = 0; bench.asked === null && tries < 20; tries++) await bench.pass(50);
    expect(bench.asked).not.toBeNull();
  });
});

describe("a death of the worker", () => {
  test("behind the commit of the sense takes nothing twice", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(3)));
    bench.answers("dies-after");
    await bench.serve(() => "takes");
    expect(bench.signals).toEqual(texts(upTo(3)));
    expect(bench.rows).toEqual(texts(upTo(3)));
    expect(bench.left("waiting")).toEqual([]);
  });

  test("and of the kernel behind it too", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given(upTo(3)));
    bench.answers("dies-after");
    bench.restart();
    await bench.push(given([4]));
    await bench.serve(() => "takes");
    expect(bench.signals).toEqual(texts(upTo(4)));
    expect(bench.rows).toEqual(texts(upTo(4)));
  });

  test("alone three times with one item quarantines the sense, and the next item is tried after that", async () => {
    using bench = new InboxBench();
    bench.loads();
    await bench.push(given([1, 2]));
    await bench.serve(failsWith([1], "dies"), 300_000, 1_000);
    expect(bench.signals).toEqual(texts([2]));
    expect(bench.left("dead")).toEqual(texts([1]));
  });
});
