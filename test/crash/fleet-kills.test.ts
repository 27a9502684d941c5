/**
 * Two hosts that send to one another, while the server, their fleet processes and their kernels are killed at random, and the server's store is put
 * back to an older copy: every row is compared, 0 lost, 0 twice, 0 out of order, 0 missing. NERVE_CRASH=full kills 50 times and
 * puts the store back six times; NERVE_CRASH_SEED=N makes the same choices again.
 */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { randomNumbers } from "../helpers/crash.ts";
import { HAS_NATS, type NatsServer, natsServer, streamOn } from "../helpers/nats.ts";
import { until } from "../helpers/until.ts";
import { allThere, FleetSite, wrongBetween } from "./fleet-sites.ts";

const FULL = process.env.NERVE_CRASH === "full";
const KILLS = FULL ? 50 : 8;
const ROLLBACKS = FULL ? 6 : 1;
const SEED = Number(process.env.NERVE_CRASH_SEED ?? Date.now() % 1_000_000);
const PAUSE_MS = FULL ? 800 : 350;

/** An older copy of the server's store. */
class Store {
  readonly #server: NatsServer;
  readonly #copy: string;

  constructor(server: NatsServer) {
    this.#server = server;
    this.#copy = server.folder.file("copy");
  }

  keep(): void {
    rmSync(this.#copy, { recursive: true, force: true });
    cpSync(this.#server.store, this.#copy, { recursive: true });
  }

  goBack(): void {
    rmSync(this.#server.store, { recursive: true });
    cpSync(this.#copy, this.#server.store, { recursive: true });
  }
}

interface Killed {
  server: number;
  fleet: number;
  kernel: number;
  rollback: number;
}

/** The stream has acknowledged more of `host` than the copy holds: these frames are gone when the copy is put back. */
async function untilMoreLeft(host: FleetSite): Promise<void> {
  const before = host.cursor().upto;
  await until(`more of ${host.name} has left`, () => host.cursor().upto > before);
}

async function killAtRandom(server: NatsServer, hosts: readonly FleetSite[], random: () => number): Promise<Killed> {
  const store = new Store(server);
  const killed = { server: 0, fleet: 0, kernel: 0, rollback: 0 };
  const every = Math.floor(KILLS / (ROLLBACKS + 1));
  for (let kill = 1; kill <= KILLS; kill++) {
    await Bun.sleep(random() * PAUSE_MS);
    const host = hosts[Math.floor(random() * hosts.length)] as FleetSite;
    const kind = (["server", "fleet", "kernel"] as const)[Math.floor(random() * 3)] ?? "server";
    if (kill % every === 0 && killed.rollback < ROLLBACKS) {
      await server.kill();
      store.keep();
      await server.start();
      await untilMoreLeft(host);
      await server.kill();
      store.goBack();
      await server.start();
      killed.server++;
      killed.rollback++;
    } else if (kind === "server") {
      await server.kill();
      await Bun.sleep(random() * 300);
      await server.start();
      killed.server++;
    } else if (kind === "fleet") {
      await host.killFleet();
      killed.fleet++;
    } else {
      await host.killKernel();
      killed.kernel++;
    }
  }
  return killed;
}

test.if(HAS_NATS)(
  `A ⇄ B: every signal arrives once and in order through ${KILLS} kills and ${ROLLBACKS} older copies of the stream`,
  async () => {
    await using server = await natsServer();
    await streamOn(server.url);
    await using a = new FleetSite("a", server.url);
    await using b = new FleetSite("b", server.url);
    await Promise.all([a.kernel.up(), b.kernel.up()]);
    const killed = await killAtRandom(server, [a, b], randomNumbers(SEED));
    await Promise.all([a.rest(), b.rest()]);
    await Promise.all([allThere(a, b), allThere(b, a)]);
    const wrong = [...wrongBetween(a, b), ...wrongBetween(b, a)];
    const rows = { a: a.own().length, b: b.own().length };
    const rewound = a.count("fleet.rewound") + b.count("fleet.rewound");
    console.log(
      JSON.stringify({ test: "fleet-kills", seed: SEED, ...killed, rows, rewound, violations: wrong.length }),
    );
    if (wrong.length > 0) for (const { site } of [a, b]) site.keep();
    expect(wrong).toEqual([]);
    expect([a.missing(), b.missing()]).toEqual([0, 0]);
    expect(rewound).toBeGreaterThanOrEqual(killed.rollback);
    expect(Math.min(rows.a, rows.b)).toBeGreaterThan(KILLS);
    expect(await a.kernel.stop()).toBe(0);
    expect(await b.kernel.stop()).toBe(0);
  },
  900_000,
);
