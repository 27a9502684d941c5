/**
 * What nobody friendly sends: requests at random, connections that say nothing or half of it; and that no request whatever changes
 * a byte. NERVE_CRASH=full: 100,000 requests instead of 1,500, 3,000 connections instead of 300. NERVE_WEB_SEED=n sends the same again, of which each full run sends others.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { type Nerve, type Project, project, startNerve } from "../helpers/nerve.ts";
import { readProc, sendSignal } from "../helpers/processes.ts";
import { randomRequests, statusOf } from "../helpers/random-requests.ts";
import { bytesOf, rowsOf } from "../helpers/stored.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, freeAddress, get, statusAt, tokenIn } from "../helpers/web.ts";

setDefaultTimeout(1_800_000);

const FULL = process.env.NERVE_CRASH === "full";
const SEED = Number(process.env.NERVE_WEB_SEED ?? (FULL ? Date.now() % 1_000_000 : 14));
const REQUESTS = FULL ? 100_000 : 1_500;
const CONNECTIONS = FULL ? 3_000 : 300;
/** Many of the requests have no answer until the listener closes their connection, after 10 s. */
const AT_ONCE = FULL ? 200 : 20;
/** What is written is no HTTP of ours. */
const BAD_VERSION = 505;
/** A process in which garbage waits to be collected differs by less. */
const GROWTH_KB = 64 * 1_024;

const CONFIG = (address: Address): string => `http: "${address.text}"
senses: { pulse: {} }
workflows: { note: {} }
reflexes:
  - { name: a, sense: pulse, interval: 100ms }
  - { name: noted, workflow: note, on: [pulse], throttle: 300ms }
`;

const PATHS = [
  "/",
  "/assets/app.js",
  "/healthz",
  "/metrics",
  "/session",
  ...["signals", "logs", "runs", "incidents", "deaths", "events", "session", "status", "senses", "reflexes"],
  ...["reflexes/noted", "graph", "config", "store", "silences", "hosts", "runs/1", "traces/signal:1", "traces/run:1"],
].map((path) => (path.startsWith("/") ? path : `/api/v1/${path}`));

/** Seldom a session: a wrong code is answered slowly on purpose. */
const ASKED = [...PATHS, ...Array.from({ length: 9 }, () => PATHS.filter((path) => path !== "/session")).flat()];

let folder: Project;
let address: Address;
let nerve: Nerve;
let token: string;

beforeAll(async () => {
  address = await freeAddress();
  folder = project(
    {
      "nerve.yaml": CONFIG(address),
      "workflows/note/index.ts": 'export const run = async (thread) => thread.step("once", () => 1);\n',
    },
    { pulse: "e2e/tick" },
  );
  nerve = await startNerve(folder.path);
  token = tokenIn(nerve.data, "page");
  await until("two runs are over", () => nerve.logs({ event: "run.completed" }).length >= 2);
  for (const name of ["a", "noted"]) await nerve.post("/disable", { name });
  await until("no run is left", async () => {
    const { workflows } = await nerve.status();
    return workflows.every(({ running, queued }) => running + queued === 0);
  });
  await until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);
});

afterAll(async () => {
  await nerve[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const webPid = (): number =>
  nerve.logs({ event: "worker.started" }).find(({ data }) => data.role === "web")?.data.pid ?? 0;
const residentKb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readProc(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);

/** Connections that say nothing, half a head, or a head and a body that comes byte by byte. */
function loris(count: number) {
  const sockets: Socket[] = [];
  let closed = 0;
  let open = 0;
  for (let index = 0; index < count; index++) {
    const socket = connect(address.port, address.hostname);
    socket.on("error", () => {});
    socket.on("close", () => closed++);
    socket.on("connect", () => {
      open++;
      if (index % 3 === 1) socket.write(`GET /healthz HTTP/1.1\r\nhost: ${address.text}\r\nx-half: `);
      if (index % 3 === 2)
        socket.write(`GET /nowhere HTTP/1.1\r\nhost: ${address.text}\r\ncontent-length: 900\r\n\r\na`);
    });
    sockets.push(socket);
  }
  const trickle = setInterval(() => {
    for (const socket of sockets) if (socket.writable && socket.bytesWritten > 0) socket.write("a");
  }, 1_000);
  return {
    open: () => open,
    async closed(): Promise<void> {
      await until("each of them is closed", () => closed === count);
      clearInterval(trickle);
    },
  };
}

test(`${REQUESTS} requests at random beside ${CONNECTIONS} slow ones: no 5xx, no death, no growth, no row is another`, async () => {
  const before = rowsOf(nerve.data);
  const slow = loris(CONNECTIONS);
  await until("they are open", () => slow.open() === CONNECTIONS);
  expect(await statusAt(address, "/healthz")).toBe(200);
  const requests = randomRequests(SEED, address, ASKED, token);
  const pids = [webPid(), nerve.pid];
  const counts = new Map<number | null, number>();
  const send = async (count: number): Promise<void> => {
    let left = count;
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const bytes = requests.next();
        const status = await statusOf(address, bytes);
        counts.set(status, (counts.get(status) ?? 0) + 1);
        if (status !== null && status >= 500 && status !== BAD_VERSION) {
          throw new Error(`NERVE_WEB_SEED=${SEED}: ${status} for ${JSON.stringify(bytes.toString("latin1"))}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  };
  await send(REQUESTS / 2);
  const half = pids.map(residentKb);
  await send(REQUESTS / 2);
  const whole = pids.map(residentKb);
  await slow.closed();
  if (FULL) console.log(Object.fromEntries(counts), { half, whole });
  for (const status of [200, 400, 401, 403, 404, 405, 421]) expect(counts.get(status) ?? 0).toBeGreaterThan(0);
  for (const [index, kb] of whole.entries()) expect(kb - (half[index] ?? 0)).toBeLessThan(GROWTH_KB);
  expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
  expect(nerve.logs().filter(({ level }) => level === "error")).toEqual([]);
  expect(await statusAt(address, "/healthz")).toBe(200);
  expect(rowsOf(nerve.data)).toEqual(before);
});

test("while the kernel stands still nothing writes: no route changes a byte of any file", async () => {
  sendSignal(nerve.pid, "SIGSTOP");
  try {
    const before = bytesOf(nerve.data);
    expect(before.size).toBeGreaterThan(5);
    const requests = randomRequests(SEED + 1, address, ASKED, token);
    const paths = PATHS.filter((path) => !["/api/v1/events", "/healthz"].includes(path));
    const answered = await Promise.all(paths.map(async (path) => (await get(address, path, bearer(token))).status));
    expect([...new Set(answered)].sort()).toEqual([200, 401, 404]);
    for (let sent = 0; sent < 200; sent += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => statusOf(address, requests.next())));
    }
    expect(bytesOf(nerve.data)).toEqual(before);
  } finally {
    sendSignal(nerve.pid, "SIGCONT");
  }
});
