/**
 * Items pushed over TCP, each answered after its commit: items a second beside bare inserts of the same rows, how long an answer takes,
 * what a flood costs other senses (how late their computes begin, how long commits take, the longest time without a signal of theirs),
 * and the memory of the push process while connections idle or send slowly.
 */
import { connect, type Socket } from "node:net";
import { type Figure, median, percentile } from "../figures.ts";
import { childrenOf, cpuMs, pssBytes } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, Site } from "../site.ts";
import { rawInserts } from "./flood.ts";
import {
  ADDRESS,
  HOSTNAME,
  OTHERS,
  OTHERS_EVERY,
  PORT,
  type Sending,
  type Sent,
  send,
  startTaker,
  type Taker,
  timer,
} from "./pushing.ts";

const IDLE = 1_000;
const SLOW = 200;
const MEBIBYTE = 1024 * 1024;

const SINGLE: Sending = { clients: 64, items: 1, hasKeys: false };
const LINES: Sending = { clients: 4, items: 100, hasKeys: false };
/** The most that a request holds. */
const FULL: Sending = { clients: 64, items: 1_000, hasKeys: false };

/** What other senses had of a stretch of time. */
interface Others {
  /** How late their computes began. */
  readonly lateMs: readonly number[];
  readonly commitMs: number;
  readonly pauseMs: number;
}

interface Flood extends Sent {
  readonly others: Others;
}

async function others(taker: Taker, isOver: () => boolean): Promise<Others> {
  const { running } = taker;
  const [before, from] = [await taker.commits(), running.lastId()];
  const pauseMs = await longestPause(running, isOver);
  const after = await taker.commits();
  const sql = "SELECT json_extract(payload, '$.late') AS late FROM signals WHERE id > ?";
  const lateMs = running.query<{ late: number }>(sql, from).map(({ late }) => late);
  return { lateMs, commitMs: (1_000 * (after.seconds - before.seconds)) / (after.count - before.count), pauseMs };
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

async function flood(taker: Taker, sending: Sending, ms: number): Promise<Flood> {
  const isOver = timer(ms);
  const [sent, found] = await Promise.all([send(taker.token, sending, isOver), others(taker, isOver)]);
  return { ...sent, others: found };
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

const nameOf = ({ clients, items }: Sending): string =>
  `${clients} clients, ${items === 1 ? "an item" : `${items} items`} a request`;

function accepted(sending: Sending, flood: Flood, floor: number, cost: string): Figure {
  const nerve = (flood.items * 1_000) / flood.tookMs;
  const answers = [0.5, 0.99].map((share) => percentile(flood.answersMs, share).toFixed(1));
  const detail = `${cost}answers p50 ${answers[0]}, p99 ${answers[1]} ms`;
  const name = `items accepted, ${nameOf(sending)}`;
  return { suite: "push", name, unit: "items/s", floor, nerve, ratio: nerve / floor, target: null, detail };
}

/** Rounds with and without pushes by turns. */
function besideNone(sending: Sending, floods: readonly Flood[], calm: readonly Others[]): Figure[] {
  const detail = `${OTHERS} senses, a signal each ${OTHERS_EVERY}, on the same cores as the clients`;
  const figure = (what: string, pick: (round: Others) => number): Figure => {
    const [floor, nerve] = [median(calm.map(pick)), median(floods.map((flood) => pick(flood.others)))];
    const name = `${nameOf(sending)}: ${what}, beside none pushed`;
    return { suite: "push", name, unit: "ms", floor, nerve, ratio: nerve / floor, target: null, detail };
  };
  return [
    figure("a compute of others begins late, p50", ({ lateMs }) => percentile(lateMs, 0.5)),
    figure("p99", ({ lateMs }) => percentile(lateMs, 0.99)),
    figure("a commit", ({ commitMs }) => commitMs),
    figure("longest pause between signals of others", ({ pauseMs }) => pauseMs),
  ];
}

export async function push(setting: Setting): Promise<Figure[]> {
  using site = new Site();
  const taker = await startTaker(setting, site);
  await using running = taker.running;
  const pid = pushPid(running);
  const { warmMs, windowMs } = setting.spans;
  await flood(taker, SINGLE, warmMs);
  const before = { kernel: cpuMs(running.pid), push: cpuMs(pid) };
  const first = await flood(taker, SINGLE, windowMs);
  const us = (after: number, from: number): string => (((after - from) * 1_000) / first.items).toFixed(1);
  const cost = `kernel ${us(cpuMs(running.pid), before.kernel)} µs, push process ${us(cpuMs(pid), before.push)} µs an item; `;
  const figures = [accepted(SINGLE, first, rawInserts("NORMAL", SINGLE.clients, setting.spans), cost)];
  for (const sending of [LINES, FULL]) {
    const floor = rawInserts("NORMAL", Math.min(1_000, sending.clients * sending.items), setting.spans);
    figures.push(accepted(sending, await flood(taker, sending, windowMs), floor, ""));
  }
  for (const sending of [SINGLE, FULL]) {
    const [calm, floods]: [Others[], Flood[]] = [[], []];
    for (let round = 0; round < setting.rounds; round++) {
      calm.push(await others(taker, timer(windowMs)));
      floods.push(await flood(taker, sending, windowMs));
    }
    figures.push(...besideNone(sending, floods, calm));
  }
  const held = await memory(pid, taker.token);
  const detail = `before ${(held.before / MEBIBYTE).toFixed(1)}, with ${IDLE} idle connections ${(held.idle / MEBIBYTE).toFixed(1)}`;
  const name = `memory of the push process with ${SLOW} slow requests`;
  const none = { floor: Number.NaN, ratio: Number.NaN, target: null };
  return [...figures, { suite: "push", name, unit: "MB", ...none, nerve: held.slow / MEBIBYTE, detail }];
}
