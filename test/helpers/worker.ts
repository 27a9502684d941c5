/** Real workers, spoken to as the kernel would. */

import type { Result } from "../../src/base/result.ts";
import type {
  AskedCompute,
  MalformedMessage,
  ParentMessage,
  ParentMessageOf,
  WorkerMessage,
  WorkerMessageOf,
} from "../../src/ipc/definitions.ts";
import { parseWorkerMessage } from "../../src/ipc/parse.ts";
import { parseWorkflowMessage } from "../../src/ipc/parse-workflow.ts";
import type {
  WorkflowMessage,
  WorkflowMessageOf,
  WorkflowParentMessage,
  WorkflowParentMessageOf,
} from "../../src/ipc/workflow-definitions.ts";
import type { ChannelConfig } from "../../src/model/channel.ts";
import { ownCommand, SENSE_WORKER_ROLE, WORKFLOW_WORKER_ROLE } from "../../src/spawn/own-image.ts";
import { spawnWorker, type WorkerExit, type WorkerProcess } from "../../src/spawn/worker-process.ts";

import type { Folder } from "./folder.ts";
import { type Message, unpacked } from "./rows.ts";
import { until } from "./until.ts";

abstract class AnyWorker<Parent, Message extends { readonly type: string }> implements AsyncDisposable {
  readonly messages: Message[] = [];
  readonly malformed: string[] = [];
  readonly lines: string[] = [];
  exited: WorkerExit | null = null;
  readonly process: WorkerProcess<Parent>;

  constructor(
    readonly folder: Folder,
    role: string,
    parse: (raw: unknown) => Result<Message, MalformedMessage>,
    places = 0,
  ) {
    this.process = spawnWorker<Parent>(
      { command: ownCommand(role), env: { PATH: process.env.PATH ?? "" }, cwd: folder.path },
      {
        message: (raw) => {
          const parsed = parse(raw);
          if (parsed.ok) this.told(parsed.value);
          else this.malformed.push(parsed.error.what);
        },
        output: (_, line) => this.lines.push(line),
        exit: (exit) => {
          this.exited = exit;
        },
      },
      places,
    );
  }

  told(message: Message): void {
    this.messages.push(message);
  }

  of<Type extends Message["type"]>(type: Type): Extract<Message, { type: Type }>[] {
    return this.messages.filter((message) => message.type === type) as Extract<Message, { type: Type }>[];
  }

  send(...messages: unknown[]): void {
    this.process.send(messages as Parent[]);
  }

  async untilReady(): Promise<Extract<Message, { type: "ready" }>> {
    await until("the worker is ready", () => this.of("ready").length > 0 || this.exited !== null);
    const [ready] = this.of("ready");
    if (ready === undefined) throw new Error(`it left: ${JSON.stringify(this.messages)} ${this.lines.join("\n")}`);
    return ready as Extract<Message, { type: "ready" }>;
  }

  async leave(): Promise<void> {
    this.send({ type: "shutdown", generation: 1 });
    await until("the worker has left", () => this.exited !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await until("the worker has left", () => this.exited !== null);
  }
}

type SenseInit = ParentMessageOf<"init">["senses"][number];

export interface TestResult extends Message {
  /** Null: of a row that was left. */
  readonly id: number | null;
  readonly outbox: number | null;
  readonly payload: unknown;
}

export class TestWorker extends AnyWorker<ParentMessage, WorkerMessage> {
  /** `places`: for notes of its computes; 0: it says in messages what begins. */
  constructor(folder: Folder, places = 0) {
    super(folder, SENSE_WORKER_ROLE, parseWorkerMessage, places);
  }

  init(senses: readonly (Partial<SenseInit> & { readonly name: string })[]): ParentMessageOf<"init"> {
    return {
      type: "init",
      generation: 1,
      senses: senses.map((sense) => ({
        folder: this.folder.file("senses", sense.name),
        use: sense.name,
        database: this.folder.file(`${sense.name}.db`),
        options: {},
        timeoutMs: 10_000,
        durability: "normal" as const,
        outboxTaken: 0,
        inbox: null,
        patterns: [],
        ...sense,
      })),
      peers: senses.map(({ name }) => ({ name, database: this.folder.file(`${name}.db`) })),
      blobs: this.folder.file("blobs"),
      lock: this.folder.file("group.lock"),
      logCredit: 256,
    };
  }

  /** Starts it with these senses and resolves when it is ready. */
  async ready(senses: readonly (Partial<SenseInit> & { readonly name: string })[]): Promise<WorkerMessageOf<"ready">> {
    this.send(this.init(senses));
    return this.untilReady();
  }

  compute(id: number, sense: string, inbox: AskedCompute["inbox"] = null): void {
    const asked = { id, sense, now: 5, cause: null, trace: "0".repeat(32), inbox, delivered: null };
    this.send({ type: "compute", generation: 1, computes: [asked] });
  }

  /** Results, and rows that were left, one at a time. */
  get results(): TestResult[] {
    const all = this.messages.flatMap((message) => unpacked(message as unknown as Message));
    return all.filter(({ type }) => ["signal", "no-signal", "error"].includes(type)) as unknown as TestResult[];
  }

  /** What compute `id` came to. */
  async result(id: number): Promise<TestResult> {
    const find = () => this.results.find((result) => result.id === id);
    await until(`compute ${id} has a result`, () => find() !== undefined || this.exited !== null);
    return find() as TestResult;
  }
}

type WorkflowInit = WorkflowParentMessageOf<"init">;
type RunRequest = WorkflowParentMessageOf<"run">;
type End = WorkflowMessageOf<"completed" | "failed" | "suspended" | "timed-out" | "stopped">;

const ENDS = ["completed", "failed", "suspended", "timed-out", "stopped"];

export class TestWorkflowWorker extends AnyWorker<WorkflowParentMessage, WorkflowMessage> {
  /** Whether what is said is committed as soon as it is heard. */
  commits = true;
  /** `channels` of nerve.yaml. */
  channels: readonly ChannelConfig[] = [];

  /** `places`: for notes of its runs; 0: it sends at once what begins. */
  constructor(folder: Folder, places = 0) {
    super(folder, WORKFLOW_WORKER_ROLE, parseWorkflowMessage, places);
  }

  override told(message: WorkflowMessage): void {
    super.told(message);
    if (this.commits && "seq" in message) this.ack(message.seq);
  }

  ack(upTo: number): void {
    this.send({ type: "ack", generation: 1, upTo, logs: 0 });
  }

  init(workflow: Partial<WorkflowInit["workflow"]>, peers: WorkflowInit["peers"] = []): WorkflowInit {
    return {
      type: "init",
      generation: 1,
      workflow: {
        name: "probe",
        folder: this.folder.file("workflows", "probe"),
        use: "probe",
        options: {},
        ...workflow,
      },
      peers,
      channels: this.channels,
      epoch: "0123456789abcdef",
      blobs: this.folder.file("blobs"),
      lock: this.folder.file("workflow.lock"),
      logCredit: 256,
    };
  }

  async ready(
    workflow: Partial<WorkflowInit["workflow"]>,
    peers: WorkflowInit["peers"] = [],
  ): Promise<WorkflowMessageOf<"ready">> {
    this.send(this.init(workflow, peers));
    return this.untilReady();
  }

  /** Has a run executed from the top. */
  run(run: number, request: Partial<RunRequest> = {}): void {
    this.send({ ...this.requestOf(run), ...request });
  }

  requestOf(run: number): RunRequest {
    return {
      type: "run",
      generation: 1,
      run,
      attempt: 1,
      trace: "0".repeat(32),
      trigger: {
        id: 7,
        sense: "disk",
        host: "here",
        at: 1_700_000_000_000,
        payload: { host: "a" },
        reflex: "full",
        key: null,
        due: null,
        signal: null,
        incident: null,
        batch: null,
      },
      cause: null,
      timeoutMs: null,
      steps: [],
      sleeps: [],
      loose: [],
      logged: 0,
    };
  }

  /** What was said of the run, in the order it was. */
  saidOf(run: number): WorkflowMessage[] {
    return this.messages.filter((message) => "run" in message && message.run === run);
  }

  /** What the run's execution came to; `after` so many before it. */
  async end(run: number, after = 0): Promise<End> {
    const ends = (): WorkflowMessage[] => this.saidOf(run).filter(({ type }) => ENDS.includes(type));
    await until(`run ${run} has ended`, () => ends().length > after || this.exited !== null);
    const end = ends()[after];
    if (end === undefined) throw new Error(`it left: ${JSON.stringify(this.messages)} ${this.lines.join("\n")}`);
    return end as End;
  }
}
