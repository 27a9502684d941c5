/** G16 at the receiver: each signal of another host once, in order, in one transaction with its decisions. */
import { expect, test } from "bun:test";
import { ALL_SIGNALS } from "../../../src/store/signals.ts";
import { FleetBench, traceOf } from "../../helpers/fleet-bench.ts";

const HUB = `
host: hub
fleet: { servers: ["nats://127.0.0.1:4222"], send: [a], receive: ["*/load"] }
senses: { a: }
workflows: { page: { use: exec, with: { command: [/bin/true] } } }
reflexes:
  - { sense: a, interval: 1d }
  - { name: high, workflow: page, on: ["*/load"], when: { v: number > 5 }, edge: rising, key: $host }
  - { name: down, workflow: page, on: ["*/presence"], when: { state: "'silent'" }, edge: rising, key: $host }
`;

const hub = async (yaml = HUB): Promise<FleetBench> => new FleetBench(yaml).up();

test("a host without `fleet` starts no process, and has no fleet in its status", async () => {
  using bench = new FleetBench("senses: { a: }\nreflexes: [{ sense: a, interval: 1d }]\n");
  await bench.pass(60_000);
  expect(bench.engine.fleet.status).toBeNull();
  expect(() => bench.carrier).toThrow("no process carries");
  expect(bench.store.meta.get("fleet.out")).toBeNull();
});

test("signals of other hosts are stored in the order of each host, and decided as those made here", async () => {
  using bench = await hub();
  expect(bench.init).toMatchObject({
    host: "hub",
    place: null,
    origins: [],
    settings: { receive: ["*/load", "*/presence"] },
  });
  const id = await bench.brings(bench.frame("web1", 0, [1, 9]), bench.frame("web2", 40, [7]));
  await bench.brings(bench.frame("web1", 2, [8, 1, 6]));
  expect(bench.stored).toEqual([id, id + 1]);
  expect(bench.remote).toEqual([
    'web1/load 1 {"v":1}',
    'web1/load 2 {"v":9}',
    'web2/load 41 {"v":7}',
    'web1/load 3 {"v":8}',
    'web1/load 4 {"v":1}',
    'web1/load 5 {"v":6}',
  ]);
  expect(bench.runs).toEqual(["high web1 2", "high web2 3", "high web1 6"]);
  const [row] = bench.store.signals.list({ ...ALL_SIGNALS, senses: ["web1/load"], limit: 1 });
  expect(row).toMatchObject({ cause: null, trace: traceOf("web1", 1), origin: "web1", origin_id: 1, late: null });
  expect(row?.origin_at).toBe((row?.at ?? 0) - 100);
  expect(bench.store.runs.byId(1)?.trace).toBe(traceOf("web1", 2));
  expect(bench.store.origins.all()).toMatchObject([
    { host: "web1", epoch: "e1", upto: 5, signals: 5, gaps: 0, missing: 0, late: 0, state: "up" },
    { host: "web2", epoch: "e1", upto: 41, signals: 1, missing: 0 },
  ]);
  expect(bench.said("fleet.joined")).toHaveLength(2);
});

test("what comes again is passed over, whole or in part, also after a restart", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [1, 2, 3]));
  await bench.brings(bench.frame("web1", 0, [1, 2, 3]));
  await bench.brings(bench.frame("web1", 1, [2, 3, 9, 4]));
  const once = [
    'web1/load 1 {"v":1}',
    'web1/load 2 {"v":2}',
    'web1/load 3 {"v":3}',
    'web1/load 4 {"v":9}',
    'web1/load 5 {"v":4}',
  ];
  expect(bench.remote).toEqual(once);
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({
    place: { stream: "S 1", position: 3 },
    origins: [{ host: "web1", epoch: "e1", upto: 5 }],
  });
  await bench.brings(bench.frame("web1", 0, [1, 2, 3, 9, 4]));
  await bench.brings(bench.frame("web1", 3, [9, 4, 5]));
  expect(bench.remote).toEqual([...once, 'web1/load 6 {"v":5}']);
  expect(bench.runs).toEqual(["high web1 4"]);
  expect(bench.said("fleet.gap")).toEqual([]);
});

test("a kernel that is killed behind any commit has stored and decided each signal once", async () => {
  for (let killAfter = 0; killAfter < 6; killAfter++) {
    using bench = await hub();
    bench.killAfter = killAfter;
    const frames = [bench.frame("web1", 0, [1, 9]), bench.frame("web1", 2, [1, 9]), bench.frame("web1", 4, [2])];
    for (const frame of frames) {
      await bench.brings(frame);
      if (!bench.isKilled) continue;
      bench.restart();
      await bench.up();
      const [known] = bench.init.origins as { upto: number }[];
      for (const again of frames) if (again.to > (known?.upto ?? 0)) await bench.brings(again);
      break;
    }
    expect(bench.remote.map((line) => line.split(" ")[1])).toEqual(["1", "2", "3", "4", "5"]);
    expect(bench.runs).toEqual(["high web1 2", "high web1 4"]);
  }
});

test("ids that no frame brought are counted and said, and so is what the sender lost", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 100, [1]));
  expect(bench.said("fleet.gap")).toEqual([]);
  await bench.brings(bench.frame("web1", 104, [2]));
  await bench.brings(bench.frame("web1", 105, [3], { to: 126, lost: 20 }));
  await bench.brings(bench.frame("web1", 126, [], { to: 130, refused: "it is no zstd" }));
  await bench.brings(bench.frame("web1", 130, [4]));
  expect(bench.store.origins.all()).toMatchObject([{ upto: 131, gaps: 3, missing: 3 + 20 + 4 }]);
  expect(bench.said("fleet.gap")).toEqual([
    "3 ids of web1 came in no frame: at most so many of its signals are missing here",
    "20 ids of web1 were removed there before they could leave: at most so many of its signals are missing here",
  ]);
  expect(bench.said("fleet.refused")).toEqual(["what came under the name web1 cannot be read: it is no zstd"]);
  expect(bench.remote).toHaveLength(4);
});

test("what a host claims to have lost again and again stays a number that can be stored", async () => {
  using bench = await hub();
  const most = 999_999_999_999_999;
  for (let n = 0; n < 12; n++) await bench.brings(bench.frame("evil", 0, [], { epoch: `e${n}`, to: most, lost: most }));
  expect(bench.store.origins.all()).toMatchObject([{ host: "evil", missing: Number.MAX_SAFE_INTEGER }]);
});

test("what one host sends wrong again and again is one row at once and one a minute, with the sum", async () => {
  using bench = await hub();
  for (let n = 1; n <= 40; n++) {
    await bench.brings(
      bench.frame("web1", 10 * n, [1]),
      bench.frame("web1", 10 * n + 1, [], { to: 10 * n + 3, refused: `signal ${n} of 400 is none` }),
    );
  }
  expect([bench.said("fleet.gap").length, bench.said("fleet.refused").length]).toEqual([1, 1]);
  await bench.pass(61_000);
  expect(bench.said("fleet.gap").slice(1)).toEqual([
    `${38 * 7} ids of web1 came in no frame: at most so many of its signals are missing here (38 more times)`,
  ]);
  expect(bench.said("fleet.refused").slice(1)).toEqual([
    "what came under the name web1 cannot be read: signal 40 of 400 is none (39 more times)",
  ]);
  await bench.pass(120_000);
  expect(bench.said("fleet.gap").length).toBe(2);
  await bench.brings(bench.frame("web1", 900, [1]));
  expect(bench.said("fleet.gap").length).toBe(3);
});

test("a host that begins anew with each frame is said once, and so many of its epochs are known", async () => {
  using bench = await hub();
  for (let n = 0; n < 60; n++) await bench.brings(bench.frame("evil", 0, [1], { epoch: `e${n}` }));
  expect(bench.said("fleet.anew")).toHaveLength(1);
  expect(bench.store.origins.former()).toHaveLength(16);
  bench.carrier.exits(1);
  await bench.pass(5_000);
  const known = (bench.init.origins as { epoch: string }[]).map(({ epoch }) => epoch);
  expect(known).toEqual(Array.from({ length: 17 }, (_, at) => `e${43 + at}`));
});

test("a stream that is nearly full is said once, until there is room again", async () => {
  using bench = await hub();
  const at = bench.clock.wallMs();
  const says = async (percent: number): Promise<void> => {
    const room = { bytes: percent * 1_024, max_bytes: 102_400, messages: 9, max_messages: 0, max_age_ms: 0 };
    bench.says("room", { room: { ...room, oldest_at: at - 3_600_000, newest_at: at } });
    await bench.settle();
  };
  for (const percent of [40, 80, 85, 75, 79]) await says(percent);
  expect(bench.said("fleet.filling")).toEqual([
    "the stream NERVE is 80 % full (80.0 KB of 100 KB), its oldest frame is 1h old, at this rate full in 15m: a full stream takes no frame",
  ]);
  expect(bench.engine.fleet.status?.stream).toMatchObject({ percent: 79, filling_since: at });
  await says(69);
  expect(bench.said("fleet.filling")).toHaveLength(2);
  expect(bench.engine.fleet.status?.stream).toMatchObject({ percent: 69, filling_since: null });
  await says(81);
  expect(bench.said("fleet.filling")).toHaveLength(3);
});

test("a host whose clock is off is named, once, until its clock is right again", async () => {
  using bench = await hub();
  const stored = bench.clock.wallMs();
  const beats = (host: string, aheadMs: number) =>
    bench.brings(bench.frame(host, 7, [], { sentAt: stored + aheadMs, storedAt: stored }));
  await beats("web1", -59_000);
  expect(bench.engine.fleet.status?.clocks).toEqual([]);
  for (let n = 0; n < 3; n++) await beats("web1", -3_600_000);
  await beats("web2", 7_200_000);
  expect(bench.engine.fleet.status?.clocks).toMatchObject([
    { host: "web1", ahead_ms: -3_600_000 },
    { host: "web2", ahead_ms: 7_200_000 },
  ]);
  expect(bench.said("fleet.clock").map((text) => text.split(":")[0])).toEqual([
    "the clock of web1 is 1h behind",
    "the clock of web2 is 2h ahead",
  ]);
  for (let n = 0; n < 5; n++) {
    await beats("web1", 5);
    await beats("web1", -3_600_000);
  }
  expect(bench.said("fleet.clock")).toHaveLength(2);
  await bench.pass(5_000);
  await beats("web2", -7_200_000);
  expect(bench.engine.fleet.status?.clocks).toContainEqual({
    host: "web2",
    ahead_ms: -7_200_000,
    since: bench.clock.wallMs(),
  });
  await beats("web1", 5);
  await beats("web2", 5);
  expect(bench.engine.fleet.status?.clocks).toEqual([]);
});

test("signals of the far future are looked at, and name the clock of their host", async () => {
  using bench = await hub();
  const early = bench.frame("web1", 0, [9]);
  const at = bench.clock.wallMs() + 30 * 60_000;
  await bench.brings({ ...early, signals: early.signals.map((signal) => ({ ...signal, at })) });
  expect(bench.runs).toEqual(["high web1 1"]);
  expect(bench.engine.fleet.status?.clocks).toMatchObject([{ host: "web1", ahead_ms: 30 * 60_000 }]);
});

test("whose signals come too late now is known apart from how many ever did", async () => {
  using bench = await hub();
  const old = bench.frame("web1", 0, [9]);
  const at = bench.clock.wallMs() - 3_600_000;
  await bench.brings(
    { ...old, signals: old.signals.map((signal) => ({ ...signal, at })) },
    bench.frame("web2", 0, [1]),
  );
  expect(bench.engine.fleet.status?.late).toMatchObject([{ host: "web1" }]);
  await bench.pass(310_000);
  expect(bench.engine.fleet.status?.late).toEqual([]);
  expect(bench.engine.fleet.status?.origins.late).toBe(1);
});

test("a host that is forgotten is no longer missed, is new when it sends again, and nothing of it is taken twice", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [1, 2, 3]), bench.frame("web2", 0, [1]));
  expect(await bench.engine.fleet.forget("web9")).toMatchObject({ ok: false, error: { kind: "unknown-host" } });
  const forgotten = bench.engine.fleet.forget("web1");
  await bench.settle();
  expect(await forgotten).toEqual({ ok: true, value: { host: "web1", signals: 3 } });
  expect(bench.store.origins.all().map(({ host }) => host)).toEqual(["web2"]);
  expect(bench.said("fleet.forgotten")).toEqual(["host web1 is forgotten, as a person asked"]);
  await bench.passWith(180_000, "web2");
  expect(bench.remote.filter((line) => line.includes("web1/presence"))).toEqual([]);
  bench.restart();
  await bench.up();
  expect(bench.init.origins).toEqual([
    { host: "web1", epoch: "e1", upto: 3 },
    { host: "web2", epoch: "e1", upto: 1 },
  ]);
  expect(bench.engine.fleet.status?.origins).toMatchObject({ up: 1, silent: 0 });
  await bench.brings(bench.frame("web1", 1, [2, 3, 4]));
  expect(bench.remote.filter((line) => line.startsWith("web1/load"))).toHaveLength(4);
  expect(bench.said("fleet.joined").filter((line) => line.includes("web1"))).toHaveLength(2);
  expect(bench.store.origins.all()).toMatchObject([
    { host: "web1", upto: 4, signals: 1, missing: 0 },
    { host: "web2" },
  ]);
});

test("a host that nerve.yaml names is not forgotten, and why is said", async () => {
  using bench = await hub(HUB.replace('["*/load"]', '["*/load", db1/load]'));
  await bench.settle();
  expect(await bench.engine.fleet.forget("db1")).toMatchObject({
    ok: false,
    error: { kind: "named-host", hint: expect.stringContaining("`nerve reload`") },
  });
});

test("a frame that names no epoch is said, and changes nothing of its host", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [], { epoch: "", refused: "it does not say what it holds" }));
  expect([bench.store.origins.all(), bench.said("fleet.refused").length]).toEqual([[], 1]);
});

test("what is no signal costs that signal alone", async () => {
  using bench = await hub();
  const good = bench.frame("web1", 0, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const bad = [
    { sense: "Load" },
    { payload: "{" },
    { payload: "null" },
    { payload: JSON.stringify("x".repeat(70_000)) },
    { trace: "short" },
    { id: 99 },
    { sense: "presence" },
    {},
    { id: 8 },
  ];
  const signals = good.signals.map((signal, index) => ({ ...signal, ...bad[index] }));
  await bench.brings({ ...good, signals }, bench.frame("web2", 0, [3]));
  expect(bench.remote).toEqual(['web1/load 8 {"v":8}', 'web2/load 1 {"v":3}']);
  expect(bench.store.origins.all()).toMatchObject([
    { host: "web1", upto: 9, missing: 8 },
    { host: "web2", upto: 1 },
  ]);
  expect(bench.said("worker.malformed")).toEqual([]);
  expect(bench.said("fleet.refused")).toHaveLength(1);
});

test("`{{ host }}` is the host that a signal came from: in the summary of an incident, and in the trigger of its run", async () => {
  using bench = await hub(`
host: hub
fleet: { servers: ["nats://127.0.0.1:4222"] }
workflows: { page: { use: exec, with: { command: [echo, "{{ host }}"] } } }
reflexes:
  - name: high
    workflow: page
    on: ["*/load"]
    key: $sense
    when: { v: "number > 5" }
    incident: { summary: "{{ host }} {{ payload.v }} ({{ sense }})" }
`);
  await bench.brings(bench.frame("web1", 0, [9]), bench.frame("web2", 0, [7]));
  expect(
    bench.store.incidents
      .open()
      .map(({ summary }) => summary)
      .toSorted(),
  ).toEqual(["web1 9 (web1/load)", "web2 7 (web2/load)"]);
});

test("an epoch that goes on from one before the last leaves no gap", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [1, 2, 3, 4, 5, 6]));
  await bench.brings(bench.frame("web1", 1, [7], { epoch: "e2" }));
  await bench.brings(bench.frame("web1", 5, [8], { epoch: "e3" }));
  await bench.brings(bench.frame("web1", 9, [9], { epoch: "e4" }));
  expect(bench.remote.slice(6)).toEqual(['web1/load 2 {"v":7}', 'web1/load 6 {"v":8}', 'web1/load 10 {"v":9}']);
  expect(bench.store.origins.all()).toMatchObject([{ epoch: "e4", upto: 10, gaps: 1, missing: 3 }]);
});

test("a host that was restored begins anew, and what it made before is not taken twice", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [1, 2, 3, 4]));
  await bench.brings(bench.frame("web1", 2, [7], { epoch: "e2" }));
  await bench.brings(bench.frame("web1", 3, [1], { epoch: "e2" }));
  expect(bench.remote.slice(4)).toEqual(['web1/load 3 {"v":7}', 'web1/load 4 {"v":1}']);
  expect(bench.runs).toEqual(["high web1 5"]);
  expect(bench.said("fleet.anew")).toHaveLength(1);
  expect([bench.said("fleet.gap"), bench.said("fleet.conflict")]).toEqual([[], []]);
  bench.restart();
  await bench.up();
  expect(bench.init.origins).toEqual([
    { host: "web1", epoch: "e1", upto: 4 },
    { host: "web1", epoch: "e2", upto: 4 },
  ]);
});

test("two kernels under one name are named, and each keeps its place", async () => {
  using bench = await hub();
  await bench.brings(bench.frame("web1", 0, [1, 2]));
  await bench.brings(bench.frame("web1", 0, [3], { epoch: "clone" }));
  await bench.brings(bench.frame("web1", 2, [4]));
  await bench.brings(bench.frame("web1", 1, [5], { epoch: "clone" }));
  await bench.brings(bench.frame("web1", 0, [3], { epoch: "clone" }));
  expect(bench.remote.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
    ...['1 {"v":1}', '2 {"v":2}', '1 {"v":3}', '3 {"v":4}', '2 {"v":5}'],
  ]);
  expect(bench.said("fleet.conflict")).toEqual([
    "two kernels send under the name web1: each host needs a `host` of its own",
  ]);
  expect(bench.engine.fleet.status?.conflicts).toMatchObject([{ host: "web1" }]);
  await bench.pass(310_000);
  expect(bench.engine.fleet.status?.conflicts).toEqual([]);
  expect(bench.said("fleet.gap")).toEqual([]);
});

test("another kernel under this host's name is said once, and stands in the status while the two take turns", async () => {
  using bench = await hub();
  for (let turn = 0; turn < 3; turn++) {
    bench.says("notice", { kind: "conflict", message: "another kernel sends as hub" });
    await bench.connected();
    await bench.pass(60_000);
  }
  expect(bench.said("fleet.conflict")).toEqual(["another kernel sends as hub"]);
  const [conflict] = bench.engine.fleet.status?.conflicts ?? [];
  expect(conflict).toMatchObject({ host: "hub" });
  expect((conflict?.at ?? 0) - (conflict?.since ?? 0)).toBeGreaterThanOrEqual(120_000);
});

test("a server that is not what it should be is logged once, whatever starts anew", async () => {
  using bench = await hub();
  const old = "nats://a is nats-server 2.9.10";
  const connects = async (message: string): Promise<void> => {
    bench.says("notice", { kind: "server", message });
    await bench.settle();
  };
  await connects(old);
  await connects(old);
  bench.restart();
  await bench.up();
  await connects(old);
  await connects("nats://b is nats-server 2.9.10");
  await connects(old);
  expect(bench.said("fleet.server")).toEqual([old, "nats://b is nats-server 2.9.10"]);
});

test("a reload of what is in force tries a server again at once, and leaves a connected fleet alone", async () => {
  using bench = await hub();
  const first = bench.carrier;
  await bench.reload(HUB);
  expect(bench.carrier).toBe(first);
  bench.says("link", { side: "out", state: "blocked", why: "there is no stream", nextMs: 10_000 });
  await bench.settle();
  await bench.reload(HUB);
  expect(bench.carrier).not.toBe(first);
});

test("a signal that is too old on arrival is stored, and no reflex looks at it", async () => {
  using bench = await hub(HUB.replace("receive", "fresh: 5m, receive"));
  const old = bench.frame("web1", 0, [9, 9]);
  const at = bench.clock.wallMs() - 301_000;
  await bench.brings({
    ...old,
    signals: old.signals.map((signal, index) => (index === 0 ? { ...signal, at } : signal)),
  });
  expect(bench.store.signals.list(ALL_SIGNALS).map(({ late }) => late)).toEqual([1, null]);
  expect(bench.runs).toEqual(["high web1 2"]);
  expect(bench.said("fleet.late")).toHaveLength(1);
  expect(bench.store.origins.all()).toMatchObject([{ signals: 2, late: 1 }]);
});

test("a sense of this host runs at a signal of another one", async () => {
  using bench = await hub(`${HUB}  - { sense: a, on: ["web1/*"] }\n`);
  await bench.brings(bench.frame("web2", 0, [1]));
  const owed = () => bench.store.senses.all().find(({ sense }) => sense === "a")?.owed ?? null;
  expect(owed()).toBeNull();
  await bench.brings(bench.frame("web1", 0, [1]));
  expect(owed()).toMatchObject({ cause: 2, trace: traceOf("web1", 1) });
});

test("while there is hardly room, nothing is taken in, and nothing is lost", async () => {
  using bench = await hub();
  bench.space.low = true;
  const id = await bench.brings(bench.frame("web1", 0, [1]));
  expect([bench.remote, bench.stored]).toEqual([[], []]);
  bench.space.low = false;
  bench.engine.resume();
  await bench.settle();
  expect([bench.remote.length, bench.stored]).toEqual([1, [id]]);
});

const PROOF = { id: 6, mark: "m6" };
const cursorOf = (epoch: string, upto: number, sequence: number) => ({
  ...{ epoch, since: 0, upto, sequence, proof: PROOF },
  others: [{ epoch: "aa", to: 4, proof: PROOF, start: { id: 2, mark: "m2" } }],
});

/** Signals that are made here. */
const make = (bench: FleetBench, count: number): void =>
  bench.ledger.write(() => {
    const signal = { sense: "a", at: bench.clock.wallMs(), payload: "1", cause: null, trace: traceOf("a", 1) };
    for (let nth = 0; nth < count; nth++) bench.store.signals.append(signal);
  });

test("the cursor is committed before the process hears of it, and another process goes on from there", async () => {
  using bench = await hub();
  const { epoch } = bench.store;
  expect(bench.init.cursor).toEqual({ epoch, since: 0, upto: 0, sequence: 0, proof: null, others: [] });
  bench.says("forwarded", { cursor: cursorOf(epoch, 7, 3), signals: 5, lost: 0, copied: null });
  expect(bench.carrier.of("kept")).toEqual([]);
  await bench.settle();
  expect(bench.carrier.of("kept")).toMatchObject([{ upto: 7 }]);
  bench.says("forwarded", { cursor: cursorOf(epoch, 20, 4), signals: 1, lost: 10, copied: null });
  await bench.settle();
  expect(bench.said("fleet.lost")).toHaveLength(1);
  expect(bench.said("fleet.copied")).toEqual([]);
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({ epoch, cursor: cursorOf(epoch, 20, 4) });
});

test("an epoch of the frames' own is committed with why it began, and lasts until logs.db has another one", async () => {
  using bench = await hub();
  const cursor = cursorOf("f0", 7, 0);
  bench.says("forwarded", { cursor, signals: 0, lost: 0, copied: "the data was put back" });
  await bench.settle();
  expect(bench.carrier.of("kept")).toMatchObject([{ upto: 7 }]);
  expect(bench.said("fleet.copied")).toEqual(["the data was put back"]);
  expect(bench.engine.fleet.status?.copied).toMatchObject({ host: "hub", at: bench.clock.wallMs() });
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({ epoch: "f0", cursor });
  expect(bench.said("fleet.copied")).toHaveLength(1);
  // Restored twice since: the first time up to the signal 5, and then from a backup of later.
  const { meta, epoch } = bench.store;
  const kept = JSON.parse(meta.get("fleet.out") ?? "");
  const before = { ...kept, within: "e0" };
  const epochs = ["e0 2", "e1 5", `${epoch} 30`].map((one) => one.split(" "));
  bench.ledger.write(() => {
    meta.set("fleet.out", JSON.stringify(before));
    meta.set("epoch_from", "30");
    meta.set("epochs", JSON.stringify(epochs.map(([name, from]) => ({ epoch: name, from: Number(from) }))));
  });
  await bench.settle();
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({ epoch, epochFrom: 5, cursor });
});

test("the process hears where this kernel started, and where the first one did since the cursor moved", async () => {
  using bench = await hub();
  const { epoch } = bench.store;
  const started = async (): Promise<unknown> => {
    bench.restart();
    await bench.up();
    return [bench.init.firstStartedAt, bench.init.startedAt];
  };
  bench.says("forwarded", { cursor: cursorOf(epoch, 7, 3), signals: 5, lost: 0, copied: null });
  await bench.settle();
  make(bench, 10);
  await bench.settle();
  expect(await started()).toEqual([10, 10]);
  make(bench, 5);
  await bench.settle();
  expect(await started()).toEqual([10, 15]);
  bench.says("forwarded", { cursor: cursorOf(epoch, 12, 4), signals: 5, lost: 0, copied: null });
  await bench.settle();
  expect(await started()).toEqual([15, 15]);
});

test("what a nerve before this one has kept of the cursor is read", async () => {
  using bench = await hub();
  const { epoch, meta } = bench.store;
  bench.ledger.write(() => meta.set("fleet.out", JSON.stringify({ epoch, since: 1, upto: 9, sequence: 4 })));
  await bench.settle();
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({
    epoch,
    cursor: { epoch, since: 1, upto: 9, sequence: 4, proof: null, others: [] },
  });
});

test("what was made before `fleet` was loaded does not leave", async () => {
  using bench = new FleetBench(
    HUB.replace(/^fleet.*$/m, "")
      .replace('"*/load"', "a")
      .replace('"*/presence"', "a"),
  );
  make(bench, 2);
  await bench.settle();
  await bench.reload(HUB);
  await bench.up();
  expect(bench.init).toMatchObject({ cursor: { since: 2, upto: 2, sequence: 0 } });
  make(bench, 50);
  await bench.settle();
  expect(bench.engine.fleet.status?.out).toMatchObject({ upto: 2, backlog: 50 });
  bench.restart();
  await bench.up();
  expect(bench.init).toMatchObject({ cursor: { since: 2, upto: 2, sequence: 0 } });
});

test("other settings are another process; the same ones leave it alone, and without `fleet` it goes", async () => {
  using bench = await hub();
  const first = bench.carrier;
  await bench.reload(HUB.replace("edge: rising, key: $host }", "edge: rising, key: $host, throttle: 1m }"));
  expect(bench.carrier).toBe(first);
  await bench.reload(HUB.replace('receive: ["*/load"]', 'receive: ["*/load", web9/disk]'));
  expect(bench.carrier).not.toBe(first);
  expect(first.isGone).toBe(true);
  const second = bench.carrier;
  await bench.up();
  await bench.reload(HUB.replace(/^fleet.*$/m, ""));
  expect(second.isGone).toBe(true);
  expect(bench.engine.fleet.status).toBeNull();
});

test("how the two sides are is logged once for each change, and stands in the status with the newest try", async () => {
  using bench = await hub();
  for (const why of ["nobody answers", "nobody answers", "the name is not known"]) {
    bench.says("link", { side: "out", state: "offline", why, nextMs: 10_000 });
    await bench.pass(1_000);
  }
  bench.says("link", { side: "in", state: "blocked", why: "the stream NERVE is missing", nextMs: 10_000 });
  await bench.settle();
  const at = bench.clock.wallMs() - 1_000;
  const tries = { since: at - 2_000, last_try: at, next_try: at + 10_000 };
  expect(bench.said("fleet.connected")).toHaveLength(2);
  expect(bench.said("fleet.offline")).toEqual(["no signal leaves: nobody answers"]);
  expect(bench.said("fleet.blocked")).toEqual(["no signal of another host comes in: the stream NERVE is missing"]);
  expect(bench.engine.fleet.status).toMatchObject({
    host: "hub",
    out: { state: "offline", why: "the name is not known", ...tries },
    in: { state: "blocked", why: "the stream NERVE is missing", pending: 0 },
  });
  bench.carrier.exits(1);
  await bench.settle();
  expect(bench.engine.fleet.status).toMatchObject({
    out: { state: "starting" },
    in: { state: "starting", pending: null },
  });
});

test("a process that ends again and again is known to start since the first end, though each has connected", async () => {
  using bench = await hub();
  const endsAndStarts = async (): Promise<void> => {
    const before = bench.carrier;
    before.exits(1);
    for (let seconds = 0; bench.carrier === before && seconds < 60; seconds++) await bench.pass(1_000);
    expect(bench.carrier).not.toBe(before);
    await bench.up();
  };
  await bench.pass(60_000);
  const goneAt = bench.clock.wallMs();
  for (let life = 0; life < 3; life++) await endsAndStarts();
  bench.carrier.exits(1);
  await bench.settle();
  expect(bench.engine.fleet.status?.in).toMatchObject({ state: "starting", since: goneAt });
  for (let seconds = 0; bench.engine.fleet.status?.in?.state === "starting" && seconds < 60; seconds++) {
    await bench.pass(1_000);
    if (!bench.carrier.isGone) await bench.up();
  }
  await bench.pass(60_000);
  bench.carrier.exits(1);
  await bench.settle();
  expect(bench.engine.fleet.status?.in?.since).toBe(bench.clock.wallMs());
});

test("a host that has another name now knows nothing of a conflict about the old one", async () => {
  using bench = await hub();
  bench.says("notice", { kind: "conflict", message: "another kernel sends as hub" });
  await bench.settle();
  expect(bench.engine.fleet.status?.conflicts).toHaveLength(1);
  await bench.reload(HUB.replace("host: hub", "host: hub2"));
  expect(bench.engine.fleet.status).toMatchObject({ host: "hub2", conflicts: [] });
});
