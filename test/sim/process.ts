/** A worker without a process: what every kind of worker has in common. What it says reaches the kernel in its order. */
import type { Notes } from "../../src/ipc/notes.ts";
import type { WorkerEvents, WorkerProcess } from "../../src/spawn/worker-process.ts";
import { type Message, packed, unpacked } from "../helpers/rows.ts";
import type { Machine, Party } from "./machine.ts";

export interface Around {
  readonly machine: Machine;
  /** The kernel it belongs to. */
  readonly kernel: Party;
  readonly events: WorkerEvents;
  readonly pid: number;
  /** Milliseconds that a SIGKILL takes to end it. */
  readonly dyingMs: () => number;
  readonly gone: (worker: Worker) => void;
  /** It has come to another state of its life. */
  readonly moved: (worker: Worker, to: string) => void;
  readonly trace: (line: () => string) => void;
}

/** Whoever takes longer to end after a SIGKILL is stuck. */
const LONG_MS = 1_000;

export abstract class Worker implements WorkerProcess<unknown>, Party {
  /** It does nothing more. */
  isOver = false;
  readonly isKernel = false;
  /** It is reaped. */
  isGone = false;
  generation = 0;
  heldBytes = 40_000_000;
  readonly around: Around;
  /** Place → what is noted there, and since when. */
  readonly noted = new Map<number, { readonly id: number; readonly since: number }>();
  readonly notes: Notes = {
    at: (place) => {
      const note = this.noted.get(place);
      return note === undefined ? null : { id: note.id, isOver: false, forMs: this.machine.now - note.since };
    },
  };
  #arrivesAt = 0;
  #leavesAt = 0;

  constructor(around: Around) {
    this.around = around;
  }

  get pid(): number {
    return this.around.pid;
  }

  get machine(): Machine {
    return this.around.machine;
  }

  below(limit: number): number {
    return this.machine.chance(limit);
  }

  oneIn(count: number): boolean {
    return count > 0 && this.machine.chance(count) === 0;
  }

  // ── what the kernel does ─────────────────────────────────────────────

  send(messages: unknown[]): boolean {
    if (this.isGone) return false;
    const { machine } = this;
    if ((messages as Message[]).some(({ type }) => type === "shutdown")) this.around.moved(this, "leaving");
    this.#leavesAt = Math.max(this.#leavesAt, machine.now + (this.oneIn(20) ? this.below(5) : 0));
    machine.at(this.#leavesAt, this, () => {
      for (const message of (messages as Message[]).flatMap(unpacked)) if (!this.isOver) this.receive(message);
    });
    return true;
  }

  kill(): void {
    if (this.isGone) return;
    const wasOver = this.isOver;
    this.isOver = true;
    if (wasOver) return;
    const ms = this.around.dyingMs();
    this.around.moved(this, ms > LONG_MS ? "stuck" : "killed");
    if (Number.isFinite(ms)) this.#exits(ms, null, "SIGKILL");
  }

  abstract receive(message: Message): void;

  // ── what it does ─────────────────────────────────────────────────────

  later(ms: number, act: () => void): void {
    this.machine.after(ms, this, act);
  }

  says(message: Message): void {
    const { kernel, events } = this.around;
    const told = { generation: this.generation, ...message };
    this.machine.at(this.#arrival(), kernel, () => {
      this.arrived(told);
      if (told.type === "ready") this.around.moved(this, "up");
      events.message(packed(told));
    });
  }

  /** The kernel is about to hear this. */
  arrived(_message: Message): void {}

  prints(stream: "stdout" | "stderr", line: string): void {
    const { kernel, events } = this.around;
    this.machine.at(this.#arrival(), kernel, () => events.output(stream, line));
  }

  exits(code: number | null, signal: string | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#exits(0, code, signal);
  }

  #exits(afterMs: number, code: number | null, signal: string | null): void {
    const { kernel, events } = this.around;
    this.machine.at(Math.max(this.#arrival(), this.machine.now + afterMs), kernel, () => {
      this.isGone = true;
      this.around.moved(this, "gone");
      this.around.gone(this);
      events.exit({ code, signal, channelBroke: false });
    });
  }

  #arrival(): number {
    this.#arrivesAt = Math.max(this.#arrivesAt, this.machine.now + (this.oneIn(20) ? this.below(5) : 0));
    return this.#arrivesAt;
  }
}
