/** What an execution reports of its run: each report has its number, and some are waited for until they are committed. */
import type { WorkflowMessage } from "../ipc/workflow-definitions.ts";
import type { Commits } from "./commits.ts";

type Unsigned<Message> = Message extends WorkflowMessage ? Omit<Message, "generation"> : never;
/** A message of the worker, without the generation. */
export type Report = Unsigned<WorkflowMessage>;

type Counted<Message> = Message extends { readonly seq: number; readonly run: number }
  ? Omit<Message, "seq" | "run">
  : never;

export class Reports {
  readonly #run: number;
  readonly #commits: Commits;
  readonly #tell: (message: Report) => void;
  /** Sends what was reported, before user code may block. */
  readonly flush: () => void;

  constructor(run: number, commits: Commits, tell: (message: Report) => void, flush: () => void) {
    this.#run = run;
    this.#commits = commits;
    this.#tell = tell;
    this.flush = flush;
  }

  /** Reports it. Answers with its number. */
  report(report: Counted<Report>): number {
    const seq = this.#commits.next();
    this.#tell({ seq, run: this.#run, ...report } as Report);
    return seq;
  }

  /** Resolves once the report is committed. To be called in the turn it was made. */
  committed(seq: number): Promise<void> {
    return this.#commits.until(seq);
  }

  overdue(): void {
    this.#tell({ type: "overdue", run: this.#run });
    this.flush();
  }
}
