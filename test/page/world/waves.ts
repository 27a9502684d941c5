/** How the numbers of the made-up host went over the last hour: the same at each run. */
import { MINUTE, NOW, SECOND } from "./shapes.ts";
import type { World } from "./world.ts";

/** Between 0 and 1, the same for the same time. */
const noise = (at: number, seed: number): number => {
  const x = Math.sin(at / 1_000 + seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
};

/** Stretches before now, in seconds, in which the host was busy. */
const BUSY: readonly (readonly [from: number, to: number])[] = [
  [251, 199],
  [102, 87],
  // A picture is taken some seconds later.
  [46, -60],
];
const busy = (at: number): boolean => BUSY.some(([from, to]) => at >= NOW - from * SECOND && at <= NOW - to * SECOND);

const cpu = (at: number): number => {
  if (busy(at)) return 99.5 + noise(at, 1) * 0.5;
  return noise(at, 2) > 0.93 ? 8 + noise(at, 3) * 30 : 1 + noise(at, 4) * 2;
};

const bump = (at: number, secondsAgo: number, high: number, wide: number): number =>
  high * Math.exp(-(((at - (NOW - secondsAgo * SECOND)) / (wide * SECOND)) ** 2));

const thumbnails = (at: number): number => {
  const ago = (NOW - at) / SECOND;
  if (ago < 90) return 779 + (90 - ago) * 1.94;
  if (ago < 165 && ago > 121) return 700 + (165 - ago);
  return 35 + noise(at, 5) * 20;
};

const mail = (at: number): number => {
  const ago = (NOW - at) / SECOND;
  return ago < 6 ? 674 : 14 + bump(at, 205, 900, 22) + noise(at, 6) * 4;
};

export const LIVE_WAVES: World["waves"] = {
  "cpu-usage usage_percent": { wave: cpu, everyMs: SECOND, unit: "percent" },
  "cpu-usage iowait_percent": { wave: (at) => noise(at, 7) * 1.5, everyMs: SECOND, unit: "percent" },
  "pressure cpu_some_avg10_percent": {
    wave: (at) => 0.4 + bump(at, 213, 67, 26) + bump(at, 25, 18, 15),
    everyMs: 10 * SECOND,
    unit: "percent",
  },
  "pressure cpu_some_avg60_percent": {
    wave: (at) => 0.3 + bump(at, 195, 31, 50) + bump(at, 10, 9, 30),
    everyMs: 10 * SECOND,
    unit: "percent",
  },
  "load load5_per_core": {
    wave: (at) => 0.22 + bump(at, 150, 0.2, 140) + bump(at, 0, 0.12, 60),
    everyMs: 5 * SECOND,
    unit: null,
  },
  "load load1_per_core": {
    wave: (at) => 0.25 + bump(at, 205, 0.85, 55) + bump(at, 5, 0.5, 30),
    everyMs: 5 * SECOND,
    unit: null,
  },
  "memory used_percent": {
    wave: (at) => 2.6 + bump(at, 225, 2.6, 35) + bump(at, 10, 3.1, 25),
    everyMs: 5 * SECOND,
    unit: "percent",
  },
  "memory swap_used_percent": { wave: () => 0, everyMs: 5 * SECOND, unit: "percent" },
  "disk-io write_bytes_per_second": {
    wave: (at) => 180_000 + bump(at, 242, 69e6, 7) + bump(at, 122, 16e6, 8),
    everyMs: 10 * SECOND,
    unit: "bytes_per_second",
  },
  "disk-io read_bytes_per_second": {
    wave: (at) => 20_000 + bump(at, 262, 5e6, 9),
    everyMs: 10 * SECOND,
    unit: "bytes_per_second",
  },
  "network-io rx_bytes_per_second": {
    wave: (at) => bump(at, 210, 4.4e6, 8),
    everyMs: 10 * SECOND,
    unit: "bytes_per_second",
  },
  "network-io tx_bytes_per_second": {
    wave: (at) => bump(at, 210, 0.2e6, 8),
    everyMs: 10 * SECOND,
    unit: "bytes_per_second",
  },
  "disk-root used_percent": { wave: (at) => 37.3 + (at < NOW - 3 * MINUTE ? 1 : 0), everyMs: MINUTE, unit: "percent" },
  "disk-tmp used_percent": { wave: () => 37.3, everyMs: MINUTE, unit: "percent" },
  "processes total": { wave: (at) => 70 + Math.round(noise(at, 8) * 9), everyMs: 30 * SECOND, unit: null },
  "queue-depth depth": { wave: thumbnails, everyMs: SECOND, unit: null },
  "queue-depth mail": { wave: mail, everyMs: SECOND, unit: null },
  "host-health status": { wave: () => null, everyMs: SECOND, unit: null },
};
