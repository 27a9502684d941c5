/** The worker's end of a run, in this process. */
import type { Timers } from "../../../src/base/timer.ts";
import { parseWorkflowMessage } from "../../../src/ipc/parse-workflow.ts";
import type { WorkflowMessage } from "../../../src/ipc/workflow-definitions.ts";
import { Commits } from "../../../src/workflow-worker/commits.ts";
import { Execution } from "../../../src/workflow-worker/execution.ts";
import type { RunRequest, Setting } from "../../../src/workflow-worker/setting.ts";
import { runProgram, type Watcher } from "./program.ts";
import type { Life } from "./story.ts";

const NO_TIMER = { stop: () => {} };

/** A real execution, and the messages it has sent that have not arrived. */
export class ScriptedWorker {
  readonly execution: Execution;
  readonly messages: WorkflowMessage[] = [];
  readonly #commits = new Commits();
  activity = 0;
  committed = 0;
  acked = 0;
  isOver = false;
  readonly #life: Life;

  constructor(life: Life, request: RunRequest, timers: Timers, watcher: Watcher) {
    this.#life = life;
    const setting: Setting = {
      code: (thread) => runProgram(life.program, thread, watcher),
      options: {},
      peers: {},
      blobs: { put: () => Promise.reject(), get: () => Promise.reject() },
      channels: { all: new Map(), epoch: "" },
      timers: { now: timers.now, start: (ms, act) => (life.isDead ? NO_TIMER : timers.start(ms, act)) },
      commits: this.#commits,
      warnOnce: () => {},
      sending: {
        tell: (message) => this.#tell({ ...message, generation: 1 }),
        flush: () => {},
        sent: () => Promise.resolve(),
      },
      say: (event, level, message) =>
        this.#tell({ type: "log", generation: 1, run: 1, event, level, trace: null, message, data: null, dropped: 0 }),
    };
    this.execution = new Execution(setting, request);
    void this.execution.over.then(() => {
      this.activity++;
      this.isOver = true;
    });
    this.execution.begin();
  }

  #tell(raw: unknown): void {
    if (this.#life.isDead) return;
    this.activity++;
    const parsed = parseWorkflowMessage(JSON.parse(JSON.stringify(raw)));
    if (!parsed.ok) throw new Error(`malformed: ${parsed.error.what} ${JSON.stringify(raw)}`);
    this.messages.push(parsed.value);
  }

  ack(): void {
    this.acked = this.committed;
    this.#commits.upTo(this.acked);
  }

  die(): void {
    this.#life.isDead = true;
  }
}
