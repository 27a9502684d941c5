/** Loads a workflow in a worker of its own, as the daemon would, for `check`. Nothing is run. */
import { join } from "node:path";
import { err, ok, type Result } from "../base/result.ts";
import { parseWorkflowMessage } from "../ipc/parse-workflow.ts";
import type { WorkflowParentMessage } from "../ipc/workflow-definitions.ts";
import type { NerveConfig, WorkflowConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import { WORKFLOW_WORKER_ROLE } from "../spawn/own-image.ts";
import { describeExit, LOAD_HARD_MS, spawnWorker, type WorkerProcess } from "../spawn/worker-process.ts";
import type { ScratchFolder } from "./folder.ts";
import { NEVER_LOADED, realPeers, SCRATCH_LOG_CREDIT, scratchCommand } from "./seat.ts";

export interface ScratchWorkflow {
  readonly config: NerveConfig;
  readonly workflow: WorkflowConfig;
  /** The user's module, or null for the built-in. */
  readonly module: string | null;
}

/** Null once it is loaded. A module that never yields and a worker that dies are answers too. */
export async function checkWorkflow(
  folder: ScratchFolder,
  { config, workflow, module }: ScratchWorkflow,
): Promise<Result<null, Problem>> {
  const loaded = Promise.withResolvers<Result<null, Problem>>();
  const refuse = (kind: string, message: string): void =>
    loaded.resolve(err(problem(kind, message, null, module === null ? null : join(module, "index.ts"))));
  let worker: WorkerProcess<WorkflowParentMessage>;
  try {
    worker = spawnWorker<WorkflowParentMessage>(scratchCommand(WORKFLOW_WORKER_ROLE, folder, config), {
      message(raw) {
        const parsed = parseWorkflowMessage(raw);
        if (!parsed.ok || parsed.value.type !== "ready") return;
        const found = parsed.value.problem;
        loaded.resolve(found === null ? ok(null) : err(found));
      },
      output: () => {},
      exit: (exit) => refuse("worker-died", `its worker died while it was being loaded: ${describeExit(exit)}`),
    });
  } catch (error) {
    return err(problem("worker-not-started", `no worker could be started: ${(error as Error).message}`));
  }
  folder.admit(worker);
  const limit = setTimeout(() => refuse("never-settled", `its module ${NEVER_LOADED}`), LOAD_HARD_MS);
  const { name, use } = workflow;
  worker.send([
    {
      type: "init",
      generation: 1,
      workflow: { name, folder: module, use, options: workflow.with ?? {} },
      peers: realPeers(config),
      channels: [...config.channels.values()],
      epoch: "",
      blobs: folder.folder("blobs"),
      lock: join(folder.path, `workflow-${name}.lock`),
      logCredit: SCRATCH_LOG_CREDIT,
    },
  ]);
  const result = await loaded.promise;
  clearTimeout(limit);
  worker.kill();
  folder.dismiss(worker);
  return result;
}
