/**
 * One workflow's process. Boot: lock, peers, module, then `ready`; after it the loop: runs beside one another, each from
 * the top whenever the kernel says so. Twin of the sense worker.
 */
import { clipLine } from "../base/row-limiter.ts";
import { describeThrown } from "../base/thrown.ts";
import { REAL_TIMERS } from "../base/timer.ts";
import { openNotes } from "../ipc/notes.ts";
import { parseWorkflowParentMessage } from "../ipc/parse-workflow.ts";
import {
  RUN_PLACES,
  type WorkflowMessage,
  type WorkflowParentMessage,
  type WorkflowParentMessageOf,
} from "../ipc/workflow-definitions.ts";
import type { ChannelConfig } from "../model/channel.ts";
import { type Problem, problem } from "../model/problem.ts";
import { type Channel, openChannel } from "../worker/channel.ts";
import { enterWorker } from "../worker/entry.ts";
import { inbox } from "../worker/inbox.ts";
import { LOAD_LIMIT_MS } from "../worker/load-module.ts";
import { clip } from "../worker/output.ts";
import { Surroundings } from "../worker/surroundings.ts";
import { type Author, author } from "./author.ts";
import { Commits } from "./commits.ts";
import { Execution } from "./execution.ts";
import { type LoadedWorkflow, loadRunFn } from "./load-run.ts";
import { watchRaces } from "./races.ts";
import type { Report, Sending } from "./reports.ts";
import type { Channels, RunRequest, Setting } from "./setting.ts";

type Init = WorkflowParentMessageOf<"init">;

/**
 * Runs that wait for one commit go on together. Small frames let the kernel commit what the first of them do, while this
 * process is still with the others.
 */
const FRAME_MESSAGES = 32;

const NOBODY: Author = { run: null, trace: null };

class WorkflowWorker {
  readonly #channel: Channel<WorkflowMessage>;
  readonly #around: Surroundings<Author>;
  readonly #commits = new Commits();
  readonly #warned = new Set<string>();
  readonly #executions = new Map<number, Execution>();
  /** By run: the steps that came before its `run`. */
  readonly #pasts = new Map<number, RunRequest["steps"]>();
  readonly #notes = openNotes();
  /** Runs that have begun in this worker. */
  #entered = 0;
  #generation = 1;
  readonly #sending: Sending = {
    tell: (message, length) => this.#tell(message, length),
    flush: () => this.#channel.flush(),
    sent: () => this.#channel.sent(),
  };
  #workflow: LoadedWorkflow | null = null;
  #channels: Channels = { all: new Map(), epoch: "" };
  #stopping = false;

  constructor() {
    const refuse = (what: string): void => this.complain("malformed-message", what);
    const take = (message: WorkflowParentMessage): void => this.#receive(message);
    this.#channel = openChannel<WorkflowMessage>(inbox(parseWorkflowParentMessage, take, refuse), FRAME_MESSAGES);
    this.#around = new Surroundings({
      nobody: NOBODY,
      author: () => {
        const { run, trace } = author.getStore() ?? NOBODY;
        return { run, trace };
      },
      post: (row) => this.#tell({ type: "log", ...row }),
    });
  }

  /** Reports what went wrong outside any run, or in an unknown one. The worker goes on. */
  complain(kind: "worker" | "malformed-message", message: string, stack: string | null = null): void {
    const run = author.getStore()?.run ?? null;
    this.#tell({ type: "error", run, kind, message: clipLine(message), stack: clip(stack) });
  }

  /** Bun hands on a rejection without its context: the run is known only where one alone is under way. */
  stray(message: string, stack: string | null): void {
    const [only = null] = this.#executions.size === 1 ? this.#executions.keys() : [];
    author.run(author.getStore() ?? { run: only, trace: null, step: null, id: null, races: null }, () =>
      this.complain("worker", message, stack),
    );
  }

  #tell(message: Report, length = 0): void {
    this.#channel.post({ ...message, generation: this.#generation } as WorkflowMessage, length);
  }

  #receive(message: WorkflowParentMessage): void {
    switch (message.type) {
      case "init":
        this.#generation = message.generation;
        this.#boot(message).catch((error: Error) => {
          this.#giveUp(`it could not start: ${error.message}`, error.stack ?? null);
        });
        return;
      case "past":
        this.#takePast(message);
        return;
      case "run":
        this.#run({ ...message, steps: [...this.#pastOf(message.run), ...message.steps] });
        return;
      case "ack":
        if (!this.#commits.upTo(message.upTo)) {
          this.complain("malformed-message", `"ack" up to ${message.upTo}, which was never said`);
        }
        this.#around.credit(message.logs);
        return;
      case "cancel":
        this.#pasts.delete(message.run);
        // It may have settled while this was on its way.
        this.#executions.get(message.run)?.interrupt("stopped");
        return;
      case "peers":
        this.#around.openPeers(message.peers);
        return;
      case "shutdown":
        void this.#stop();
        return;
    }
  }

  #giveUp(why: string, stack: string | null): void {
    this.complain("worker", why, stack);
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }

  async #boot(init: Init): Promise<void> {
    const obstacle = await this.#around.enter(init);
    if (obstacle !== null) return this.#giveUp(obstacle, null);
    const channels = init.channels as readonly ChannelConfig[];
    this.#channels = { all: new Map(channels.map((channel) => [channel.name, channel])), epoch: init.epoch };
    this.#tell({ type: "started", run: null });
    this.#channel.flush();
    this.#tell({ type: "ready", problem: await this.#load(init.workflow) });
    this.#channel.flush();
  }

  async #load(workflow: Init["workflow"]): Promise<Problem | null> {
    try {
      const loaded = await loadRunFn(workflow, LOAD_LIMIT_MS);
      if (!loaded.ok) return loaded.error;
      this.#workflow = loaded.value;
      return null;
    } catch (error) {
      const message = `it could not be loaded: ${describeThrown(error).message}`;
      return problem("module-threw", message, null, workflow.folder ?? workflow.use);
    }
  }

  #takePast({ run, steps }: WorkflowParentMessageOf<"past">): void {
    const known = this.#pasts.get(run) ?? [];
    for (const step of steps) known.push(step);
    this.#pasts.set(run, known);
    this.#tell({ type: "taken", run });
    this.#channel.flush();
  }

  #pastOf(run: number): RunRequest["steps"] {
    const past = this.#pasts.get(run) ?? [];
    this.#pasts.delete(run);
    return past;
  }

  #run(request: RunRequest): void {
    const { run, trace } = request;
    const refuse = (why: string): void => this.complain("malformed-message", `"run" of run ${run}, ${why}`);
    const workflow = this.#workflow;
    if (workflow === null) return refuse("but the workflow is not loaded");
    if (this.#stopping) return refuse("but this worker is leaving");
    if (this.#executions.has(run)) return refuse("which is under way already");
    this.#tell({ type: "started", run });
    const leave = this.#note(run);
    const setting: Setting = {
      ...workflow,
      peers: this.#around.peersOf(null),
      blobs: this.#around.blobs,
      channels: this.#channels,
      timers: REAL_TIMERS,
      commits: this.#commits,
      warnOnce: (warning) => {
        if (!this.#warned.has(warning)) this.#around.say({ run, trace }, "output", "warn", warning);
        this.#warned.add(warning);
      },
      sending: this.#sending,
      say: (event, ...row) => this.#around.say({ run, trace }, event, ...row),
    };
    const execution = new Execution(setting, request);
    this.#executions.set(run, execution);
    void execution.over.then(() => {
      this.#executions.delete(run);
      leave();
    });
    execution.begin();
  }

  /** Must be known before user code is entered, which may never yield. Answers with what notes that the run is over. */
  #note(run: number): () => void {
    const notes = this.#notes;
    if (notes === null) {
      this.#channel.flush();
      return () => {};
    }
    const nth = this.#entered++;
    notes.enter(nth % RUN_PLACES, run, performance.now());
    return () => {
      if (this.#entered - nth <= RUN_PLACES) notes.leave(nth % RUN_PLACES, run);
    };
  }

  /** Lets every run reach a step boundary, and leaves. What takes too long is the kernel's to end. */
  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const executions = [...this.#executions.values()];
    for (const execution of executions) execution.release();
    await Promise.all(executions.map(({ over }) => over));
    this.#around.leave();
    this.#channel.leave({ type: "bye", generation: this.#generation });
  }
}

/** Entry of the hidden role. */
export function runWorkflowWorker(kernelPid: number): void {
  watchRaces(() => author.getStore()?.races ?? null);
  const worker = new WorkflowWorker();
  enterWorker(kernelPid, (message, stack) => worker.stray(message, stack));
}
