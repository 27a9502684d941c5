/** Signals between hosts over a real nats-server: each arrives once, in order, whatever happens to the server and the stream. */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packFrame } from "../../src/fleet/frame.ts";
import { bare, FleetHost } from "../helpers/fleet-host.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import {
  changeStream,
  deleteStream,
  forgetFrames,
  GENEROUS,
  HAS_NATS,
  type NatsServer,
  natsServer,
  printed,
  printedLeaf,
  publish,
  publishAll,
  streamOn,
  watched,
} from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";
import { freeAddress } from "../helpers/web.ts";

const withNats = test.if(HAS_NATS);
const ALL = { receive: ["*/*"] };

interface Pair extends AsyncDisposable {
  readonly server: NatsServer;
  readonly folder: Folder;
  readonly web: FleetHost;
  readonly hub: FleetHost;
  /** All that web made is at the hub. */
  hasAll(): Promise<unknown>;
}

async function pair(wish = GENEROUS): Promise<Pair> {
  const server = await natsServer();
  await streamOn(server.url, wish);
  const folder = temporaryFolder();
  const web = new FleetHost("web", folder.file("web"));
  const hub = new FleetHost("hub", folder.file("hub"));
  return {
    server,
    folder,
    web,
    hub,
    hasAll: () => until("the hub has all of web", () => hub.of("web").length >= web.own().length),
    async [Symbol.asyncDispose]() {
      await web[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

/** Everything that web made is at the hub, once and in order. */
const expectWhole = ({ web, hub }: Pair): void => {
  expect(bare(hub.of("web"))).toEqual(bare(web.own()));
  expect(hub.gaps).toEqual([]);
};

withNats("what is made on one host arrives on the other, whole and in order, and goes no further: A ⇄ B", async () => {
  await using server = await natsServer();
  await streamOn(server.url);
  using folder = temporaryFolder();
  await using a = new FleetHost("a", folder.file("a")).start(server.url, ALL);
  await using b = new FleetHost("b", folder.file("b")).start(server.url, ALL);
  for (let round = 0; round < 10; round++) {
    a.say(70);
    b.say(130);
    const wanted = a.own().length;
    await until("half of it has left", () => a.cursor.upto > wanted / 2);
  }
  await until("all has arrived", () => a.of("b").length === 1_300 && b.of("a").length === 700);
  expect(bare(a.of("b"))).toEqual(bare(b.own()));
  expect(bare(b.of("a"))).toEqual(bare(a.own()));
  expect([a.gaps, b.gaps]).toEqual([[], []]);
  expect(a.own().length).toBe(700);
});

withNats("only senses of `send` leave, and only what `receive` names is stored", async () => {
  await using both = await pair();
  both.web.start(both.server.url, { send: ["cpu-*", "disk"] });
  both.hub.start(both.server.url, { receive: ["w*/cpu-usage", "other/*"] });
  both.web.say(2, "cpu-usage");
  both.web.say(2, "secret");
  both.web.say(2, "disk");
  both.web.say(2, "cpu-usage");
  await until("the last has arrived", () => both.hub.of("web").length === 4);
  expect(both.hub.of("web").map(({ id }) => id)).toEqual([1, 2, 7, 8]);
  expect(both.hub.gaps).toEqual([]);
});

withNats("a server that is killed and started again costs nothing", async () => {
  await using both = await pair();
  both.web.start(both.server.url);
  both.hub.start(both.server.url, ALL);
  both.web.say(300);
  await until("some has arrived", () => both.hub.of("web").length > 0);
  await both.server.kill();
  both.web.say(1_700);
  await until("both know", () => both.web.state.out === "offline" && both.hub.state.in === "offline");
  expect(both.hub.pending).toBeNull();
  await both.server.start();
  await both.hasAll();
  expectWhole(both);
  expect(both.web.links).toEqual(["out connected", "out offline", "out connected"]);
});

withNats("a frame whose acknowledgement was lost is known again by the stream's last frame", async () => {
  await using both = await pair();
  both.web.isForgetful = true;
  both.web.start(both.server.url);
  both.hub.start(both.server.url, ALL);
  both.web.say(700);
  await both.hasAll();
  await both.web.stop();
  expect(both.web.cursor.upto).toBe(0);
  both.web.isForgetful = false;
  both.web.say(10);
  both.web.start(both.server.url);
  await both.hasAll();
  expectWhole(both);
  expect(both.web.copied).toEqual([]);
});

withNats("a hub that is behind by far, and stopped in between, reads on from what it has committed", async () => {
  await using both = await pair();
  both.web.start(both.server.url);
  both.web.say(6_000);
  await until("all has left", () => both.web.cursor.upto === 6_000);
  both.hub.start(both.server.url, ALL);
  await until("some has arrived", () => both.hub.of("web").length > 0);
  await both.hub.stop();
  both.hub.start(both.server.url, ALL);
  await both.hasAll();
  expectWhole(both);
  await until("nothing waits", () => both.hub.pending === 0);
});

withNats("a hub that cannot commit is handed no more than two batches, and something waits", async () => {
  await using both = await pair();
  both.hub.isHeld = true;
  both.hub.start(both.server.url, ALL);
  both.web.start(both.server.url);
  both.web.say(9_000);
  await until("all has left", () => both.web.cursor.upto === 9_000);
  await until("two batches wait", () => both.hub.held.length === 2);
  await until("something waits", () => both.hub.pending !== 0);
  expect(both.hub.held.length).toBe(2);
  both.hub.release();
  await both.hasAll();
  expectWhole(both);
});

withNats("a hub that stays behind looks in the stream who lives, and names who sends most", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  const flood = (from: number) =>
    publishAll(
      server.url,
      "nerve.evil.signals",
      Array.from({ length: 3_000 }, (_, at) => packFrame({ epoch: "ab", from: from + at, to: from + at, lost: 0 }, [])),
      (at) => ({ "Nerve-Epoch": "ab", "Nerve-To": String(from + at) }),
    );
  web.start(server.url, { beatMs: 200 });
  hub.start(server.url, { ...ALL, silentAfterMs: 400 });
  web.say(1);
  await both.hasAll();
  hub.isHeld = true;
  await flood(1);
  await flood(4_000);
  web.say(1);
  const calls = (wanted: string[]) => hub.behind.filter(({ heard }) => heard.toSorted().join() === wanted.join());
  await until("web is heard though nothing of it comes", () => calls(["web"]).length >= 2);
  expect(hub.behind.some(({ pending, heard }) => pending > 1_000 && heard.includes("web"))).toBe(true);
  expect(hub.behind.some(({ busiest, share }) => busiest === "evil" && share > 90)).toBe(true);
  await web.stop();
  const before = hub.behind.length;
  await until("nobody is heard", () => hub.behind.slice(before).some(({ heard }) => heard.length === 0));
  hub.release();
  await both.hasAll();
  await until("nothing waits", () => hub.pending === 0);
  expect(hub.room).toMatchObject({ max_bytes: GENEROUS.maxBytes, max_messages: 0, max_age_ms: GENEROUS.maxAgeMs });
  expect(web.room).toBeNull();
});

withNats("frames that do not follow one another are handed over in pieces, though no signal is in them", async () => {
  await using both = await pair();
  const { server, hub } = both;
  hub.isHeld = true;
  const epochs = Array.from({ length: 5_000 }, (_, at) => (at + 10).toString(16));
  const bodies = epochs.map((epoch) => packFrame({ epoch, from: 0, to: 1, lost: 0 }, []));
  await publishAll(server.url, "nerve.evil.signals", bodies, (at) => ({
    "Nerve-Epoch": epochs[at] ?? "",
    "Nerve-To": "1",
  }));
  hub.start(server.url, ALL);
  await until("two batches wait", () => hub.held.length === 2);
  expect(Math.max(...hub.held.map(({ frames }) => frames.length))).toBeLessThanOrEqual(1_000);
});

withNats("a store of the stream that went back to an older copy is filled again, from logs.db", async () => {
  await using both = await pair();
  const { server, web, hub, folder } = both;
  web.start(server.url);
  hub.start(server.url, ALL);
  web.say(300);
  await both.hasAll();
  await server.kill();
  cpSync(server.store, folder.file("copy"), { recursive: true });
  await server.start();
  await until("web is back", () => web.state.out === "connected");
  await hub.stop();
  web.say(900);
  await until("all has left", () => web.cursor.upto === 1_200);
  await server.kill();
  rmSync(server.store, { recursive: true });
  cpSync(folder.file("copy"), server.store, { recursive: true });
  await server.start();
  await until("web has seen it", () => web.notices.some(({ kind }) => kind === "rewound"));
  hub.start(server.url, ALL);
  await both.hasAll();
  expectWhole(both);
  expect(web.lost).toEqual([]);
});

withNats(
  "a stream that lost frames, and was filled beyond the place of a hub that was away, is read again in front of that place",
  async () => {
    await using both = await pair();
    const { server, web, hub, folder } = both;
    web.start(server.url);
    hub.start(server.url, ALL);
    web.say(300);
    await both.hasAll();
    await server.kill();
    cpSync(server.store, folder.file("copy"), { recursive: true });
    await server.start();
    for (let part = 0; part < 5; part++) {
      web.say(20);
      await both.hasAll();
    }
    await hub.stop();
    await web.stop();
    const { position } = hub.place;
    await server.kill();
    rmSync(server.store, { recursive: true });
    cpSync(folder.file("copy"), server.store, { recursive: true });
    await server.start();
    web.say(50);
    web.start(server.url);
    await until("all is sent again", () => web.cursor.upto === 450);
    expect(web.cursor.sequence).toBeLessThan(position);
    const bodies = Array.from({ length: 100 }, () => packFrame({ epoch: "ab", from: 1, to: 1, lost: 0 }, []));
    await publishAll(server.url, "nerve.other.signals", bodies, { "Nerve-Epoch": "ab", "Nerve-To": "1" });
    web.say(10);
    await until("all has left", () => web.cursor.upto === 460);
    hub.start(server.url, ALL);
    await both.hasAll();
    expectWhole(both);
  },
);

withNats("gaps of one host are looked for once, in front of the place, however many there are", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  const head = (to: number) => ({ "Nerve-Epoch": "ab", "Nerve-To": String(to) });
  const gap = (n: number) => packFrame({ epoch: "ab", from: 10 * n + 9, to: 10 * n + 10, lost: 0 }, []);
  const sends = (from: number, count: number) =>
    publishAll(
      server.url,
      "nerve.evil.signals",
      Array.from({ length: count }, (_, at) => gap(from + at)),
      (at) => head(10 * (from + at) + 10),
    );
  web.start(server.url);
  hub.start(server.url, ALL);
  web.say(10);
  await sends(0, 2_000);
  await both.hasAll();
  await until("nothing waits", () => hub.pending === 0);
  await hub.stop();
  await using creations = await watched(server.url, "$JS.API.CONSUMER.CREATE.>");
  await sends(2_000, 300);
  hub.start(server.url, ALL);
  web.say(10);
  await both.hasAll();
  await until("nothing waits", () => hub.pending === 0);
  await sends(2_300, 300);
  web.say(10);
  await both.hasAll();
  await creations.flush();
  expect(creations.subjects.map((subject) => subject.split(".").slice(-3).join("."))).toEqual([
    "nerve.*.signals",
    "nerve.evil.signals",
  ]);
  expect(hub.gaps.every(({ host }) => host === "evil")).toBe(true);
});

withNats(
  "a hub whose clock is days ahead of the server's looks for what is missing, and waits for nothing that never comes",
  async () => {
    await using both = await pair();
    const { server, web, hub } = both;
    const sends = (from: number, to: number) =>
      publishAll(server.url, "nerve.evil.signals", [packFrame({ epoch: "ab", from, to, lost: 0 }, [])], {
        "Nerve-Epoch": "ab",
        "Nerve-To": String(to),
      });
    web.start(server.url);
    hub.start(server.url, ALL);
    web.say(10);
    await sends(1, 2);
    await both.hasAll();
    await until("nothing waits", () => hub.pending === 0);
    await hub.stop();
    hub.db.run("UPDATE signals SET at = at + 900000000 WHERE origin IS NOT NULL");
    await sends(8, 9);
    web.say(10);
    hub.start(server.url, ALL);
    await both.hasAll();
    expect(hub.gaps).toEqual([{ host: "evil", from: 2, to: 8, lost: 0 }]);
  },
);

withNats(
  "a stream that was made anew is filled again with what the hub does not have, and with nothing twice",
  async () => {
    await using both = await pair();
    const { server, web, hub } = both;
    web.start(server.url);
    hub.start(server.url, ALL);
    web.say(300);
    await both.hasAll();
    await hub.stop();
    web.say(900);
    await until("all has left", () => web.cursor.upto === 1_200);
    await deleteStream(server.url);
    web.say(5);
    await until("web says that the stream is gone", () => web.state.out === "blocked");
    expect(web.why.out).toContain("NERVE");
    expect(web.why.out).toContain("nerve fleet init");
    await streamOn(server.url);
    hub.start(server.url, ALL);
    await both.hasAll();
    expectWhole(both);
  },
);

withNats("where all frames of a host went with their time they are sent again, and the hub drops them", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  web.start(server.url);
  hub.start(server.url, ALL);
  web.say(300);
  await both.hasAll();
  await Promise.all([web.stop(), hub.stop()]);
  await forgetFrames(server.url, ({ messages }) => messages === 0);
  web.say(10);
  hub.start(server.url, ALL);
  web.start(server.url);
  await both.hasAll();
  expectWhole(both);
  expect(web.notices.map(({ kind }) => kind)).toEqual(["rewound"]);
  expect(web.lost).toEqual([]);
});

withNats("a full stream takes nothing, and drops nothing: what waits leaves when there is room", async () => {
  await using both = await pair({ ...GENEROUS, maxBytes: 100_000 });
  const { server, web, hub } = both;
  web.start(server.url);
  web.say(6_000);
  await until("web is refused", () => web.state.out === "blocked");
  expect(web.why.out).toContain("is full");
  hub.start(server.url, ALL);
  await changeStream(server.url, { max_bytes: 100_000_000 });
  await both.hasAll();
  expectWhole(both);
  expect(web.links.filter((link) => link.includes("blocked"))).toEqual(["out blocked"]);
});

withNats("what retention removed before it could leave is counted on both sides", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(100);
  await both.hasAll();
  await web.stop();
  web.say(400);
  web.db.run("DELETE FROM signals WHERE id <= 350");
  web.start(server.url);
  await until("the rest has arrived", () => hub.of("web").length === 250);
  expect(
    hub
      .of("web")
      .slice(100)
      .map(({ id }) => id),
  ).toEqual(Array.from({ length: 150 }, (_, at) => 351 + at));
  expect(web.lost).toEqual([250]);
  expect(hub.gaps).toEqual([{ host: "web", from: 100, to: 100, lost: 250 }]);
});

withNats("what left the stream before the hub came back is counted as missing, once", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(10);
  await both.hasAll();
  await hub.stop();
  web.say(50);
  await until("all has left", () => web.cursor.upto === 60);
  const { sequence } = web.cursor;
  await forgetFrames(server.url, ({ first_seq }) => first_seq > sequence);
  hub.start(server.url, ALL);
  web.say(5);
  await until("the rest has arrived", () => hub.of("web").length === 15);
  expect(hub.of("web").map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 61, 62, 63, 64, 65]);
  expect(hub.gaps).toEqual([{ host: "web", from: 10, to: 60, lost: 0 }]);
});

withNats("a frame that cannot be read is named and costs nobody else anything", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(10);
  await both.hasAll();
  const head = { "Nerve-Epoch": "abcd", "Nerve-To": "7" };
  await publish(server.url, "nerve.evil.signals", "garbage", head);
  await publish(server.url, "nerve.evil.signals", Bun.zstdCompressSync(Buffer.alloc(60_000_000)), head);
  await publish(
    server.url,
    "nerve.evil.signals",
    Bun.zstdCompressSync('{"v":1,"epoch":"abcd","from":0,"to":7,"lost":0,"signals":[[1]]}'),
    head,
  );
  await publish(server.url, "nerve.evil.signals", "no headers", {});
  web.say(10);
  await both.hasAll();
  expectWhole({ ...both, hub: Object.assign(hub, { gaps: [] }) });
  await until("all are refused", () => hub.refused.length > 0);
  expect(new Set(hub.refused.map(({ host }) => host))).toEqual(new Set(["evil"]));
  expect(hub.of("evil")).toEqual([]);
});

withNats("two kernels with one name: both are named, and what each sends arrives once", async () => {
  await using both = await pair();
  const { server, web, hub, folder } = both;
  await using other = new FleetHost("web", folder.file("other"));
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(50);
  await both.hasAll();
  other.start(server.url);
  other.say(50);
  await until("the first says so", () => web.notices.some(({ kind }) => kind === "conflict"));
  await until("the second says so", () => other.notices.some(({ kind }) => kind === "conflict"));
  expect(web.notices[0]?.message).toContain(other.epoch);
  expect(other.notices[0]?.message).toContain(web.epoch);
  const rows = hub.of("web").map(({ epoch, id }) => `${epoch} ${id}`);
  expect(new Set(rows).size).toBe(rows.length);
});

withNats("a copy of a host's disk that runs beside it is found by what it sends", async () => {
  await using both = await pair();
  const { server, web, hub, folder } = both;
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(50);
  await both.hasAll();
  await until("the cursor is committed", () => web.cursor.upto === 50);
  web.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  cpSync(join(web.data, "logs.db"), join(folder.file("other"), "logs.db"), { recursive: true });
  await using other = new FleetHost("web", folder.file("other"));
  expect(other.epoch).toBe(web.epoch);
  other.start(server.url);
  other.say(40);
  await until("one of them says so", () => [...web.notices, ...other.notices].some(({ kind }) => kind === "conflict"));
});

withNats(
  "a host that was restored from a backup goes on under another epoch, and nothing of it comes twice",
  async () => {
    await using both = await pair();
    const { server, web, hub, folder } = both;
    hub.start(server.url, ALL);
    web.start(server.url);
    web.say(60);
    await both.hasAll();
    await until("the cursor is committed", () => web.cursor.upto === 60);
    web.db.run(`VACUUM INTO '${folder.file("backup.db")}'`);
    web.say(30);
    await both.hasAll();
    const before = bare(web.own());
    await web.stop();
    cpSync(folder.file("backup.db"), join(folder.file("restored"), "logs.db"), { recursive: true });
    await using restored = new FleetHost("web", folder.file("restored"));
    restored.epochFrom = restored.lastId;
    restored.setEpoch();
    restored.say(20);
    restored.start(server.url);
    await until("all has arrived", () => hub.of("web").length === 110);
    expect(bare(hub.of("web"))).toEqual([...before, ...bare(restored.own()).slice(60)]);
    expect(hub.gaps).toEqual([]);
    expect(restored.notices).toEqual([]);
  },
);

withNats("a hub whose data was put back from a backup reads on from the place in the backup", async () => {
  await using both = await pair();
  const { server, web, hub, folder } = both;
  hub.start(server.url, ALL);
  web.start(server.url);
  web.say(60);
  await both.hasAll();
  await hub.stop();
  hub.db.run(`VACUUM INTO '${folder.file("backup.db")}'`);
  hub.start(server.url, ALL);
  web.say(900);
  await both.hasAll();
  await hub.stop();
  cpSync(folder.file("backup.db"), join(folder.file("restored"), "logs.db"), { recursive: true });
  await using restored = new FleetHost("hub", folder.file("restored"));
  expect(restored.of("web").length).toBe(60);
  restored.start(server.url, ALL);
  await until("the rest has arrived", () => restored.of("web").length >= 960);
  expectWhole({ ...both, hub: restored });
});

withNats("behind a leaf node, with the domain of the hub's JetStream", async () => {
  const leafListen = (await freeAddress()).text;
  const fleet = { hubs: ["hub"], hosts: [], sites: { paris: ["web"] } };
  await using hubServer = await natsServer(printed(fleet, leafListen));
  await streamOn(hubServer.url);
  await using leaf = await natsServer(printedLeaf(fleet, "paris", leafListen));
  using folder = temporaryFolder();
  await using web = new FleetHost("web", folder.file("web")).start(leaf.url, { domain: "hub" });
  await using hub = new FleetHost("hub", folder.file("hub")).start(hubServer.url, ALL);
  web.say(700);
  await until("all has arrived", () => hub.of("web").length === 700);
  expect(bare(hub.of("web"))).toEqual(bare(web.own()));
  expect((await hub.ask(["web"]))[0]?.why).toBeNull();
});

withNats("an idle host beats, another host may be asked, and an absent one is named", async () => {
  await using both = await pair();
  const { server, web, hub } = both;
  web.start(server.url);
  hub.start(server.url, ALL);
  web.say(1);
  await both.hasAll();
  expect(await hub.ask(["web", "nobody"])).toEqual([
    { host: "web", text: '{"host":"web"}', why: null },
    { host: "nobody", text: null, why: "not connected" },
  ]);
  const before = hub.times.length;
  await until("a beat has come", () => hub.times.length > before);
  for (const { sentAt, storedAt } of hub.times) {
    expect(sentAt).toBeGreaterThan(Date.now() - 86_400_000);
    expect(storedAt).toBeGreaterThanOrEqual(sentAt ?? Number.POSITIVE_INFINITY);
  }
});

withNats("a host that begins before there is a stream says so, and begins once there is one", async () => {
  await using server = await natsServer();
  using folder = temporaryFolder();
  await using web = new FleetHost("web", folder.file("web")).start(server.url);
  await using hub = new FleetHost("hub", folder.file("hub")).start(server.url, ALL);
  web.say(10);
  await until("both say so", () => web.state.out === "blocked" && hub.state.in === "blocked");
  expect(web.why.out).toContain("NERVE is not there");
  expect(hub.why.in).toContain("has no stream NERVE");
  await streamOn(server.url);
  await until("all has arrived", () => hub.of("web").length === 10);
  expect(bare(hub.of("web"))).toEqual(bare(web.own()));
});
