/**
 * Senses of 1 s that each read one file of /proc, beside the aligned floor that reads the same. Both run side by side, the
 * floor half a second off, so that what disturbs one disturbs the other.
 */
import { type Figure, median, percentile, type Target } from "../figures.ts";
import { PROBES } from "../floor/shape.ts";
import { cpuMs, pssBytes, writtenBytes } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, runFloor, runNerve, Site } from "../site.ts";

const COUNTS = [4, 100, 1_000];
const SETTLE_MS = 4_000;
const MEGABYTE = 1_048_576;
const MORE_GROUPS = 9;

interface Reading {
  readonly late: number;
  readonly early: boolean;
  readonly due: number;
}

interface Watched {
  readonly daemonCpuMs: number;
  readonly workerCpuMs: number;
  readonly written: number;
  readonly daemonPss: number;
  readonly workerPss: number;
  readonly readings: readonly (Reading & { readonly sense: string })[];
}

/** `senses` lines and reflexes for `count` probes of 1 s, spread over `groups`. */
function writeConfig(site: Site, count: number, groups: number): void {
  for (const kind of PROBES.keys()) site.sense(`probe-${kind}`, `probe(${kind}, now)`);
  const senses = Array.from(
    { length: count },
    (_, at) => `  s${at}: { use: probe-${at % PROBES.length}, group: g${at % groups} }`,
  );
  const reflexes = Array.from({ length: count }, (_, at) => `  - { sense: s${at}, interval: 1s }`);
  site.write(
    "nerve.yaml",
    ["data: ./data", "durability: full", "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"),
  );
}

const sum = (pids: readonly number[], measure: (pid: number) => number): number =>
  pids.reduce((total, pid) => total + measure(pid), 0);

function counters(running: Running): { daemon: number; workers: number; written: number } {
  const { workers, pid } = running;
  return { daemon: cpuMs(pid), workers: sum(workers, cpuMs), written: sum([pid, ...workers], writtenBytes) };
}

async function watch(sides: readonly Running[], seconds: number): Promise<Watched[]> {
  await Promise.all(sides.map((side) => side.working()));
  // From a quarter second to a quarter second: no tick of either side is cut in two.
  await Bun.sleep(SETTLE_MS + 1_250 - (Date.now() % 1_000));
  const from = Date.now();
  const before = sides.map(counters);
  await Bun.sleep(seconds * 1_000);
  const after = sides.map(counters);
  return sides.map((side, at) => {
    const [first, last] = [before[at], after[at]];
    if (first === undefined || last === undefined) throw new Error("a side is missing");
    const rows = side.query<{ sense: string; payload: string }>(
      "SELECT sense, payload FROM signals WHERE at >= ?",
      from - 1_000,
    );
    const readings = rows
      .map(({ sense, payload }) => ({ sense, ...(JSON.parse(payload) as Reading) }))
      .filter(({ due }) => due >= from && due < from + seconds * 1_000);
    return {
      daemonCpuMs: last.daemon - first.daemon,
      workerCpuMs: last.workers - first.workers,
      written: last.written - first.written,
      daemonPss: pssBytes(side.pid),
      workerPss: sum(side.workers, pssBytes),
      readings,
    };
  });
}

/**
 * Milliseconds a tick by which computes begin later and later: the last third of the window against the first, each by its
 * least late twentieth, which noise moves least.
 */
function drift(readings: Watched["readings"]): number {
  const sorted = [...readings].sort((a, b) => a.due - b.due);
  const third = Math.floor(sorted.length / 3);
  const middle = (part: typeof sorted): { due: number; late: number } => ({
    due: median(part.map(({ due }) => due)),
    late: percentile(
      part.map(({ late }) => late),
      0.05,
    ),
  });
  const [first, last] = [middle(sorted.slice(0, third)), middle(sorted.slice(-third))];
  return (last.late - first.late) / ((last.due - first.due) / 1_000);
}

const NONE: Target = { atMost: 0 };

function figuresOf(count: number, nerve: Watched, floor: Watched, seconds: number): Figure[] {
  const suite = "idle";
  const ratio = (name: string, unit: string, a: number, b: number, target: Target | null, detail = ""): Figure => ({
    suite,
    name: `${count} senses: ${name}`,
    unit,
    floor: b,
    nerve: a,
    ratio: a / b,
    target,
    detail,
  });
  const perMinute = 60 / seconds;
  const cpu = (side: Watched): number => ((side.daemonCpuMs + side.workerCpuMs) / 1_000) * perMinute;
  const split = (side: Watched): string =>
    `${((side.daemonCpuMs / 1_000) * perMinute).toFixed(2)} + ${((side.workerCpuMs / 1_000) * perMinute).toFixed(2)}`;
  const late = (side: Watched, share: number): number =>
    percentile(
      side.readings.map((reading) => reading.late),
      share,
    );
  const exact = (name: string, unit: string, pick: (side: Watched) => number): Figure => ({
    ...ratio(name, unit, pick(nerve), pick(floor), NONE),
    ratio: pick(nerve),
  });
  const megabytes = (side: Watched): number => (side.daemonPss + side.workerPss) / MEGABYTE;
  const parts = ({ daemonPss, workerPss }: Watched): string =>
    `${(daemonPss / MEGABYTE).toFixed(1)} + ${(workerPss / MEGABYTE).toFixed(1)}`;
  return [
    ratio(
      "processor",
      "s/min",
      cpu(nerve),
      cpu(floor),
      { atMost: 1.5 },
      `kernel + worker ${split(nerve)}, floor's ${split(floor)}`,
    ),
    ratio("dirtied on disk", "KB/min", (nerve.written / 1024) * perMinute, (floor.written / 1024) * perMinute, {
      atMost: 1.5,
    }),
    ratio("lateness p50", "ms", late(nerve, 0.5), late(floor, 0.5), null),
    ratio("lateness p99", "ms", late(nerve, 0.99), late(floor, 0.99), { atMost: 2 }),
    exact("early", "computes", (side) => side.readings.filter((reading) => reading.early).length),
    exact("missed", "computes", (side) => count * seconds - side.readings.length),
    exact("drift, whole", "ms/tick", (side) => Math.abs(Math.round(drift(side.readings)))),
    ratio(
      "memory, PSS",
      "MB",
      megabytes(nerve),
      megabytes(floor),
      { atMost: 1.35 },
      `kernel + worker ${parts(nerve)}, floor's ${parts(floor)}`,
    ),
  ];
}

async function perWorker({ programs }: Setting): Promise<Figure> {
  const totals: number[] = [];
  for (const groups of [1, MORE_GROUPS]) {
    using site = new Site();
    writeConfig(site, MORE_GROUPS, groups);
    await using running = runNerve(programs.nerve, site);
    await running.working();
    await Bun.sleep(SETTLE_MS);
    totals.push(sum([running.pid, ...running.workers], pssBytes) / MEGABYTE);
  }
  const [one = 0, more = 0] = totals;
  const each = (more - one) / (MORE_GROUPS - 1);
  return {
    suite: "idle",
    name: "memory of a further worker, PSS",
    unit: "MB",
    floor: Number.NaN,
    nerve: each,
    ratio: each,
    target: { atMost: 4.5 },
    detail: `${MORE_GROUPS} senses in one group ${one.toFixed(1)}, in ${MORE_GROUPS} groups ${more.toFixed(1)}`,
  };
}

export async function idle(setting: Setting): Promise<Figure[]> {
  const { programs, idleSeconds } = setting;
  const figures: Figure[] = [];
  for (const count of COUNTS) {
    using site = new Site();
    writeConfig(site, count, 1);
    await using nerve = runNerve(programs.nerve, site);
    await using floor = runFloor(programs.floor, site, "FULL", "probe", count);
    const [ofNerve, ofFloor] = await watch([nerve, floor], idleSeconds);
    if (ofNerve && ofFloor) figures.push(...figuresOf(count, ofNerve, ofFloor, idleSeconds));
  }
  return [...figures, await perWorker(setting)];
}
