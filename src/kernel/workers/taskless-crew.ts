/** Owns what the crews of processes without tasks have in common: whatever such a process does is its own, and the kernel counts none of it. */
import type { Result } from "../../base/result.ts";
import type { MalformedMessage } from "../../ipc/definitions.ts";
import type { WorkerCommand } from "../../spawn/worker-process.ts";
import type { Crew, LifeHost } from "./crew.ts";
import type { WorkerLife } from "./life.ts";

type Complaint = { readonly message: string; readonly stack: string | null };

export abstract class TasklessCrew<
  Down extends object,
  Up extends { readonly type: string; readonly generation: number },
> implements Crew<Down, Up, never>
{
  abstract readonly title: string;
  abstract readonly about: { readonly role: string };
  abstract readonly noun: string;
  abstract readonly memoryBytes: number;
  readonly places = 0;

  constructor(protected readonly host: LifeHost) {}

  protected abstract readonly life: WorkerLife<Down, Up, never>;
  abstract command(): WorkerCommand;
  abstract isWanted(): boolean;
  abstract parse(raw: unknown): Result<Up, MalformedMessage>;
  abstract init(generation: number): Down;
  abstract receive(message: Up): void;
  abstract unsettle(): void;

  stop(): Promise<void> {
    return this.life.leave("stop", false);
  }

  kill(why: string): void {
    this.life.kill(why);
  }

  /** What the process begins with is another, or it is no longer wanted. */
  protected anew(): void {
    void this.life.leave("retire", false).then(() => this.life.start());
  }

  protected isReady(): void {
    if (!this.life.isReady()) return this.life.malformed('a second "ready"');
    const data = { ...this.about, pid: this.life.pid, generation: this.life.generation };
    this.host.journal.of("kernel").info("worker.started", `the worker of ${this.title} is up`, data);
  }

  protected complained({ message, stack }: Complaint): void {
    this.life.complaint("kernel", { kind: "worker", message, stack });
  }

  output(stream: "stdout" | "stderr", line: string): void {
    const entry = { level: stream === "stdout" ? "info" : "warn", event: "output", source: "kernel" } as const;
    this.host.journal.relay({ ...entry, message: line, data: null, trace: null }, null, () => {});
  }

  // ── there are no tasks ───────────────────────────────────────────────

  noted(): void {}

  soonestLimitMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  awaits(): boolean {
    return false;
  }

  dispatch(): void {}

  died(): boolean {
    return false;
  }

  nameOf(): string {
    return "";
  }

  speakOf(): string {
    return "";
  }

  describeLimit(): string {
    return "";
  }

  wasTold(): boolean {
    return false;
  }

  isLate(): void {}
}
