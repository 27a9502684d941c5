/** What an execution reports of its run: each report has its number, and some are waited for until they are committed. */
import type { WorkflowMessage } from "../ipc/workflow-definitions.ts";
import type { Commits } from "./commits.ts";

type Unsigned<Message> = Message extends WorkflowMessage ? Omit<Message, "generation"> : never;
/** A message of the worker, without the generation. */
export type Report = Unsigned<WorkflowMessage>;

type Counted<Message> = Message extends { readonly seq: number; readonly run: number }
  ? Omit<Message, "seq" | "run">
  : never;

/** How a report leaves this process. */
export interface Sending {
  /** `length`: characters of what is large in the message. */
  readonly tell: (message: Report, length: number) => void;
  /** Sends what was told, before user code may block. */
  readonly flush: () => void;
  /** Resolves once what was told is sent: at the end of the turn, with what others tell in it. */
  readonly sent: () => Promise<void>;
}

export class Reports {
  readonly #run: number;
  readonly #commits: Commits;
  readonly #sending: Sending;

  constructor(run: number, commits: Commits, sending: Sending) {
    this.#run = run;
    this.#commits = commits;
    this.#sending = sending;
  }

  /** Reports it. Answers with its number. `length`: characters of what is large in it. */
  report(report: Counted<Report>, length = 0): number {
    const seq = this.#commits.next();
    this.#sending.tell({ seq, run: this.#run, ...report } as Report, length);
    return seq;
  }

  /** Resolves once what was reported is sent. */
  sent(): Promise<void> {
    return this.#sending.sent();
  }

  /** Sends at once what was reported. */
  flush(): void {
    this.#sending.flush();
  }

  /** Resolves once the report is committed. To be called in the turn it was made. */
  committed(seq: number): Promise<void> {
    return this.#commits.until(seq);
  }

  overdue(): void {
    this.#sending.tell({ type: "overdue", run: this.#run }, 0);
    this.flush();
  }
}
