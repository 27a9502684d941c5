/**
 * Many hosts that send to one hub over a real nats-server: what a stored signal costs beside a bare insert of the
 * same row, with hosts that are cut off and a server that is killed; and a host whose server is away beside a host without `fleet`.
 * Without nats-server the suite has no figures.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { connectTo } from "../../../src/fleet/nats/connection.ts";
import { type KeyPair, newKeyPair } from "../../../src/fleet/nats/keys.ts";
import { Requests } from "../../../src/fleet/nats/requests.ts";
import { serverConfig } from "../../../src/fleet/nats/server-config.ts";
import { makeStream } from "../../../src/fleet/nats/stream.ts";
import { type Figure, median } from "../figures.ts";
import { childrenOf, cpuMs, pssBytes } from "../processes.ts";
import type { Setting } from "../setting.ts";
import { type Running, runNerve, Site } from "../site.ts";
import { rawInserts } from "./flood.ts";

const SERVER = "/usr/sbin/nats-server";
const HOSTNAME = "127.0.0.1";
const PORT = freePort();
const URL = `nats://${HOSTNAME}:${PORT}`;
const PER_SECOND = 50;
const GIGABYTE = 1024 ** 3;
const MEBIBYTE = 1024 * 1024;
/** Rows that the hub commits together, about. */
const TOGETHER = 1_000;

const LOOK_MS = 100;
/** So often nothing may have come before nothing is awaited any longer. */
const STILL_LOOKS = 300;

interface Sent {
  readonly signals: number;
  readonly tookMs: number;
  readonly ackMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

function freePort(): number {
  const taken = Bun.listen({ hostname: HOSTNAME, port: 0, socket: { data() {} } });
  taken.stop(true);
  return taken.port;
}

/** A pair for each host, by its name. */
type Keys = Readonly<Record<string, KeyPair>>;

const HUB = newKeyPair();
const hostName = (at: number): string => `h${String(at).padStart(4, "0")}`;

/** The configuration that `nerve fleet init` prints for these hosts. */
function configurationFor(keys: Keys): string {
  const user = (host: string, { publicKey }: KeyPair) => ({ host, publicKey, receives: host === "hub", site: null });
  const users = [user("hub", HUB), ...Object.entries(keys).map(([host, pair]) => user(host, pair))];
  const listen = `${HOSTNAME}:${PORT}`;
  return serverConfig({ users, stream: "NERVE", domain: null, listen, leafListen: listen, isTls: false });
}

class Server implements Disposable {
  readonly #site: Site;
  #child: Subprocess;

  constructor(site: Site, keys: Keys) {
    this.#site = site;
    site.write("nats.conf", configurationFor(keys).replace("/var/lib/nats", join(site.folder, "nats")));
    this.#child = this.#spawn();
  }

  #spawn(): Subprocess {
    const command = [SERVER, "-c", join(this.#site.folder, "nats.conf")];
    return Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] });
  }

  get pid(): number {
    return this.#child.pid;
  }

  async makeStream(): Promise<void> {
    const access = { host: "hub", nkey: HUB.seed, creds: null, ca: null, cert: null, key: null };
    for (;;) {
      const connection = await connectTo(URL, access);
      if ("kind" in connection) {
        await Bun.sleep(50);
        continue;
      }
      const requests = new Requests(connection.nats, {
        host: "hub",
        server: URL,
        stream: "NERVE",
        identity: null,
        domain: null,
      });
      await makeStream(requests, { stream: "NERVE", maxBytes: 8 * GIGABYTE, maxAgeMs: 86_400_000, replicas: 1 });
      return connection.nats.close();
    }
  }

  async killAndStart(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#child = this.#spawn();
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

interface Cut {
  readonly hosts: number;
  readonly fromS: number;
  readonly forS: number;
}

/** Resolves once all hosts are connected. */
async function send(
  site: Site,
  keys: Keys,
  seconds: number,
  { hosts: cut, fromS, forS }: Cut,
): Promise<{ readonly sent: Promise<Sent> }> {
  const program = join(import.meta.dir, "../fleet-hosts.ts");
  site.write("keys.json", JSON.stringify(keys));
  const numbers = [PER_SECOND, seconds, cut, fromS, forS].map(String);
  const child = Bun.spawn([process.execPath, program, URL, join(site.folder, "keys.json"), ...numbers], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  const figures = async (): Promise<Sent> => {
    const parts: Uint8Array[] = [];
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return JSON.parse(Buffer.concat(parts).toString()) as Sent;
      parts.push(value);
    }
  };
  return { sent: figures() };
}

const fleetPid = ({ pid }: Running): number =>
  childrenOf(pid).find((child) => commandOf(child).includes("__fleet")) ?? 0;

const commandOf = (pid: number): string =>
  new TextDecoder().decode(Bun.spawnSync(["cat", `/proc/${pid}/cmdline`]).stdout);

const stored = (hub: Running): number =>
  hub.query<{ rows: number }>("SELECT coalesce(sum(signals), 0) AS rows FROM origins")[0]?.rows ?? 0;

/** Waits as long as more comes. */
async function allStored(hub: Running, signals: number): Promise<void> {
  for (let [before, still] = [-1, 0]; still < STILL_LOOKS && before < signals; ) {
    await Bun.sleep(LOOK_MS);
    const now = stored(hub);
    still = now === before ? still + 1 : 0;
    before = now;
  }
}

async function hubOn(setting: Setting, site: Site): Promise<Running> {
  site.sense("beat", "({ late: Date.now() - now })");
  site.write(
    "nerve.yaml",
    `host: hub
fleet: { servers: ["${URL}"], nkey: ${HUB.seed}, receive: ["*/cpu-usage"] }
senses: { beat: {} }
reflexes:
  - { sense: beat, interval: 1s }
  - { name: one, on: ["*/cpu-usage"], key: $host, when: { usage_percent: "number > 1000" }, sense: beat }
`,
  );
  const hub = runNerve(setting.programs.nerve, site);
  await hub.working();
  return hub;
}

interface Round {
  /** Processor time of kernel and fleet process. */
  readonly us: number;
  readonly detail: string;
}

async function round(
  setting: Setting,
  hosts: number,
  seconds: number,
  cut: Cut,
  killAtS: number | null,
): Promise<Round> {
  using site = new Site();
  const keys: Keys = Object.fromEntries(Array.from({ length: hosts }, (_, at) => [hostName(at), newKeyPair()]));
  using server = new Server(site, keys);
  await server.makeStream();
  await using hub = await hubOn(setting, site);
  while (fleetPid(hub) === 0) await Bun.sleep(50);
  const fleet = fleetPid(hub);
  const sending = await send(site, keys, seconds, cut);
  const before = { hub: cpuMs(hub.pid), fleet: cpuMs(fleet), server: cpuMs(server.pid) };
  if (killAtS !== null) {
    await Bun.sleep(killAtS * 1_000);
    await server.killAndStart();
  }
  const sent = await sending.sent;
  const endedAt = performance.now();
  await allStored(hub, sent.signals);
  const behindMs = performance.now() - endedAt;
  const rows = stored(hub);
  const us = (after: number, from: number): number => ((after - from) * 1_000) / rows;
  const kernel = us(cpuMs(hub.pid), before.hub);
  const carried = us(cpuMs(fleet), before.fleet);
  const served = killAtS === null ? `, server ${us(cpuMs(server.pid), before.server).toFixed(1)} µs` : "";
  const memory = `${Math.round(pssBytes(hub.pid) / MEBIBYTE)} + ${Math.round(pssBytes(fleet) / MEBIBYTE)} MiB`;
  const parts = [
    `kernel ${kernel.toFixed(1)}, fleet process ${carried.toFixed(1)}${served}`,
    `${Math.round((rows * 1_000) / (sent.tookMs + behindMs))} signals/s`,
    `${rows} of ${sent.signals} stored, ${Math.round(behindMs)} ms after the last left`,
    `ack p50 ${sent.ackMs.p50.toFixed(1)}, p99 ${sent.ackMs.p99.toFixed(0)} ms`,
    memory,
  ];
  return { us: kernel + carried, detail: parts.join("; ") };
}

function figureOf(name: string, { us, detail }: Round, floor: number): Figure {
  return { suite: "fleet", name, unit: "µs/signal", floor, nerve: us, ratio: us / floor, target: null, detail };
}

/** Signals a second of a host of its own, and what it costs: without `fleet`, and with a server that is away. */
async function alone(setting: Setting): Promise<Figure[]> {
  const watch = async (fleet: string): Promise<{ rate: number; cpu: number; pss: number }> => {
    using site = new Site();
    site.sense("beat", "({ late: Date.now() - now })");
    const names = Array.from({ length: 20 }, (_, at) => `beat-${at}`);
    const senses = names.map((name) => `  ${name}: { use: beat }`);
    const reflexes = names.map((name) => `  - { sense: ${name}, interval: 100ms }`);
    site.write("nerve.yaml", [fleet, "senses:", ...senses, "reflexes:", ...reflexes, ""].join("\n"));
    await using running = runNerve(setting.programs.nerve, site);
    await running.working();
    await Bun.sleep(setting.spans.warmMs);
    const [from, cpu, at] = [running.lastId(), cpuMs(running.pid), performance.now()];
    await Bun.sleep(4 * setting.spans.windowMs);
    const tookMs = performance.now() - at;
    const rate = ((running.lastId() - from) * 1_000) / tookMs;
    return {
      rate,
      cpu: ((cpuMs(running.pid) - cpu) * 1_000) / (running.lastId() - from),
      pss: pssBytes(running.pid) / MEBIBYTE,
    };
  };
  const rounds: { without: Awaited<ReturnType<typeof watch>>; away: Awaited<ReturnType<typeof watch>> }[] = [];
  for (let at = 0; at < setting.rounds; at++) {
    const without = await watch("host: lonely");
    rounds.push({
      without,
      away: await watch(`host: lonely\nfleet: { servers: ["nats://127.0.0.1:1"], send: ["*"] }`),
    });
  }
  const figure = (what: "rate" | "cpu" | "pss", name: string, unit: string): Figure => {
    const floor = median(rounds.map(({ without }) => without[what]));
    const nerve = median(rounds.map(({ away }) => away[what]));
    const whole = `a host whose server is away, beside one without \`fleet\`: ${name}`;
    return {
      suite: "fleet",
      name: whole,
      unit,
      floor,
      nerve,
      ratio: nerve / floor,
      target: null,
      detail: "the kernel's process",
    };
  };
  return [
    figure("rate", "signals of its own", "signals/s"),
    figure("cpu", "processor of the kernel", "µs/signal"),
    figure("pss", "memory of the kernel", "MiB"),
  ];
}

export async function fleet(setting: Setting): Promise<Figure[]> {
  if (!existsSync(SERVER)) return [];
  const isQuick = setting.rounds === 1;
  const [hosts, seconds] = isQuick ? [200, 10] : [1_000, 90];
  const none: Cut = { hosts: 0, fromS: 0, forS: 0 };
  const cut: Cut = isQuick ? { hosts: 20, fromS: 2, forS: 5 } : { hosts: 100, fromS: 10, forS: 60 };
  const floor = 1_000_000 / rawInserts("NORMAL", TOGETHER, setting.spans);
  const name = `${hosts} hosts, ${PER_SECOND} signals/s each, one rule over all`;
  return [
    figureOf(name, await round(setting, hosts, isQuick ? seconds : 20, none, null), floor),
    figureOf(
      `${name}; a tenth cut off for ${cut.forS} s, server killed once`,
      await round(setting, hosts, seconds, cut, seconds / 2),
      floor,
    ),
    ...(await alone(setting)),
  ];
}
