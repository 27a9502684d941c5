/** Items that are pushed over TCP, from the request to the signal; the process that takes them in as a fault domain. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { SOCKET_NAME } from "../../src/control/contract.ts";
import { jsonOf, type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { type Address, bearer, freeAddress } from "../helpers/web.ts";
import { CHROMIUM, launch } from "../page/browser.ts";

setDefaultTimeout(120_000);

/** A signal an item, with what came with it. */
const SENSE = `import { type Compute, signals } from "nerve";
export const compute: Compute = (_db, _peers, { inbox }) =>
  signals(inbox.map(({ id, key, type, body }) => ({ id, key, type, body })));
`;

const config = (push: string | null, inbox = "{}"): string =>
  `${push === null ? "" : `push: "${push}"\n`}senses: { deploys: { inbox: ${inbox} }, pulse: {} }\nreflexes: [{ sense: pulse, interval: 100ms }]\n`;

const siteOf = (address: Address, inbox = "{}"): Project =>
  project({ "nerve.yaml": config(address.text, inbox), "senses/deploys/index.ts": SENSE }, { pulse: "e2e/tick" });

interface Token {
  readonly token: string;
  readonly url: string;
  readonly ping_url: string;
}

const tokenOf = async (folder: Project, sense: string): Promise<Token> =>
  (await jsonOf(folder.path, ["token", sense])).value;

const up = (nerve: Nerve): Promise<unknown> =>
  until("the push listener is up", async () =>
    (await nerve.status()).listeners.some(({ name, state }) => name === "push" && state === "up"),
  );

const send = (token: Token, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(token.url, {
    method: "POST",
    headers: { ...bearer(token.token), "content-type": "application/json", ...headers },
    body,
  });

const payloads = (nerve: Nerve) => nerve.signals("deploys").map(({ payload }) => payload);

test.concurrent("an item is pushed, pinged and wrapped: each is one signal with its key, type and body", async () => {
  const address = await freeAddress();
  using folder = siteOf(address);
  await using nerve = await startNerve(folder.path);
  await up(nerve);
  const token = await tokenOf(folder, "deploys");
  const first = await send(token, '{"version":1}', { "idempotency-key": "one" });
  expect([first.status, await first.json()]).toEqual([202, { ids: [1] }]);
  const again = await send(token, '{"version":1}', { "idempotency-key": "one" });
  expect([again.status, await again.json()]).toEqual([202, { ids: [1] }]);
  expect((await send(token, '{"version":2}', { "idempotency-key": "one" })).status).toBe(422);
  const ping = await fetch(`${token.ping_url}/7`, { method: "POST", body: "out" });
  expect([ping.status, await ping.text()]).toEqual([200, "OK"]);
  await until("both are signals", () => payloads(nerve).length === 2);
  const wrapped = await runNerve(folder.path, ["wrap", "deploys", "--", "sh", "-c", "echo hello; exit 4"]);
  expect([wrapped.code, wrapped.stdout]).toEqual([4, "hello\n"]);
  await until("start and end are signals", () => payloads(nerve).length === 4);
  const [pushed, pinged, ...wraps] = payloads(nerve);
  expect(pushed).toEqual({ id: 1, key: "one", type: null, body: { version: 1 } });
  expect(pinged).toMatchObject({ key: null, type: "fail", body: { exit_code: 7, duration_ms: null, output: "out" } });
  expect(wraps.map(({ type }) => type).sort()).toEqual(["fail", "start"]);
  expect(wraps.find(({ type }) => type === "fail").body).toEqual({
    exit_code: 4,
    duration_ms: expect.any(Number),
    output: "hello\n",
  });
});

test.concurrent("the process is killed, the secret and the address change, and what was accepted is there once", async () => {
  const [first, second] = [await freeAddress(), await freeAddress()];
  using folder = siteOf(first);
  await using nerve = await startNerve(folder.path);
  await up(nerve);
  const token = await tokenOf(folder, "deploys");
  const accepted = new Set<number>();
  /** As a client that tries again with the same key until it is answered. */
  const deliver = async (key: number): Promise<void> => {
    await until(`item ${key} is accepted`, async () => {
      try {
        const reply = await send(token, String(key), { "idempotency-key": `k${key}` });
        if (reply.status !== 202) return false;
        const { ids } = (await reply.json()) as { ids: [number] };
        accepted.add(ids[0]);
        return true;
      } catch {
        return false;
      }
    });
  };
  const pids = (): number[] =>
    nerve.logs({ event: "worker.started" }).flatMap(({ data }) => (data.role === "push" ? [data.pid] : []));
  for (let key = 0; key < 30; key++) {
    if (key % 10 === 5) sendSignal(pids().at(-1) ?? 0, "SIGKILL");
    await deliver(key);
  }
  await until("all are signals", () => payloads(nerve).length >= 30);
  expect(payloads(nerve).map(({ body }) => body)).toEqual(Array.from({ length: 30 }, (_, key) => key));
  expect(accepted.size).toBe(30);
  folder.write("nerve.yaml", config(second.text));
  expect((await nerve.post("/reload")).status).toBe(200);
  await until(
    "it listens there",
    async () => (await fetch(`http://${second.text}/`).catch(() => null))?.status === 404,
  );
  expect(await fetch(token.url).catch(() => null)).toBeNull();
  folder.write("nerve.yaml", config(null));
  expect((await nerve.post("/reload")).status).toBe(200);
  expect((await nerve.status()).listeners).toEqual([]);
});

test.concurrent("a full inbox is 429 with when to try again, and what was accepted is not lost", async () => {
  const address = await freeAddress();
  using folder = siteOf(address, "{ max: 3 }");
  await using nerve = await startNerve(folder.path);
  await up(nerve);
  const token = await tokenOf(folder, "deploys");
  expect((await runNerve(folder.path, ["disable", "deploys"])).code).toBe(0);
  const statuses: number[] = [];
  for (let item = 0; item < 4; item++) statuses.push((await send(token, String(item))).status);
  expect(statuses).toEqual([202, 202, 202, 429]);
  const refused = await send(token, "5");
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await runNerve(folder.path, ["enable", "deploys"])).code).toBe(0);
  await until("all are signals", () => payloads(nerve).length === 3);
  expect(payloads(nerve).map(({ body }) => body)).toEqual([0, 1, 2]);
});

/** A request whose body comes a byte at a time, or not at all; resolves with the answer when the connection ends. */
function trickle(address: Address, token: Token, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address.port, address.hostname);
    socket.setEncoding("utf8");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    const head = `POST ${path} HTTP/1.1\r\nhost: ${address.text}\r\nauthorization: Bearer ${token.token}\r\n`;
    socket.write(`${head}connection: close\r\ncontent-length: 60000\r\n\r\n"`);
    const drip = setInterval(() => socket.write("x"), 500);
    socket.on("close", () => {
      clearInterval(drip);
      resolve(text);
    });
  });
}

test.concurrent("slow requests are answered with 408 in the end, and others are taken meanwhile", async () => {
  const address = await freeAddress();
  using folder = siteOf(address);
  await using nerve = await startNerve(folder.path);
  await up(nerve);
  const token = await tokenOf(folder, "deploys");
  const slow = Array.from({ length: 60 }, () => trickle(address, token, "/v1/inbox/deploys"));
  for (let item = 0; item < 20; item++) expect((await send(token, String(item))).status).toBe(202);
  for (const reply of await Promise.all(slow)) expect(reply).toStartWith("HTTP/1.1 408 ");
  await until("the others are signals", () => payloads(nerve).length === 20);
});

/** What is answered to a request with a key of a megabyte; empty where the connection ended before the answer came. */
function askWithLongKey(place: NetConnectOpts, token: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(place);
    socket.setEncoding("utf8");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    // The rest of the head is not read, so its writing may fail. The answer may be there all the same.
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
    const head = `POST /v1/inbox/deploys HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n`;
    socket.write(`${head}idempotency-key: ${"k".repeat(1024 * 1024)}\r\ncontent-length: 1\r\n\r\n1`);
  });
}

test.concurrent("a key of a megabyte is refused by both listeners, and costs nobody else anything", async () => {
  const address = await freeAddress();
  using folder = siteOf(address);
  await using nerve = await startNerve(folder.path);
  await up(nerve);
  const token = await tokenOf(folder, "deploys");
  const socket = { path: join(folder.path, "data", SOCKET_NAME) };
  for (const place of [{ host: address.hostname, port: address.port }, socket]) {
    const refused = /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/;
    await until("it is refused", async () => refused.test(await askWithLongKey(place, token.token)));
  }
  expect((await send(token, "7", { "idempotency-key": "k" })).status).toBe(202);
  await until("the item is a signal", () => payloads(nerve).length > 0);
  expect(payloads(nerve).map(({ key, body }) => [key, body])).toEqual([["k", 7]]);
  expect(nerve.logs({ event: "worker.exited" })).toEqual([]);
});

test.concurrent.skipIf(CHROMIUM === null)(
  "a page of another site, in a real browser, cannot push and cannot ping",
  async () => {
    const address = await freeAddress();
    using folder = siteOf(address);
    await using nerve = await startNerve(folder.path);
    await up(nerve);
    const token = await tokenOf(folder, "deploys");
    using evil = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => new Response("<p>", { headers: { "content-type": "text/html" } }),
    });
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(`http://localhost:${evil.port}/`);
      const sent = await page.evaluate(
        async (urls) => {
          const outcomes: string[] = [];
          for (const url of urls) {
            for (const mode of ["no-cors", "cors"] as const) {
              await fetch(url, { method: "POST", mode, body: "1" }).then(
                ({ type }) => outcomes.push(type),
                () => outcomes.push("failed"),
              );
            }
          }
          return outcomes;
        },
        [token.url, token.ping_url],
      );
      expect(sent).toEqual(["failed", "failed", "failed", "failed"]);
    } finally {
      await browser.close();
    }
    expect((await send(token, "7")).status).toBe(202);
    await until("the item of the token is a signal", () => payloads(nerve).length > 0);
    expect(payloads(nerve).map(({ body }) => body)).toEqual([7]);
  },
);
