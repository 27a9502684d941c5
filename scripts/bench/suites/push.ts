/**
 * Items pushed over TCP, each answered after its commit: items a second beside bare inserts of the same rows, how long an answer takes,
 * the longest time in which no signal of other senses was committed meanwhile, and the memory of the push process while connections
 * idle or send slowly.
 */
import { connect, type Socket } from "node:net";
import { type Figure, percentile } from "../figures.ts";
import { childrenOf, cpuMs, pssBytes } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, runNerve, Site, until } from "../site.ts";
import { rawInserts } from "./flood.ts";

const ADDRESS = "127.0.0.1:4299";
const [HOSTNAME, PORT] = ["127.0.0.1", 4299];
const CLIENTS = 64;
/** Other senses, whose signals show whether the kernel is kept waiting. */
const SENSES = 20;
const EVERY = "50ms";
const IDLE = 1_000;
const SLOW = 200;
const ITEM = JSON.stringify({ version: "1.4.2", by: "deploy", took_s: 12.5 });
const MEBIBYTE = 1024 * 1024;

function writeConfig(site: Site): void {
  site.sense("taker", "null");
  site.sense("fact", "payload(now)");
  const names = Array.from({ length: SENSES }, (_, at) => `s${at}`);
  const senses = [
    `  taker: { inbox: { max: 1000000, bytes: 512mb } }`,
    ...names.map((name) => `  ${name}: { use: fact }`),
  ];
  const reflexes = names.map((name) => `  - { sense: ${name}, interval: ${EVERY}, jitter: ${EVERY} }`);
  site.write("nerve.yaml", [`push: "${ADDRESS}"`, "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"));
}

async function tokenOf(nerve: string, site: Site): Promise<string> {
  const child = Bun.spawn([nerve, "token", "taker", "--json", "-c", site.config], { stdout: "pipe" });
  return ((await new Response(child.stdout).json()) as { token: string }).token;
}

interface Flood {
  readonly items: number;
  readonly tookMs: number;
  readonly answersMs: readonly number[];
  readonly pauseMs: number;
}

/** `clients` at once, each sending the next request when the last is answered; `body` has `items` items. */
async function flood(
  running: Running,
  token: string,
  ms: number,
  clients: number,
  body: string,
  items: number,
): Promise<Flood> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" };
  const answersMs: number[] = [];
  const startedAt = performance.now();
  const isOver = (): boolean => performance.now() - startedAt > ms;
  const client = async (): Promise<void> => {
    while (!isOver()) {
      const askedAt = performance.now();
      const reply = await fetch(`http://${ADDRESS}/v1/inbox/taker`, { method: "POST", headers, body });
      await reply.arrayBuffer();
      if (reply.status !== 202) throw new Error(`a push was answered with ${reply.status}`);
      answersMs.push(performance.now() - askedAt);
    }
  };
  const pause = longestPause(running, isOver);
  await Promise.all(Array.from({ length: clients }, client));
  const tookMs = performance.now() - startedAt;
  return { items: answersMs.length * items, tookMs, answersMs, pauseMs: await pause };
}

async function longestPause(running: Running, isOver: () => boolean): Promise<number> {
  let last = running.lastId();
  let since = performance.now();
  let longest = 0;
  while (!isOver()) {
    const id = running.lastId();
    const now = performance.now();
    if (id !== last) {
      longest = Math.max(longest, now - since);
      last = id;
      since = now;
    }
    await Bun.sleep(1);
  }
  return longest;
}

const open = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(PORT, HOSTNAME, () => resolve(socket));
    socket.on("error", reject);
  });

/** Memory of `pid` with connections that say nothing, and with requests whose bodies come a byte at a time. */
async function memory(pid: number, token: string): Promise<{ before: number; idle: number; slow: number }> {
  const before = pssBytes(pid);
  const idle = await Promise.all(Array.from({ length: IDLE }, open));
  const idleBytes = pssBytes(pid);
  for (const socket of idle) socket.destroy();
  const slow = await Promise.all(Array.from({ length: SLOW }, open));
  const head = `POST /v1/inbox/taker HTTP/1.1\r\nhost: ${ADDRESS}\r\nauthorization: Bearer ${token}\r\ncontent-length: 60000\r\n\r\n`;
  for (const socket of slow) socket.write(head);
  for (let byte = 0; byte < 20; byte++) {
    for (const socket of slow) socket.write('"');
    await Bun.sleep(100);
  }
  const slowBytes = pssBytes(pid);
  for (const socket of slow) socket.destroy();
  return { before, idle: idleBytes, slow: slowBytes };
}

/** The child of the kernel that listens. */
const pushPid = (running: Running): number =>
  childrenOf(running.pid).find((pid) => commandOf(pid).includes("__push")) ?? 0;

const commandOf = (pid: number): string =>
  new TextDecoder().decode(Bun.spawnSync(["cat", `/proc/${pid}/cmdline`]).stdout);

export async function push(setting: Setting): Promise<Figure[]> {
  using site = new Site();
  writeConfig(site);
  await using running = runNerve(setting.programs.nerve, site);
  await running.working();
  const token = await tokenOf(setting.programs.nerve, site);
  await until("the push listener answers", async () => (await fetch(`http://${ADDRESS}/`).catch(() => null)) && true);
  const pid = pushPid(running);
  const { warmMs, windowMs } = setting.spans;
  const calm = await longestPause(running, timer(windowMs));
  await flood(running, token, warmMs, CLIENTS, ITEM, 1);
  const before = { kernel: cpuMs(running.pid), push: cpuMs(pid) };
  const single = await flood(running, token, windowMs, CLIENTS, ITEM, 1);
  const kernelUs = ((cpuMs(running.pid) - before.kernel) * 1000) / single.items;
  const pushUs = ((cpuMs(pid) - before.push) * 1000) / single.items;
  const bulk = await flood(running, token, windowMs, 4, `${ITEM}\n`.repeat(100), 100);
  const floor = rawInserts("NORMAL", CLIENTS, setting.spans);
  const held = await memory(pid, token);
  const rate = ({ items, tookMs }: Flood): number => (items * 1000) / tookMs;
  const none = { floor: Number.NaN, ratio: Number.NaN, target: null };
  return [
    {
      suite: "push",
      name: `items accepted, ${CLIENTS} clients, an item a request`,
      unit: "items/s",
      floor,
      nerve: rate(single),
      ratio: rate(single) / floor,
      target: null,
      detail: `kernel ${kernelUs.toFixed(1)} µs, push process ${pushUs.toFixed(1)} µs an item; answers p50 ${percentile(single.answersMs, 0.5).toFixed(1)}, p99 ${percentile(single.answersMs, 0.99).toFixed(1)} ms`,
    },
    {
      suite: "push",
      name: "items accepted, 4 clients, 100 a request",
      unit: "items/s",
      floor,
      nerve: rate(bulk),
      ratio: rate(bulk) / floor,
      target: null,
      detail: `answers p99 ${percentile(bulk.answersMs, 0.99).toFixed(1)} ms`,
    },
    {
      suite: "push",
      name: "longest pause between signals of others, beside none pushed",
      unit: "ms",
      floor: calm,
      nerve: Math.max(single.pauseMs, bulk.pauseMs),
      ratio: Math.max(single.pauseMs, bulk.pauseMs) / calm,
      target: null,
      detail: `${SENSES} senses, one signal each ${EVERY}`,
    },
    {
      suite: "push",
      name: `memory of the push process with ${SLOW} slow requests`,
      unit: "MB",
      ...none,
      nerve: held.slow / MEBIBYTE,
      detail: `before ${(held.before / MEBIBYTE).toFixed(1)}, with ${IDLE} idle connections ${(held.idle / MEBIBYTE).toFixed(1)}`,
    },
  ];
}

const timer = (ms: number): (() => boolean) => {
  const end = performance.now() + ms;
  return () => performance.now() > end;
};
