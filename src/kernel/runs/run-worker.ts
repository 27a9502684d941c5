/**
 * Owns the worker of one workflow: its process, from the first run to the last, and its messages. The run-worker reports;
 * its workflow decides what follows ({@link Slots}). Twin of `senses/group.ts`. Invariants kept here:
 * - A message about a run is believed only while the run is under way in this worker.
 * - A run is sent only to a worker that has loaded the module.
 */
import { formatDuration } from "../../base/duration.ts";
import type { Notes } from "../../ipc/notes.ts";
import { parseWorkflowMessage } from "../../ipc/parse-workflow.ts";
import { RUN_PLACES, type WorkflowMessage, type WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import { LOAD_HARD_MS, type WorkerCommand } from "../../spawn/worker-process.ts";
import type { LiveRun } from "../memory/run.ts";
import type { Handle } from "../time/ticker.ts";
import { STRIKES } from "../workers/blame.ts";
import type { Crew, Death } from "../workers/crew.ts";
import { WorkerLife } from "../workers/life.ts";
import type { Activity } from "../workers/limits.ts";
import { Executions, MODULE, type Task } from "./executions.ts";
import { describeLimit } from "./run-policy.ts";
import { RunReports } from "./run-reports.ts";
import type { Assignment, Slots } from "./slots.ts";
import type { RunWorkerHost } from "./workflow-host.ts";

/** A workflow without work keeps its worker for this long. */
const IDLE_MS = 10_000;
/** A reload that has waited this long for steps says what it waits for. */
const SAY_WAITING_MS = 10_000;

export class RunWorker implements Crew<WorkflowParentMessage, WorkflowMessage, Task> {
  readonly noun = "run";
  readonly memoryBytes = null;
  readonly places = RUN_PLACES;
  readonly parse = parseWorkflowMessage;
  readonly #slots: Slots;
  readonly #host: RunWorkerHost;
  readonly #life: WorkerLife<WorkflowParentMessage, WorkflowMessage, Task>;
  readonly #executions: Executions;
  readonly #reports: RunReports;
  #loadDeaths = 0;
  /** The committed reports and log rows since the last `ack` that was sent. */
  #ackUpTo = 0;
  #ackLogs = 0;
  #idle: Handle | null = null;

  constructor(slots: Slots, host: RunWorkerHost) {
    this.#slots = slots;
    this.#host = host;
    this.#life = new WorkerLife(this, host);
    this.#executions = new Executions(slots, host, this.#life);
    this.#reports = new RunReports(slots, this.#executions, host.lifetime, (generation, seq) =>
      this.#ack(generation, seq),
    );
  }

  /** True when the worker is up and the module is loaded: then the worker takes runs. */
  get isOpen(): boolean {
    return this.#life.isOpen;
  }

  // ── the workflow's requests ──────────────────────────────────────────

  /** There is work: a worker is started, unless one is on its way. Not in this turn, in which a worker may be dying. */
  want(): void {
    this.#host.world.turns.atEnd(() => {
      if (!this.#life.isOpen && !this.#life.restarting) this.#life.start();
    });
  }

  /** Takes a run with a slot, whose beginning is committed. */
  hand(run: LiveRun, assignment: Assignment): void {
    this.#executions.hand(run, assignment);
    this.want();
  }

  /** Ends the execution of a run that has ended by other means. False when the run has no execution. */
  abort(run: LiveRun): boolean {
    return this.#executions.abort(run);
  }

  /** Calls `act` as soon as no code of `run` is under way in the worker. */
  onceLeft(run: LiveRun, act: () => void): void {
    this.#executions.onceLeft(run, act);
  }

  /** Forgets a run that no longer has a slot. */
  forget(run: LiveRun): void {
    this.#executions.forget(run);
  }

  /** The config or the code has changed. The next worker has the new one, from a step boundary of each run on. */
  renew(): void {
    this.#loadDeaths = 0;
    if (this.#life.pid === null) return;
    // Steps take the time they need. A worker without a run waits for nothing.
    const isBusy = this.#executions.ids.length > 0;
    const gone = this.#life.leave("retire", isBusy);
    if (isBusy) this.#life.shutDown(Number.POSITIVE_INFINITY);
    const waiting = isBusy ? this.#host.ticker.after(SAY_WAITING_MS, () => this.#sayWaiting()) : null;
    void gone.then(() => {
      waiting?.cancel();
      this.#executions.resume("reload");
      this.#life.start();
    });
  }

  #sayWaiting(): void {
    const runs = this.#executions.ids;
    const message = `what was changed waits for ${runs.map((run) => `run ${run}`).join(", ")} to reach the end of a step, and new runs wait for it; \`nerve cancel\` ends a run`;
    this.#host.journal.of(`workflow:${this.#slots.name}`).warn("workflow.waiting", message, { runs });
  }

  tellPeers(peers: PeerFiles): void {
    if (this.#life.pid !== null) this.#life.post({ type: "peers", generation: this.#life.generation, peers });
  }

  /** Lets the runs reach a step boundary. Resolves once the worker is gone. */
  stop(): Promise<void> {
    this.#idle?.cancel();
    return this.#life.leave("stop", true);
  }

  kill(why: string): void {
    this.#life.kill(why);
  }

  /** Called when no run has a slot. After a while the worker leaves. */
  idles(): void {
    if (this.#life.pid === null || this.#idle !== null) return;
    this.#idle = this.#host.ticker.after(IDLE_MS, () => {
      this.#idle = null;
      if (!this.#slots.isBusy && this.#life.isOpen) this.#leave();
    });
  }

  #leave(): void {
    void this.#life.leave("retire", false).then(() => this.#life.start());
  }

  // ── the worker's crew ────────────────────────────────────────────────

  get title(): string {
    return `workflow "${this.#slots.name}"`;
  }

  get about(): { readonly workflow: string } {
    return { workflow: this.#slots.name };
  }

  command(): WorkerCommand {
    return this.#host.command();
  }

  isWanted(): boolean {
    return this.#slots.wantsWorker();
  }

  init(generation: number): WorkflowParentMessage {
    this.#executions.anew();
    this.#ackUpTo = 0;
    this.#ackLogs = 0;
    return this.#host.init(this.#slots, generation);
  }

  nameOf(task: Task): string {
    return task === MODULE ? "its module" : `run ${task.id}`;
  }

  speakOf(task: Task): string {
    return `${this.title}, ${this.nameOf(task)}`;
  }

  describeLimit(task: Task): string {
    return task === MODULE
      ? `loading it took longer than ${formatDuration(LOAD_HARD_MS)}`
      : describeLimit(task, this.#slots.config);
  }

  wasTold(task: Task): boolean {
    return this.#executions.wasTold(task);
  }

  noted(notes: Notes, areOver: boolean): void {
    this.#executions.begins.noted(notes, areOver);
  }

  soonestLimitMs(): number {
    return this.#executions.begins.soonestLimitMs(this.#slots.config);
  }

  /** The worker itself reports a timeout, or `overdue`. */
  isLate(): void {}

  awaits(): boolean {
    return this.#executions.isAwaited;
  }

  dispatch(): void {
    const { generation } = this.#life;
    if (this.#ackUpTo > 0 || this.#ackLogs > 0) {
      this.#life.post({ type: "ack", generation, upTo: this.#ackUpTo, logs: this.#ackLogs });
      this.#ackUpTo = 0;
      this.#ackLogs = 0;
    }
    if (this.#life.isOpen) this.#executions.sendHanded();
  }

  #ack(generation: number, seq: number): void {
    if (generation !== this.#life.generation) return;
    this.#ackUpTo = Math.max(this.#ackUpTo, seq);
    this.#life.schedule();
  }

  unsettle(running: readonly Activity<Task>[], at: number): void {
    this.#executions.unsettle(running, at);
  }

  died(death: Death<Task>): boolean {
    const held = this.#executions.died(death);
    return death.culprit?.task === MODULE ? this.#diedLoading(death.how) : held;
  }

  #diedLoading(how: string): boolean {
    this.#loadDeaths++;
    if (this.#loadDeaths < STRIKES) return false;
    this.#loadDeaths = 0;
    const message = `its worker died ${STRIKES} times while it loaded the module: ${how}`;
    this.#slots.doesNotLoad(problem("module-died", message));
    return true;
  }

  // ── messages ─────────────────────────────────────────────────────────

  output(stream: "stdout" | "stderr", line: string): void {
    const level = stream === "stdout" ? "info" : "error";
    const { only } = this.#executions;
    const head = { type: "log", generation: this.#life.generation, run: only?.id ?? null, level } as const;
    const trace = only?.trace ?? null;
    this.#host.output(
      this.#slots,
      { ...head, event: "output", trace, message: line, data: null, dropped: 0 },
      () => {},
    );
  }

  receive(message: WorkflowMessage): void {
    switch (message.type) {
      case "ready":
        return this.#isReady(message.problem);
      case "taken":
        return this.#executions.taken(message.run);
      case "started":
        if (message.run !== null) return this.#executions.begins.started(message.run);
        if (!this.#life.loads(MODULE)) this.#life.malformed('"started" of its module');
        return;
      case "log":
        return this.#host.output(this.#slots, message, () => {
          this.#ackLogs++;
          this.#life.schedule();
        });
      case "notified":
        return this.#host.notified(message.channel, message.error, message.run);
      case "error":
        return this.#life.complaint(`workflow:${this.#slots.name}`, message);
      case "bye":
        return;
      default: {
        const run = this.#executions.hears(message.run, message.type);
        if (run !== null) return this.#reports.take(run, message);
        return this.#life.malformed(`"${message.type}" of run ${message.run}, which is not under way`);
      }
    }
  }

  #isReady(found: Problem | null): void {
    if (!this.#life.isReady()) return this.#life.malformed("a second ready");
    this.#loadDeaths = 0;
    if (found !== null) {
      this.#slots.doesNotLoad(found);
      return this.#leave();
    }
    const { pid, generation } = this.#life;
    const data = { ...this.about, pid, generation };
    this.#host.journal.of("kernel").info("worker.started", `worker ${pid} of ${this.title} is up`, data);
    this.#life.schedule();
    this.#slots.opened();
  }
}
