/** The watchdog on the executable: who pings, when not, and that the address is shown nowhere. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { marked, sendSignal } from "../helpers/processes.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const configOf = (url: string | null): string =>
  `senses: { load: }
reflexes: [{ sense: load, interval: 1h }]
${url === null ? "" : `watchdog: { url: "${url}", every: 1s }`}
`;

/** The process of the watchdog, or null. */
function processOf(data: string): number | null {
  const isWatchdog = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("__watchdog");
    } catch {
      return false;
    }
  };
  return marked(data).find(isWatchdog) ?? null;
}

test("pings while nerve commits; a killed process comes back, a failure is said once, a reload ends it", async () => {
  let isWell = true;
  let pings = 0;
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      pings++;
      return new Response("", { status: isWell ? 200 : 503 });
    },
  });
  using folder = project({ "nerve.yaml": configOf(`http://127.0.0.1:${server.port}/ping/secret-token`) });
  await using nerve = await startNerve(folder.path);
  const stateOf = async () => (await nerve.status()).watchdog?.state;
  await until("it has pinged twice", () => pings >= 2);
  await until("status shows the answer", async () => (await stateOf()) === "ok");

  const first = processOf(nerve.data);
  expect(first).toBeNumber();
  sendSignal(first ?? 0, "SIGKILL");
  const second = await until("another process is there", () => {
    const pid = processOf(nerve.data);
    return pid === first ? null : pid;
  });
  const before = pings;
  await until("it pings", () => pings > before);

  isWell = false;
  await until("status shows the failure", async () => (await stateOf()) === "failing");
  const failed = pings;
  await until("it has failed again", () => pings > failed);
  isWell = true;
  await until("status shows the answer", async () => (await stateOf()) === "ok");
  expect(nerve.logs({ event: "watchdog.failing" }).map(({ message }) => message)).toEqual([
    "the watchdog's address fails: it answered 503",
  ]);
  expect(nerve.logs({ event: "watchdog.recovered" })).toHaveLength(1);

  folder.write("nerve.yaml", configOf(null));
  expect((await nerve.post("/reload")).status).toBe(200);
  await until("its process is gone", () => processOf(nerve.data) === null);
  expect([second === null, await stateOf()]).toEqual([false, undefined]);

  for (const shown of [JSON.stringify(nerve.logs()), JSON.stringify(await nerve.status()), nerve.stderr()]) {
    expect(shown).not.toContain("secret-token");
  }
  expect(readFileSync(join(nerve.data, "logs.db"), "latin1")).not.toContain("secret-token");
  folder.write("nerve.yaml", "watchdog: http://127.0.0.1/ping/secret-token\n");
  const checked = await runNerve(folder.path, ["check"]);
  expect([checked.code, `${checked.stdout}${checked.stderr}`.includes("secret-token")]).toEqual([78, false]);
});

test("a kernel that stands still pings nobody, and pings again when it goes on", async () => {
  let pings = 0;
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => {
      pings++;
      return new Response("");
    },
  });
  using folder = project({ "nerve.yaml": configOf(`http://127.0.0.1:${server.port}/`) });
  await using nerve = await startNerve(folder.path);
  await until("it has pinged", () => pings >= 1);
  nerve.kill("SIGSTOP");
  try {
    // One ping may be under way. After it nothing comes, however long that is watched.
    await until("the kernel stands still", () => readFileSync(`/proc/${nerve.pid}/stat`, "latin1").includes(") T "));
    const watched = await pingsIn(2_500, () => pings);
    expect(watched).toBeLessThanOrEqual(1);
  } finally {
    nerve.kill("SIGCONT");
  }
  const before = pings;
  await until("it pings again", () => pings > before);
});

/** How many there are more after this time: the time is the fault itself. */
async function pingsIn(ms: number, count: () => number): Promise<number> {
  const before = count();
  await Bun.sleep(ms);
  return count() - before;
}
