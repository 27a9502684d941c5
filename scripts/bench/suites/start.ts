/** How long things take to begin: the daemon, a worker, a command, and a worker that was killed. */
import { join } from "node:path";
import type { Subprocess } from "bun";
import { startWorker } from "../child.ts";
import { type Figure, median } from "../figures.ts";
import type { Setting } from "../setting.ts";
import { type Running, runNerve, Site, until } from "../site.ts";

const SENSES = [
  "cpu-usage",
  "memory",
  "load",
  "pressure",
  "disk-io",
  "network-io",
  "processes",
  "uptime",
  "disk-root",
  "self",
];
const USES: Readonly<Record<string, string>> = {
  uptime: "{ use: exec, with: { command: [cat, /proc/uptime], parse: lines } }",
  "disk-root": "{ use: disk-usage, with: { path: / } }",
  self: "{ use: nerve }",
};
const ENVIRONMENT = { PATH: "/usr/bin:/bin" };

/** Milliseconds from the spawn until `program` has ended. */
async function untilEnd(command: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await Bun.spawn([...command], { env: ENVIRONMENT, stdio: ["ignore", "ignore", "ignore"] }).exited;
  return performance.now() - startedAt;
}

/** Milliseconds from the spawn until its first message. */
async function untilMessage(command: readonly string[]): Promise<number> {
  const said = Promise.withResolvers<number>();
  const startedAt = performance.now();
  const child = Bun.spawn([...command], {
    env: ENVIRONMENT,
    serialization: "json",
    stdio: ["ignore", "ignore", "ignore"],
    ipc: () => said.resolve(performance.now() - startedAt),
  });
  const took = await said.promise;
  child.kill("SIGKILL");
  await child.exited;
  return took;
}

async function end(child: Subprocess): Promise<void> {
  child.kill("SIGTERM");
  await child.exited;
}

/** Milliseconds from the spawn until it says that the first signal is stored. */
async function untilStored(command: readonly string[], folder: string, word: string): Promise<number> {
  const startedAt = performance.now();
  const child = Bun.spawn([...command], { cwd: folder, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  const said = async (stream: ReadableStream<Uint8Array>): Promise<number> => {
    let text = "";
    for await (const chunk of stream) {
      text += Buffer.from(chunk).toString();
      if (text.includes(word)) return performance.now() - startedAt;
    }
    throw new Error(`it ended without ${word}: ${text}`);
  };
  const took = await Promise.any([said(child.stdout), said(child.stderr)]);
  await end(child);
  return took;
}

/** With so many different `when` in the config. `again`: a start before this one has made the data directory. */
async function startNerve(nerve: string, patterns: number, again: boolean): Promise<number> {
  using site = new Site();
  const senses = SENSES.map((name) => `  ${name}: ${USES[name] ?? "{}"}`);
  const reflexes = SENSES.map((name) => `  - { sense: ${name}, on_start: true }`);
  const listeners = Array.from(
    { length: patterns },
    (_, at) => `  - { on: [load], when: { one: number > ${at}.5 }, workflow: note }`,
  );
  const workflows = "workflows: { note: { use: exec, with: { command: [/bin/true] } } }";
  const lines = ["data: ./data", workflows, "senses:", ...senses, "reflexes:", ...reflexes, ...listeners, ""];
  site.write("nerve.yaml", lines.join("\n"));
  // A signal's line, and no other, has its id.
  const stored = (): Promise<number> => untilStored([nerve, site.config, "--show-signals"], site.folder, '"id":');
  if (again) await stored();
  return await stored();
}

async function startFloor(floor: string): Promise<number> {
  using site = new Site();
  site.writeUserModule();
  return await untilStored(
    [floor, join(site.folder, "floor.db"), "FULL", "first", String(SENSES.length)],
    site.folder,
    "stored",
  );
}

async function startSenseWorker(nerve: string, site: Site, folder: string): Promise<number> {
  const startedAt = performance.now();
  await using _ = await startWorker(nerve, site, folder, 1, () => {});
  return performance.now() - startedAt;
}

interface Begun {
  readonly at: number;
  readonly pid: number;
}

const last = (running: Running): Begun => {
  const [row] = running.query<{ payload: string }>("SELECT payload FROM signals ORDER BY id DESC LIMIT 1");
  return JSON.parse(row?.payload ?? "{}") as Begun;
};

/** Milliseconds from the kill of a worker until its successor's first compute begins. */
async function recover(nerve: string): Promise<number> {
  using site = new Site();
  site.sense("fact", "({ at: performance.timeOrigin + performance.now(), pid: process.pid })");
  site.write("nerve.yaml", "data: ./data\nsenses: { fact: {} }\nreflexes: [{ sense: fact, interval: 1ms }]\n");
  await using running = runNerve(nerve, site);
  await running.working();
  await Bun.sleep(100);
  const { pid } = last(running);
  const killedAt = performance.timeOrigin + performance.now();
  process.kill(pid, "SIGKILL");
  await until("another worker computes", () => (last(running).pid === pid ? null : true));
  const [first] = running.query<{ at: number }>(
    "SELECT payload ->> 'at' AS at FROM signals WHERE payload ->> 'pid' <> ? ORDER BY id LIMIT 1",
    pid,
  );
  return (first?.at ?? Number.NaN) - killedAt;
}

export async function start({ programs, shortRounds }: Setting): Promise<Figure[]> {
  const { nerve, floor, empty, hello, arktype } = programs;
  using site = new Site();
  const folder = site.sense("fact", "payload(now)");
  const measures = {
    nerve: () => startNerve(nerve, 0, false),
    again: () => startNerve(nerve, 0, true),
    when1: () => startNerve(nerve, 1, true),
    when10: () => startNerve(nerve, 10, false),
    when1000: () => startNerve(nerve, 1_000, false),
    floor: () => startFloor(floor),
    worker: () => startSenseWorker(nerve, site, folder),
    hello: () => untilMessage([hello]),
    version: () => untilEnd([nerve, "--version"]),
    empty: () => untilEnd([empty]),
    arktype: () => untilEnd([arktype]),
    recovery: () => recover(nerve),
  };
  type Name = keyof typeof measures;
  const rounds: Record<Name, number>[] = [];
  for (let turn = 0; turn < shortRounds; turn++) {
    const took: Partial<Record<Name, number>> = {};
    for (const name of Object.keys(measures) as Name[]) took[name] = await measures[name]();
    rounds.push(took as Record<Name, number>);
  }
  const of = (name: Name): number => median(rounds.map((round) => round[name]));
  const schemaMs = median(rounds.map((round) => round.arktype - round.empty));
  const figure = (name: string, ours: Name, theirs: Name, atMost: number, detail = ""): Figure => ({
    suite: "start",
    name,
    unit: "ms",
    floor: of(theirs),
    nerve: of(ours),
    ratio: median(rounds.map((round) => round[ours] / round[theirs])),
    target: { atMost },
    detail,
  });
  return [
    // 75, 60 and 70 ms where the floor takes 18.
    figure(
      "process to first durable signal",
      "nerve",
      "floor",
      4.2,
      `an ArkType import takes ${schemaMs.toFixed(0)} ms`,
    ),
    figure("process to first durable signal, on data that is there", "again", "floor", 3.3),
    figure("process to first durable signal, on data that is there, with a `when`", "when1", "floor", 3.9),
    figure("process to first durable signal with 10 `when`, beside none", "when10", "nerve", 1.2),
    figure("process to first durable signal with 1,000 `when`, beside none", "when1000", "nerve", 4),
    figure("a worker to ready, beside spawn to first message", "worker", "hello", 2.3),
    figure("--version, beside an empty program", "version", "empty", 1.25),
    figure("killed worker to computing, beside spawn to first message", "recovery", "hello", 5),
  ];
}
