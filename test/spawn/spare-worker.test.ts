/** A worker that begins before anybody asks for it, with real children. */
import { afterAll, expect, test } from "bun:test";
import { SpareWorker } from "../../src/spawn/spare-worker.ts";
import type { WorkerCommand, WorkerEvents, WorkerExit } from "../../src/spawn/worker-process.ts";
import { childrenOf, isRunning } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

const commandOf = (code: string): WorkerCommand => ({
  command: [process.execPath, "-e", code],
  env: { PATH: process.env.PATH ?? "" },
  cwd: import.meta.dir,
});

/** Says its pid, and answers each message. */
const ECHO = commandOf('process.send({ pid: process.pid }); process.on("message", (frame) => process.send(frame));');
const PLACES = 4;

class Owner implements WorkerEvents {
  readonly heard: unknown[] = [];
  ended: WorkerExit | null = null;

  readonly message = (raw: unknown): void => void this.heard.push(raw);
  readonly output = (): void => {};
  readonly exit = (exit: WorkerExit): void => {
    this.ended = exit;
  };

  pid(): Promise<number> {
    return until("the worker has said its pid", () => (this.heard[0] as { pid: number } | undefined)?.pid ?? null);
  }
}

const ends: (() => void)[] = [];
afterAll(() => {
  for (const end of ends) end();
});

function spareOf(command: WorkerCommand): SpareWorker {
  const spare = new SpareWorker(command, PLACES);
  ends.push(() => spare.end());
  return spare;
}

function taken(spare: SpareWorker, command: WorkerCommand, places: number) {
  const owner = new Owner();
  const worker = spare.spawn<object>(command, owner, places);
  ends.push(() => worker.kill());
  return { owner, worker };
}

test("whoever asks first for its command gets it, hears what it has said, and is heard; the next one gets another", async () => {
  const spare = spareOf(ECHO);
  const first = taken(spare, { ...ECHO }, PLACES);
  expect(first.owner.heard).toEqual([]);
  const second = taken(spare, ECHO, PLACES);
  first.worker.send([{ question: 1 }]);
  expect(await first.owner.pid()).toBe(first.worker.pid);
  await until("the answer is there", () => first.owner.heard.length === 2);
  expect(first.owner.heard[1]).toEqual({ question: 1 });
  expect(await second.owner.pid()).toBe(second.worker.pid);
  expect(second.worker.pid).not.toBe(first.worker.pid);
  spare.end();
  expect(isRunning(first.worker.pid)).toBe(true);
});

/** A spare worker and its pid, which it gives to nobody but its owner. */
function withPid(command: WorkerCommand): { readonly spare: SpareWorker; readonly pid: number } {
  const before = childrenOf(process.pid);
  const spare = spareOf(command);
  const [pid = 0] = childrenOf(process.pid).filter((child) => !before.includes(child));
  return { spare, pid };
}

test("what it has said and how it has ended before somebody asked is told afterwards, in this order", async () => {
  const command = commandOf("process.send({ pid: process.pid }, () => process.exit(7));");
  const { spare, pid } = withPid(command);
  await until("it has ended", () => !isRunning(pid));
  const { owner, worker } = taken(spare, command, PLACES);
  expect([worker.pid, owner.heard, owner.ended]).toEqual([pid, [], null]);
  await until("its end is told", () => owner.ended !== null);
  expect(owner.heard).toEqual([{ pid }]);
  expect(owner.ended).toMatchObject({ code: 7 });
  expect(worker.send([{}])).toBe(false);
});

test("a worker of another command, or of more places than it has, is a new one, and the spare one ends when nobody wants it", async () => {
  const { spare, pid } = withPid(ECHO);
  const others = [taken(spare, commandOf("setInterval(() => {}, 1_000);"), PLACES), taken(spare, ECHO, PLACES + 1)];
  expect(others.map(({ worker }) => worker.pid)).not.toContain(pid);
  expect(isRunning(pid)).toBe(true);
  spare.end();
  await until("it has ended", () => !isRunning(pid));
  const late = taken(spare, ECHO, PLACES);
  expect(await late.owner.pid()).toBe(late.worker.pid);
});
