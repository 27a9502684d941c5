/**
 * A host whose data directory is put back from one of its older copies, again and again, while its kernel, its fleet process and the
 * server are killed: what each copy made and sent is at the hub, in its order, and once unless it waited when the copy was made. NERVE_CRASH=full puts back twelve times;
 * NERVE_CRASH_SEED=N makes the same choices again.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { randomNumbers } from "../helpers/crash.ts";
import { HAS_NATS, type NatsServer, natsServer, streamOn } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";
import { copyFolder, FleetSite, type Row, textOf } from "./fleet-sites.ts";

const FULL = process.env.NERVE_CRASH === "full";
const PUT_BACKS = FULL ? 12 : 2;
const MOST_KILLS = FULL ? 5 : 2;
const SEED = Number(process.env.NERVE_CRASH_SEED ?? Date.now() % 1_000_000);

/**
 * What a data directory held when it was taken away. Up to `upto` the stream has acknowledged it. What waited then may come twice: where
 * the host that sent it has started more than once since, nobody knows how far the two are the same.
 */
interface Taken {
  readonly rows: readonly Row[];
  readonly upto: number;
}

class PutBack {
  readonly taken: Taken[] = [];
  readonly killed = { server: 0, fleet: 0, kernel: 0 };
  readonly #server: NatsServer;
  readonly #web: FleetSite;
  readonly #random: () => number;
  readonly #copies: string[] = [];

  constructor(server: NatsServer, web: FleetSite, random: () => number) {
    this.#server = server;
    this.#web = web;
    this.#random = random;
  }

  async kills(): Promise<void> {
    for (let kills = Math.floor(this.#random() * (MOST_KILLS + 1)); kills > 0; kills--) {
      await Bun.sleep(this.#random() * 500);
      const kind = (["server", "fleet", "kernel"] as const)[Math.floor(this.#random() * 3)] ?? "server";
      this.killed[kind]++;
      if (kind === "fleet") await this.#web.killFleet();
      else if (kind === "kernel") await this.#web.killKernel();
      else {
        await this.#server.kill();
        await Bun.sleep(this.#random() * 300);
        await this.#server.start();
      }
    }
  }

  /** Keeps a copy, and puts an older one in its place; the first time there is none. */
  async putBack(): Promise<void> {
    const web = this.#web;
    await web.kernel.up();
    await until("what was made under this kernel has left", () => {
      const { firstStartedAt, upto } = web.cursor();
      return upto > firstStartedAt;
    });
    if (this.#random() < 0.5) await web.kernel.kill();
    else expect(await web.kernel.stop()).toBe(0);
    this.taken.push({ rows: web.own(), upto: web.cursor().upto });
    const { folder, data } = web.site;
    const kept = join(folder, `copy-${this.#copies.length}`);
    copyFolder(data, kept);
    this.#copies.push(kept);
    const older = this.#copies.slice(0, Math.max(1, this.#copies.length - 1));
    const back = older[Math.floor(this.#random() * older.length)] as string;
    Bun.spawnSync(["rm", "-rf", data]);
    copyFolder(back, data);
    web.kernel = web.site.start();
  }
}

/** What is wrong at the hub. */
function wrongAt(hub: FleetSite, web: string, taken: readonly Taken[]) {
  const came = hub.of(web).map(textOf);
  const place = new Map(came.map((row, at) => [row, at] as const).toReversed());
  const made = new Set(taken.flatMap(({ rows }) => rows.map(textOf)));
  const waited = new Set(taken.flatMap(({ rows, upto }) => rows.filter(({ id }) => id > upto).map(textOf)));
  const twice = came.filter((row, at) => place.get(row) !== at);
  const wrong = twice.filter((row) => !waited.has(row)).map((row) => `twice: ${row}`);
  wrong.push(...came.filter((row) => !made.has(row)).map((row) => `made by nobody: ${row}`));
  for (const { rows, upto } of taken) {
    let before = -1;
    for (const row of rows) {
      const at = place.get(textOf(row));
      if (at === undefined && row.id <= upto) wrong.push(`lost: ${textOf(row)}`);
      if (at !== undefined && at < before) wrong.push(`out of order: ${textOf(row)}`);
      before = at ?? before;
    }
  }
  return { wrong: wrong.slice(0, 10), twice: twice.length };
}

/** All that they made is at the hub. */
const untilThere = (hub: FleetSite, hosts: readonly FleetSite[]) =>
  until("all is at the hub", () => {
    const came = new Set(hub.of("web").map(textOf));
    return hosts.every((host) => host.own().every((row) => came.has(textOf(row))));
  });

/** What a host has that rests. */
function wholeOf(host: FleetSite): Taken {
  const rows = host.own();
  return { rows, upto: rows.at(-1)?.id ?? 0 };
}

test.if(HAS_NATS)(
  `data put back ${PUT_BACKS} times from older copies amid kills: each signal of each copy arrives, once and in order`,
  async () => {
    await using server = await natsServer();
    await streamOn(server.url);
    await using web = new FleetSite("web", server.url);
    await using hub = new FleetSite("hub", server.url);
    await Promise.all([web.kernel.up(), hub.kernel.up()]);
    const course = new PutBack(server, web, randomNumbers(SEED));
    for (let round = 0; round <= PUT_BACKS; round++) {
      await course.kills();
      await course.putBack();
    }
    await web.rest();
    await untilThere(hub, [web]);
    const taken = [...course.taken, wholeOf(web)];
    const { wrong, twice } = wrongAt(hub, "web", taken);
    const epochs = hub.epochs("web");
    console.log(
      JSON.stringify({
        ...{ test: "fleet-copies", seed: SEED, ...course.killed, put_backs: PUT_BACKS, epochs },
        ...{ rows: hub.of("web").length, twice, violations: wrong.length },
      }),
    );
    if (wrong.length > 0) for (const { site } of [web, hub]) site.keep();
    expect(wrong).toEqual([]);
    expect(epochs).toBeGreaterThan(1);
    expect(hub.missing()).toBe(0);
    expect(await web.kernel.stop()).toBe(0);
    expect(await hub.kernel.stop()).toBe(0);
  },
  900_000,
);

test.if(HAS_NATS && FULL)(
  "a copy that runs beside its original for 25 s: one of the two begins another epoch, both are named, each signal arrives once",
  async () => {
    await using server = await natsServer();
    await streamOn(server.url);
    await using web = new FleetSite("web", server.url);
    await using hub = new FleetSite("hub", server.url);
    await Promise.all([web.kernel.up(), hub.kernel.up()]);
    await until("web has sent", () => web.cursor().upto > 20);
    expect(await web.kernel.stop()).toBe(0);
    await using copy = new FleetSite("web", server.url, web.site.data);
    web.kernel = web.site.start();
    await Bun.sleep(25_000);
    await Promise.all([web.rest(), copy.rest()]);
    await untilThere(hub, [web, copy]);
    const { wrong, twice } = wrongAt(hub, "web", [wholeOf(web), wholeOf(copy)]);
    const rows = { web: web.own().length, copy: copy.own().length, hub: hub.of("web").length };
    console.log(JSON.stringify({ test: "fleet-copies beside", rows, twice, violations: wrong.length }));
    expect([wrong, twice, hub.missing(), hub.epochs("web")]).toEqual([[], 0, 0, 2]);
    expect(web.count("fleet.copied") + copy.count("fleet.copied")).toBe(1);
    expect(Math.min(web.count("fleet.conflict"), copy.count("fleet.conflict"))).toBeGreaterThan(0);
  },
  900_000,
);
