/** The page's process as a fault domain: it comes, goes and fails, and nothing else of nerve does. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type Nerve, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { isRunning, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";
import { freeAddress, statusAt } from "../helpers/web.ts";

setDefaultTimeout(120_000);

const config = (address: string | null): string =>
  `${address === null ? "" : `http: "${address}"\n`}senses: { pulse: {} }\nreflexes: [{ sense: pulse, interval: 100ms }]\n`;

const siteOf = (address: string | null): Project => project({ "nerve.yaml": config(address) }, { pulse: "e2e/tick" });

/** The pids that the page's process has had, the newest last. */
const pidsOf = (nerve: Nerve): number[] =>
  nerve.logs({ event: "worker.started" }).flatMap(({ data }) => (data.role === "web" ? [data.pid] : []));

const healthy = (address: Parameters<typeof statusAt>[0]) =>
  until("the page answers", async () => (await statusAt(address, "/healthz")) === 200);

const ticks = async (nerve: Nerve): Promise<void> => {
  const before = nerve.signals("pulse").length;
  await until("pulse goes on", () => nerve.signals("pulse").length > before + 2);
};

test.concurrent("killed with -9 it comes back, ticks go on; killed with the kernel it is gone", async () => {
  const address = await freeAddress();
  using folder = siteOf(address.text);
  await using nerve = await startNerve(folder.path);
  await healthy(address);
  for (let death = 1; death <= 2; death++) {
    sendSignal(pidsOf(nerve).at(-1) ?? 0, "SIGKILL");
    await ticks(nerve);
    await until("it has started again", () => pidsOf(nerve).length === death + 1);
    await healthy(address);
  }
  const last = pidsOf(nerve).at(-1) ?? 0;
  nerve.kill("SIGKILL");
  await until("the page's process is gone", () => !isRunning(last));
  expect(await statusAt(address, "/healthz")).toBeNull();
});

test.concurrent("a reload adds, moves and removes it", async () => {
  const [first, second] = [await freeAddress(), await freeAddress()];
  using folder = siteOf(null);
  await using nerve = await startNerve(folder.path);
  await ticks(nerve);
  expect([pidsOf(nerve), (await nerve.status()).listeners]).toEqual([[], []]);
  const reload = async (address: string | null): Promise<void> => {
    folder.write("nerve.yaml", config(address));
    expect((await nerve.post("/reload")).status).toBe(200);
  };
  await reload(first.text);
  await healthy(first);
  await reload(second.text);
  await healthy(second);
  await until("the old port is given back", async () => (await statusAt(first, "/healthz")) === null);
  await reload(null);
  await until("the port is given back", async () => (await statusAt(second, "/healthz")) === null);
  await until("no process is left", () => pidsOf(nerve).every((pid) => !isRunning(pid)));
  await ticks(nerve);
});

test.concurrent("a port in use is named and stops nothing else; the port is taken once it is free", async () => {
  const address = await freeAddress();
  const other = Bun.serve({ hostname: address.hostname, port: address.port, fetch: () => new Response("other") });
  using folder = siteOf(address.text);
  await using nerve = await startNerve(folder.path);
  await until("it is named", () => nerve.logs({ event: "http.failed" }).length > 0);
  expect(nerve.logs({ event: "http.failed" })[0]?.message).toContain(`${address.text}: another process has the port`);
  await ticks(nerve);
  await other.stop(true);
  await healthy(address);
});

test.concurrent("a reload, status and why name an address that nerve cannot listen on, until it is free", async () => {
  const address = await freeAddress();
  const other = Bun.serve({ hostname: address.hostname, port: address.port, fetch: () => new Response("other") });
  using folder = siteOf(null);
  await using nerve = await startNerve(folder.path);
  await ticks(nerve);
  folder.write("nerve.yaml", config(address.text));
  const says = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runNerve(folder.path, words);
    return `${code}: ${`${stdout} ${stderr}`.replaceAll(/\s+/g, " ")}`;
  };
  const reloaded = await says("reload");
  expect(reloaded).toStartWith("1: ");
  expect(reloaded).toContain(`http does not listen on ${address.text}: another process has the port`);
  expect(await says("status")).toContain(`http: does not listen on ${address.text}: another process has the port`);
  const why = await says("why", "--json");
  expect(why).toContain(`nerve has not listened on ${address.text} (`);
  expect(JSON.parse(why.slice("0: ".length))).toMatchObject({
    wrong: true,
    trouble: { kind: "listener", name: "http" },
  });
  await other.stop(true);
  await healthy(address);
  await until("it listens", async () => (await nerve.status()).listeners[0]?.state === "up");
  expect(await says("reload")).toStartWith("0: ");
  expect(JSON.parse((await says("why", "--json")).slice("0: ".length))).toMatchObject({ wrong: false });
});

test.concurrent("/healthz answers 503 while the kernel is stopped, and 200 once it goes on", async () => {
  const address = await freeAddress();
  using folder = siteOf(address.text);
  await using nerve = await startNerve(folder.path);
  await healthy(address);
  nerve.kill("SIGSTOP");
  try {
    await until("/healthz says so", async () => (await statusAt(address, "/healthz")) === 503);
  } finally {
    nerve.kill("SIGCONT");
  }
  await healthy(address);
});
