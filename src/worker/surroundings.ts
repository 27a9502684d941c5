/**
 * What a worker of either kind has around its user code: its lock, its rows of log, the senses' databases, the blobs. Owns
 * them from `init` to the last message.
 */
import { type Json, toJson } from "../base/json.ts";
import {
  clipLine,
  droppedLines,
  OUTPUT_LINE_LENGTH,
  OUTPUT_ROWS_PER_SECOND,
  type RowLimiter,
  rowLimiter,
} from "../base/row-limiter.ts";
import type { Blobs, Log, LogLevel, Peers } from "../sdk/index.ts";
import { acquireLock, type Lock } from "../sqlite/lock.ts";
import { blobsIn } from "./blobs.ts";
import { embedModules } from "./modules.ts";
import { captureOutput, type Row } from "./output.ts";
import { Peer } from "./peer-database.ts";
import { peersFor } from "./peer-record.ts";

/** How long a worker waits for its predecessor's lock to go before it gives up. */
const LOCK_PATIENCE_MS = 3_000;

/** Whoever calls `log` may be no TypeScript. */
const LEVELS: readonly string[] = ["debug", "info", "warn", "error"] satisfies readonly LogLevel[];

interface KnownPeer {
  readonly name: string;
  readonly database: string;
}

/** The part of `init` that is the same for every worker. */
interface Init {
  readonly peers: readonly KnownPeer[];
  readonly blobs: string;
  readonly lock: string;
  readonly logCredit: number;
}

/** How rows of log are signed and sent. */
export interface RowSender<Whose> {
  readonly nobody: Whose;
  /** Whose code is running. */
  readonly author: () => Whose;
  readonly post: (row: Row<Whose>) => void;
}

async function takeLock(file: string): Promise<Lock | null> {
  const until = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    const lock = acquireLock(file);
    if (lock || performance.now() > until) return lock;
    await Bun.sleep(20);
  }
}

export class Surroundings<Whose extends object> {
  readonly #sender: RowSender<Whose>;
  readonly #peers = new Map<string, Peer>();
  readonly #records = new Map<string | null, Peers>();
  #rows: RowLimiter<Row<Whose>> | null = null;
  /** Offers what was printed without an end of line. */
  #lastOutput: () => void = () => {};
  // Held so that it is not collected: a collected lock is a released one.
  #lock: Lock | null = null;
  #blobsFolder = "";
  #blobs: Blobs | null = null;

  constructor(sender: RowSender<Whose>) {
    this.#sender = sender;
  }

  /** Makes everything ready for user code. Answers with what is in the way, or null. */
  async enter(init: Init): Promise<string | null> {
    const rows = rowLimiter<Row<Whose>>({
      perSecond: OUTPUT_ROWS_PER_SECOND,
      credit: init.logCredit,
      post: this.#sender.post,
      dropped: (count) => ({
        ...this.#sender.nobody,
        level: "warn",
        event: "output",
        message: droppedLines(count),
        data: null,
        dropped: count,
      }),
    });
    this.#rows = rows;
    this.#lastOutput = captureOutput(this.#sender.author, (row) => rows.offer(row));
    this.#blobsFolder = init.blobs;
    this.#lock = await takeLock(init.lock);
    if (this.#lock === null) return `another worker holds ${init.lock}`;
    this.openPeers(init.peers);
    embedModules();
    return null;
  }

  /** The senses there are now; handles on those that stay are kept. */
  openPeers(peers: readonly KnownPeer[]): void {
    this.#records.clear();
    const wanted = new Set(peers.map(({ name }) => name));
    for (const [name, handle] of this.#peers) {
      if (wanted.has(name)) continue;
      handle.close();
      this.#peers.delete(name);
    }
    for (const { name, database } of peers) {
      if (!this.#peers.has(name)) this.#peers.set(name, new Peer(name, database));
    }
  }

  /** The record for `self`'s code: every sense but `self`. */
  peersOf(self: string | null): Peers {
    const known = this.#records.get(self);
    if (known !== undefined) return known;
    const record = peersFor(self, this.#peers);
    this.#records.set(self, record);
    return record;
  }

  get blobs(): Blobs {
    this.#blobs ??= blobsIn(this.#blobsFolder);
    return this.#blobs;
  }

  /** What `log` of the author `whose` does. */
  logOf(whose: Whose): Log {
    return (level, message, data = null) => this.say(whose, "log", level, message, data);
  }

  say(whose: Whose, event: "log" | "output", ...[level, message, data = null]: Parameters<Log>): void {
    const known = LEVELS.includes(level) ? level : "info";
    const row = { level: known, event, message: clipLine(String(message)), data: noted(data), dropped: 0 };
    this.#rows?.offer({ ...whose, ...row });
  }

  /** The kernel took this many rows. */
  credit(rows: number): void {
    this.#rows?.credit(rows);
  }

  /** Closes what is open and sends the last rows. */
  leave(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#lastOutput();
    this.#rows?.finish();
  }
}

/** A copy of `data`. Where that is no JSON, or over 8 KiB: how it begins, as text. */
function noted(data: unknown): Json {
  const json = toJson(data);
  const text = json.ok ? JSON.stringify(json.value) : inspected(data);
  return json.ok && text.length <= OUTPUT_LINE_LENGTH ? (JSON.parse(text) as Json) : clipLine(text);
}

const inspected = (data: unknown): string =>
  (require("node:util") as typeof import("node:util")).inspect(data, {
    depth: 4,
    breakLength: Number.POSITIVE_INFINITY,
  });
