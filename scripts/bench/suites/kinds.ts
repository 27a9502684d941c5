/** What a signal costs by its kind: processor time a row, at the same modest offer, beside a plain signal of 150 bytes. */
import { type Figure, medianOf } from "../figures.ts";
import { cpuMs } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { runNerve, Site, until } from "../site.ts";
import type { Spans } from "./flood.ts";

const SENSES = 100;
/** Offers 2,000 a second: no kind is so dear that rows are missed. */
const EVERY = "50ms";

interface Kind {
  readonly name: string;
  /** The compute, given `now` and the sense's database `_db`. */
  readonly body: string;
  /** Further keys of each sense. */
  readonly keys: string;
  readonly groups: number;
  readonly durability: "full" | "normal";
  /** How many reflexes with a `when` listen to the first sense. */
  readonly listening: number;
}

export const PLAIN: Kind = {
  name: "plain",
  body: "payload(now)",
  keys: "",
  groups: 1,
  durability: "normal",
  listening: 0,
};

const text = (bytes: number): string => `({ now, text: "x".repeat(${bytes}) })`;

const KINDS: readonly Kind[] = [
  PLAIN,
  { ...PLAIN, name: "asynchronous compute", body: "(await new Promise((done) => setTimeout(done, 1)), payload(now))" },
  { ...PLAIN, name: "compute that writes", body: '(_db.run("INSERT INTO kept VALUES (1)"), payload(now))' },
  { ...PLAIN, name: "throttled sense", keys: "throttle: 100ms, " },
  { ...PLAIN, name: "FULL", durability: "full" },
  { ...PLAIN, name: "payload of 4 KB", body: text(4_096) },
  { ...PLAIN, name: "payload of 60 KB", body: text(61_440) },
  { ...PLAIN, name: "10 groups", groups: 10 },
  { ...PLAIN, name: "100 groups", groups: 100 },
  { ...PLAIN, name: "10 reflexes on one sense", listening: 10 },
  { ...PLAIN, name: "1,000 reflexes on one sense", listening: 1_000 },
  { ...PLAIN, name: "5,000 reflexes on one sense", listening: 5_000 },
];

/** A config is at most 256 KiB long: reflexes beyond this number stand in further files. */
const REFLEXES_IN_FILE = 1_000;

export interface Cost {
  readonly kernelUs: number;
  readonly workersUs: number;
  readonly rate: number;
}

export function writeConfig(site: Site, { body, keys, groups, durability, listening }: Kind): void {
  site.sense("fact", body);
  const migrations = "senses/fact/migrations";
  site.folderFor(migrations);
  site.write(`${migrations}/0001_kept.sql`, "CREATE TABLE kept (x INTEGER);\n");
  const names = Array.from({ length: SENSES }, (_, at) => `s${at}`);
  const senses = names.map((name, at) => `  ${name}: { use: fact, ${keys}group: g${at % groups} }`);
  const clocks = names.map((name) => `  - { sense: ${name}, interval: ${EVERY}, jitter: ${EVERY} }`);
  const listeners = Array.from(
    { length: listening },
    (_, at) => `  - { on: [s0], when: { level: number > 1 }, workflow: note, name: r${at} }`,
  );
  const workflows = "workflows: { note: { use: exec, with: { command: [/bin/true] } } }";
  site.folderFor("more");
  for (let from = 0; from < listeners.length; from += REFLEXES_IN_FILE) {
    const some = listeners.slice(from, from + REFLEXES_IN_FILE);
    site.write(`more/${from}.yaml`, `reflexes:\n${some.join("\n")}\n`);
  }
  const include = listening > 0 ? ["include: [more/*.yaml]"] : [];
  const lines = [...include, `durability: ${durability}`, workflows, "senses:", ...senses, "reflexes:", ...clocks];
  site.write("nerve.yaml", `${lines.join("\n")}\n`);
}

async function costOf(nerve: string, kind: Kind, spans: Spans): Promise<Cost> {
  using site = new Site();
  writeConfig(site, kind);
  return await costIn(nerve, site, 0, spans);
}

/** What a signal costs with the config of the site. `lastId`: of the signals that are there already. */
export async function costIn(nerve: string, site: Site, lastId: number, { warmMs, windowMs }: Spans): Promise<Cost> {
  await using running = runNerve(nerve, site);
  await running.working();
  await until("a new signal is stored", () => (running.lastId() > lastId ? true : null));
  await Bun.sleep(warmMs);
  const look = () => ({
    id: running.lastId(),
    at: performance.now(),
    kernel: cpuMs(running.pid),
    workers: running.workers.reduce((sum, pid) => sum + cpuMs(pid), 0),
  });
  const before = look();
  await Bun.sleep(windowMs);
  const after = look();
  const rows = after.id - before.id;
  return {
    kernelUs: ((after.kernel - before.kernel) * 1_000) / rows,
    workersUs: ((after.workers - before.workers) * 1_000) / rows,
    rate: (rows * 1_000) / (after.at - before.at),
  };
}

export async function kinds({ programs, spans, rounds }: Setting): Promise<Figure[]> {
  const costs = new Map<Kind, Cost[]>(KINDS.map((kind) => [kind, []]));
  for (let turn = 0; turn < rounds; turn++) {
    for (const [kind, seen] of costs) seen.push(await costOf(programs.nerve, kind, spans));
  }
  const totalOf = (kind: Kind): number => medianOf(costs.get(kind) ?? [], (cost) => cost.kernelUs + cost.workersUs);
  const plain = totalOf(PLAIN);
  return [...costs].map(([kind, seen]) => {
    const [kernel, workers, rate] = (["kernelUs", "workersUs", "rate"] as const).map((part) =>
      medianOf(seen, (cost) => cost[part]),
    ) as [number, number, number];
    return {
      suite: "kinds",
      name: kind.name,
      unit: "µs/row",
      floor: plain,
      nerve: totalOf(kind),
      ratio: totalOf(kind) / plain,
      target: null,
      detail: `kernel ${kernel.toFixed(1)} + workers ${workers.toFixed(1)} µs, ${rate.toFixed(0)} rows/s`,
    };
  });
}
