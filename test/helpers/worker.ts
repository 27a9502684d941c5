/** A real sense worker, spoken to as the kernel would. */

import type { ParentMessage, ParentMessageOf, WorkerMessage, WorkerMessageOf } from "../../src/ipc/definitions.ts";
import { parseWorkerMessage } from "../../src/ipc/parse.ts";
import { ownCommand, SENSE_WORKER_ROLE } from "../../src/kernel/own-image.ts";
import { spawnWorker, type WorkerExit, type WorkerProcess } from "../../src/kernel/worker-process.ts";
import { until } from "./compute.ts";
import type { Folder } from "./folder.ts";

type SenseInit = ParentMessageOf<"init">["senses"][number];

export class TestWorker implements AsyncDisposable {
  readonly messages: WorkerMessage[] = [];
  readonly malformed: string[] = [];
  readonly lines: string[] = [];
  exited: WorkerExit | null = null;
  readonly process: WorkerProcess<ParentMessage>;

  constructor(readonly folder: Folder) {
    this.process = spawnWorker<ParentMessage>(
      { command: ownCommand(SENSE_WORKER_ROLE), env: { PATH: process.env.PATH ?? "" }, cwd: folder.path },
      {
        message: (raw) => {
          const parsed = parseWorkerMessage(raw);
          if (parsed.ok) this.messages.push(parsed.value);
          else this.malformed.push(parsed.error.what);
        },
        frameEnd: () => {},
        output: (_, line) => this.lines.push(line),
        exit: (exit) => {
          this.exited = exit;
        },
      },
    );
  }

  of<Type extends WorkerMessage["type"]>(type: Type): WorkerMessageOf<Type>[] {
    return this.messages.filter((message) => message.type === type) as WorkerMessageOf<Type>[];
  }

  send(...messages: unknown[]): void {
    this.process.send(messages as ParentMessage[]);
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
        outboxTaken: 0,
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
    await until(() => this.of("ready").length > 0 || this.exited !== null);
    const [ready] = this.of("ready");
    if (ready === undefined) throw new Error(`it left: ${JSON.stringify(this.messages)} ${this.lines.join("\n")}`);
    return ready;
  }

  compute(id: number, sense: string): void {
    this.send({ type: "compute", generation: 1, id, sense, now: 5, cause: null, trace: "0".repeat(32) });
  }

  /** What compute `id` came to. */
  async result(id: number): Promise<WorkerMessageOf<"signal" | "no-signal" | "error">> {
    const find = () =>
      this.messages.find(
        (message) => ["signal", "no-signal", "error"].includes(message.type) && (message as { id: unknown }).id === id,
      );
    await until(() => find() !== undefined || this.exited !== null);
    return find() as WorkerMessageOf<"signal" | "no-signal" | "error">;
  }

  async leave(): Promise<void> {
    this.send({ type: "shutdown", generation: 1 });
    await until(() => this.exited !== null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill();
    await until(() => this.exited !== null);
  }
}
