/** Which numbers *Now* draws, always in the same order, so that places can be learned: cause above, effect below. Pure. */

import type { SenseRow, SeriesField } from "../../web/contract.ts";
import type { Limit } from "../chart/plot.tsx";
import { bytes, unitOf } from "../words/numbers.ts";
import { isObject, telling } from "../words/payload.ts";
import { type Check, checksOf } from "./checks.ts";

export interface Chart {
  readonly sense: string;
  readonly title: string;
  /** What the lines are. */
  readonly under: string;
  /** What the second line is; null: there is none. */
  readonly second: string | null;
  /** The first is drawn in front; a second stands behind, in grey. */
  readonly fields: readonly string[];
  /** The one line of the sense that is drawn, as a mount of `disks`; null: the sense has one, or the highest are drawn. */
  readonly of: string | null;
  readonly unit: string | null;
  /** `used_percent` of the sense: its file system fills up, and when it will be full can be said. */
  readonly fills: boolean;
  /** The sense fails: its newest value may be out of date. */
  readonly isOld: boolean;
  readonly limits: readonly Limit[];
  /** What `host-health` judges, where that is a mean of the line: its signals say where a limit was passed. Null: the line does. */
  readonly judged: Check | null;
}

interface Known {
  readonly use: string;
  readonly title: string;
  /** The first of these that the sense has: what `check` judges, where it judges one number and no mean. */
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly under: string;
  /** The check of `host-health` whose limits are drawn. */
  readonly check: string | null;
  /** The check judges the mean of the last while: where a limit was passed is what `host-health` said, and not read off the line. */
  readonly isMean: boolean;
}

const KNOWN: readonly Known[] = [
  {
    use: "cpu-usage",
    title: "CPU",
    first: ["usage_percent"],
    second: ["iowait_percent"],
    under: "in use, iowait",
    check: "cpu_percent",
    isMean: true,
  },
  {
    use: "pressure",
    title: "CPU pressure",
    first: ["cpu_some_avg60_percent"],
    second: ["cpu_some_avg10_percent"],
    under: "60 s average, 10 s",
    check: "cpu_pressure_percent",
    isMean: false,
  },
  {
    use: "load",
    title: "Load per core",
    first: ["load5_per_core"],
    second: ["load1_per_core"],
    under: "5 min average, 1 min",
    check: "load5_per_core",
    isMean: false,
  },
  {
    use: "memory",
    title: "Memory",
    first: ["used_percent"],
    second: ["swap_used_percent"],
    under: "in use, swap",
    check: "memory_percent",
    isMean: false,
  },
  {
    use: "disk-io",
    title: "Disk I/O",
    first: ["write_bytes_per_second"],
    second: ["read_bytes_per_second"],
    under: "write, read",
    check: null,
    isMean: false,
  },
  {
    use: "network-io",
    title: "Network",
    first: ["rx_bytes_per_second"],
    second: ["tx_bytes_per_second"],
    under: "receive, send",
    check: null,
    isMean: false,
  },
  {
    use: "disk-usage",
    title: "Disk",
    first: ["used_percent"],
    second: [],
    under: "",
    check: "disk_percent",
    isMean: false,
  },
];

/** Numbers of other senses, after these; a page has so many rows at most. */
const MOST = 12;

/** What the sense exports under one of the names, else what its newest payload has. */
function pick(sense: SenseRow, names: readonly string[]): SeriesField | null {
  const exported = names.flatMap((name) => sense.series.find((field) => field.name === name) ?? [])[0];
  if (exported !== undefined) return exported;
  const name = sense.series.length > 0 ? undefined : names.find((one) => numberOf(sense, one) !== null);
  return name === undefined ? null : { name, unit: unitOf(name), by: null };
}

const checkOf = (health: SenseRow | null, sense: string, check: string | null): Check | null =>
  checksOf(health).find((one) => one.sense === sense && one.check === check) ?? null;

function limitsOf(found: Check | null): readonly Limit[] {
  if (found === null) return [];
  return [
    { at: found.warning, tone: "warn" },
    { at: found.critical, tone: "crit" },
  ];
}

function numberOf(sense: SenseRow, field: string): number | null {
  const payload = sense.last?.payload ?? null;
  const value = isObject(payload) ? payload[field] : null;
  return typeof value === "number" ? value : null;
}

function underOf(known: Known, sense: SenseRow): string {
  const total = numberOf(sense, "total_bytes");
  if (known.use === "disk-usage") {
    const free = numberOf(sense, "available_bytes");
    return free === null ? sense.name : `${bytes(free)} free`;
  }
  if (known.use === "memory" && total !== null) return `of ${bytes(total)}`;
  return known.under;
}

function pathOf(sense: SenseRow): string | null {
  const payload = sense.last?.payload ?? null;
  return isObject(payload) && typeof payload.path === "string" ? payload.path : null;
}

function titleOf(known: Known, sense: SenseRow): string {
  if (known.use === "disk-usage") return `Disk ${pathOf(sense) ?? sense.name}`;
  return sense.name === known.use ? known.title : `${known.title}, ${sense.name}`;
}

function knownChart(known: Known, sense: SenseRow, health: SenseRow | null): Chart | null {
  const first = pick(sense, known.first);
  if (first === null) return null;
  const second = pick(sense, known.second);
  const check = checkOf(health, sense.name, known.check);
  return {
    sense: sense.name,
    title: titleOf(known, sense),
    under: underOf(known, sense),
    second: second === null ? null : (known.under.split(", ")[1] ?? "second"),
    fields: [first.name, ...(second === null ? [] : [second.name])],
    of: null,
    unit: first.unit ?? unitOf(first.name),
    fills: known.use === "disk-usage",
    isOld: sense.state !== "ok",
    limits: limitsOf(check),
    judged: known.isMean ? check : null,
  };
}

/** So many mounts of `disks` are drawn at most: the fullest. */
const MOST_MOUNTS = 4;

interface Mount {
  readonly path: string;
  readonly used_percent: number | null;
  readonly available_bytes: number;
}

function mountsOf({ last }: SenseRow): readonly Mount[] {
  const payload = last?.payload ?? null;
  // The declaration of `disks` holds.
  return isObject(payload) && Array.isArray(payload.mounts) ? (payload.mounts as unknown as readonly Mount[]) : [];
}

const holds = (mount: string, path: string): boolean => mount === "/" || path === mount || path.startsWith(`${mount}/`);

/** The mounts of `disks`, in the order of their paths, without those that a sense `disk-usage` draws. */
function mountCharts(sense: SenseRow, drawn: readonly string[]): readonly Chart[] {
  const mounts = mountsOf(sense);
  const innermost = (path: string): string | null =>
    mounts.filter((mount) => holds(mount.path, path)).sort((a, b) => b.path.length - a.path.length)[0]?.path ?? null;
  const known = new Set(drawn.map(innermost));
  return mounts
    .filter(({ path }) => !known.has(path))
    .sort((a, b) => (b.used_percent ?? 0) - (a.used_percent ?? 0))
    .slice(0, MOST_MOUNTS)
    .sort((a, b) => mounts.indexOf(a) - mounts.indexOf(b))
    .map(({ path, available_bytes: free }) => ({
      sense: sense.name,
      title: `Disk ${path}`,
      under: `${bytes(free)} free`,
      second: null,
      fields: ["used_percent"],
      of: path,
      unit: "percent",
      fills: true,
      isOld: sense.state !== "ok",
      limits: [],
      judged: null,
    }));
}

/** Senses whose numbers say nothing of the host that is not there already. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "host-health",
  "nerve",
  "processes",
  "disks",
  ...KNOWN.map(({ use }) => use),
]);

function ownChart(sense: SenseRow): Chart | null {
  if (LEFT_OUT.has(sense.use)) return null;
  const told = sense.last === null ? null : telling(sense.last.payload);
  const field = pick(sense, [...sense.series.map(({ name }) => name), ...(told === null ? [] : [told.field])]);
  if (field === null) return null;
  const { name } = field;
  const unit = field.unit ?? unitOf(name);
  return {
    sense: sense.name,
    title: sense.name,
    under: name,
    second: null,
    fields: [name],
    of: null,
    unit,
    fills: false,
    isOld: sense.state !== "ok",
    limits: [],
    judged: null,
  };
}

export function chartsOf(senses: readonly SenseRow[]): readonly Chart[] {
  const shown = senses.filter(({ state }) => state !== "disabled");
  const health = shown.find(({ use }) => use === "host-health") ?? null;
  const known = KNOWN.flatMap((one) =>
    shown.filter(({ use }) => use === one.use).flatMap((sense) => knownChart(one, sense, health) ?? []),
  );
  const drawn = shown.filter(({ use }) => use === "disk-usage").flatMap((sense) => pathOf(sense) ?? []);
  const mounts = shown.filter(({ use }) => use === "disks").flatMap((sense) => mountCharts(sense, drawn));
  return [...known, ...mounts, ...shown.flatMap((sense) => ownChart(sense) ?? [])].slice(0, MOST);
}
