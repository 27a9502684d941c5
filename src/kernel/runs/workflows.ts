/**
 * All workflows of the configuration and the runs that have not ended: what starts one, and what a person does to one.
 * A decision to start a run is part of the transaction that leads to it (G1); ids of runs only grow.
 */
import type { Json } from "../../base/json.ts";
import { nearest } from "../../base/nearest.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { traceIds } from "../../base/trace-id.ts";
import type { RunAnswer } from "../../control/contract.ts";
import type { WorkflowMessageOf, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { NerveConfig, WorkflowConfig } from "../../model/config.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { isOver, type Run, runEventOf, type Trigger } from "../../model/run.ts";
import { type Location, type Locations, locateWorkflow } from "../../spawn/modules-on-disk.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { LogHistory } from "../../store/log-history.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import { LiveRun, type RunOrder } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { LifeHost } from "../workers/crew.ts";
import { LOG_CREDIT } from "../workers/life.ts";
import { historyOf } from "./history-fold.ts";
import { inheritable, type RunHistory } from "./run-history.ts";
import type { WorkflowModule } from "./run-worker.ts";
import { Workflow, type WorkflowHost } from "./workflow.ts";

export interface WorkflowsParts extends LifeHost {
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly store: Store;
  /** Nothing new may be started. */
  readonly isHeld: () => boolean;
  readonly command: () => WorkerCommand;
  readonly peers: () => PeerFiles;
  /** Folder of the content-addressed store, and the lock file of a workflow. */
  readonly blobs: string;
  readonly lockOf: (workflow: string) => string;
}

/** What a reflex starts a run with. */
export interface Decided {
  readonly input: Json;
  readonly trigger: Trigger & { readonly reflex: string };
  /** As `model/run-decision.ts` spells it. */
  readonly decision: string;
}

export class Workflows implements WorkflowHost {
  readonly byName = new Map<string, Workflow>();
  readonly #parts: WorkflowsParts;
  readonly #live = new Map<number, LiveRun>();
  readonly #newTrace = traceIds();
  #config: NerveConfig | null = null;
  #lastRun: number;

  constructor(parts: WorkflowsParts) {
    this.#parts = parts;
    this.#lastRun = parts.store.runs.lastId();
  }

  // ── configuration ────────────────────────────────────────────────────

  /** First configuration: goes on with what an earlier kernel left, in the order it was requested. */
  load(config: NerveConfig, locations: Locations): void {
    this.#makeAll(config, locations);
    const { store } = this.#parts;
    for (const row of store.runs.active()) {
      const run = new LiveRun(row.id, row.workflow, row.trace);
      run.row = { ...row, input: null };
      this.#live.set(run.id, run);
      const workflow = this.byName.get(row.workflow);
      if (workflow) workflow.restore(run, row, row.state === "sleeping" ? this.#waitOf(row) : null);
      else this.#cancelRemoved(run);
    }
    for (const workflow of this.byName.values()) workflow.fill();
  }

  /** For what a sleeping run waits: its newest event says. */
  #waitOf({ id, last_log_id }: Run): { readonly due: number; readonly reason: "slept" | "retry" } {
    const log = this.#read(id, (history) => history.byId(last_log_id));
    const found = log.ok && log.value !== null ? runEventOf(log.value) : null;
    if (found?.event.event === "run.sleeping") return { due: found.event.data.due, reason: "slept" };
    if (found?.event.event === "run.retrying") return { due: found.event.data.due, reason: "retry" };
    // Its history is damaged: that is said once it is run.
    return { due: 0, reason: "slept" };
  }

  /** `changed`: workflows whose entry or code is not what it was. */
  replace(config: NerveConfig, locations: Locations, changed: ReadonlySet<string>): void {
    for (const [name, workflow] of this.byName) {
      const entry = config.workflows.get(name);
      const location = locations.get(name);
      if (entry && location) workflow.replace(entry, location, changed.has(name));
      else this.#remove(workflow);
    }
    this.#makeAll(config, locations);
  }

  #makeAll(config: NerveConfig, locations: Locations): void {
    this.#config = config;
    for (const [name, entry] of config.workflows) {
      const location = locations.get(name);
      if (this.byName.has(name) || location === undefined) continue;
      this.byName.set(name, new Workflow(entry, location, this));
    }
  }

  #remove(workflow: Workflow): void {
    this.byName.delete(workflow.name);
    for (const run of this.#live.values()) {
      if (run.workflow === workflow.name) void workflow.cancel(run, REMOVED);
    }
    void workflow.stop();
  }

  #cancelRemoved(run: LiveRun): void {
    this.#parts.ledger.add({
      write: (draft) => void draft.run(run, { event: "run.cancelled", data: { error: REMOVED } }),
      kept: () => this.ended(run),
    });
  }

  tellPeers(): void {
    for (const workflow of this.byName.values()) workflow.tellPeers(this.#parts.peers());
  }

  // ── what a workflow asks ─────────────────────────────────────────────

  get clock() {
    return this.#parts.clock;
  }

  get ticker() {
    return this.#parts.ticker;
  }

  get spawn() {
    return this.#parts.spawn;
  }

  get journal() {
    return this.#parts.journal;
  }

  get ledger(): Ledger {
    return this.#parts.ledger;
  }

  get lifetime(): Lifetime {
    return this.#parts.lifetime;
  }

  get isHeld(): boolean {
    return this.#parts.isHeld();
  }

  nextGeneration = (): number => this.#parts.nextGeneration();
  command = (): WorkerCommand => this.#parts.command();

  init(workflow: WorkflowModule, generation: number): WorkflowParentMessage {
    const { config, location } = workflow;
    return {
      type: "init",
      generation,
      workflow: {
        name: workflow.name,
        folder: location.ok ? location.value.folder : null,
        use: config.use,
        options: config.with ?? {},
      },
      peers: this.#parts.peers(),
      blobs: this.#parts.blobs,
      lock: this.#parts.lockOf(workflow.name),
      logCredit: LOG_CREDIT,
    };
  }

  locate(workflow: WorkflowConfig): Result<Location, Problem> {
    if (this.#config === null) throw new Error("there is no configuration yet");
    return locateWorkflow(this.#config, workflow);
  }

  history(row: Run): Result<{ readonly history: RunHistory; readonly order: RunOrder }, Problem> {
    const logs = this.#read(row.id, (history) => history.ofRun(row.id, row.first_log_id));
    if (!logs.ok) return logs;
    const found = logs.value[0] === undefined ? null : runEventOf(logs.value[0]);
    if (found?.event.event !== "run.queued") {
      return err(problem("damaged-history", `the logs of run ${row.id} do not begin with run.queued`));
    }
    const { input, trigger, decision, retry_of: retryOf, from_step: fromStep } = found.event.data;
    const before = retryOf === null ? null : this.#parts.store.runs.byId(retryOf);
    const inherited = before === null ? null : this.history(before);
    if (inherited !== null && !inherited.ok) return inherited;
    const kept = inherited === null ? null : inheritable(inherited.value.history, fromStep);
    // Its thread is told what the one before it was told.
    const told = inherited?.value.order.trigger ?? trigger;
    const order = { input, trigger: told, decision, trace: row.trace, retryOf, fromStep };
    return ok({ history: historyOf(logs.value, kept ?? undefined), order });
  }

  /** Archive and table; an archive file may be damaged. */
  #read<T>(run: number, read: (history: LogHistory) => T): Result<T, Problem> {
    try {
      return ok(read(this.#parts.store.history));
    } catch (error) {
      // What SQLite says is the ledger's to deal with.
      if (String((error as { code?: unknown }).code ?? "").startsWith("SQLITE_")) throw error;
      return err(problem("damaged-history", `the history of run ${run} cannot be read: ${(error as Error).message}`));
    }
  }

  output(workflow: WorkflowModule, message: WorkflowMessageOf<"log">, taken: () => void): void {
    const { level, event, trace, run } = message;
    const source = `workflow:${workflow.name}`;
    const data = (message.data as Json) ?? (run === null ? { workflow: workflow.name } : null);
    this.journal.relay({ level, source, event, message: message.message, data, trace }, run, taken);
  }

  ended(run: LiveRun): void {
    if (!this.#live.delete(run.id)) return;
    const { row } = run;
    // Completed runs are many, and in the log.
    if (row === null || row.state === "completed" || !isOver(row.state)) return;
    const { state, error, trace } = row;
    this.#parts.journal.say({
      level: state === "cancelled" || state === "dropped" ? "warn" : "error",
      source: `workflow:${run.workflow}`,
      event: `run.${state}`,
      message: `run ${run.id}: ${state}${error === null ? "" : `, ${error}`}`,
      data: { run: run.id },
      trace,
    });
  }

  // ── starting runs ────────────────────────────────────────────────────

  /** Inside a transaction, so that ids are in the order of what is committed. */
  #admit(draft: Draft, workflow: Workflow, order: RunOrder): LiveRun {
    const run = new LiveRun(++this.#lastRun, workflow.name, order.trace);
    const how = workflow.admit(draft, run, order);
    draft.afterwards(() => {
      this.#live.set(run.id, run);
      workflow.admitted(run, order, how);
      // It was removed while this waited for its commit.
      if (this.byName.get(workflow.name) !== workflow) void workflow.cancel(run, REMOVED);
    });
    return run;
  }

  /**
   * What a reflex decided, inside the transaction of the decision: the id of its run. A decision that has a run already
   * makes no second one (G1). Null: the workflow was removed while the signal waited for its commit.
   */
  start(draft: Draft, name: string, decided: Decided, trace: string): number | null {
    const workflow = this.byName.get(name);
    if (workflow === undefined) return null;
    const { input, trigger, decision } = decided;
    const known = draft.runDecided(trigger.reflex, decision);
    if (known !== null) return known;
    return this.#admit(draft, workflow, { input, trigger, decision, trace, retryOf: null, fromStep: null }).id;
  }

  #request(workflow: Workflow, order: RunOrder): Promise<RunAnswer> {
    const { promise, resolve } = Promise.withResolvers<RunAnswer>();
    this.#parts.ledger.write((draft) => {
      const run = this.#admit(draft, workflow, order);
      draft.afterwards(() => resolve(answerOf(run)));
    });
    return promise;
  }

  /** By hand. */
  async run(name: string, input: Json): Promise<Result<RunAnswer, Problem>> {
    const found = this.#find(name);
    if (!found.ok) return found;
    const trace = this.#newTrace(this.clock.wallMs());
    return ok(
      await this.#request(found.value, {
        input,
        trigger: BY_HAND,
        decision: null,
        trace,
        retryOf: null,
        fromStep: null,
      }),
    );
  }

  #find(name: string): Result<Workflow, Problem> {
    const workflow = this.byName.get(name);
    if (workflow) return ok(workflow);
    const names = [...this.byName.keys()].sort();
    const meant = nearest(name, names);
    const there = names.length === 0 ? "none is configured" : `there are: ${names.join(", ")}`;
    const hint = meant === null ? there : `did you mean ${meant}?`;
    return err(problem("unknown-workflow", `there is no workflow "${name}"`, hint));
  }

  #row(id: number): Result<Run, Problem> {
    const row = this.#parts.store.runs.byId(id);
    return row ? ok(row) : err(problem("unknown-run", `there is no run ${id}`, "see `nerve runs`"));
  }

  async cancel(id: number): Promise<Result<RunAnswer, Problem>> {
    const run = this.#live.get(id);
    const workflow = run && this.byName.get(run.workflow);
    if (run && workflow && !run.isOver) {
      await workflow.cancel(run, null);
      return ok(answerOf(run));
    }
    const found = this.#row(id);
    if (!found.ok) return found;
    return err(problem("run-over", `run ${id} has ended already: ${found.value.state}`));
  }

  /** A new run with the trace of the old one, which keeps the steps that one had finished. */
  async retry(id: number, fromStep: string | null): Promise<Result<RunAnswer, Problem>> {
    const found = this.#row(id);
    if (!found.ok) return found;
    const row = found.value;
    if (!isOver(row.state)) {
      return err(problem("run-active", `run ${id} is ${row.state}`, `\`nerve cancel ${id}\` ends it`));
    }
    const workflow = this.#find(row.workflow);
    if (!workflow.ok) return workflow;
    const told = this.history(row);
    if (!told.ok) return told;
    const { history, order } = told.value;
    if (inheritable(history, fromStep) === null) {
      const names = [...new Set([...history.steps.values()].map(({ step }) => step))];
      const hint = names.length === 0 ? "it has run none" : `its steps: ${names.join(", ")}`;
      return err(problem("unknown-step", `run ${id} has no step "${fromStep}"`, hint));
    }
    const { input, trigger } = order;
    return ok(
      await this.#request(workflow.value, { input, trigger, decision: null, trace: row.trace, retryOf: id, fromStep }),
    );
  }

  // ── the end ──────────────────────────────────────────────────────────

  /** What held everything back is over. */
  resume(): void {
    for (const workflow of this.byName.values()) workflow.fill();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byName.values()].map((workflow) => workflow.stop()));
  }

  killAll(why: string): void {
    for (const workflow of this.byName.values()) workflow.kill(why);
  }
}

const REMOVED = "its workflow is not configured any more";

const BY_HAND: Trigger = { id: null, sense: null, at: null, reflex: null, key: null };

const answerOf = ({ id, workflow, trace, row }: LiveRun): RunAnswer => ({
  run: id,
  workflow,
  state: row?.state ?? "queued",
  trace,
});
