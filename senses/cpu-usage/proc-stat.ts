/** The `cpu` lines of /proc/stat (proc_stat(5)), and what two readings of them show. */
import { own, percent } from "nerve/proc";

/** Ticks since boot. Guests are left out: the kernel has counted them in user and nice already. */
export interface Ticks {
  readonly user: number;
  readonly nice: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
  readonly irq: number;
  readonly softirq: number;
  readonly steal: number;
}

/** By name: `cpu` is all of them together, `cpu0` … one each. */
export type Cpus = Readonly<Record<string, Ticks>>;

/** Throws where the line of all processors is missing: without it every later compute would be silent. */
export function parseStat(text: string, perCore: boolean): Cpus {
  const cpus: Record<string, Ticks> = {};
  for (const line of text.split("\n", perCore ? undefined : 1)) {
    if (!line.startsWith("cpu")) break;
    const [name = "", ...fields] = line.split(/ +/);
    if (fields.some((field) => Number.isNaN(Number(field)))) continue;
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    cpus[name] = { user, nice, system, idle, iowait, irq, softirq, steal };
  }
  if (!Object.hasOwn(cpus, "cpu")) throw new Error("/proc/stat does not report cpu");
  return cpus;
}

export interface Usage {
  readonly all: Percentages;
  readonly per_core_percent: Readonly<Record<string, number>>;
}

export interface Percentages {
  readonly usage_percent: number;
  readonly user_percent: number;
  readonly system_percent: number;
  readonly iowait_percent: number;
  readonly irq_percent: number;
  readonly steal_percent: number;
}

/** Null when no tick has passed or the counters began anew. A core that was not there both times is left out. */
export function busyness(before: Cpus, after: Cpus): Usage | null {
  const all = share(own(before, "cpu"), own(after, "cpu"));
  if (all === null) return null;
  const cores: Record<string, number> = {};
  for (const name of Object.keys(after)) {
    const core = name === "cpu" ? null : share(own(before, name), after[name]);
    if (core !== null) cores[name] = core.usage_percent;
  }
  return { all, per_core_percent: cores };
}

function share(before: Ticks | undefined, after: Ticks | undefined): Percentages | null {
  if (!before || !after || total(after) < total(before)) return null;
  // iowait, and with it idle, may step back a little (proc_stat(5)): that is no time spent.
  const spent = (kind: keyof Ticks): number => Math.max(0, after[kind] - before[kind]);
  const idle = spent("idle") + spent("iowait");
  const user = spent("user") + spent("nice");
  const irq = spent("irq") + spent("softirq");
  const busy = user + spent("system") + irq + spent("steal");
  const all = busy + idle;
  if (all === 0) return null;
  const part = (ticks: number): number => percent(ticks, all) ?? 0;
  return {
    usage_percent: part(busy),
    user_percent: part(user),
    system_percent: part(spent("system")),
    iowait_percent: part(spent("iowait")),
    irq_percent: part(irq),
    steal_percent: part(spent("steal")),
  };
}

const total = (ticks: Ticks): number => Object.values(ticks).reduce((sum, value) => sum + value, 0);
