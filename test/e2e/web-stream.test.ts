/**
 * The stream of the page's process under everything that can come between: a long history, kills, a kernel that stands still, a
 * follower that takes nothing. Each row comes once. NERVE_CRASH=full: the kernel stands still for 30 s more.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { fillStore, type LargeCounts, largeProject } from "../helpers/large-store.ts";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Address, follow, freeAddress, get, type StreamEvent, statusAt, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(180_000);

const STILL_MS = process.env.NERVE_CRASH === "full" ? 30_000 : 0;

const idsOf = (events: readonly StreamEvent[], name: string): number[] =>
  events.filter((event) => event.name === name).map(({ data }) => data.id as number);

const healthy = (address: Address) =>
  until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);

const HISTORY: LargeCounts = { senses: 4, signals: 30_000, logs: 3_000, runs: 300, incidents: 10 };

test.concurrent("who comes with an old place gets the whole history, each row once, and others are answered meanwhile", async () => {
  const address = await freeAddress();
  using folder = largeProject(address.text, HISTORY);
  await fillStore(`${folder.path}/data`, HISTORY);
  await using nerve = await startNerve(folder.path);
  await healthy(address);
  const token = tokenIn(nerve.data, "page");
  let isAtEnd = false;
  const begun = Promise.withResolvers<void>();
  const following = follow(address, token, "s0.l0", ({ name, data }) => {
    if (name === "signal") begun.resolve();
    isAtEnd = name === "log" && data.event === "kernel.started";
    return isAtEnd;
  });
  await begun.promise;
  expect((await get(address, "/healthz")).status).toBe(200);
  expect(isAtEnd).toBe(false);
  const events = await following;
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
  expect(idsOf(events, "signal")).toEqual(upTo(HISTORY.signals));
  const logs = idsOf(events, "log");
  expect(logs).toEqual(upTo(logs.length));
  expect(idsOf(events, "run")).toEqual(upTo(HISTORY.runs));
  expect(idsOf(events, "incident")).toEqual(upTo(HISTORY.incidents));
});

const BUSY = (address: Address): string => `http: "${address.text}"
senses: { pulse: {}, other: {} }
workflows: { note: {} }
reflexes:
  - { name: a, sense: pulse, interval: 100ms }
  - { name: b, sense: other, interval: 100ms }
  - { name: noted, workflow: note, on: [pulse], throttle: 500ms }
`;
const NOTE = 'export const run = async (thread) => thread.step("once", () => 1);\n';

/** Follows for as long as it lives, and comes back with its place whenever the stream is gone. */
class Watcher {
  readonly events: StreamEvent[] = [];
  place = "s0.l0";
  /** How the kernel stands, as the stream said last. */
  link = "";
  /** How often it came. */
  visits = 0;
  readonly #watching: Promise<void>;
  #isOver = false;

  constructor(address: Address, token: string) {
    this.#watching = this.#watch(address, token);
  }

  async #watch(address: Address, token: string): Promise<void> {
    while (!this.#isOver) {
      await until("the page is there", async () => this.#isOver || (await statusAt(address, "/")) === 200);
      if (this.#isOver) return;
      this.visits++;
      await follow(address, token, this.place, (event) => this.#take(event)).catch(() => {
        // The connection was cut.
      });
    }
  }

  #take(event: StreamEvent): boolean {
    if (this.#isOver) return true;
    if (event.name === "link") this.link = event.data.state;
    if (event.id !== null && event.name !== "place") {
      this.events.push(event);
      this.place = event.id;
    }
    return false;
  }

  /** Resolves once `count` more events have come. */
  async more(count: number): Promise<void> {
    const wanted = this.events.length + count;
    await until(`${count} more events have come`, () => this.events.length >= wanted);
  }

  async says(link: "up" | "silent"): Promise<void> {
    await until(`the stream says that the kernel is ${link}`, () => this.link === link);
  }

  /** At the next event, which is not taken. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#watching;
  }
}

const webOf = (nerve: Nerve): number =>
  nerve
    .logs({ event: "worker.started" })
    .flatMap(({ data }) => (data.role === "web" ? [data.pid as number] : []))
    .at(-1) ?? 0;

test.concurrent("the page's process is killed, the kernel stands still and is killed, in mid-stream: each row once", async () => {
  const address = await freeAddress();
  using folder = project(
    { "nerve.yaml": BUSY(address), "workflows/note/index.ts": NOTE },
    { pulse: "e2e/tick", other: "e2e/tick" },
  );
  let watcher: Watcher | null = null;
  {
    await using nerve = await startNerve(folder.path);
    await healthy(address);
    watcher = new Watcher(address, tokenIn(nerve.data, "page"));
    await watcher.more(20);
    const [pid, visits] = [webOf(nerve), watcher.visits];
    sendSignal(pid, "SIGKILL");
    await until("it is another process", () => webOf(nerve) !== pid);
    await watcher.more(20);
    expect(watcher.visits).toBeGreaterThan(visits);
    nerve.kill("SIGSTOP");
    await watcher.says("silent");
    await Bun.sleep(STILL_MS);
    nerve.kill("SIGCONT");
    await watcher.says("up");
    await watcher.more(20);
    nerve.kill("SIGKILL");
    await nerve.exited;
  }
  await using nerve = await startNerve(folder.path);
  await watcher.more(20);
  for (const name of ["a", "b", "noted"]) await nerve.post("/disable", { name });
  const isWhole = (): boolean =>
    watcher.place === `s${nerve.signals().at(-1)?.id ?? 0}.l${nerve.logs().at(-1)?.id ?? 0}`;
  await until("the watcher has all", isWhole);
  const kept = { signals: nerve.signals(), logs: nerve.logs() };
  await Promise.all([watcher.end(), nerve.post("/trigger", { name: "pulse" })]);
  const { events } = watcher;
  const signals = events.filter(({ name }) => name === "signal");
  expect(signals.map(({ data: { id, sense, payload } }) => ({ id, sense, payload }))).toEqual(
    kept.signals.map(({ id, sense, payload }) => ({ id, sense, payload })),
  );
  expect(idsOf(events, "log")).toEqual(kept.logs.map(({ id }) => id));
  const ended = events.filter(({ name, data }) => name === "run" && data.ended_at !== null);
  const completed = kept.logs.filter(({ event }) => /^run\.(completed|failed)$/.test(event));
  expect(ended).toHaveLength(completed.length);
  expect(new Set(ended.map(({ data }) => data.id)).size).toBe(ended.length);
});

/** Where a link of /proc leads, `` once it is gone. */
const linkOf = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
};

test.skipIf(process.env.NERVE_CRASH !== "full")("a follower that takes nothing for a minute is let go", async () => {
  const address = await freeAddress();
  using folder = largeProject(address.text, HISTORY);
  await fillStore(`${folder.path}/data`, HISTORY);
  await using nerve = await startNerve(folder.path);
  await healthy(address);
  const sockets = (): number => {
    const folder = `/proc/${webOf(nerve)}/fd`;
    return readdirSync(folder).filter((name) => linkOf(`${folder}/${name}`).startsWith("socket:")).length;
  };
  const before = sockets();
  const token = tokenIn(nerve.data, "page");
  const socket = connect(address.port, address.hostname);
  socket.on("error", () => {});
  socket.pause();
  const head = `GET /api/v1/events HTTP/1.1\r\nhost: ${address.text}\r\nauthorization: Bearer ${token}\r\nlast-event-id: s0.l0\r\n\r\n`;
  socket.write(head);
  await until("the follower is there", () => sockets() > before);
  await Bun.sleep(50_000);
  expect(sockets()).toBeGreaterThan(before);
  await until("its connection is closed", () => sockets() === before);
  socket.destroy();
});
