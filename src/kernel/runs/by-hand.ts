/** Owns the requests of persons about workflows and runs. A request is durable when its answer is there. */
import type { Json } from "../../base/json.ts";
import { meantOr } from "../../base/nearest.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { traceIds } from "../../base/trace-id.ts";
import type { RunAnswer } from "../../control/contract.ts";
import { type Problem, problem } from "../../model/problem.ts";
import { isOver, type Run } from "../../model/run.ts";
import type { Trigger } from "../../model/trigger.ts";
import type { Store } from "../../store/open.ts";
import type { LiveRun, RunOrder } from "../memory/run.ts";
import type { World } from "../world.ts";
import type { Histories } from "./histories.ts";
import { inheritable } from "./run-history.ts";
import type { Workflow } from "./workflow.ts";

const BY_HAND: Trigger = {
  id: null,
  sense: null,
  at: null,
  reflex: null,
  key: null,
  isElement: false,
  due: null,
  incident: null,
};

export interface ByHandParts {
  readonly store: Store;
  readonly histories: Histories;
  readonly world: Pick<World, "clock" | "chance">;
  readonly workflows: ReadonlyMap<string, Workflow>;
  /** A run that has not ended. */
  readonly live: (id: number) => LiveRun | undefined;
  /** Lets a run in. Resolves after the commit. */
  readonly admit: (workflow: Workflow, order: RunOrder) => Promise<LiveRun>;
}

export class ByHand {
  readonly #parts: ByHandParts;
  readonly #newTrace: (wallMs: number) => string;

  constructor(parts: ByHandParts) {
    this.#parts = parts;
    this.#newTrace = traceIds(parts.world.chance);
  }

  async run(name: string, input: Json): Promise<Result<RunAnswer, Problem>> {
    const found = this.#find(name);
    if (!found.ok) return found;
    const trace = this.#newTrace(this.#parts.world.clock.wallMs());
    const order = { input, trigger: BY_HAND, decision: null, trace, retryOf: null, fromStep: null };
    return ok(answerOf(await this.#parts.admit(found.value, order)));
  }

  async cancel(id: number): Promise<Result<RunAnswer, Problem>> {
    const run = this.#parts.live(id);
    const workflow = run && this.#parts.workflows.get(run.workflow);
    if (run && workflow && !run.isOver) {
      await workflow.cancel(run, null);
      return ok(answerOf(run));
    }
    const found = this.#row(id);
    if (!found.ok) return found;
    return err(problem("run-over", `run ${id} has ended already: ${found.value.state}`));
  }

  /** Starts a new run with the trace of the old run. The new run keeps the finished steps of the old run. */
  async retry(id: number, fromStep: string | null): Promise<Result<RunAnswer, Problem>> {
    const found = this.#row(id);
    if (!found.ok) return found;
    if (!isOver(found.value.state)) return err(isActive(found.value));
    const told = this.#parts.histories.of(found.value);
    if (!told.ok) return told;
    const { row, assignment } = told.value;
    // The row may be wrong, so the logs were read before.
    if (!isOver(row.state)) return err(isActive(row));
    if (row.state === "joined") return err(this.#joined(row));
    const workflow = this.#find(row.workflow);
    if (!workflow.ok) return workflow;
    const { history, order } = assignment;
    if (inheritable(history, fromStep) === null) {
      const names = [...new Set([...history.steps.values()].map(({ step }) => step))];
      const hint = names.length === 0 ? "it has run no step" : `its steps: ${names.join(", ")}`;
      return err(problem("unknown-step", `run ${id} has no step \`${fromStep}\``, hint));
    }
    const { input, trigger } = order;
    const again = { input, trigger, decision: null, trace: row.trace, retryOf: id, fromStep };
    return ok(answerOf(await this.#parts.admit(workflow.value, again)));
  }

  /** The refusal for a joined run. It names the run that it joined, which can be retried. */
  #joined({ id }: Run): Problem {
    const into = this.#parts.histories.joinedInto(id);
    const hint = into === null ? null : `\`nerve retry ${into}\` retries the run that it joined`;
    return problem("run-joined", `run ${id} joined ${into === null ? "another run" : `run ${into}`}`, hint);
  }

  #find(name: string): Result<Workflow, Problem> {
    const { workflows } = this.#parts;
    const workflow = workflows.get(name);
    if (workflow) return ok(workflow);
    const names = [...workflows.keys()].sort();
    const there = names.length === 0 ? "no workflow is configured" : `the workflows are: ${names.join(", ")}`;
    return err(problem("unknown-workflow", `there is no workflow \`${name}\``, meantOr(name, names, there)));
  }

  #row(id: number): Result<Run, Problem> {
    const row = this.#parts.store.runs.byId(id);
    return row ? ok(row) : err(problem("unknown-run", `there is no run ${id}`, "`nerve runs` lists them"));
  }
}

const isActive = ({ id, state }: Run): Problem =>
  problem("run-active", `run ${id} is ${state}`, `\`nerve cancel ${id}\` ends it`);

const answerOf = ({ id, workflow, trace, row }: LiveRun): RunAnswer => ({
  run: id,
  workflow,
  state: row?.state ?? "queued",
  trace,
});
