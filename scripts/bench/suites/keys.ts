/**
 * Pushes with an `Idempotency-Key`, each another one: what a push costs the kernel while it knows few keys, and once many more came
 * than it keeps, with the memory of the kernel and the rows of keys.
 */
import { type Figure, percentile } from "../figures.ts";
import { cpuMs, pssBytes } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, Site } from "../site.ts";
import { type Sending, send, startTaker, type Taker, timer } from "./pushing.ts";

const SENDING: Sending = { clients: 64, items: 1, hasKeys: true };
const PLAIN: Sending = { ...SENDING, hasKeys: false };
const MEBIBYTE = 1024 * 1024;

interface Look {
  /** Processor time of the kernel for a push, and the time of an answer. */
  readonly kernelUs: number;
  /** Of a push without a key, a moment before. */
  readonly plainUs: number;
  readonly answerMs: number;
  readonly memoryMb: number;
  readonly rows: number;
}

const rowsOf = (running: Running): number =>
  running.query<{ rows: number }>("SELECT count(*) AS rows FROM inbox_requests")[0]?.rows ?? 0;

async function look({ running, token }: Taker, ms: number): Promise<Look> {
  const costOf = async (sending: Sending): Promise<{ us: number; answersMs: readonly number[] }> => {
    const before = cpuMs(running.pid);
    const { items, answersMs } = await send(token, sending, timer(ms));
    return { us: ((cpuMs(running.pid) - before) * 1_000) / items, answersMs };
  };
  const { us: plainUs } = await costOf(PLAIN);
  const { us: kernelUs, answersMs } = await costOf(SENDING);
  const memoryMb = pssBytes(running.pid) / MEBIBYTE;
  return { kernelUs, plainUs, answerMs: percentile(answersMs, 0.5), memoryMb, rows: rowsOf(running) };
}

export async function keys(setting: Setting): Promise<Figure[]> {
  using site = new Site();
  const taker = await startTaker(setting, site);
  await using _running = taker.running;
  const { warmMs, windowMs } = setting.spans;
  await send(taker.token, PLAIN, timer(warmMs));
  const few = await look(taker, windowMs);
  let sent = few.rows;
  while (sent < setting.manyKeys) {
    sent += (await send(taker.token, SENDING, (requests) => sent + requests >= setting.manyKeys)).items;
  }
  const many = await look(taker, windowMs);
  const plain = `without a key ${few.plainUs.toFixed(1)} and ${many.plainUs.toFixed(1)} µs`;
  const detail = `after ${sent} keys, beside ${few.rows}; ${plain}`;
  const figure = (name: string, unit: string, pick: (look: Look) => number): Figure => {
    const [floor, nerve] = [pick(few), pick(many)];
    return { suite: "keys", name, unit, floor, nerve, ratio: nerve / floor, target: null, detail };
  };
  return [
    figure("a push with a key: time of the kernel", "µs", ({ kernelUs }) => kernelUs),
    figure("its answer, p50", "ms", ({ answerMs }) => answerMs),
    figure("memory of the kernel", "MB", ({ memoryMb }) => memoryMb),
    figure("rows of keys", "rows", ({ rows }) => rows),
  ];
}
