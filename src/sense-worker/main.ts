/**
 * One group's process. Boot: lock, databases, migrations, peers, modules, then `ready`; after it the loop: computes in
 * the order they came, each begun in its own turn, their results sent with the next `started` or at the turn's end.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Json, toJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import {
  clipLine,
  droppedLines,
  OUTPUT_LINE_LENGTH,
  OUTPUT_ROWS_PER_SECOND,
  type RowLimiter,
  rowLimiter,
} from "../base/row-limiter.ts";
import { describeThrown } from "../base/thrown.ts";
import type { ParentMessageOf, WorkerMessage } from "../ipc/definitions.ts";
import { parseParentMessage } from "../ipc/parse.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Blobs, Log, Peers } from "../sdk/index.ts";
import { acquireLock, type Lock } from "../sqlite/lock.ts";
import type { MigrationFile } from "../sqlite/migrate.ts";
import { blobsIn } from "../worker/blobs.ts";
import { type Channel, hideChannel, openChannel } from "../worker/channel.ts";
import { holdLifeLine } from "../worker/life-line.ts";
import { embedModules } from "../worker/modules.ts";
import { author, captureOutput, type Row } from "../worker/output.ts";
import { openPeerDb, type PeerHandle, peersFor } from "../worker/peer-database.ts";
import { type ComputeOutcome, executeCompute, type RunningCompute } from "./execute-compute.ts";
import { type LoadedSense, loadComputeFn, migrationsOf } from "./load-compute.ts";
import { openSenseDb, type SenseDb } from "./sense-database.ts";

type Init = ParentMessageOf<"init">;
type Compute = ParentMessageOf<"compute">;
type SenseInit = Init["senses"][number];

/** A module whose top level has not settled by then is given up; one that never yields is killed by the kernel. */
export const LOAD_LIMIT_MS = 10_000;
/** How long a worker waits for its predecessor's lock to go before it gives up. */
const LOCK_PATIENCE_MS = 3_000;
const WAITING_ROWS = 1_000;

/** A sense that is ready to compute. */
interface Seat {
  readonly init: SenseInit;
  readonly sense: LoadedSense;
  readonly db: SenseDb;
}

async function takeLock(file: string): Promise<Lock | null> {
  const until = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const lock = acquireLock(file);
    if (lock || performance.now() > until) return lock;
    await Bun.sleep(20);
  }
}

class SenseWorker {
  readonly #channel: Channel<WorkerMessage>;
  readonly #seats = new Map<string, Seat>();
  readonly #peers = new Map<string, PeerHandle>();
  readonly #queue: Compute[] = [];
  readonly #running = new Map<string, RunningCompute>();
  #generation = 1;
  #init: Init | null = null;
  #rows: RowLimiter<Row> | null = null;
  /** Offers what was printed without an end of line. */
  #lastOutput: () => void = () => {};
  // Held so that it is not collected: a collected lock is a released one.
  #lock: Lock | null = null;
  #pumping = false;
  #stopping = false;

  constructor() {
    this.#channel = openChannel<WorkerMessage>((raw) => this.#receive(raw));
  }

  /** What went wrong outside any compute: said, and survived. */
  complain(kind: "worker" | "malformed-message", message: string, stack: string | null = null): void {
    const sense = author.getStore()?.sense ?? this.#named(stack);
    this.#channel.post({
      type: "error",
      generation: this.#generation,
      id: null,
      sense,
      kind,
      message: clipLine(message),
      stack: clip(stack),
      durationMs: 0,
    });
  }

  /** Bun hands on a rejection without the context it came from: whose it is, is told by the first file its stack names. */
  #named(stack: string | null): string | null {
    const senses = this.#init?.senses ?? [];
    for (const line of (stack ?? "").split("\n")) {
      const found = senses.filter(({ folder }) => folder !== null && line.includes(`${folder}/`));
      if (found.length > 0) return found.length === 1 ? (found[0]?.name ?? null) : null;
    }
    return senses.length === 1 ? (senses[0]?.name ?? null) : null;
  }

  #receive(raw: unknown): void {
    const parsed = parseParentMessage(raw);
    if (!parsed.ok) return this.complain("malformed-message", parsed.error.what);
    const message = parsed.value;
    if (this.#init !== null && message.generation !== this.#generation) {
      return this.complain("malformed-message", `"${message.type}" of generation ${message.generation}`);
    }
    switch (message.type) {
      case "init":
        if (this.#init) return this.complain("malformed-message", "a second init");
        this.#init = message;
        this.#generation = message.generation;
        this.#boot(message).catch((error: Error) => {
          this.complain("worker", `it could not start: ${error.message}`, error.stack ?? null);
          this.#channel.leave({ type: "bye", generation: this.#generation });
        });
        return;
      case "compute":
        this.#queue.push(message);
        void this.#pump();
        return;
      case "ack":
        for (const { sense, upTo } of message.outbox) this.#seats.get(sense)?.db.taken(upTo);
        this.#rows?.credit(message.logs);
        return;
      case "peers":
        this.#openPeers(message.peers);
        return;
      case "shutdown":
        void this.#stop();
        return;
    }
  }

  async #boot(init: Init): Promise<void> {
    const rows = rowLimiter<Row>({
      perSecond: OUTPUT_ROWS_PER_SECOND,
      credit: init.logCredit,
      post: (row) => this.#channel.post({ type: "log", generation: this.#generation, ...row }),
      dropped: (count) => ({
        sense: null,
        level: "warn",
        event: "output",
        trace: null,
        message: droppedLines(count),
        data: null,
        dropped: count,
      }),
    });
    this.#rows = rows;
    this.#lastOutput = captureOutput((row) => rows.offer(row));
    this.#lock = await takeLock(init.lock);
    if (this.#lock === null) {
      this.complain("worker", `another worker holds ${init.lock}`);
      return this.#channel.leave({ type: "bye", generation: this.#generation });
    }
    this.#openPeers(init.peers);
    embedModules();
    const results = [];
    for (const sense of init.senses) results.push(await this.#seat(sense));
    this.#channel.post({ type: "ready", generation: this.#generation, senses: results });
    this.#channel.flush();
    void this.#pump();
  }

  #openPeers(peers: Init["peers"]): void {
    this.#peerRecords.clear();
    const wanted = new Map(peers.map((peer) => [peer.name, peer]));
    for (const [name, handle] of this.#peers) {
      if (wanted.has(name)) continue;
      handle.close();
      this.#peers.delete(name);
    }
    for (const { name, database } of peers) {
      if (!this.#peers.has(name)) this.#peers.set(name, openPeerDb(name, database));
    }
  }

  async #seat(init: SenseInit): Promise<{ sense: string; problem: Problem | null; applied: string[] }> {
    this.#channel.post({ type: "started", generation: this.#generation, id: null, sense: init.name });
    this.#channel.flush();
    const opened = this.#openDatabase(init);
    if (!opened.ok) return { sense: init.name, problem: opened.error, applied: [] };
    const { db, applied } = opened.value;
    this.#replay(init, db);
    const loaded = await author
      .run({ sense: init.name, trace: null }, () => loadComputeFn(init, LOAD_LIMIT_MS))
      .catch((error) => {
        const message = `it could not be loaded: ${describeThrown(error).message}`;
        return err(problem("module-threw", message, null, init.folder ?? init.use));
      });
    if (!loaded.ok) {
      db.close();
      return { sense: init.name, problem: loaded.error, applied };
    }
    this.#seats.set(init.name, { init, sense: loaded.value, db });
    return { sense: init.name, problem: null, applied };
  }

  #openDatabase(init: SenseInit): Result<{ db: SenseDb; applied: string[] }, Problem> {
    let migrations: readonly MigrationFile[];
    try {
      migrations = migrationsOf(init);
    } catch (error) {
      // This sense cannot start; its neighbours can.
      const message = `its migrations cannot be read: ${(error as Error).message}`;
      return err(problem("unreadable-migrations", message, null, join(init.folder ?? "", "migrations")));
    }
    const db = openSenseDb(init.database, migrations, init.outboxTaken, Date.now);
    if (migrations.length === 0 && !existsSync(init.database)) return ok({ db, applied: [] });
    const prepared = db.prepare();
    if (prepared.ok) return ok({ db, applied: [...prepared.value] });
    const { kind, message, file } = prepared.error;
    return err(problem(`database-${kind}`, message, null, resolve(init.folder ?? "", "migrations", file)));
  }

  /** What an earlier worker kept and the kernel never took, before any new compute could overtake it. */
  #replay(init: SenseInit, db: SenseDb): void {
    for (const row of db.waiting(init.outboxTaken, WAITING_ROWS)) {
      const { id: outbox, payload, cause, trace } = row;
      const head = { type: "signal", generation: this.#generation, id: null, sense: init.name } as const;
      this.#channel.post({ ...head, payload, outbox, cause, trace, durationMs: 0 });
    }
  }

  async #pump(): Promise<void> {
    if (this.#pumping || this.#stopping || this.#seats.size === 0) return;
    this.#pumping = true;
    for (let next = this.#queue.shift(); next && !this.#stopping; next = this.#queue.shift()) {
      const running = this.#start(next);
      if (running) await running.prompt;
    }
    this.#pumping = false;
  }

  #start(request: Compute): RunningCompute | null {
    const { id, sense: name, cause, trace } = request;
    const seat = this.#seats.get(name);
    const head = { generation: this.#generation, id, sense: name };
    if (seat === undefined || this.#running.has(name)) {
      const message = seat ? `sense "${name}" is computing already` : `sense "${name}" is not loaded`;
      this.#channel.post({ type: "error", ...head, kind: "malformed-message", message, stack: null, durationMs: 0 });
      return null;
    }
    this.#channel.post({ type: "started", ...head });
    this.#channel.flush();
    const startedAt = performance.now();
    const setting = {
      sense: seat.sense,
      db: seat.db,
      peers: this.#peersOf(name),
      blobs: this.#blobs(),
      log: this.#logOf(name, trace),
      timeoutMs: seat.init.timeoutMs,
    };
    const running = author.run({ sense: name, trace }, () => executeCompute(setting, request));
    this.#running.set(name, running);
    void running.outcome.then((outcome) => {
      this.#running.delete(name);
      const durationMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
      this.#channel.post(result({ ...head, durationMs }, outcome, cause, trace));
    });
    return running;
  }

  readonly #peerRecords = new Map<string, Peers>();

  #peersOf(name: string): Peers {
    const record = this.#peerRecords.get(name) ?? peersFor(name, this.#peers);
    this.#peerRecords.set(name, record);
    return record;
  }

  #blobsMade: Blobs | null = null;

  #blobs(): Blobs {
    this.#blobsMade ??= blobsIn(this.#init?.blobs ?? "");
    return this.#blobsMade;
  }

  #logOf(sense: string, trace: string): Log {
    return (level, message, data = null) => {
      const row = { sense, level, event: "log", trace, message: clipLine(String(message)) } as const;
      this.#rows?.offer({ ...row, data: noted(data), dropped: 0 });
    };
  }

  /** Aborts what runs, waits for it to settle, and leaves. If it does not settle, the kernel ends this process. */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const running of this.#running.values()) running.abort();
    await Promise.all([...this.#running.values()].map((running) => running.outcome));
    for (const seat of this.#seats.values()) seat.db.close();
    for (const peer of this.#peers.values()) peer.close();
    this.#lastOutput();
    this.#rows?.finish();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

const clip = (stack: string | null): string | null => (stack === null ? null : clipLine(stack));

/** A copy of `data`; where it is no JSON, or over 8 KiB, the beginning of what it says. */
function noted(data: unknown): Json {
  const json = toJson(data);
  const text = json.ok ? JSON.stringify(json.value) : String(data);
  return json.ok && text.length <= OUTPUT_LINE_LENGTH ? (JSON.parse(text) as Json) : clipLine(text);
}

interface ResultHead {
  readonly generation: number;
  readonly id: number;
  readonly sense: string;
  readonly durationMs: number;
}

function result(head: ResultHead, outcome: ComputeOutcome, cause: number | null, trace: string): WorkerMessage {
  switch (outcome.kind) {
    case "signal":
      return { type: "signal", ...head, payload: outcome.payload, outbox: outcome.outbox, cause, trace };
    case "no-signal":
      return { type: "no-signal", ...head };
    case "failed":
      return { type: "error", ...head, kind: "failed", message: clipLine(outcome.message), stack: clip(outcome.stack) };
    case "timed-out":
      return { type: "error", ...head, kind: "timed-out", message: "the compute passed its soft timeout", stack: null };
    case "aborted":
      return { type: "error", ...head, kind: "aborted", message: "nerve is stopping", stack: null };
  }
}

/** Entry of the hidden role. Signals meant for the daemon (a terminal's Ctrl-C reaches the group) are not ours to obey. */
export function runSenseWorker(kernelPid: number): void {
  const worker = new SenseWorker();
  holdLifeLine(kernelPid);
  hideChannel();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
  const stray = (error: unknown): void => {
    const { message, stack } = describeThrown(error);
    worker.complain("worker", `an error nobody waited for: ${message}`, stack);
  };
  process.on("uncaughtException", stray);
  process.on("unhandledRejection", stray);
}
