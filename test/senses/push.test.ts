/** What comes from outside: each item a signal, in order, and what the pings of a job say. */
import { describe, expect, test } from "bun:test";
import type { InboxItem } from "nerve";
import { openSense } from "../helpers/compute.ts";

let ids = 0;
const item = (type: string | null, at: number, body: unknown = {}): InboxItem => ({
  id: ++ids,
  at,
  key: null,
  type,
  body,
});

describe("push", () => {
  test("makes a signal of each item, as it is and in order, and a row of how many came", async () => {
    using sense = openSense("push");
    expect(await sense.compute()).toBeNull();
    const bodies = [{ version: "1.4.2" }, [1, 2], "text", 7, false, null];
    const inbox = bodies.map((body, index) => item(null, index, body));
    expect(await sense.compute({ inbox })).toEqual([{ version: "1.4.2" }, [1, 2], "text", 7, false, {}]);
    expect(sense.client.query("SELECT items FROM samples").values()).toEqual([[6]]);
  });

  test("with `envelope` says when it came, from whom and what it is", async () => {
    using sense = openSense("push", { envelope: true });
    const one = { ...item("deploy.done", 5, null), key: "build-1" };
    expect(await sense.compute({ inbox: [one] })).toEqual([{ at: 5, key: "build-1", type: "deploy.done", body: null }]);
  });
});

describe("a body that leaves no room for the envelope", () => {
  const LIMIT = 64 * 1024;

  test.each([
    ["letters", "x".repeat(LIMIT - 3)],
    ["quotes", '"'.repeat(LIMIT / 2 - 2)],
    ["letters of three bytes", "あ".repeat(LIMIT / 3 - 2)],
    ["letters of two characters", `x${"😀".repeat(LIMIT / 4 - 2)}`],
    ["control characters", "\u0001".repeat(LIMIT / 6 - 2)],
  ])("is cut, and the README says how: %s", async (_, body) => {
    const text = JSON.stringify(body);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMIT);
    using sense = openSense("push", { envelope: true });
    const one = { ...item("t".repeat(255), 5, body), key: "k".repeat(255) };
    const [payload] = await sense.compute({ inbox: [one] });
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThanOrEqual(LIMIT);
    expect(payload).toMatchObject({ at: 5, key: one.key, type: one.type });
    expect(payload.body.bytes).toBe(Buffer.byteLength(text));
    expect(payload.body.cut).toBe(text.slice(0, 16_384).toWellFormed());
  });

  test("is whole up to the last byte", async () => {
    using sense = openSense("push", { envelope: true });
    const rest = JSON.stringify({ at: 5, key: null, type: null, body: "" }).length;
    const fits = item(null, 5, "x".repeat(LIMIT - rest));
    expect(await sense.compute({ inbox: [fits] })).toEqual([{ at: 5, key: null, type: null, body: fits.body }]);
    const over = item(null, 5, `${fits.body}x`);
    expect(await sense.compute({ inbox: [over] })).toMatchObject([{ body: { bytes: LIMIT - rest + 3 } }]);
  });
});

describe("heartbeat", () => {
  const ping = (exit_code: number | null, duration_ms: number | null = null, output: string | null = null) => ({
    exit_code,
    duration_ms,
    output,
  });

  test("a start and an end are two signals; the duration is the job's own, or that between the two", async () => {
    using sense = openSense("heartbeat");
    const inbox = [
      item("start", 1_000),
      item("success", 4_500, ping(0)),
      item("success", 9_000, ping(0, 77, "done\n")),
    ];
    const well = { ok: true, reason: null };
    expect(await sense.compute({ inbox })).toEqual([
      {
        ...well,
        state: "running",
        at: 1_000,
        started_at: 1_000,
        duration_ms: null,
        exit_code: null,
        output: null,
        failures: 0,
        successes: 0,
      },
      {
        ...well,
        state: "success",
        at: 4_500,
        started_at: 1_000,
        duration_ms: 3_500,
        exit_code: 0,
        output: null,
        failures: 0,
        successes: 1,
      },
      {
        ...well,
        state: "success",
        at: 9_000,
        started_at: null,
        duration_ms: 77,
        exit_code: 0,
        output: "done\n",
        failures: 0,
        successes: 2,
      },
    ]);
    expect(await sense.compute()).toBeNull();
    expect(sense.client.query("SELECT state, exit_code, duration_ms FROM samples ORDER BY id").values()).toEqual([
      ["running", null, null],
      ["success", 0, 3_500],
      ["success", 0, 77],
    ]);
  });

  test("failures count in a row, and a start does not end them", async () => {
    using sense = openSense("heartbeat");
    const [first, second] = await sense.compute({ inbox: [item("fail", 1, ping(137)), item("fail", 2, ping(null))] });
    expect(first).toMatchObject({ state: "fail", ok: false, reason: "the job ended with exit code 137", failures: 1 });
    expect(second).toMatchObject({ reason: "the job reported that it failed", failures: 2, successes: 0 });
    expect(await sense.compute({ inbox: [item("start", 3)] })).toMatchObject([
      { state: "running", ok: false, failures: 2 },
    ]);
    expect(await sense.compute({ inbox: [item("success", 4, ping(0))] })).toMatchObject([
      { ok: true, failures: 0, successes: 1, duration_ms: 1 },
    ]);
  });

  test("an end that does not come is said once for each start", async () => {
    using sense = openSense("heartbeat", { max_duration: "1h" });
    const hours = (count: number): number => Date.now() - count * 3_600_000;
    await sense.compute({ inbox: [item("start", hours(0.5))] });
    expect(await sense.compute()).toBeNull();
    const [, late] = await sense.compute({ inbox: [item("start", hours(3))] });
    expect(late).toMatchObject({
      state: "late",
      ok: false,
      reason: "the job began 3 h ago and has not ended",
      failures: 1,
      started_at: expect.any(Number),
    });
    expect(await sense.compute()).toBeNull();
    expect(await sense.compute({ inbox: [item("success", Date.now(), ping(0))] })).toMatchObject([
      { state: "success", failures: 0, successes: 1 },
    ]);
    expect(await sense.compute()).toBeNull();
  });

  test("an end that does not come within seconds is said in seconds", async () => {
    using sense = openSense("heartbeat", { max_duration: "10s" });
    const [, late] = await sense.compute({ inbox: [item("start", Date.now() - 34_000)] });
    expect(late.reason).toMatch(/^the job began [1-9]\d+ s ago and has not ended$/);
  });

  test("runs that overlap have their own starts by their keys, as a ping's `rid` says", async () => {
    using sense = openSense("heartbeat");
    const keyed = (type: string, at: number, key: string | null, body: unknown = null) => ({
      ...item(type, at, body),
      key,
    });
    await sense.compute({ inbox: [keyed("start", 1_000, "one"), keyed("start", 4_000, "two")] });
    // The newest start is that of the other run, so the job still runs.
    expect(await sense.compute({ inbox: [keyed("success", 5_000, "one", ping(0))] })).toMatchObject([
      { state: "success", started_at: 1_000, duration_ms: 4_000 },
    ]);
    expect(sense.client.query("SELECT started_at, key FROM job").values()).toEqual([[4_000, "two"]]);
    expect(await sense.compute({ inbox: [keyed("fail", 9_000, "two", ping(1))] })).toMatchObject([
      { state: "fail", started_at: 4_000, duration_ms: 5_000 },
    ]);
    // An end without a key, or with the key of no start, belongs to the newest start.
    const ends = [keyed("start", 10_000, "three"), keyed("success", 11_000, "none"), keyed("success", 12_000, "three")];
    expect(await sense.compute({ inbox: ends })).toMatchObject([
      { state: "running" },
      { started_at: 10_000, duration_ms: 1_000 },
      { started_at: null, duration_ms: null },
    ]);
    const many = Array.from({ length: 30 }, (_, index) => keyed("start", index, `run ${index}`));
    await sense.compute({ inbox: many });
    expect(sense.client.query("SELECT json_array_length(starts) FROM job").values()).toEqual([[20]]);
  });

  test("a log is written down and says nothing; what is pushed counts by its exit code, whatever else is in it", async () => {
    using sense = openSense("heartbeat");
    expect(await sense.compute({ inbox: [item("log", 1, ping(null, null, "half way"))] })).toBeNull();
    expect(sense.logs).toEqual(["info: the job says"]);
    const odd = [null, 7, "x", { exit_code: "1", output: 5, duration_ms: -1 }, { exit_code: 1 }];
    const said = await sense.compute({ inbox: odd.map((body) => item(null, 2, body)) });
    expect(said.map(({ state }: { state: string }) => state)).toEqual([
      "success",
      "success",
      "success",
      "success",
      "fail",
    ]);
    expect(said[3]).toMatchObject({ exit_code: null, output: null, duration_ms: null });
  });
});
