/** Owns the messages to the worker of a group, and the worker's reports about its modules and its lines of log. */
import { join } from "node:path";
import { counted } from "../../base/counted.ts";
import type { Json } from "../../base/json.ts";
import { limitsOf } from "../../config/defaults.ts";
import type {
  AskedCompute,
  EmittedSignals,
  ParentMessage,
  ParentMessageOf,
  WorkerMessageOf,
} from "../../ipc/definitions.ts";
import type { Item } from "../../model/item.ts";
import { problem } from "../../model/problem.ts";
import { type PeerFiles, senseDatabase } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Journal } from "../commits/journal.ts";
import type { Inboxes } from "../inbox/inboxes.ts";
import type { Delivery, Flight } from "../memory/flight.ts";
import type { Sense } from "../memory/sense.ts";
import { LOG_CREDIT } from "../workers/life.ts";
import type { Deliveries } from "./deliveries.ts";

export interface LoadingParts {
  readonly journal: Journal;
  /** The data directory. */
  readonly data: string;
  readonly command: () => WorkerCommand;
  /** Knows the databases of all senses. */
  readonly senses: { peers(): PeerFiles };
  readonly inboxes: Inboxes;
  readonly deliveries: Deliveries;
}

export class Loading {
  readonly #journal: Journal;
  readonly #data: string;
  readonly #senses: LoadingParts["senses"];
  readonly #inboxes: Inboxes;
  readonly #deliveries: Deliveries;
  readonly command: () => WorkerCommand;

  constructor({ journal, data, command, senses, inboxes, deliveries }: LoadingParts) {
    this.#inboxes = inboxes;
    this.#deliveries = deliveries;
    this.#journal = journal;
    this.#data = data;
    this.#senses = senses;
    this.command = command;
  }

  /** The first message of a new worker for these senses. */
  init(group: string, senses: readonly Sense[], generation: number): ParentMessage {
    const data = this.#data;
    return {
      type: "init",
      generation,
      senses: senses.map((sense) => ({
        name: sense.name,
        folder: sense.location?.folder ?? null,
        use: sense.config.use,
        database: senseDatabase(data, sense.name),
        options: sense.config.with ?? {},
        timeoutMs: limitsOf(sense.config).timeoutMs,
        durability: this.#durabilityOf(sense),
        outboxTaken: sense.outbox,
        inbox: this.#inboxes.initOf(sense),
        patterns: [],
      })),
      peers: this.#senses.peers(),
      blobs: join(data, "blobs"),
      lock: join(data, "locks", `${group}.lock`),
      logCredit: LOG_CREDIT,
    };
  }

  /** Items that a compute took leave logs.db: what says that they are taken has to be as durable. */
  #durabilityOf({ config: { durability, inbox } }: Sense): "full" | "normal" {
    if (durability === "full" || inbox === null) return durability ?? "normal";
    return this.#inboxes.durability;
  }

  /** The worker `pid` of `group` has loaded its senses, as far as they load. */
  isReady(
    group: string,
    pid: number | null,
    seats: ReadonlyMap<string, Sense>,
    message: WorkerMessageOf<"ready">,
  ): void {
    let failed = 0;
    for (const { sense: name, problem: found, applied, watch, taken, series, fault } of message.senses) {
      const sense = seats.get(name);
      if (!sense) continue;
      if (found === null) this.#inboxes.opened(sense, taken);
      if (found === null) this.#deliveries.opened(sense, taken);
      sense.load(found);
      sense.exports({ watched: watch, series });
      if (fault) this.#journal.logProblem(`sense:${name}`, "sense.series-refused", fault);
      if (found) {
        failed++;
        this.#journal.logProblem(`sense:${name}`, "sense.failed", found);
      }
      if (applied.length > 0) {
        this.#journal.of(`sense:${name}`).info("sense.migrated", `applied ${applied.join(", ")}`, { applied });
      }
    }
    this.#deliveries.resume();
    const loaded = message.senses.length - failed;
    const text = `worker ${pid} of group "${group}" is up with ${counted(loaded, "sense")}`;
    const data = { group, pid, generation: message.generation, senses: loaded, failed };
    this.#journal.of("kernel").info("worker.started", text, data);
  }

  /** A row of log. `taken` is called once the row is in the store. */
  output(
    group: string,
    message: Omit<WorkerMessageOf<"log">, "type" | "generation" | "dropped">,
    taken: () => void,
  ): void {
    const source = message.sense === null ? "kernel" : `sense:${message.sense}`;
    const data = (message.data as Json) ?? (message.sense === null ? { group } : null);
    const { level, event, trace } = message;
    this.#journal.relay({ level, source, event, message: message.message, data, trace }, null, taken);
  }

  /** A line that the process itself printed. `sense` is the only sense in the process, or null. */
  printed(group: string, sense: string | null, stream: "stdout" | "stderr", line: string): void {
    const level = stream === "stdout" ? "info" : "error";
    this.output(group, { sense, level, event: "output", trace: null, message: line, data: null }, () => {});
  }

  /** The database of `sense` is no longer the file that its worker has open: the sense computes no more. */
  lost(sense: Sense, message: string): void {
    const found = problem("database-lost", message);
    sense.load(found);
    this.#journal.logProblem(`sense:${sense.name}`, "sense.failed", found);
  }
}

/** A compute of `sense` that begins. */
export const askedCompute = (sense: string, { id, trigger, items, delivered }: Flight): AskedCompute => ({
  id,
  sense,
  now: trigger.at,
  cause: trigger.cause,
  trace: trigger.trace,
  inbox: items.length === 0 ? null : items.map(sentItem),
  delivered: delivered === null ? null : sentDelivery(delivered),
});

const sentDelivery = ({ origin, upTo, signals }: Delivery): AskedCompute["delivered"] => ({
  origin,
  upTo,
  signals: signals.map(({ id, sense, at, payload }) => ({ id, sense, at, payload })),
});

const sentItem = ({ id, origin, at, key, type, body }: Item): NonNullable<AskedCompute["inbox"]>[number] => ({
  id,
  origin,
  at,
  key,
  type,
  body,
});

/** The last row of the outbox that holds a signal of this compute, or null. */
export const lastRowOf = ({ outbox, more }: EmittedSignals): number | null => more?.at(-1)?.outbox ?? outbox;

/** The message that names what is committed: rows of outboxes, and a number of log rows. */
export const ackMessage = (
  generation: number,
  outbox: ParentMessageOf<"ack">["outbox"],
  logs: number,
): ParentMessage => ({ type: "ack", generation, outbox, logs });
