/** disk-io and network-io: counters, and the rates between two readings of them. */
import { describe, expect, test } from "bun:test";
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { isChosen } from "nerve/glob";
import * as disk from "../../senses/disk-io/diskstats.ts";
import * as net from "../../senses/network-io/net-dev.ts";
import { openSense, validate } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

const DISKSTATS = `   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 33570 9515 2963722 14386 4106 11741 1298368 2593 1 8760 17295 4342 48 155128 295 422 19
 254       1 vda1 1 0 8 0 0 0 0 0 0 0 0
 259       0 nvme0n1 5 0 40 1 2 0 16 3 0 4 4
 259       1 nvme0n1p1 5 0 40 1 2 0 16 3 0 4 4
`;

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    3193      29    0    0    0     0          0         0     3193      29    0    0    0     0       0          0
  eth0:271796213    5685    1    2    0     0          0         0   226574    2297    3    4    0     0       0          0
eth0:1:       1       1    0    0    0     0          0         0        1       1    0    0    0     0       0          0
`;

/** Computes until there are rates: two readings must be 50 ms apart. */
async function rated(sense: ReturnType<typeof openSense>) {
  // biome-ignore lint/suspicious/noExplicitAny: a payload
  let payload: any = null;
  await until("there is a payload", async () => {
    payload = await sense.compute();
    return payload !== null;
  });
  return payload;
}

describe("disk-io", () => {
  const all = disk.parseDiskstats(DISKSTATS);
  const vda = all.vda as disk.Disk;

  test("/proc/diskstats", () => {
    expect(Object.keys(all)).toEqual(["loop0", "vda", "vda1", "nvme0n1", "nvme0n1p1"]);
    expect(vda).toEqual({
      reads: 33570,
      sectors_read: 2963722,
      read_ms: 14386,
      writes: 4106,
      sectors_written: 1298368,
      write_ms: 2593,
      in_flight: 1,
      busy_ms: 8760,
      weighted_ms: 17295,
    });
  });

  test.each([
    ["sda", false],
    ["sda1", true],
    ["sda12", true],
    ["sdaa", false],
    ["sdaa1", true],
    ["nvme0n1", false],
    ["nvme0n1p2", true],
    ["mmcblk0", false],
    ["mmcblk0p1", true],
    ["mmcblk0boot0", false],
    ["md1", false],
    ["md12", false],
    ["loop1", false],
    ["loop10", false],
    ["xvda1", false], // a disk of its own, on hosts without an xvda
  ])("%s is a partition: %p", (name, expected) => {
    const names = ["sda", "sdaa", "nvme0n1", "nvme0n2", "mmcblk0", "md1", "md12", "loop1", "loop10", name];
    expect(disk.isPartition(name, Object.fromEntries(names.map((each) => [each, vda])))).toBe(expected);
  });

  const later: disk.Disk = {
    reads: vda.reads + 10,
    sectors_read: vda.sectors_read + 80,
    read_ms: vda.read_ms + 25,
    writes: vda.writes,
    sectors_written: vda.sectors_written,
    write_ms: vda.write_ms,
    in_flight: 3,
    busy_ms: vda.busy_ms + 500,
    weighted_ms: vda.weighted_ms + 4000,
  };

  test("rates over two seconds", () => {
    expect(disk.rates({ vda }, { vda: later }, 2).devices).toEqual({
      vda: {
        read_bytes_per_second: 20_480,
        write_bytes_per_second: 0,
        reads_per_second: 5,
        writes_per_second: 0,
        read_latency_ms: 2.5,
        write_latency_ms: null,
        busy_percent: 25,
        queue_length: 2,
        in_flight: 3,
      },
    });
  });

  test("a disk that came or went has no rate this time, and one that began anew is counted as such", () => {
    const anew = { ...later, reads: 1 };
    const { devices, reset } = disk.rates({ vda, gone: vda, anew: vda }, { vda: later, came: vda, anew }, 2);
    expect(Object.keys(devices)).toEqual(["vda"]);
    expect(disk.summary({ devices, reset }, 2)).toMatchObject({ devices_reset: 1, devices_omitted: 0 });
  });

  test("a counter of 32 bits that passed its end goes on from 0", () => {
    const before = { ...vda, sectors_read: 2 ** 32 - 40 };
    const after = { ...later, sectors_read: 40 };
    expect(disk.rates({ vda: before }, { vda: after }, 1).devices.vda?.read_bytes_per_second).toBe(80 * 512);
  });

  test("a time that steps back a little is no time spent", () => {
    const after = { ...later, busy_ms: vda.busy_ms - 3, weighted_ms: vda.weighted_ms - 5, read_ms: vda.read_ms - 1 };
    expect(disk.rates({ vda }, { vda: after }, 1).devices.vda).toMatchObject({
      busy_percent: 0,
      queue_length: 0,
      read_latency_ms: 0,
    });
  });

  test("names that every object inherits are names like others", () => {
    const names = ["constructor", "valueOf", "__proto__"];
    const text = names.map((name) => ` 8 0 ${name} 9 0 80 1 0 0 0 0 4294967295 1 1`).join("\n");
    const after = disk.parseDiskstats(text);
    expect(Object.keys(after)).toEqual(names);
    expect(disk.isPartition("constructor1", {})).toBe(false);
    expect(disk.rates({}, after, 1)).toEqual({ devices: {}, reset: 0 });
    const before = disk.parseDiskstats(text.replaceAll(" 9 0 80 ", " 1 0 0 "));
    const payload = disk.summary(disk.rates(before, after, 1), 1);
    expect(Object.keys(payload.devices)).toEqual(["constructor", "valueOf"]);
    expect(payload).toMatchObject({ reads_per_second: 24, devices_omitted: 1 });
    expect(payload.devices.valueOf).toMatchObject({ in_flight: 0 });
  });

  test("a line of an old kernel, or one that is no line, is passed over", () => {
    expect(disk.parseDiskstats("   8 1 sda1 1 2 3 4\n   8 0 sda 1 2 x 4 5 6 7 8 9 10 11\n")).toEqual({});
  });

  test("what lies on other disks, and paths of a disk, are left out by default", () => {
    const { value } = validate("disk-io", {}) as { value: { devices: string[]; except: string[] } };
    const counted = [
      "sda",
      "nvme0n1",
      "nvme0c0n1",
      "bcache0",
      "drbd0",
      "zd0",
      "dm-0",
      "md0",
      "mmcblk0",
      "nbd0",
      "rbd0",
    ];
    expect(counted.filter((name) => isChosen(name, value.devices, value.except))).toEqual([
      "sda",
      "nvme0n1",
      "mmcblk0",
      "nbd0",
      "rbd0",
    ]);
  });

  test("times that wrapped at 2^32 ms go on", () => {
    const before = { ...vda, busy_ms: 2 ** 32 - 100 };
    expect(disk.rates({ vda: before }, { vda: { ...later, busy_ms: 400 } }, 1).devices.vda?.busy_percent).toBe(50);
  });

  test("of hundreds of disks the busiest are shown and all are summed", () => {
    const [one] = Object.values(disk.rates({ vda }, { vda: later }, 2).devices) as [disk.DiskRates];
    const many = Object.fromEntries(
      Array.from({ length: 150 }, (_, index) => [
        `a-long-device-name-${index}`,
        { ...one, read_bytes_per_second: 1e12 + index },
      ]),
    );
    const payload = disk.summary({ devices: many, reset: 0 }, 1);
    expect(payload.devices_omitted).toBe(50);
    expect(Object.keys(payload.devices)[0]).toBe("a-long-device-name-149");
    expect(payload.reads_per_second).toBe(750);
    expect(JSON.stringify(payload).length).toBeLessThan(48 * 1024);
  });

  test("no disk in sight is no sum, not a sum of zero", () => {
    expect(disk.summary({ devices: {}, reset: 0 }, 1)).toMatchObject({ read_bytes_per_second: null, devices: {} });
  });

  test("sees this host write", async () => {
    using sense = openSense("disk-io", { except: [] });
    expect(await sense.compute()).toBeNull();
    const folder = mkdtempSync("/var/tmp/nerve-disk-io-");
    const file = openSync(join(folder, "written"), "w");
    writeSync(file, new Uint8Array(4 * 1024 * 1024).fill(1));
    fsyncSync(file);
    closeSync(file);
    rmSync(folder, { recursive: true });
    const payload = await rated(sense);
    expect(payload.seconds).toBeGreaterThanOrEqual(0.05);
    expect(Object.keys(payload.devices).length).toBeGreaterThan(0);
    expect(payload.write_bytes_per_second).toBeGreaterThan(0);
  });

  test("begins anew after a reboot, and does not take two readings at once for a rate", async () => {
    using sense = openSense("disk-io");
    await until("two readings follow at once, which are no rate", async () => {
      await sense.compute();
      return (await sense.compute()) === null;
    });
    sense.client.run(
      "UPDATE counters SET boot_id = 'another', wall_ms = wall_ms - 60000, uptime_ms = uptime_ms - 60000",
    );
    expect(await sense.compute()).toBeNull();
    expect(await rated(sense)).not.toBeNull();
  });
});

describe("network-io", () => {
  const all = net.parseNetDev(NET_DEV);

  test("/proc/net/dev, with and without a space after the colon, and with one in a name", () => {
    expect(Object.keys(all)).toEqual(["lo", "eth0", "eth0:1"]);
    expect(all.eth0).toEqual({
      rx_bytes: 271796213,
      rx_packets: 5685,
      rx_errors: 1,
      rx_dropped: 2,
      tx_bytes: 226574,
      tx_packets: 2297,
      tx_errors: 3,
      tx_dropped: 4,
    });
  });

  const NONE: ReadonlySet<string> = new Set();
  const eth0 = all.eth0 as net.Interface;

  test("rates of what was there both times and did not begin anew", () => {
    const after = {
      eth0: { ...eth0, rx_bytes: eth0.rx_bytes + 3000, tx_dropped: 5 },
      came: eth0,
      anew: { ...eth0, rx_bytes: 5 },
    };
    expect(net.rates({ eth0, gone: eth0, anew: eth0 }, after, 2)).toEqual({
      reset: 1,
      interfaces: {
        eth0: {
          rx_bytes_per_second: 1500,
          rx_packets_per_second: 0,
          rx_errors_per_second: 0,
          rx_dropped_per_second: 0,
          tx_bytes_per_second: 0,
          tx_packets_per_second: 0,
          tx_errors_per_second: 0,
          tx_dropped_per_second: 0.5,
        },
      },
    });
  });

  test("a counter of 32 bits that passed its end goes on from 0; one of errors that steps back grew by nothing", () => {
    const before = { ...eth0, rx_bytes: 4_294_967_000, rx_errors: 5 };
    const { interfaces, reset } = net.rates({ eth0: before }, { eth0: { ...eth0, rx_bytes: 704, rx_errors: 4 } }, 1);
    expect(reset).toBe(0);
    expect(interfaces.eth0).toMatchObject({ rx_bytes_per_second: 1000, rx_errors_per_second: 0 });
  });

  test("one whose counters began anew is no wrap, is left out of the sums, and is counted", () => {
    const before = { ...eth0, rx_bytes: 3_000_000_000 };
    const found = net.rates({ eth0: before, lo: eth0 }, { eth0: { ...eth0, rx_bytes: 1, rx_packets: 1 }, lo: eth0 }, 1);
    expect(net.summary(found, 1, NONE)).toMatchObject({ rx_bytes_per_second: 0, interfaces_reset: 1 });
  });

  test("names that every object inherits are names like others", () => {
    const names = ["constructor", "valueOf", "__proto__"];
    const counters = " 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0";
    const text = (columns: string): string => `\n\n${names.map((name) => `${name}:${columns}`).join("\n")}`;
    const after = net.parseNetDev(text(counters));
    expect(Object.keys(after)).toEqual(names);
    expect(net.rates({}, after, 1)).toEqual({ interfaces: {}, reset: 0 });
    const before = JSON.parse(JSON.stringify(net.parseNetDev(text(counters.replaceAll(/[12]/g, "0")))));
    const payload = net.summary(net.rates(before, after, 1), 1, NONE);
    expect(Object.keys(payload.interfaces)).toEqual(["constructor", "valueOf"]);
    expect(payload).toMatchObject({ rx_bytes_per_second: 30, interfaces_omitted: 1 });
  });

  test("a line that does not read as it should is passed over", () => {
    expect(net.parseNetDev("\n\neth0: 1 2 3\neth1: 1 1 x 1 1 1 1 1 1 1 1 1 1 1 1 1\n")).toEqual({});
  });

  test("what lies on another interface is shown, and not summed with it", () => {
    const after = { ...eth0, rx_bytes: eth0.rx_bytes + 50 };
    const found = net.rates({ eth0, bond0: eth0 }, { eth0: after, bond0: after }, 1);
    const payload = net.summary(found, 1, new Set(["bond0"]));
    expect(Object.keys(payload.interfaces)).toEqual(["eth0", "bond0"]);
    expect(payload.rx_bytes_per_second).toBe(50);
  });

  test("no interface in sight is no sum, not a sum of zero", () => {
    expect(net.summary({ interfaces: {}, reset: 0 }, 1, NONE)).toMatchObject({
      rx_bytes_per_second: null,
      interfaces: {},
    });
  });

  test("sees this host talk to itself", async () => {
    using sense = openSense("network-io", { interfaces: ["lo"], except: [] });
    expect(await sense.compute()).toBeNull();
    using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("x".repeat(100_000)) });
    await (await fetch(server.url)).text();
    const payload = await rated(sense);
    expect(Object.keys(payload.interfaces)).toEqual(["lo"]);
    expect(payload.rx_bytes_per_second * payload.seconds).toBeGreaterThan(99_999);
    expect(payload.rx_bytes_per_second).toBe(payload.interfaces.lo.rx_bytes_per_second);
  });
});
