/**
 * Copies of a data directory over a real nats-server: one that was put back, and one that runs beside its original. They give the same
 * ids to other signals, and each signal of each copy arrives once. NERVE_CRASH=full lets two run beside each other for longer.
 */
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { bare, type Came, FleetHost } from "../helpers/fleet-host.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { HAS_NATS, type NatsServer, natsServer, streamOn } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";

const withNats = test.if(HAS_NATS);
const ALL = { receive: ["*/*"] };
const BESIDE_MS = process.env.NERVE_CRASH === "full" ? 20_000 : 2_500;

/** A host and its hub, and the copies of its data. */
class Copies implements AsyncDisposable {
  readonly server: NatsServer;
  readonly folder: Folder;
  readonly hub: FleetHost;
  readonly all: FleetHost[] = [];
  #copies = 0;

  private constructor(server: NatsServer, folder: Folder) {
    this.server = server;
    this.folder = folder;
    this.hub = new FleetHost("hub", folder.file("hub"));
    this.all.push(new FleetHost("web", folder.file("web")));
  }

  static async begin(): Promise<Copies> {
    const server = await natsServer();
    await streamOn(server.url);
    const copies = new Copies(server, temporaryFolder());
    copies.hub.start(server.url, ALL);
    copies.first.start(server.url);
    return copies;
  }

  get first(): FleetHost {
    return this.all[0] as FleetHost;
  }

  /** A folder with what `one` has committed. */
  folderOf(one: FleetHost = this.first): string {
    one.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const copy = this.folder.file(`copy-${this.#copies++}`);
    cpSync(join(one.data, "logs.db"), join(copy, "logs.db"), { recursive: true });
    return copy;
  }

  /** A copy, from a folder that may be used again. */
  another(folder: string): FleetHost {
    const data = this.folder.file(`host-${this.all.length}`);
    cpSync(folder, data, { recursive: true });
    const one = new FleetHost("web", data);
    this.all.push(one);
    return one;
  }

  /** What all copies made of what is sent, each signal once, without what copies have in common. */
  made(): string[] {
    return [...new Set(this.all.flatMap((one) => bare(one.own().filter(({ sense }) => sense !== "secret"))))];
  }

  came(): Came[] {
    return this.hub.of("web");
  }

  async expectWhole(): Promise<void> {
    await until("the hub has what all copies made", () => this.came().length >= this.made().length);
    expect(bare(this.came()).toSorted()).toEqual(this.made().toSorted());
    for (const epoch of new Set(this.came().map((row) => row.epoch))) {
      const ids = this.came().flatMap((row) => (row.epoch === epoch ? [row.id] : []));
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }
    expect(this.hub.gaps).toEqual([]);
    expect(this.all.flatMap((one) => one.lost)).toEqual([]);
    for (const one of this.all) for (const { message } of one.notices) expectTwoEpochs(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const host of [...this.all, this.hub]) await host[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

/** An epoch is in no conflict with itself. */
function expectTwoEpochs(message: string): void {
  const epochs = message.match(/\b[0-9a-f]{16}\b/g) ?? [];
  expect(new Set(epochs).size).toBe(epochs.length);
}

/** The host has said that its data is a copy, once, and was in no conflict. */
function expectPutBack(one: FleetHost): void {
  expect(one.copied.length).toBe(1);
  expect(one.copied[0]).toContain("nerve restore");
  expect(one.notices).toEqual([]);
  expect(one.links).not.toContain("out blocked");
}

/** All that a host made has left, and its kernel has committed so. */
const untilLeft = (one: FleetHost) =>
  until("all has left", () => one.cursor.upto === one.lastId && one.cursor.sequence > 0);

withNats(
  "data put back by copy: what was made since the copy arrives under another epoch, and nothing twice",
  async () => {
    await using copies = await Copies.begin();
    const { first, server } = copies;
    first.say(60);
    await untilLeft(first);
    const folder = copies.folderOf();
    first.say(30);
    await untilLeft(first);
    await first.stop();
    const back = copies.another(folder).start(server.url);
    back.say(20);
    await copies.expectWhole();
    expectPutBack(back);
    expect(new Set(copies.came().map(({ epoch }) => epoch)).size).toBe(2);
    expect(first.copied).toEqual([]);
  },
);

withNats("data put back by copy whose ids pass the old ones before the server answers", async () => {
  await using copies = await Copies.begin();
  const { first, server } = copies;
  first.say(60);
  await untilLeft(first);
  const folder = copies.folderOf();
  first.say(30);
  await untilLeft(first);
  await first.stop();
  await server.kill();
  const back = copies.another(folder).start(server.url);
  back.say(200);
  await until("it finds nobody", () => back.state.out === "offline");
  await back.stop();
  // Another start, which is not the first one of this one.
  back.start(server.url);
  back.say(50);
  await server.start();
  await copies.expectWhole();
  expectPutBack(back);
});

withNats("a copy that was made while much waited: what left afterwards does not come twice", async () => {
  await using copies = await Copies.begin();
  const { first, server } = copies;
  first.say(60);
  await untilLeft(first);
  await server.kill();
  first.say(700);
  const folder = copies.folderOf();
  await server.start();
  first.say(30);
  await untilLeft(first);
  await first.stop();
  const back = copies.another(folder);
  expect(back.cursor.upto).toBe(60);
  back.start(server.url);
  back.say(20);
  await copies.expectWhole();
  expectPutBack(back);
});

withNats("data put back by copy, where the last frame of the other copy holds no signal", async () => {
  await using copies = await Copies.begin();
  const { first, server } = copies;
  const quiet = { send: ["cpu-*"] };
  await first.stop();
  first.start(server.url, quiet);
  first.say(60);
  await untilLeft(first);
  const folder = copies.folderOf();
  first.say(30, "secret");
  await untilLeft(first);
  await first.stop();
  await server.kill();
  const back = copies.another(folder).start(server.url, quiet);
  back.say(10, "secret");
  back.say(10);
  back.say(100, "secret");
  await server.start();
  await copies.expectWhole();
  expectPutBack(back);
});

withNats("data put back by copy, of which retention has removed all that left", async () => {
  await using copies = await Copies.begin();
  const { first, server } = copies;
  first.say(60);
  await untilLeft(first);
  const folder = copies.folderOf();
  first.say(30);
  await untilLeft(first);
  await first.stop();
  await server.kill();
  const back = copies.another(folder).start(server.url);
  back.say(100);
  await until("it finds nobody", () => back.state.out === "offline");
  back.db.run("DELETE FROM signals WHERE id <= 60");
  await server.start();
  await copies.expectWhole();
  expectPutBack(back);
});

withNats(
  "a frame that cannot be compared, because retention has removed what it holds, is no frame of this copy",
  async () => {
    await using copies = await Copies.begin();
    const { first, server } = copies;
    first.say(10);
    await untilLeft(first);
    first.isForgetful = true;
    first.say(40);
    await until("all is at the hub", () => copies.came().length === 50);
    await first.stop();
    first.isForgetful = false;
    first.db.run("DELETE FROM signals WHERE id <= 50");
    first.start(server.url);
    first.say(5);
    await until("the rest is at the hub", () => copies.came().length === 55);
    expect(copies.came().map(({ id }) => id)).toEqual(Array.from({ length: 55 }, (_, at) => at + 1));
    expect(first.copied.length).toBe(1);
  },
);

withNats("one copy put back again and again: each time with an epoch of its own", async () => {
  await using copies = await Copies.begin();
  const { first, server } = copies;
  first.say(60);
  await untilLeft(first);
  const folder = copies.folderOf();
  first.say(30);
  await untilLeft(first);
  await first.stop();
  for (let round = 1; round <= 3; round++) {
    const back = copies.another(folder).start(server.url);
    back.say(10 * round);
    await untilLeft(back);
    await back.stop();
    expectPutBack(back);
  }
  await copies.expectWhole();
  // The original is put back as it was last: nobody else has sent under its epoch.
  first.start(server.url);
  first.say(7);
  await copies.expectWhole();
  expect(first.copied).toEqual([]);
});

withNats(
  "a copy that runs beside its original: one of the two begins another epoch, both are named, and all arrives",
  async () => {
    await using copies = await Copies.begin();
    const { first, server } = copies;
    first.say(60);
    await untilLeft(first);
    await first.stop();
    const other = copies.another(copies.folderOf());
    first.start(server.url);
    other.start(server.url);
    const end = performance.now() + BESIDE_MS;
    while (performance.now() < end) {
      first.say(2);
      other.say(3);
      await Bun.sleep(25);
    }
    await copies.expectWhole();
    await until("both are named", () => copies.all.every((one) => one.notices.some(({ kind }) => kind === "conflict")));
    expect(first.copied.length + other.copied.length).toBe(1);
    expect(new Set(copies.came().map(({ epoch }) => epoch)).size).toBe(2);
  },
);

/** A copy that was made while the server was away and nerve went on: the original and the copy, which has sent since. */
async function parted(copies: Copies): Promise<readonly [FleetHost, FleetHost]> {
  const { first, server } = copies;
  first.say(60);
  await untilLeft(first);
  await server.kill();
  first.say(40);
  const other = copies.another(copies.folderOf());
  first.say(20);
  await first.stop();
  // It finds nobody as well.
  first.start(server.url);
  first.say(3);
  await first.stop();
  other.start(server.url);
  other.say(5);
  await server.start();
  await untilLeft(other);
  return [first, other];
}

withNats(
  "a host that was copied while the server was away, and started again, has all that its copy has not",
  async () => {
    await using copies = await Copies.begin();
    const [first, other] = await parted(copies);
    await other.stop();
    first.start(copies.server.url);
    await copies.expectWhole();
    expectPutBack(first);
  },
);

withNats(
  "where nobody knows any more where two copies parted, what waited then comes twice, and nothing is lost",
  async () => {
    await using copies = await Copies.begin();
    const [first, other] = await parted(copies);
    await other.stop();
    other.start(copies.server.url);
    other.say(5);
    await untilLeft(other);
    await other.stop();
    first.start(copies.server.url);
    await untilLeft(first);
    await until("the hub has all", () => new Set(bare(copies.came())).size === copies.made().length);
    const came = bare(copies.came());
    const twice = came.filter((row, at) => came.indexOf(row) !== at);
    expect(twice).toEqual(bare(first.own()).slice(60, 100));
  },
);

withNats("a hub whose data was put back by copy, and which sends nothing, is in no conflict", async () => {
  await using copies = await Copies.begin();
  const { first, server, hub, folder } = copies;
  first.say(60);
  await until("the hub has all", () => copies.came().length === 60 && hub.cursor.sequence > 0);
  await hub.stop();
  hub.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  cpSync(join(hub.data, "logs.db"), join(folder.file("hub-copy"), "logs.db"), { recursive: true });
  hub.start(server.url, ALL);
  first.say(900);
  await until("the hub has all again", () => copies.came().length === 960 && hub.cursor.upto === hub.lastId);
  await hub.stop();
  await using back = new FleetHost("hub", folder.file("hub-copy")).start(server.url, ALL);
  await until("the hub that was put back has all", () => back.of("web").length === 960);
  await until("the hub sends its beats", () => back.cursor.upto === back.lastId);
  expect(bare(back.of("web"))).toEqual(bare(first.own()));
  expect(back.notices).toEqual([]);
  expect(back.copied.length).toBe(1);
});
