/**
 * The parts a kernel is made of, on a clock driven by hand, with workers that do what a test says: whatever takes the kernel
 * minutes takes a test milliseconds. The store is real.
 */

import type { LogLine } from "../../src/base/logger.ts";
import type { Note, Notes } from "../../src/ipc/notes.ts";
import { Journal } from "../../src/kernel/commits/journal.ts";
import { Ledger } from "../../src/kernel/commits/ledger.ts";
import { Ticker } from "../../src/kernel/time/ticker.ts";
import type { LifeHost } from "../../src/kernel/workers/crew.ts";
import type { World } from "../../src/kernel/world.ts";
import type { Spawn, WorkerEvents, WorkerProcess } from "../../src/spawn/worker-process.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { type Folder, temporaryFolder } from "./folder.ts";
import { HandClock } from "./hand-clock.ts";
import { type Message, packed, unpacked } from "./rows.ts";
import { worldAt } from "./world.ts";

export type { Message };

/** A worker without a process: what it was sent, and what it is made to say and do. */
export class ScriptedChild implements WorkerProcess<unknown> {
  readonly pid: number;
  /** One compute at a time. */
  readonly frames: Message[][] = [];
  kills = 0;
  /** Place → what it notes there. */
  readonly noted = new Map<number, Note>();
  readonly notes: Notes = { at: (place) => this.noted.get(place) ?? null };
  /** False: a SIGKILL does not end it, as if it waited for a device that does not answer. */
  isMortal = true;
  readonly #events: WorkerEvents;
  #isGone = false;

  constructor(pid: number, events: WorkerEvents) {
    this.pid = pid;
    this.#events = events;
  }

  get sent(): Message[] {
    return this.frames.flat();
  }

  of(type: string): Message[] {
    return this.sent.filter((message) => message.type === type);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  send(messages: unknown[]): boolean {
    if (this.#isGone) return false;
    this.frames.push((messages as Message[]).flatMap(unpacked));
    return true;
  }

  kill(): void {
    this.kills++;
    if (this.isMortal) this.exits(null, "SIGKILL");
  }

  /** One result at a time. What the kernel does not believe is a log `worker.malformed`: a test that means none of it looks for that. */
  says(...messages: Message[]): void {
    for (const message of messages) this.#events.message(packed(message));
  }

  prints(stream: "stdout" | "stderr", line: string): void {
    this.#events.output(stream, line);
  }

  /** It is gone, and its kernel does not hear of that. */
  vanishes(): void {
    this.#isGone = true;
  }

  exits(code: number | null, signal: string | null = null, channelBroke = false): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.exit({ code, signal, channelBroke });
  }
}

/** The kernel is killed behind a commit. */
class Killed extends Error {}

function survive(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
  }
}

export class KernelBench implements Disposable {
  readonly folder: Folder = temporaryFolder();
  readonly clock = new HandClock();
  readonly store: Store;
  ticker: Ticker;
  ledger: Ledger;
  journal: Journal;
  /** What was logged, in its order. */
  readonly lines: LogLine[] = [];
  readonly children: ScriptedChild[] = [];
  /** Whether a worker can be started at all. */
  canSpawn = true;
  /** Commits until the kernel is killed behind one. */
  killAfter = Number.POSITIVE_INFINITY;
  isKilled = false;
  #generation = 0;
  #life = 0;

  constructor() {
    const opened = openStore(this.folder.path, "normal", this.clock.bootId, this.clock.wallMs());
    if (!opened.ok) throw new Error(opened.error.message);
    this.store = opened.value;
    const { ticker, ledger, journal } = this.#born();
    this.ticker = ticker;
    this.ledger = ledger;
    this.journal = journal;
  }

  /** What belongs to one kernel. What a killed one had put off is not done. */
  #born() {
    const ticker = new Ticker(this.clock, () => {}, this.clock.alarm);
    ticker.start();
    const ledger = new Ledger(this.#mortal, this.world, { trouble: () => {} });
    const journal = new Journal(ledger, { write: (line) => this.lines.push(line) }, this.clock.wallMs);
    return { ticker, ledger, journal };
  }

  /** The store, behind whose next commits but `killAfter` the kernel is killed. */
  get #mortal(): Store {
    const { store } = this;
    const commit = <T>(change: () => T): T => {
      if (this.isKilled) throw new Killed();
      const done = store.commit(change);
      this.isKilled = this.killAfter-- === 0;
      if (this.isKilled) throw new Killed();
      return done;
    };
    return Object.create(store, { commit: { value: commit } }) as Store;
  }

  /** The kernel is gone without a word: memory, timers, what waits for its commit. */
  die(): void {
    this.killAfter = Number.POSITIVE_INFINITY;
    this.isKilled = false;
    this.#life++;
    this.ticker.stop();
    for (const child of this.children) child.vanishes();
    const { ticker, ledger, journal } = this.#born();
    this.ticker = ticker;
    this.ledger = ledger;
    this.journal = journal;
  }

  readonly spawn: Spawn = (_command, events) => {
    if (!this.canSpawn) throw new Error("no process to be had");
    const child = new ScriptedChild(1_000 + this.children.length, events);
    this.children.push(child);
    return child;
  };

  readonly nextGeneration = (): number => ++this.#generation;

  get world(): World {
    const life = this.#life;
    const alive = (act: () => void) => () => {
      if (life === this.#life) survive(act);
    };
    const { turns, ...world } = worldAt(this.clock);
    const mortal = {
      atEnd: (act: () => void) => turns.atEnd(alive(act)),
      next: (act: () => void) => turns.next(alive(act)),
    };
    return { ...world, turns: mortal, spawn: this.spawn };
  }

  get host(): LifeHost {
    const { world, ticker, journal, nextGeneration } = this;
    return { world, ticker, journal, nextGeneration };
  }

  /** The newest worker. */
  get child(): ScriptedChild {
    const child = this.children.at(-1);
    if (child === undefined) throw new Error("no worker was started");
    return child;
  }

  /** What the log says under `event`. */
  said(event: string): string[] {
    return this.lines.filter((line) => line.event === event).map(({ message }) => message);
  }

  /** Lets everything happen that is to happen without time passing: commits, and what follows from them. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      survive(() => this.ledger.flush());
    }
  }

  /** Time passes, and what is due in it happens. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    this.clock.pass(ms);
    await this.settle();
  }

  [Symbol.dispose](): void {
    this.ticker.stop();
    this.ledger.flush();
    this.store.close();
    this.folder[Symbol.dispose]();
  }
}
