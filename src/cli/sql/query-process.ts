/** Owns the process of one query: its start, its limits of time and of memory, and its end. */
import { readFileSync } from "node:fs";
import { formatDuration } from "../../base/duration.ts";
import { formatSize } from "../../base/size.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { workerEnvironment } from "../../spawn/environment.ts";
import { ownCommand, SQL_ROLE } from "../../spawn/own-image.ts";
import { describeExit, spawnWorker, type WorkerExit, type WorkerProcess } from "../../spawn/worker-process.ts";
import type { Question, Refusal, SqlMessage, SqlParentMessage } from "../../sql/messages.ts";
import type { Answer } from "./answer.ts";

const PAGE_BYTES = 4_096;
const LOOK_MS = 50;
/** Sorting and grouping happen in memory. */
const MOST_MEMORY = 512 * 1024 * 1024;

/** Physical memory of a process; 0 where it is gone. */
function heldBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

const tooLate = (limitMs: number): Problem => {
  const hint = "a narrower WHERE, a LIMIT, an index (EXPLAIN QUERY PLAN …), or a longer --timeout";
  return problem("timeout", `the query was ended after ${formatDuration(limitMs)}: the answer is not whole`, hint);
};

const tooLarge = (): Problem => {
  const message = `the query was ended because it took more than ${formatSize(MOST_MEMORY)} of memory: the answer is not whole`;
  return problem("memory", message, "sort and group fewer rows, or smaller values");
};

const gone = (exit: WorkerExit, said: string): Problem => {
  const more = said === "" ? "" : `: ${said}`;
  return problem("query-process", `the process of the query is gone: ${describeExit(exit)}${more}`);
};

/** What came of a query beside its rows. */
export interface QueryEnd {
  /** Null: the answer is whole. */
  readonly refusal: Refusal | null;
  /** What `archive.logs` did not hold, in words; null: it held all that was asked for. */
  readonly cut: string | null;
}

/** One query in a process of its own. */
export class QueryProcess {
  readonly #answer: Answer;
  readonly #child: WorkerProcess<SqlParentMessage>;
  readonly #ended = Promise.withResolvers<QueryEnd>();
  readonly #deadline: Timer;
  readonly #watch: Timer;
  #refusal: Refusal | null | undefined = undefined;
  #cut: string | null = null;
  #said = "";

  constructor(question: Question, answer: Answer) {
    this.#answer = answer;
    const env = workerEnvironment(process.env, question.data, "");
    this.#child = spawnWorker<SqlParentMessage>(
      { command: ownCommand(SQL_ROLE), env, cwd: question.data },
      {
        message: (raw) => this.#take(raw as SqlMessage),
        output: (_, line) => {
          this.#said = line;
        },
        exit: (exit) => this.#exited(exit),
      },
    );
    this.#deadline = setTimeout(() => this.#kill(tooLate(question.limitMs)), question.limitMs);
    this.#watch = setInterval(() => {
      if (heldBytes(this.#child.pid) > MOST_MEMORY) this.#kill(tooLarge());
    }, LOOK_MS);
    this.#child.send([question]);
  }

  /** Once the process is gone. Rejects where the answer cannot be written. */
  get ended(): Promise<QueryEnd> {
    return this.#ended.promise;
  }

  #take(message: SqlMessage): void {
    if (this.#refusal !== undefined) return;
    try {
      this.#receive(message);
    } catch (error) {
      this.#ended.reject(error);
      this.#child.kill();
    }
  }

  #receive(message: SqlMessage): void {
    switch (message.type) {
      case "columns":
        this.#answer.columns(message.names);
        return;
      case "rows":
        this.#answer.rows(message.rows);
        this.#child.send([{ type: "more" }]);
        return;
      case "cut":
        this.#cut = message.message;
        return;
      case "end":
        this.#refusal = message.refusal;
        return;
    }
  }

  #kill(found: Problem): void {
    if (this.#refusal === undefined) this.#refusal = { about: "answer", problem: found };
    this.#child.kill();
  }

  #exited(exit: WorkerExit): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#watch);
    const refusal =
      this.#refusal === undefined ? ({ about: "answer", problem: gone(exit, this.#said) } as const) : this.#refusal;
    this.#ended.resolve({ refusal, cut: this.#cut });
  }
}
