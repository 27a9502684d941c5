/** When the watchdog pings, on a clock driven by hand, with a process that does what a test says. */
import { expect, test } from "bun:test";
import { Watchdog } from "../../../src/kernel/watchdog/watchdog.ts";
import { KernelBench, type Message } from "../../helpers/kernel-bench.ts";

const EVERY_MS = 60_000;
const URL = "https://hc.example.org/ping/secret-token";

class WatchdogBench extends KernelBench {
  readonly watchdog: Watchdog;
  commits = 0;

  constructor() {
    super();
    this.watchdog = new Watchdog({
      host: this.host,
      ledger: this.ledger,
      touch: () => {
        this.commits++;
        this.store.meta.set("touched", String(this.commits));
      },
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
    });
  }

  /** The configuration has it, and its process is up. */
  async up(url = URL, everyMs = EVERY_MS): Promise<this> {
    this.watchdog.configure({ url, everyMs });
    await this.settle();
    await this.ready();
    return this;
  }

  async ready(): Promise<void> {
    this.child.says({ type: "ready", generation: this.#generation });
    await this.settle();
  }

  get #generation(): number {
    return Number(this.child.of("init")[0]?.generation);
  }

  get pings(): readonly Message[] {
    return this.child.of("ping");
  }

  /** The newest ping is over. */
  async answers(error: string | null): Promise<void> {
    const [{ generation, id } = { generation: 0, id: 0 }] = this.pings.slice(-1);
    this.child.says({ type: "pinged", generation, id, error, durationMs: 3 });
    await this.settle();
  }
}

test("pings at once, and then as often as it is told, each time behind a commit", async () => {
  using bench = await new WatchdogBench().up();
  expect(bench.child.of("init")).toMatchObject([{ url: URL }]);
  for (let nth = 1; nth <= 3; nth++) {
    expect([bench.pings.length, bench.commits]).toEqual([nth, nth]);
    await bench.answers(null);
    await bench.pass(EVERY_MS);
  }
  expect(bench.watchdog.status).toMatchObject({ state: "ok", reason: null, every_ms: EVERY_MS });
  expect(bench.watchdog.status?.last_answer).toBeGreaterThan(0);
});

test("without it in the configuration there is no process and no status", async () => {
  using bench = new WatchdogBench();
  bench.watchdog.configure(null);
  await bench.pass(10 * EVERY_MS);
  expect([bench.children.length, bench.watchdog.status, bench.commits]).toEqual([0, null, 0]);
});

test("no ping leaves while commits fail, however long, and one does when they succeed", async () => {
  using bench = await new WatchdogBench().up();
  await bench.answers(null);
  const refuse = { commit: bench.store.commit };
  Object.assign(bench.store, {
    commit: () => {
      throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    },
  });
  await bench.pass(10 * EVERY_MS);
  expect(bench.pings).toHaveLength(1);
  Object.assign(bench.store, refuse);
  await bench.pass(2_000);
  expect(bench.pings).toHaveLength(2);
});

test("a server that does not answer is asked again when the ping before is over, and there is one at a time", async () => {
  using bench = await new WatchdogBench().up(URL, 1_000);
  for (let second = 0; second < 9; second++) await bench.pass(1_000);
  expect(bench.pings).toHaveLength(1);
  await bench.answers("no answer within 10 s");
  expect(bench.pings).toHaveLength(2);
});

test("a failure is one log, and being well again another; the address is in neither", async () => {
  using bench = await new WatchdogBench().up();
  for (const error of ["it answered 500", "no answer within 10 s", null, null]) {
    await bench.answers(error);
    await bench.pass(EVERY_MS);
  }
  expect(bench.said("watchdog.failing")).toEqual(["the watchdog's address fails: it answered 500"]);
  expect(bench.said("watchdog.recovered")).toEqual(["the watchdog's address answers again"]);
  expect(JSON.stringify(bench.lines)).not.toContain("secret-token");
});

test("a process that is killed is started again, and pings at its next time", async () => {
  using bench = await new WatchdogBench().up();
  await bench.answers(null);
  bench.child.exits(null, "SIGKILL");
  await bench.pass(1_000);
  await bench.ready();
  await bench.pass(EVERY_MS);
  expect([bench.children.length, bench.pings.length]).toEqual([2, 1]);
  await bench.answers(null);
  expect(bench.watchdog.status).toMatchObject({ state: "ok" });
});

test("a process that hangs in a ping is killed, and the ping has failed", async () => {
  using bench = await new WatchdogBench().up();
  const [child] = bench.children;
  for (let second = 0; second < 16; second++) await bench.pass(1_000);
  expect([child?.kills, bench.watchdog.status?.state]).toEqual([1, "failing"]);
});

test("another address starts another process, another time does not, and none ends it", async () => {
  using bench = await new WatchdogBench().up();
  await bench.answers(null);
  bench.watchdog.configure({ url: URL, everyMs: 1_000 });
  await bench.pass(1_000);
  expect([bench.children.length, bench.pings.length]).toEqual([1, 2]);
  await bench.answers(null);
  bench.watchdog.configure({ url: `${URL}-2`, everyMs: 1_000 });
  await bench.settle();
  const [first] = bench.children;
  expect(first?.of("shutdown")).toHaveLength(1);
  first?.exits(0);
  await bench.settle();
  await bench.ready();
  expect([bench.children.length, bench.child.of("init")[0]?.url, bench.watchdog.status?.state]).toEqual([
    2,
    `${URL}-2`,
    "starting",
  ]);
  bench.watchdog.configure(null);
  await bench.settle();
  bench.child.exits(0);
  await bench.pass(10 * EVERY_MS);
  expect([bench.children.length, bench.watchdog.status]).toEqual([2, null]);
});
