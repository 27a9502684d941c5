/**
 * Owns the worker that a start begins before anybody knows its work: the process loads while the store is opened. Whoever asks
 * first for a worker of the same command gets it.
 */
import type { ParentMessageOf } from "../ipc/definitions.ts";
import {
  type Spawn,
  spawnWorker,
  type WorkerCommand,
  type WorkerEvents,
  type WorkerProcess,
} from "./worker-process.ts";

/** Of a crew's first worker. */
const FIRST = 1;

type Event = (events: WorkerEvents) => void;

export class SpareWorker {
  readonly #command: WorkerCommand;
  readonly #places: number;
  #worker: WorkerProcess<object> | null;
  #owner: WorkerEvents | null = null;
  /** What has happened while the worker was nobody's. */
  #held: Event[] = [];

  /** `places`: for the largest crew that may get the worker. Throws what `spawnWorker` throws. */
  constructor(command: WorkerCommand, places: number) {
    this.#command = command;
    this.#places = places;
    const events: WorkerEvents = {
      message: (raw) => this.#happened((owner) => owner.message(raw)),
      output: (stream, line) => this.#happened((owner) => owner.output(stream, line)),
      exit: (exit) => this.#happened((owner) => owner.exit(exit)),
    };
    this.#worker = spawnWorker<object>(command, events, places);
  }

  /** Has the worker load these built-in senses meanwhile. */
  prepare(builtIns: string[]): void {
    const message: ParentMessageOf<"prepare"> = { type: "prepare", generation: FIRST, builtIns };
    this.#worker?.send([message]);
  }

  /** As `spawnWorker`. */
  readonly spawn: Spawn = <Message>(command: WorkerCommand, events: WorkerEvents, places: number) => {
    const worker = this.#worker;
    if (worker === null || places > this.#places || !Bun.deepEquals(command, this.#command))
      return spawnWorker<Message>(command, events, places);
    this.#worker = null;
    this.#owner = events;
    // The owner hears of nothing before it has the worker.
    for (const event of this.#held) queueMicrotask(() => event(events));
    this.#held = [];
    return worker as WorkerProcess<Message & object>;
  };

  /** Ends a worker that nobody wanted. */
  end(): void {
    this.#worker?.kill();
    this.#worker = null;
  }

  #happened(event: Event): void {
    if (this.#owner !== null) event(this.#owner);
    else if (this.#worker !== null) this.#held.push(event);
  }
}
