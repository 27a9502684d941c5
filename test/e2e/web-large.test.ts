/**
 * A reflex with thousands of keys, and a store with a long history: every answer is bounded, and whoever goes on by its cursor has
 * every row once. NERVE_CRASH=full: 10,000 keys; 1,000,000 signals, 200,000 logs, 10,000 runs and 200 senses.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { FULL_SIZE, fillStore, type LargeCounts, largeProject } from "../helpers/large-store.ts";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { readProc } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, freeAddress, get, statusAt, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(900_000);

const FULL = process.env.NERVE_CRASH === "full";
const KEYS = FULL ? 10_000 : 1_000;
const COUNTS: LargeCounts = FULL ? FULL_SIZE : { senses: 20, signals: 8_000, logs: 2_000, runs: 300, incidents: 30 };
/** More than the page of any view needs. */
const MOST_BYTES = 1_200_000;

const webPid = (nerve: Nerve): number =>
  nerve.logs({ event: "worker.started" }).findLast(({ data }) => data.role === "web")?.data.pid ?? 0;
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`) ?? "")?.[1] ?? 0) / 1_024;

class Client {
  readonly #address: Address;
  readonly #token: string;
  /** The longest that an answer took, by path, in milliseconds. */
  readonly slowest = new Map<string, number>();

  constructor(address: Address, token: string) {
    this.#address = address;
    this.#token = token;
  }

  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of an answer by reading it
  async ask(path: string): Promise<any> {
    const begun = performance.now();
    const { status, body } = await get(this.#address, `/api/v1/${path}`, bearer(this.#token));
    const [route = ""] = path.split(/[?&](?:before|after|limit)=/);
    this.slowest.set(route, Math.max(this.slowest.get(route) ?? 0, performance.now() - begun));
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body}`);
    expect(body.length).toBeLessThan(MOST_BYTES);
    return JSON.parse(body);
  }

  /** Whether a story came: on a busy machine there may not be the time to look through a million rows. */
  async tells(story: string): Promise<boolean> {
    const { status, body } = await get(this.#address, `/api/v1/${story}`, bearer(this.#token));
    const { error = null } = JSON.parse(body);
    if (status !== 200 && error?.kind !== "too-much") throw new Error(`${story} was answered with ${status}: ${body}`);
    return status === 200;
  }

  /** The ids of all rows, page by page. */
  async walk(path: string, direction: "before" | "after"): Promise<number[]> {
    const pages: number[][] = [];
    const mark = path.includes("?") ? "&" : "?";
    for (let next: string | null = direction === "after" ? "after=0" : ""; next !== null; ) {
      const page = await this.ask(`${path}${mark}limit=200${next === "" ? "" : `&${next}`}`);
      pages.push(page.rows.map(({ id }: { id: number }) => id));
      next = page.next;
    }
    return (direction === "before" ? pages.reverse() : pages).flat();
  }
}

const healthy = (address: Address) =>
  until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);

const MANY = (address: Address): string => `http: "${address.text}"
senses: { many: {} }
workflows: { note: {} }
reflexes:
  - { name: tick, sense: many, interval: 100ms }
  - { name: slow, workflow: note, on: [many], key: id, when: { value: number > 5 }, for: 1h }
`;
const KEYED = `import { signals } from "nerve";
let n = 0;
export const compute = () => {
  const some = [];
  while (n < ${KEYS} && some.length < 500) some.push({ id: "key-" + n++, value: 9 });
  return some.length === 0 ? null : signals(some);
};`;

test.concurrent(`a reflex remembers ${KEYS} keys: its answer has 200 of them, and the cursor leads through all`, async () => {
  const address = await freeAddress();
  using folder = project({
    "nerve.yaml": MANY(address),
    "senses/many/index.ts": KEYED,
    "workflows/note/index.ts": "export const run = async () => 1;\n",
  });
  await using nerve = await startNerve(folder.path);
  await until("all signals are there", () => nerve.signals("many").length === KEYS);
  await healthy(address);
  const client = new Client(address, tokenIn(nerve.data, "page"));
  const keys: string[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const { pending, pending_count, pending_next } = await client.ask(`reflexes/slow?limit=1&${next}`);
    expect(pending_count).toBe(KEYS);
    expect(pending.length).toBeLessThanOrEqual(200);
    keys.push(...pending.map(({ key }: { key: string }) => key));
    next = pending_next;
  }
  expect(keys).toHaveLength(KEYS);
  expect(new Set(keys).size).toBe(KEYS);
  const [row] = (await client.ask("reflexes")).reflexes.filter(({ name }: { name: string }) => name === "slow");
  expect([row.keys, row.pending]).toEqual([KEYS, KEYS]);
  expect(JSON.stringify(await client.ask("status")).length).toBeLessThan(10_000);
  expect((await client.ask("reflexes/slow?limit=1&key=key-7")).pending).toHaveLength(1);
});

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

test.concurrent(`${COUNTS.signals} signals: every list has every row once, in both directions, and every route answers`, async () => {
  const address = await freeAddress();
  using folder = largeProject(address.text, COUNTS);
  await fillStore(`${folder.path}/data`, COUNTS);
  await using nerve = await startNerve(folder.path);
  await healthy(address);
  for (const { name } of (await nerve.status()).reflexes) await nerve.post("/disable", { name });
  const client = new Client(address, tokenIn(nerve.data, "page"));
  const signals = await client.walk("signals", "before");
  expect(signals.slice(0, COUNTS.signals)).toEqual(upTo(COUNTS.signals));
  const memory = residentMb(webPid(nerve));
  for (const direction of ["before", "after"] as const) {
    const logs = await client.walk("logs", direction);
    expect(logs).toEqual(upTo(logs.length));
    expect(await client.walk("runs", direction)).toEqual(upTo(COUNTS.runs));
    expect(await client.walk("incidents", direction)).toEqual(upTo(COUNTS.incidents));
    const failed = await client.walk("runs?state=failed", direction);
    const completed = await client.walk("runs?state=completed", direction);
    expect([...failed, ...completed].sort((one, two) => one - two)).toEqual(upTo(COUNTS.runs));
    const deaths = await client.walk("deaths", direction);
    const warned = await client.walk("logs?event=worker.exited", direction);
    expect(deaths.length).toBeGreaterThan(0);
    expect(deaths).toEqual(warned);
  }
  const some = await client.walk("signals?sense=probe-001", "before");
  expect(some).toEqual(nerve.signals("probe-001").map(({ id }) => id));
  expect(await client.walk("logs?text=nothing-like-this", "before")).toEqual([]);
  const routes = [
    "status",
    "senses",
    "reflexes",
    "reflexes/high-0",
    "graph",
    "config",
    "store",
    "silences",
    "hosts",
    "session",
  ];
  const stories = ["runs/1", `runs/${COUNTS.runs}`, "traces/signal:1", `traces/signal:${COUNTS.signals}`];
  for (const route of routes) await client.ask(route);
  for (const story of stories) await until(`${story} is told in time`, () => client.tells(story));
  const grown = residentMb(webPid(nerve)) - memory;
  if (FULL) console.log(Object.fromEntries(client.slowest), { memory, grown });
  expect(grown).toBeLessThan(128);
  expect(nerve.logs({ event: "worker.exited" }).filter(({ data }) => data.role === "web")).toEqual([]);
});
