/** Workflows and their runs on a clock driven by hand, with workers that report what a test says. The store is real. */
import type { Json } from "../../src/base/json.ts";
import type { Draft } from "../../src/kernel/commits/draft.ts";
import { Workflows } from "../../src/kernel/runs/workflows.ts";
import { Lifetime } from "../../src/kernel/time/lifetime.ts";
import type { NerveConfig, WorkflowConfig } from "../../src/model/config.ts";
import type { Run } from "../../src/model/run.ts";
import { spellDecision } from "../../src/model/run-decision.ts";
import type { Locations } from "../../src/spawn/modules-on-disk.ts";
import { KernelBench, type Message, type ScriptedChild } from "./kernel-bench.ts";

const PLAIN = {
  name: "flow",
  use: "exec",
  with: null,
  concurrency: null,
  timeoutMs: null,
  gracePeriodMs: null,
  retry: null,
  overflow: "queue",
  maxQueue: 100,
  batch: null,
} as const;

export type FlowConfig = Partial<Extract<WorkflowConfig, { overflow: "queue" }>> | { readonly overflow: "drop" };

/** What a finished execution reports beside its type. */
const ENDED = { ranMs: 1 } as const;
export const COMPLETED = { type: "completed", ...ENDED, lingers: false, output: null } as const;
export const failedWith = (error: string, more: Readonly<Record<string, unknown>> = {}): Message => ({
  type: "failed",
  ...ENDED,
  lingers: false,
  again: true,
  error,
  stack: null,
  steps: [],
  ...more,
});
export const suspendedFor = (leftMs: number): Message => ({
  type: "suspended",
  leftMs,
  sleeps: [{ duration: `${leftMs}ms`, name: null, nth: 0, ms: leftMs }],
  ranMs: 1,
});

interface OneDecision {
  readonly signal: number;
  readonly key: string | null;
  readonly reflex: string;
  readonly input: Json;
}

export class RunsBench extends KernelBench {
  lifetime = new Lifetime(this.clock, this.store.meta);
  isHeld = false;
  /** A run of the workflow has left the queue or a slot. */
  roomIn: (workflow: string) => void = () => {};
  workflows: Workflows;
  #config: NerveConfig;
  #seq = 0;
  #signals = 0;

  constructor(flow: FlowConfig | null = {}) {
    super();
    this.#config = this.configOf(flow);
    this.lifetime.keep();
    this.workflows = this.kernel();
  }

  /** `null`: the workflow is not configured. */
  configOf(flow: FlowConfig | null): NerveConfig {
    const entry = { ...PLAIN, ...flow } as WorkflowConfig;
    const workflows = new Map(flow === null ? [] : [["flow", entry]]);
    return {
      file: this.folder.file("nerve.yaml"),
      workflows,
      channels: new Map(),
    } as Partial<NerveConfig> as NerveConfig;
  }

  get #locations(): Locations {
    return new Map([["flow", { ok: true, value: { folder: null, print: "" } }]]);
  }

  /** A kernel that begins on what the store holds. */
  kernel(): Workflows {
    const { world, ticker, journal, nextGeneration, ledger, lifetime, store } = this;
    const workflows = new Workflows({
      world,
      ticker,
      journal,
      nextGeneration,
      ledger,
      lifetime,
      store,
      isHeld: () => this.isHeld,
      command: () => ({ command: ["test"], env: {}, cwd: "/" }),
      peers: () => [],
      blobs: "/blobs",
      lockOf: (name) => `/locks/${name}`,
      isWatcher: (sense) => sense === "nerve",
      hasRoom: (name) => this.roomIn(name),
    });
    workflows.load(this.#config, this.#locations);
    return workflows;
  }

  /** A reload. Answers with the runs it cancels. */
  async reload(flow: FlowConfig | null, changed = true): Promise<readonly number[]> {
    this.#config = this.configOf(flow);
    const names = new Set(changed ? ["flow"] : []);
    const cancelled = this.workflows.replace(this.#config, flow === null ? new Map() : this.#locations, names);
    await this.settle();
    return cancelled;
  }

  /** Stops cleanly: the worker leaves when it is asked to. */
  async stop(): Promise<void> {
    const stopped = this.workflows.stop();
    await this.settle();
    if (this.children.length > 0) this.leave();
    await stopped;
    await this.settle();
  }

  /** The kernel is gone without a word; the next begins on what was committed. */
  async restart(downMs = 0): Promise<void> {
    this.die();
    this.clock.freeze(downMs);
    this.lifetime = new Lifetime(this.clock, this.store.meta);
    this.lifetime.keep();
    this.workflows = this.kernel();
    await this.pass(1);
  }

  /** `data` of the newest log of an event of a run. */
  // biome-ignore lint/suspicious/noExplicitAny: as it was logged
  dataOf(run: number, event: string): any {
    const log = this.store.history.ofRun(run, 0).findLast((one) => one.event === event);
    return log === undefined ? null : JSON.parse(log.data ?? "null");
  }

  /** The worker says goodbye and is gone. */
  leave(): void {
    this.tell({ type: "bye" });
    this.child.exits(0);
  }

  /** Runs asked for by hand, one after the other: their ids. */
  async ask(count = 1): Promise<number[]> {
    const answers: Promise<{ ok: boolean; value?: { run: number } }>[] = [];
    for (let n = 0; n < count; n++) answers.push(this.workflows.byHand.run("flow", n));
    await this.settle();
    return (await Promise.all(answers)).map(({ value }) => value?.run ?? 0);
  }

  /** What a reflex decides: the id of the run. */
  async decide(signal = ++this.#signals, key: string | null = null): Promise<number | null> {
    let id: number | null = null;
    await this.ledger.commit((draft) => {
      id = this.#decide(draft, { signal, key, reflex: "r", input: signal });
    });
    await this.settle();
    return id;
  }

  /** What reflexes decide in one transaction, for new signals: the ids of the runs. */
  async decideAll(inputs: readonly Json[], reflex = "r"): Promise<number[]> {
    const ids: number[] = [];
    await this.ledger.commit((draft) => {
      ids.length = 0;
      for (const input of inputs) {
        const signal = this.#signals + ids.length + 1;
        ids.push(this.#decide(draft, { signal, key: null, reflex, input }) ?? 0);
      }
    });
    this.#signals += inputs.length;
    await this.settle();
    return ids;
  }

  #decide(draft: Draft, { signal, key, reflex, input }: OneDecision): number | null {
    const decision = spellDecision({ kind: "signal", signal, key });
    const trigger = { id: signal, sense: "s", at: 1, reflex, key, isElement: false, due: null, incident: null };
    return this.workflows.start(draft, "flow", { input, trigger, decision }, "0".repeat(32));
  }

  /** The newest worker has loaded the module, or not. */
  async ready(problem: string | null = null): Promise<void> {
    const found = problem === null ? null : { kind: "module-threw", message: problem, hint: null, ...NOWHERE };
    this.tell({ type: "started", run: null }, { type: "ready", problem: found });
    await this.settle();
  }

  /** The next worker has come after a death, and has loaded the module. */
  async revived(): Promise<void> {
    while (this.child.isGone) await this.pass(250);
    await this.ready();
  }

  /** The newest worker reports of its own generation. */
  tell(...messages: Message[]): void {
    this.child.says(...messages.map((message) => ({ ...message, generation: this.generation })));
  }

  get generation(): number {
    return Number(this.child.of("init").at(-1)?.generation);
  }

  /** The worker has begun these runs. */
  async begins(...runs: number[]): Promise<void> {
    for (const run of runs) this.tell({ type: "started", run });
    await this.settle();
  }

  /** What a run reports, in order. */
  async says(run: number, ...messages: Message[]): Promise<void> {
    for (const message of messages) this.tell({ seq: ++this.#seq, run, ...message });
    await this.settle();
  }

  /** Ids of the runs the newest worker was sent. */
  get sent(): number[] {
    return sentTo(this.child);
  }

  /** As `says`, all in one turn. */
  async report(run: number, ...messages: Message[]): Promise<void> {
    for (const message of messages) this.tell({ seq: ++this.#seq, run, ...message });
    await this.settle();
  }

  row(id: number): Run {
    const row = this.store.runs.byId(id);
    if (row === null) throw new Error(`there is no run ${id}`);
    return row;
  }

  states(...ids: number[]): string[] {
    return ids.map((id) => this.row(id).state);
  }

  /** Events of a run, in order. */
  events(run: number): string[] {
    return this.store.history.ofRun(run, 0).map(({ event }) => event);
  }

  get counts() {
    return this.workflows.byName.get("flow")?.counts;
  }
}

const NOWHERE = { file: null, line: null, column: null } as const;

export const sentTo = (child: ScriptedChild): number[] => child.of("run").map(({ run }) => Number(run));
