/** memory, load, disk-usage, pressure: a reading, said and kept. */
import { describe, expect, test } from "bun:test";
import { existsSync, statfsSync } from "node:fs";
import { totalmem } from "node:os";
import { fullness } from "nerve/fullness";
import { countCores, parseLoad } from "../../senses/load/loadavg.ts";
import { parseMeminfo } from "../../senses/memory/meminfo.ts";
import { parsePressure } from "../../senses/pressure/psi.ts";
import { openSense } from "../helpers/compute.ts";

const kept = (sense: ReturnType<typeof openSense>) => sense.client.query("SELECT * FROM samples").all();

describe("memory", () => {
  const MEMINFO = `MemTotal:        1000 kB
MemFree:          100 kB
MemAvailable:     250 kB
Buffers:           10 kB
Cached:           120 kB
Active(anon):       1 kB
SwapTotal:        400 kB
SwapFree:         300 kB
Dirty:              4 kB
SReclaimable:      30 kB
HugePages_Total:    0
`;

  test("/proc/meminfo in bytes", () => {
    expect(parseMeminfo(MEMINFO)).toEqual({
      total_bytes: 1_024_000,
      available_bytes: 256_000,
      used_bytes: 768_000,
      used_percent: 75,
      free_bytes: 102_400,
      cached_bytes: 163_840,
      dirty_bytes: 4096,
      swap_total_bytes: 409_600,
      swap_used_bytes: 102_400,
      swap_used_percent: 25,
    });
  });

  test("without swap, swap has no percentage", () => {
    const text = MEMINFO.replace(/Swap(\w+): +\d+/g, "Swap$1: 0");
    expect(parseMeminfo(text)).toMatchObject({ swap_total_bytes: 0, swap_used_bytes: 0, swap_used_percent: null });
  });

  test("what the kernel does not report is null, none of swap, and only the total is needed", () => {
    expect(parseMeminfo("MemTotal: 5 kB\n")).toEqual({
      total_bytes: 5120,
      available_bytes: 0,
      used_bytes: 5120,
      used_percent: 100,
      free_bytes: null,
      cached_bytes: null,
      dirty_bytes: null,
      swap_total_bytes: 0,
      swap_used_bytes: 0,
      swap_used_percent: null,
    });
    expect(() => parseMeminfo("MemFree: 5 kB\n")).toThrow("/proc/meminfo does not report MemTotal");
  });

  test("without the kernel's estimate, what is free or cached is available", () => {
    const text = MEMINFO.replace(/MemAvailable.*\n/, "");
    expect(parseMeminfo(text)).toMatchObject({ available_bytes: 260 * 1024, used_percent: 74 });
  });

  test.each([
    ["less than none free, of none", 0, "18446744073709346016", 0, null],
    ["more free than there is", 1_048_576, "1048836", 0, 0],
    ["all in use", 1024, "0", 1_048_576, 100],
  ])("swap as a container shows it: %s", (_, total, free, used, percent) => {
    const text = MEMINFO.replace("400 kB", `${total} kB`).replace("300 kB", `${free} kB`);
    expect(parseMeminfo(text)).toMatchObject({ swap_used_bytes: used, swap_used_percent: percent });
  });

  test("the payload of any such file can be kept", async () => {
    using sense = openSense("memory");
    const { total_bytes, available_bytes, used_percent, swap_used_bytes } = parseMeminfo(
      MEMINFO.replace("300 kB", "18446744073709346016 kB"),
    );
    sense.client
      .query(
        "INSERT INTO samples (at, total_bytes, available_bytes, used_percent, swap_used_bytes) VALUES (1, ?, ?, ?, ?)",
      )
      .run(total_bytes, available_bytes, used_percent, swap_used_bytes);
    expect(kept(sense)).toHaveLength(1);
  });

  test("of this host", async () => {
    using sense = openSense("memory");
    const payload = await sense.compute({ now: 7 });
    expect(payload.total_bytes).toBe(totalmem());
    expect(kept(sense)).toMatchObject([{ at: 7, total_bytes: totalmem(), used_percent: payload.used_percent }]);
  });
});

describe("load", () => {
  test("/proc/loadavg, and per core", () => {
    expect(parseLoad("6.00 3.00 1.50 2/842 12345\n", 4)).toEqual({
      load1: 6,
      load5: 3,
      load15: 1.5,
      load1_per_core: 1.5,
      load5_per_core: 0.75,
      load15_per_core: 0.38,
      cores: 4,
      runnable_threads: 2,
      threads: 842,
    });
    expect(() => parseLoad("\n", 4)).toThrow("does not read as it should");
  });

  test.each([
    ["0\n", 1],
    ["0-7\n", 8],
    ["0-3,8,10-11\n", 7],
    ["", null],
    ["none\n", null],
  ])("cores in %j: %p", (online, cores) => {
    expect(countCores(online)).toBe(cores);
  });

  test("of this host", async () => {
    using sense = openSense("load");
    const { load1, cores } = await sense.compute({ now: 7 });
    expect(cores).toBeGreaterThan(0);
    expect(kept(sense)).toMatchObject([{ at: 7, load1, cores }]);
  });
});

describe("disk-usage", () => {
  test("is what df says: used of what users can have, in the unit of the counts", () => {
    const blocks = { bsize: 1_048_576, frsize: 4096, blocks: 1000, bfree: 400, bavail: 200, files: 100, ffree: 25 };
    expect(fullness(blocks)).toEqual({
      total_bytes: 4_096_000,
      used_bytes: 2_457_600,
      available_bytes: 819_200,
      used_percent: 75,
      inodes_total: 100,
      inodes_used: 75,
      inodes_used_percent: 75,
    });
  });

  test("a file system without size or inodes has no percentages", () => {
    const none = { bsize: 4096, blocks: 0, bfree: 0, bavail: 0, files: 0, ffree: 0 };
    expect(fullness(none)).toMatchObject({ used_percent: null, inodes_used_percent: null });
  });

  test("counts below zero, beyond the total and beyond what an integer holds are kept within bounds", () => {
    const blocks = { bsize: 4096, blocks: 1000, bfree: 1200, bavail: 2 ** 64 - 50, files: 0, ffree: 999 };
    expect(fullness(blocks)).toEqual({
      total_bytes: 4_096_000,
      used_bytes: 0,
      available_bytes: 0,
      used_percent: null,
      inodes_total: 0,
      inodes_used: 0,
      inodes_used_percent: null,
    });
    const endless = { bsize: 4096, blocks: 2 ** 62, bfree: 2 ** 62, bavail: 2 ** 62, files: 2 ** 63, ffree: 2 ** 63 };
    expect(fullness(endless)).toMatchObject({ total_bytes: Number.MAX_SAFE_INTEGER, used_bytes: 0, used_percent: 0 });
  });

  test("of this host", async () => {
    using sense = openSense("disk-usage", { path: "/tmp" });
    const payload = await sense.compute({ now: 7 });
    const { blocks, bsize } = statfsSync("/tmp");
    expect(payload).toMatchObject({ path: "/tmp", total_bytes: blocks * bsize });
    expect(kept(sense)).toMatchObject([{ at: 7, path: "/tmp", used_percent: payload.used_percent }]);
  });

  test("of /proc, which has no size", async () => {
    using sense = openSense("disk-usage", { path: "/proc" });
    expect(await sense.compute()).toMatchObject({ total_bytes: 0, used_percent: null });
  });

  test("a path that is not there is named", async () => {
    using sense = openSense("disk-usage", { path: "/no/such/path" });
    expect(async () => await sense.compute()).toThrow("/no/such/path");
  });
});

describe("pressure", () => {
  const CPU = "some avg10=1.42 avg60=0.83 avg300=0.30 total=5784093\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=0\n";

  test("/proc/pressure/cpu", () => {
    expect(parsePressure("cpu", CPU)).toEqual({
      cpu_some_avg10_percent: 1.42,
      cpu_some_avg60_percent: 0.83,
      cpu_some_avg300_percent: 0.3,
      cpu_full_avg10_percent: 0.5,
      cpu_full_avg60_percent: 0,
      cpu_full_avg300_percent: 0,
    });
  });

  test("a kernel that says no `full` for cpu", () => {
    expect(parsePressure("cpu", CPU.split("\n")[0] ?? "")).toMatchObject({
      cpu_some_avg60_percent: 0.83,
      cpu_full_avg60_percent: null,
    });
  });

  test("a resource the kernel has no file for, and a number that is none, are null", () => {
    expect(Object.values(parsePressure("io", null))).toEqual([null, null, null, null, null, null]);
    expect(parsePressure("io", "some avg10=1.2.3 avg60=4 avg300=\n")).toMatchObject({
      io_some_avg10_percent: null,
      io_some_avg60_percent: 4,
      io_some_avg300_percent: null,
    });
  });

  test.if(existsSync("/proc/pressure/cpu"))("of this host", async () => {
    using sense = openSense("pressure");
    const payload = await sense.compute({ now: 7 });
    expect(Object.keys(payload)).toHaveLength(18);
    expect(kept(sense)).toMatchObject([{ at: 7, io_some_avg60_percent: payload.io_some_avg60_percent }]);
  });
});
