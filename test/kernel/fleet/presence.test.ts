/** Who is silent: judged only over time in which this host could have heard, and durable. */
import { expect, test } from "bun:test";
import { FleetBench } from "../../helpers/fleet-bench.ts";

const HUB = `
host: hub
fleet: { servers: ["nats://127.0.0.1:4222"], receive: ["*/load"], silent_after: 60s }
senses: { a: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { sense: a, interval: 1d }
  - { name: down, workflow: page, on: ["*/presence"], when: { state: "'silent'" }, edge: rising, key: $host }
`;

const MINUTE = 60_000;

/** A hub that has heard web1 and web2. */
async function hearing(yaml = HUB): Promise<FleetBench> {
  const bench = await new FleetBench(yaml).up();
  await bench.pass(1_000);
  await bench.brings(bench.frame("web1", 0, [1]), bench.frame("web2", 0, [1]));
  return bench;
}

const said = (bench: FleetBench): string[] =>
  bench.remote
    .filter((line) => line.includes("/presence"))
    .map((line) => line.replace(/ - .*"state":"(\w+)".*/, " $1"));

test("a host of which nothing comes for `silent_after` is silent, and returns with the first sign of life", async () => {
  using bench = await hearing();
  const heardAt = bench.clock.wallMs();
  await bench.passWith(58_000, "web2");
  expect(said(bench)).toEqual([]);
  await bench.passWith(10_000, "web2");
  expect(said(bench)).toEqual(["web1/presence silent"]);
  expect(bench.remote.at(-1)).toBe(`web1/presence - {"host":"web1","state":"silent","since":${heardAt}}`);
  expect(bench.runs).toHaveLength(1);
  expect(bench.runs[0]).toStartWith("down web1 ");
  expect(bench.engine.fleet.status?.origins).toMatchObject({
    up: 1,
    silent: 1,
    silent_hosts: [{ host: "web1", since: heardAt }],
  });
  await bench.passWith(5 * MINUTE, "web2");
  expect(said(bench)).toHaveLength(1);
  await bench.brings(bench.frame("web1", 1, [1]));
  expect(said(bench)).toEqual(["web1/presence silent", "web1/presence up"]);
  expect(bench.store.origins.all().map(({ state }) => state)).toEqual(["up", "up"]);
});

test("time in which this host was cut off, behind or without its process calls nobody silent", async () => {
  using bench = await hearing();
  await bench.passWith(40_000, "web2");
  bench.says("link", { side: "in", state: "offline", why: "nobody answers", nextMs: 10_000 });
  bench.says("waiting", { pending: null });
  await bench.passWith(60 * MINUTE);
  bench.says("link", { side: "in", state: "connected", why: null, nextMs: null });
  bench.says("waiting", { pending: 900 });
  await bench.passWith(60 * MINUTE);
  expect(said(bench)).toEqual([]);
  bench.carrier.exits(1);
  await bench.passWith(5_000);
  await bench.cutOff();
  await bench.passWith(10 * MINUTE);
  expect(said(bench)).toEqual([]);
  await bench.connected();
  await bench.passWith(15_000, "web2");
  expect(said(bench)).toEqual([]);
  await bench.passWith(10_000, "web2");
  expect(said(bench)).toEqual(["web1/presence silent"]);
});

const behind = (bench: FleetBench, heard: readonly string[]): void =>
  bench.says("behind", { pending: 54_280, lagMs: 43_000, busiest: "evil", share: 97, heard });

test("a hub that stays behind hears who lives from the stream itself, and what comes late is no sign of life", async () => {
  using bench = await hearing();
  bench.says("waiting", { pending: 54_280 });
  await bench.passWith(30 * MINUTE, "web1", "web2");
  expect(said(bench)).toEqual([]);
  for (let call = 0; call < 12; call++) {
    behind(bench, ["web2"]);
    // Frames of web1 that lay in the stream before it died.
    await bench.brings(bench.beat("web1"), bench.beat("web2"));
    await bench.pass(10_000);
  }
  expect(said(bench)).toEqual(["web1/presence silent"]);
  expect(bench.said("fleet.behind")).toEqual([
    "this host is 43s behind what others send: 54280 frames wait; 97 % of those that come now are of evil",
  ]);
  expect(bench.engine.fleet.status?.in?.behind).toMatchObject({ lag_ms: 43_000, busiest: "evil", share: 97 });
  behind(bench, ["web1", "web2"]);
  await bench.settle();
  expect(said(bench)).toEqual(["web1/presence silent", "web1/presence up"]);
  bench.says("waiting", { pending: 0 });
  await bench.settle();
  expect(bench.engine.fleet.status?.in?.behind).toBeNull();
  expect(bench.said("fleet.caught-up")).toHaveLength(1);
});

test("a hub that is behind and cannot look at the stream calls nobody silent", async () => {
  using bench = await hearing();
  bench.says("waiting", { pending: 900 });
  behind(bench, ["web1", "web2"]);
  await bench.passWith(60 * MINUTE);
  expect(said(bench)).toEqual([]);
});

test("a hub that is always busy still hears who is silent, as long as it catches up now and again", async () => {
  using bench = await hearing();
  for (let second = 0; second < 70; second++) {
    bench.says("waiting", { pending: 3 });
    await bench.brings(bench.beat("web2"));
    bench.says("waiting", { pending: 0 });
    bench.says("waiting", { pending: 2 });
    await bench.pass(1_000);
  }
  expect(said(bench)).toEqual(["web1/presence silent"]);
});

test("a deadline goes on after a restart, and the time between counts for nothing", async () => {
  using bench = await hearing();
  await bench.passWith(45_000, "web2");
  bench.restart();
  await bench.cutOff();
  await bench.pass(60 * MINUTE);
  await bench.connected();
  await bench.passWith(10_000, "web2");
  expect(said(bench)).toEqual([]);
  await bench.passWith(25_000, "web2");
  expect(said(bench)).toEqual(["web1/presence silent"]);
  bench.restart();
  await bench.up();
  await bench.passWith(2 * MINUTE, "web2");
  expect(said(bench)).toHaveLength(1);
});

test("a host that the configuration names is missed though nothing of it ever came", async () => {
  using bench = await hearing(HUB.replace('["*/load"]', '["*/load", db1/load]'));
  await bench.passWith(70_000, "web1", "web2");
  expect(said(bench)).toEqual(["db1/presence silent"]);
  await bench.brings(bench.frame("db1", 500, [1]));
  expect(said(bench)).toEqual(["db1/presence silent", "db1/presence up"]);
  expect(bench.said("fleet.joined").filter((line) => line.includes("db1"))).toHaveLength(1);
});

test("a host that is received no longer is not judged", async () => {
  using bench = await hearing(HUB.replace('["*/load"]', "[web2/load]").replace('"*/presence"', "web2/presence"));
  await bench.passWith(2 * MINUTE, "web2");
  expect(said(bench)).toEqual([]);
});

test("where all hosts fall silent at once, each is said once, in one go", async () => {
  using bench = await new FleetBench(HUB).up();
  await bench.brings(...Array.from({ length: 200 }, (_, nth) => bench.frame(`web${nth}`, 0, [1])));
  await bench.passWith(3 * MINUTE);
  expect(said(bench)).toHaveLength(200);
  expect(bench.store.runs.lastId()).toBeGreaterThanOrEqual(100);
});
