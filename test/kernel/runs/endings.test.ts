/** Runs that ended badly, as whoever watches nerve reads them; and how the channels are. */
import { describe, expect, test } from "bun:test";
import { COMPLETED, failedWith, RunsBench } from "../../helpers/runs-bench.ts";

const FAILED = failedWith("Error: no");
const TRACE = "a".repeat(32);

/** A signal as `sense` would have emitted it. */
const signal = (bench: RunsBench, sense: string, cause: number | null = null): number =>
  bench.store.commit(() => bench.store.signals.append({ sense, at: 1, payload: "1", cause, trace: TRACE }));

async function failsFor(bench: RunsBench, cause: number): Promise<number> {
  const id = (await bench.decide(cause)) ?? 0;
  await bench.begins(id);
  await bench.says(id, FAILED);
  return id;
}

/** A worker is up. */
async function opened(bench = new RunsBench()): Promise<RunsBench> {
  await bench.ask();
  await bench.ready();
  await bench.begins(1);
  await bench.says(1, COMPLETED);
  return bench;
}

/** Everything above `after`, answer by answer. */
function readAll({ workflows: { endings } }: RunsBench, after: number | null) {
  const answers = [endings.after(after)];
  for (let last = answers[0]; last !== undefined && last.up_to < last.newest; last = answers.at(-1)) {
    answers.push(endings.after(last.up_to));
  }
  return { answers: answers.length, runs: answers.flatMap(({ runs }) => runs), upTo: answers.at(-1)?.up_to ?? 0 };
}

describe("runs that ended badly", () => {
  test("are read once each behind a cursor, with the log of their ending", async () => {
    using bench = await opened();
    const first = await failsFor(bench, signal(bench, "disks"));
    const seen = readAll(bench, null);
    expect(seen.runs).toEqual([
      {
        id: bench.row(first).last_log_id,
        run: first,
        workflow: "flow",
        state: "failed",
        error: "Error: no",
        at: bench.row(first).ended_at ?? 0,
        own: false,
      },
    ]);
    expect(readAll(bench, seen.upTo).runs).toEqual([]);
    const second = await failsFor(bench, signal(bench, "disks"));
    expect(readAll(bench, seen.upTo).runs.map(({ run }) => run)).toEqual([second]);
  });

  test("without a cursor are those of this kernel", async () => {
    using bench = await opened();
    await failsFor(bench, signal(bench, "disks"));
    await bench.stop();
    const next = bench.kernel();
    expect(next.endings.after(null).runs).toEqual([]);
    expect(next.endings.after(0).runs).toHaveLength(1);
    expect(next.endings.newest).toHaveLength(1);
  });

  test("are own where a signal of the sense nerve led to them, and own ones count for nobody who waits", async () => {
    using bench = await opened();
    const watcher = signal(bench, "nerve");
    const rollup = signal(bench, "rollup", watcher);
    const disks = signal(bench, "disks");
    for (const cause of [watcher, rollup, disks]) await failsFor(bench, cause);
    expect(readAll(bench, null).runs.map(({ own }) => own)).toEqual([true, true, false]);
    expect(bench.workflows.endings.count).toBe(1);
  });

  test("are found in a log that is longer than one answer", async () => {
    using bench = await opened();
    const from = bench.store.logs.lastId();
    bench.store.commit(() => {
      const noise = {
        at: 1,
        level: "info",
        source: "kernel",
        event: "log",
        run: null,
        trace: null,
        message: "",
        data: null,
      } as const;
      for (let n = 0; n < 12_000; n++) bench.store.logs.append(noise);
    });
    const id = await failsFor(bench, signal(bench, "disks"));
    const { answers, runs } = readAll(bench, from);
    expect([answers, runs.map(({ run }) => run)]).toEqual([3, [id]]);
  });

  test("behind what went to the archive are not looked for, and that is said; a log that began anew is read from its beginning", async () => {
    using bench = await opened();
    const first = await failsFor(bench, signal(bench, "disks"));
    const upTo = bench.row(first).last_log_id;
    bench.store.commit(() => bench.store.meta.set("archived_up_to", String(upTo)));
    expect(bench.workflows.endings.after(upTo - 2)).toMatchObject({ runs: [], archived: 2 });
    bench.store.commit(() => bench.store.meta.set("archived_up_to", "0"));
    expect(bench.workflows.endings.after(upTo + 1_000)).toMatchObject({ runs: [{ run: first }], archived: 0 });
  });
});

describe("channels", () => {
  const PHONE = { kind: "ntfy", name: "phone", url: "https://ntfy.example/secret", token: null } as const;

  /** As the runs' bench, with a channel. */
  class ChannelBench extends RunsBench {
    override configOf(flow: Parameters<RunsBench["configOf"]>[0]) {
      return { ...super.configOf(flow), channels: new Map([["phone", PHONE]]) };
    }
  }

  const answered = (bench: RunsBench, run: number, error: string | null) =>
    bench.says(run, { type: "notified", channel: "phone", error });

  test("fail with a try, and are well with the next message that they take: each is said once", async () => {
    using bench = await opened(new ChannelBench());
    const id = (await bench.decide(signal(bench, "disks"))) ?? 0;
    await bench.begins(id);
    const [unused] = bench.workflows.channels.all;
    expect(unused).toEqual({
      name: "phone",
      state: "ok",
      reason: null,
      last_told: null,
      last_failed: null,
      own: false,
    });
    for (const error of ["channel `phone`: it answered 500", "channel `phone`: no answer within 10 s"]) {
      await answered(bench, id, error);
    }
    expect(bench.workflows.channels.all).toMatchObject([
      { state: "failing", reason: "channel `phone`: no answer within 10 s", last_told: null, own: false },
    ]);
    await answered(bench, id, null);
    await answered(bench, id, null);
    expect(bench.workflows.channels.all).toMatchObject([{ state: "ok", reason: null }]);
    expect(bench.said("channel.failing")).toEqual(["channel `phone` fails: it answered 500"]);
    expect(bench.said("channel.recovered")).toEqual(["channel `phone` takes messages again"]);
  });

  test("that fail are known to the next kernel; one that is no longer configured is forgotten", async () => {
    using bench = await opened(new ChannelBench());
    const id = (await bench.decide(signal(bench, "disks"))) ?? 0;
    await bench.begins(id);
    await answered(bench, id, "channel `phone`: it answered 500");
    const before = bench.workflows.channels.all;
    await bench.stop();
    expect(bench.kernel().channels.all).toEqual(before);
    bench.workflows.channels.keep(new Set());
    expect(bench.workflows.channels.all).toEqual([]);
  });

  test("are not taken for failing by others where only reports of the sense nerve failed", async () => {
    using bench = await opened(new ChannelBench());
    const own = (await bench.decide(signal(bench, "nerve"))) ?? 0;
    await bench.begins(own);
    await answered(bench, own, "channel `phone`: it answered 500");
    expect(bench.workflows.channels.all).toMatchObject([{ state: "failing", own: true }]);
    await bench.says(own, FAILED);
    const other = (await bench.decide(signal(bench, "disks"))) ?? 0;
    await bench.begins(other);
    await answered(bench, other, "channel `phone`: it answered 500");
    expect(bench.workflows.channels.all).toMatchObject([{ state: "failing", own: false }]);
    expect(bench.said("channel.failing")).toHaveLength(1);
  });
});
