/**
 * Owns the runs of a workflow that wait for a slot, in the order in which they get one, and the runs that have a slot.
 * Interrupted runs keep their slots. Woken, retried and restarted runs come before queued runs. Queued runs come in the
 * order of their ids. A run that reports an incident waits until the earlier report of the incident is over, and is next
 * then. The first run of a batch joins the line when its time has come, and takes the others of its group along.
 */
import { Fifo } from "../../base/fifo.ts";
import type { LiveRun, ResumeReason } from "../memory/run.ts";
import { Batches, type BatchesParts } from "./batches.ts";
import { Reports } from "./reports.ts";

export class Line {
  readonly #queued = new Fifo<LiveRun>();
  readonly #reports = new Reports();
  /** Reports whose turn has come. */
  readonly #turned = new Fifo<LiveRun>();
  readonly #batches: Batches;
  /** First runs of batches whose time has come. */
  readonly #gathered = new Fifo<LiveRun>();
  readonly #ready = new Fifo<LiveRun>();
  readonly #slots = new Set<LiveRun>();
  /** Runs with a slot whose worker is gone. */
  readonly #interrupted = new Set<LiveRun>();
  /** Queued runs that have got their slot, until they have begun. */
  readonly #beginning = new Set<LiveRun>();

  constructor(parts: BatchesParts) {
    const gathered = (run: LiveRun): void => {
      this.#gathered.add(run);
      parts.gathered(run);
    };
    this.#batches = new Batches({ ...parts, gathered });
  }

  /** The number of queued runs that wait for a slot alone. */
  get queued(): number {
    return this.#queued.size + this.#turned.size + this.#reports.waiting - this.#reports.batched;
  }

  /** The number of queued runs that wait in a batch, or are the first of one and wait for a slot. */
  get batched(): number {
    return this.#batches.size + this.#gathered.size + this.#reports.batched;
  }

  get ready(): number {
    return this.#ready.size;
  }

  /** True while the beginning of a queued run is being committed. A run that is asked for now begins after it. */
  isBeginning(): boolean {
    for (const run of this.#beginning) if (run.phase !== "beginning") this.#beginning.delete(run);
    return this.#beginning.size > 0;
  }

  /** The number of runs with a slot. */
  get running(): number {
    return this.#slots.size;
  }

  /** True when no run has a slot or could get one, apart from runs that wait for another run or for a time. */
  get isEmpty(): boolean {
    return this.running + this.ready + this.#turned.size + this.#gathered.size + this.#queued.size === 0;
  }

  /** The runs that have a slot, and those that have run before and wait for one. */
  *begun(): Generator<LiveRun> {
    yield* this.#slots;
    yield* this.#ready;
  }

  /** The run waits for its first slot. */
  queue(run: LiveRun): void {
    if (run.phase !== "queued") run.to("queued");
    if (this.#reports.mustWait(run)) return;
    if (run.batch === null) this.#queued.add(run);
    else this.#batches.add(run);
  }

  /** Called for each run that has not ended. The reports of one incident come in the order of their ids. */
  comes(run: LiveRun): void {
    this.#reports.add(run);
  }

  /** Called when a run has ended. */
  goes(run: LiveRun): void {
    for (const next of this.#reports.remove(run)) {
      if (next.batch === null) this.#turned.add(next);
      else this.#batches.add(next);
    }
  }

  /** The waiting runs of the group of `run`, in the order of their ids. */
  beside(run: LiveRun): ReadonlySet<LiveRun> {
    return this.#batches.beside(run);
  }

  /** Called when `runs` have joined `first`. */
  carry(first: LiveRun, runs: readonly LiveRun[]): void {
    this.#reports.carry(first, runs);
  }

  /** From now on no run waits for others of its group. */
  dissolve(): void {
    this.#reports.dissolve();
    for (const run of this.#batches.dissolve()) {
      run.batch = null;
      this.#queued.add(run);
    }
  }

  /** Reports of `incident` that have not ended, in their order. */
  reportsOf(incident: string): readonly LiveRun[] {
    return this.#reports.of(incident);
  }

  /** A run that has run before waits for a slot. */
  readies(run: LiveRun, reason: ResumeReason): void {
    run.to("ready");
    run.reason = reason;
    this.#ready.add(run);
  }

  /** The worker of the run is gone. The run keeps its slot. */
  interrupts(run: LiveRun, reason: ResumeReason): void {
    run.reason = reason;
    this.#interrupted.add(run);
  }

  /** The run has a slot from now on. */
  enters(run: LiveRun): void {
    this.#slots.add(run);
    run.to("beginning");
  }

  /** The runs that begin now: interrupted runs, and as many others as slots are free. */
  next(free: number): LiveRun[] {
    const next = [...this.#interrupted];
    this.#interrupted.clear();
    for (const run of next) run.to("beginning");
    for (let left = free; left > 0; left--) {
      const ready = this.#ready.shift();
      const run = ready ?? this.#turned.shift() ?? this.#older.shift();
      if (run === null) break;
      if (ready === null) this.#beginning.add(run);
      this.enters(run);
      next.push(run);
    }
    return next;
  }

  /** First runs of batches and other queued runs come in the order of their ids. */
  get #older(): Fifo<LiveRun> {
    const [gathered, queued] = [this.#gathered.peek(), this.#queued.peek()];
    return queued !== null && (gathered === null || queued.id < gathered.id) ? this.#queued : this.#gathered;
  }

  /** Called after the commit of the beginning. The next run of the group becomes the first. */
  hasBegun(run: LiveRun): void {
    this.#batches.delete(run);
  }

  /** The run waits for nothing here, and has no slot. */
  leaves(run: LiveRun): void {
    this.forget(run);
    this.#slots.delete(run);
    this.#interrupted.delete(run);
  }

  /** Forgets a run that has ended by other means than its worker. It gets no slot. */
  forget(run: LiveRun): void {
    this.#queued.delete(run);
    this.#turned.delete(run);
    this.#reports.forget(run);
    this.#gathered.delete(run);
    this.#batches.delete(run);
    this.#ready.delete(run);
  }
}
