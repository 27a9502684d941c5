/** Owns the kernel's side of workflows and their workers. */
import { type Json, readJson } from "../../base/json.ts";
import { ok, type Result } from "../../base/result.ts";
import type { WorkflowMessageOf, WorkflowParentMessage } from "../../ipc/workflow-definitions.ts";
import type { Decided } from "../../model/batch.ts";
import type { NerveConfig, WorkflowConfig } from "../../model/config.ts";
import type { Cause } from "../../model/notice.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Run } from "../../model/run.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { PeerFiles } from "../../spawn/peer-files.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { LifeHost } from "../workers/crew.ts";
import { LOG_CREDIT } from "../workers/life.ts";
import { causeOf, tellsPeople } from "./cause.ts";
import type { Channels } from "./channels.ts";
import type { Histories } from "./histories.ts";
import { EMPTY_HISTORY } from "./run-history.ts";
import type { RunVoice } from "./run-voice.ts";
import type { Assignment, WorkflowModule } from "./slots.ts";
import type { WorkflowHost } from "./workflow-host.ts";

export interface WorkflowsParts extends LifeHost {
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly store: Store;
  /** True while nothing new may be started. */
  readonly isHeld: () => boolean;
  readonly command: () => WorkerCommand;
  readonly peers: () => PeerFiles;
  /** Called when a run of `workflow` has left the queue or a slot. */
  readonly hasRoom: (workflow: string) => void;
  /** Whether the sense of this name watches the kernel. */
  readonly isWatcher: (sense: string) => boolean;
  /** Folder of the content-addressed store. */
  readonly blobs: string;
  /** The lock file of a workflow. */
  readonly lockOf: (workflow: string) => string;
}

/** At most this many runs of a module that does not load get a log about it. */
const TOLD_RUNS = 100;

/** From this number of steps and sleeps on a run gets the remark that each round costs more than the one before. */
const MANY_PLACES = 1_000;

interface KernelOfRunsParts {
  readonly parts: WorkflowsParts;
  readonly histories: Histories;
  readonly voice: RunVoice;
  readonly channels: Channels;
  readonly live: ReadonlyMap<number, LiveRun>;
  readonly config: () => NerveConfig;
  readonly ended: (run: LiveRun) => void;
}

export class KernelOfRuns implements WorkflowHost {
  readonly #parts: WorkflowsParts;
  readonly #histories: Histories;
  readonly #voice: RunVoice;
  readonly #channels: Channels;
  readonly #live: ReadonlyMap<number, LiveRun>;
  readonly #config: () => NerveConfig;
  readonly #ended: (run: LiveRun) => void;

  constructor({ parts, histories, voice, channels, live, config, ended }: KernelOfRunsParts) {
    this.#channels = channels;
    this.#parts = parts;
    this.#histories = histories;
    this.#voice = voice;
    this.#live = live;
    this.#config = config;
    this.#ended = ended;
  }

  get world() {
    return this.#parts.world;
  }

  get ticker() {
    return this.#parts.ticker;
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
      channels: [...this.#config().channels.values()],
      epoch: this.#parts.store.epoch,
      blobs: this.#parts.blobs,
      lock: this.#parts.lockOf(workflow.name),
      logCredit: LOG_CREDIT,
    };
  }

  locate(workflow: WorkflowConfig): Result<Location, Problem> {
    return this.#parts.world.modules.workflow(this.#config(), workflow);
  }

  assignment(draft: Draft, run: LiveRun): Result<Assignment, Problem> {
    if (run.order !== null) return ok({ history: EMPTY_HISTORY, order: run.order, batch: null });
    const read = this.#histories.of({ id: run.id, first_log_id: draft.row(run)?.first_log_id ?? 0 });
    if (!read.ok) return read;
    const { assignment, differs, row, quiet } = read.value;
    draft.readRun(run, row, quiet, differs);
    if (differs) this.#voice.corrected(draft, read.value);
    this.#sayLong(run, assignment);
    return ok(assignment);
  }

  decidedOf(run: LiveRun): Decided | null {
    if (run.order !== null) return run.order;
    const read = this.#histories.of({ id: run.id, first_log_id: run.row?.first_log_id ?? 0 });
    return read.ok ? read.value.assignment.order : null;
  }

  #sayLong(run: LiveRun, { history }: Assignment): void {
    const places = history.steps.size + history.sleeps.size;
    if (run.isSaidLong || places < MANY_PLACES) return;
    run.isSaidLong = true;
    this.#voice.long(run, places);
  }

  output(workflow: WorkflowModule, message: WorkflowMessageOf<"log">, taken: () => void): void {
    const { level, event, trace, run } = message;
    const source = `workflow:${workflow.name}`;
    const data = (message.data as Json) ?? (run === null ? { workflow: workflow.name } : null);
    this.journal.relay({ level, source, event, message: message.message, data, trace }, run, taken);
  }

  notified(channel: string, error: string | null, run: number): void {
    const row = this.#live.get(run)?.row ?? this.#parts.store.runs.byId(run);
    if (this.#config().channels.has(channel)) this.#channels.answered(channel, error, row?.signal_id ?? null);
  }

  causeOf(workflow: WorkflowModule, order: RunOrder): Cause | null {
    return tellsPeople(workflow) ? causeOf(this.#parts.store, this.#config(), order) : null;
  }

  get hostName(): string {
    return this.#config().host;
  }

  payloadOf(signal: number): Json {
    const found = this.#parts.store.signals.byId(signal);
    return found === null ? null : (readJson(found.payload) ?? null);
  }

  doesNotLoad(workflow: string, problem: Problem): void {
    this.journal.logProblem(`workflow:${workflow}`, "workflow.failed", problem);
    const waiting = [...this.#live.values()].filter((run) => run.workflow === workflow && run.phase !== "sleeping");
    for (const run of waiting.slice(0, TOLD_RUNS)) this.waitsForModule(run, problem);
  }

  waitsForModule(run: LiveRun, problem: Problem): void {
    this.#voice.waits(run, `its module does not load: ${formatProblem(problem)}`);
  }

  waits(run: LiveRun, problem: Problem): void {
    this.#voice.waits(run, formatProblem(problem));
  }

  ranNothing(run: LiveRun, row: Run): void {
    this.#voice.ranNothing(run, row);
  }

  hasRoom(workflow: string): void {
    this.#parts.hasRoom(workflow);
  }

  began(run: LiveRun, joined: number): void {
    this.#voice.began(run, joined);
  }

  ended(run: LiveRun): void {
    this.#ended(run);
  }
}
