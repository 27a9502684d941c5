/**
 * Many hosts in one process: each with a connection of its own, and a frame a second with the signals of that second. What a host could
 * not send waits, and leaves when it is connected again.
 *
 *     bun fleet-hosts.ts URL KEYS SIGNALS SECONDS CUT-HOSTS CUT-FROM-S CUT-FOR-S
 *
 * KEYS is a file with the key pair of each host, by its name. The first `CUT-HOSTS` hosts have no connection from second CUT-FROM-S on, for CUT-FOR-S seconds. Prints a line once all are connected, and JSON at the end.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Session } from "../../src/fleet/engine/engine.ts";
import { type CarriedSignal, MAX_FRAME_SIGNALS, packFrame, signalText } from "../../src/fleet/frame.ts";
import type { KeyPair } from "../../src/fleet/nats/keys.ts";
import { Nats } from "../../src/fleet/nats/session.ts";

const [url = "", file = "", ...numbers] = process.argv.slice(2);
const [perSecond = 1, seconds = 1, cutHosts = 0, cutFrom = 0, cutFor = 0] = numbers.map(Number);
const EPOCH = "00112233";
const FILES = { creds: null, ca: null, cert: null, key: null };
const keys = Object.entries(JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, KeyPair>>);
const TRACE = randomBytes(12).toString("hex");

let startedAt = Date.now();
const secondsIn = (): number => (Date.now() - startedAt) / 1_000;
const acks: number[] = [];
/** One connection after another is made: all of them sign in this process, and would be late together. */
let turn: Promise<unknown> = Promise.resolve();

class SimulatedHost {
  readonly #name: string;
  readonly #nkey: string;
  readonly #isCut: boolean;
  #session: Session | null = null;
  #made = 0;
  #sent = 0;
  #position = 0;

  constructor(at: number, name: string, nkey: string) {
    this.#name = name;
    this.#nkey = nkey;
    this.#isCut = at < cutHosts;
  }

  async live(): Promise<number> {
    await Bun.sleep(Math.random() * 1_000);
    for (let second = 0; second < seconds; second++) {
      const until = Date.now() + 1_000;
      this.#made += perSecond;
      await this.#send();
      await Bun.sleep(Math.max(0, until - Date.now()));
    }
    for (let tries = 0; this.#sent < this.#made && tries < 600; tries++) {
      await this.#send();
      await Bun.sleep(100);
    }
    await this.#session?.close();
    return this.#sent;
  }

  async #send(): Promise<void> {
    const now = secondsIn();
    if (this.#isCut && now >= cutFrom && now < cutFrom + cutFor) {
      await this.#session?.close();
      this.#session = null;
      return;
    }
    this.#session ??= await this.#connect();
    const session = this.#session;
    while (session !== null && this.#sent < this.#made) {
      const to = Math.min(this.#made, this.#sent + MAX_FRAME_SIGNALS);
      const sentAt = performance.now();
      const appended = await session.append(this.#frame(this.#sent, to), { epoch: EPOCH, to }, this.#position);
      if (appended.kind !== "appended") return this.#doubt();
      acks.push(performance.now() - sentAt);
      this.#position = appended.position;
      this.#sent = to;
    }
  }

  async begin(): Promise<void> {
    while (this.#session === null) this.#session = await this.#connect();
  }

  #connect(): Promise<Session | null> {
    const connecting = turn.then(() => this.#connectNow());
    turn = connecting;
    return connecting;
  }

  async #connectNow(): Promise<Session | null> {
    const session = await new Nats({
      ...FILES,
      nkey: this.#nkey,
      host: this.#name,
      servers: [url],
      domain: null,
      stream: "NERVE",
    }).connect();
    if (session.kind !== "session") return null;
    void session.ended.then(() => {
      if (this.#session === session) this.#session = null;
    });
    return session;
  }

  async #doubt(): Promise<void> {
    const last = await this.#session?.last();
    if (last?.kind !== "frame" || last.frame.label === null) return;
    this.#position = last.frame.position;
    this.#sent = last.frame.label.to;
  }

  #frame(from: number, to: number): Uint8Array {
    const texts: string[] = [];
    for (let id = from + 1; id <= to; id++) {
      const payload = JSON.stringify({
        usage_percent: Math.round(Math.random() * 1_000) / 10,
        cores: 8,
        steal: id % 7,
      });
      const signal: CarriedSignal = {
        id,
        sense: "cpu-usage",
        at: Date.now(),
        trace: TRACE + id.toString(16).padStart(8, "0"),
        payload,
      };
      texts.push(signalText(signal));
    }
    return packFrame({ epoch: EPOCH, from, to, lost: 0 }, texts);
  }
}

const hosts = keys.map(([name, { seed }], at) => new SimulatedHost(at, name, seed));
for (const host of hosts) await host.begin();
console.log("connected");
startedAt = Date.now();
const sent = await Promise.all(hosts.map((host) => host.live()));
acks.sort((a, b) => a - b);
const share = (part: number): number => acks[Math.min(acks.length - 1, Math.floor(acks.length * part))] ?? 0;
console.log(
  JSON.stringify({
    signals: sent.reduce((sum, one) => sum + one, 0),
    frames: acks.length,
    tookMs: Date.now() - startedAt,
    ackMs: { p50: share(0.5), p99: share(0.99), max: share(1) },
  }),
);
process.exit(0);
