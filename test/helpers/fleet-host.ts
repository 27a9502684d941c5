/**
 * A host of a fleet with a scripted kernel: signals in a logs.db, what comes in stored as the kernel stores it, and the real carrier
 * over a real connection. Each batch is one transaction, which refuses whatever comes twice or out of order.
 */
import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Carrier, type Reports } from "../../src/fleet/carrier.ts";
import { Nats } from "../../src/fleet/nats/session.ts";
import { OwnSignals } from "../../src/fleet/own-signals.ts";
import type { Behind } from "../../src/fleet/roll-call.ts";
import type { FleetMessageOf, FleetParentMessageOf } from "../../src/ipc/fleet-definitions.ts";
import type { StreamRoom } from "../../src/model/stream-room.ts";
import { keysOf } from "./nats.ts";

type Init = FleetParentMessageOf<"init">;
type Batch = Omit<FleetMessageOf<"batch">, "type" | "generation">;

export interface Came {
  readonly host: string;
  readonly epoch: string;
  readonly id: number;
  readonly sense: string;
  readonly at: number;
  readonly trace: string;
  readonly payload: string;
}

const TABLES = `
CREATE TABLE IF NOT EXISTS signals (id INTEGER PRIMARY KEY AUTOINCREMENT, sense TEXT NOT NULL, at INTEGER NOT NULL,
  payload TEXT NOT NULL, cause INTEGER, trace TEXT NOT NULL, origin TEXT, origin_id INTEGER, origin_at INTEGER, origin_epoch TEXT);
CREATE TABLE IF NOT EXISTS origins (host TEXT PRIMARY KEY, epoch TEXT NOT NULL, upto INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS once ON signals (origin, origin_epoch, origin_id) WHERE origin IS NOT NULL;
`;

const settingsOf = (url: string, host: string): Init["settings"] => ({
  servers: [url],
  nkey: keysOf(host).seed,
  creds: null,
  ca: null,
  cert: null,
  key: null,
  domain: null,
  stream: "NERVE",
  send: ["*"],
  receive: [],
  everyMs: 20,
  beatMs: 500,
  silentAfterMs: 60_000,
});

const PACE = { firstRetryMs: 50, longestRetryMs: 300, claimMs: 300 };

export class FleetHost {
  readonly links: string[] = [];
  readonly notices: { readonly kind: string; readonly message: string }[] = [];
  readonly refused: { readonly host: string; readonly why: string }[] = [];
  readonly gaps: { readonly host: string; readonly from: number; readonly to: number; readonly lost: number }[] = [];
  readonly lost: number[] = [];
  /** Why another epoch began, each time. */
  readonly copied: string[] = [];
  pending: number | null = null;
  readonly behind: Behind[] = [];
  room: StreamRoom | null = null;
  /** When frames of each host were sent and stored, as they said. */
  readonly times: { readonly host: string; readonly sentAt: number | null; readonly storedAt: number | null }[] = [];
  state: Record<"in" | "out", string> = { in: "", out: "" };
  why: Record<"in" | "out", string> = { in: "", out: "" };
  /** What the kernel holds back: batches are not committed meanwhile. */
  isHeld = false;
  readonly held: Batch[] = [];
  /** Steps of the cursor are not committed: as if this process died before each. */
  isForgetful = false;
  readonly db: Database;
  readonly name: string;
  readonly data: string;
  epoch: string;
  epochFrom = 0;
  #carrier: Carrier | null = null;

  constructor(name: string, data: string) {
    this.name = name;
    this.data = data;
    mkdirSync(data, { recursive: true });
    this.db = new Database(join(data, "logs.db"), { create: true, strict: true });
    this.db.run("PRAGMA journal_mode = WAL");
    this.db.run("PRAGMA synchronous = OFF");
    this.db.run(TABLES);
    this.epoch = this.#meta("epoch") ?? this.setEpoch();
  }

  setEpoch(): string {
    this.epoch = randomBytes(8).toString("hex");
    this.#set("epoch", this.epoch);
    return this.epoch;
  }

  #meta(key: string): string | null {
    return this.db.query<{ value: string }, [string]>("SELECT value FROM meta WHERE key = ?").get(key)?.value ?? null;
  }

  #set(key: string, value: string): void {
    this.db
      .query("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(key, value);
  }

  get lastId(): number {
    return this.db.query<{ seq: number }, []>("SELECT seq FROM sqlite_sequence WHERE name = 'signals'").get()?.seq ?? 0;
  }

  get cursor(): Init["cursor"] {
    const stored = this.#meta("fleet.out");
    const fresh = { epoch: this.epoch, since: 0, upto: 0, sequence: 0, proof: null, others: [] };
    return stored === null ? fresh : JSON.parse(stored);
  }

  /** The first start of a kernel since the cursor moved. */
  #firstStartedAt(): number {
    const kept = Number(this.#meta("started-at") ?? -1);
    const startedAt = kept >= this.cursor.upto ? kept : this.lastId;
    this.#set("started-at", String(startedAt));
    return startedAt;
  }

  get place(): NonNullable<Init["place"]> {
    return JSON.parse(this.#meta("fleet.in") ?? "{}");
  }

  get #takenAt(): number {
    const newest = "SELECT max(at) AS at FROM signals WHERE origin IS NOT NULL";
    return this.db.query<{ at: number | null }, []>(newest).get()?.at ?? 0;
  }

  start(url: string, settings: Partial<Init["settings"]> = {}): this {
    const place = this.#meta("fleet.in");
    const init: Init = {
      type: "init",
      generation: 1,
      data: this.data,
      host: this.name,
      // Another epoch of logs.db begins, or frames go on in that of the cursor.
      epoch: this.#meta("within") === this.epoch ? this.cursor.epoch : this.epoch,
      epochFrom: this.epochFrom,
      startedAt: this.lastId,
      firstStartedAt: this.#firstStartedAt(),
      settings: { ...settingsOf(url, this.name), ...settings },
      cursor: this.cursor,
      place: place === null ? null : JSON.parse(place),
      takenAt: this.#takenAt,
      origins: this.db.query<Init["origins"][number], []>("SELECT host, epoch, upto FROM origins").all(),
    };
    const own = OwnSignals.open(this.data, init.settings.send);
    if (!own.ok) throw new Error(own.error.message);
    const engine = new Nats({ ...init.settings, host: this.name });
    const carrier: Carrier = new Carrier(
      init,
      engine,
      own.value,
      this.#reports(() => carrier),
      PACE,
    );
    this.#carrier = carrier;
    carrier.start();
    return this;
  }

  /** What a carrier that was stopped still says is heard by nobody, as after its process has ended. */
  #reports(of: () => Carrier): Reports {
    const isHeard = (): boolean => this.#carrier === of();
    return {
      link: ({ side, state, why }) => {
        if (this.state[side] !== state) this.links.push(`${side} ${state}`);
        this.state[side] = state;
        this.why[side] = why ?? "";
      },
      waiting: (pending) => {
        this.pending = pending;
      },
      room: (room) => {
        this.room = room;
      },
      behind: (behind) => {
        this.behind.push(behind);
      },
      notice: (kind, message) => {
        if (kind !== "server") this.notices.push({ kind, message });
      },
      batch: (batch) => {
        if (!isHeard()) return;
        if (this.isHeld) this.held.push(batch);
        else this.#store(batch);
      },
      asked: (id) => this.#carrier?.replies(id, JSON.stringify({ host: this.name })),
      forwarded: ({ cursor, lost, copied }) => {
        // A process whose kernel does not answer does not go on.
        if (!isHeard()) return new Promise(() => {});
        if (this.isForgetful) return Promise.resolve();
        this.#set("fleet.out", JSON.stringify(cursor));
        this.#set("within", this.epoch);
        if (copied !== null) this.copied.push(copied);
        if (lost > 0) this.lost.push(lost);
        return Promise.resolve();
      },
    };
  }

  #store({ place, frames }: Batch): void {
    this.db.transaction(() => {
      for (const { host, epoch, from, to, lost, refused, sentAt, storedAt, signals } of frames) {
        this.times.push({ host, sentAt, storedAt });
        const known = this.db
          .query<{ epoch: string; upto: number }, [string]>("SELECT epoch, upto FROM origins WHERE host = ?")
          .get(host);
        const upto = known?.epoch === epoch ? known.upto : from;
        if (from < upto) throw new Error(`${host}: a frame from ${from} after ${upto}`);
        if (from > upto || lost > 0) this.gaps.push({ host, from: upto, to: from, lost });
        if (refused !== null) this.refused.push({ host, why: refused });
        for (const { id, sense, at, trace, payload } of signals)
          this.db
            .query(
              "INSERT INTO signals (sense, at, payload, trace, origin, origin_id, origin_at, origin_epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .run(sense, Date.now(), payload, trace, host, id, at, epoch);
        this.db
          .query(
            "INSERT INTO origins VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE SET epoch = excluded.epoch, upto = excluded.upto",
          )
          .run(host, epoch, to);
      }
      this.#set("fleet.in", JSON.stringify(place));
    })();
    queueMicrotask(() => this.#carrier?.stored());
  }

  release(): void {
    this.isHeld = false;
    for (const batch of this.held.splice(0)) this.#store(batch);
  }

  /** New signals of this host. */
  say(count: number, sense = "cpu-usage"): void {
    const insert = this.db.query("INSERT INTO signals (sense, at, payload, trace) VALUES (?, ?, ?, ?)");
    this.db.transaction(() => {
      for (let at = 0; at < count; at++)
        insert.run(
          sense,
          Date.now(),
          JSON.stringify({ n: at, half: 0.5, text: `é${at}` }),
          randomBytes(16).toString("hex"),
        );
    })();
  }

  ask(hosts: readonly string[]) {
    return this.#carrier?.ask(hosts, 2_000) ?? Promise.resolve([]);
  }

  /** Signals made here. */
  own(): Came[] {
    return this.db
      .query<Came, []>(
        "SELECT '' AS host, '' AS epoch, id, sense, at, trace, payload FROM signals WHERE origin IS NULL ORDER BY id",
      )
      .all();
  }

  /** What came of `host`, in the order in which it was stored. */
  of(host: string): Came[] {
    return this.db
      .query<Came, [string]>(
        "SELECT origin AS host, origin_epoch AS epoch, origin_id AS id, sense, origin_at AS at, trace, payload FROM signals WHERE origin = ? ORDER BY signals.id",
      )
      .all(host);
  }

  async stop(): Promise<void> {
    const carrier = this.#carrier;
    this.#carrier = null;
    this.held.splice(0);
    await carrier?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.db.close(true);
  }
}

/** The same rows without what tells where they are. */
export const bare = (rows: readonly Came[]): string[] =>
  rows.map(({ id, sense, at, trace, payload }) => JSON.stringify([id, sense, at, trace, payload]));
