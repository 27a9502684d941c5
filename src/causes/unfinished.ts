/** Owns why a run has not ended: what it waits for, or since when it runs. */
import { counted } from "../base/counted.ts";
import type { BatchWait } from "../model/batch.ts";
import type { Run } from "../model/run.ts";
import { incidentOf } from "../model/run-decision.ts";
import { eventOf } from "../stories/story.ts";
import type { NotDone, Scene } from "./scene.ts";
import { moment, short } from "./words.ts";

/** Queued runs that are looked at for the first of a batch. */
const LOOKED_AT = 100;

export function unfinished(scene: Scene, run: Run): NotDone {
  const { now, isRunning } = scene;
  if (!isRunning)
    return { reason: "not-running", until: null, text: `run ${run.id} waits, because nerve does not run` };
  if (run.state === "running") {
    const since = moment(run.started_at ?? run.queued_at, now);
    return { reason: "waiting", until: null, text: `run ${run.id} has been running since ${since}` };
  }
  if (run.state === "sleeping") {
    const at = run.until === null ? "" : ` at ${moment(run.until, now)}`;
    const text =
      run.error === null
        ? `run ${run.id} sleeps, and goes on${at}`
        : `run ${run.id} is tried again${at}: ${short(run.error)}`;
    return { reason: "waiting", until: run.until, text };
  }
  return whyQueued(scene, run);
}

/** The batch that a run waits in. Null where it waits in none. */
function batchOf({ history }: Scene["store"], run: Run): BatchWait | null {
  for (const log of history.eachOfRun(run.id, run.first_log_id)) {
    const found = eventOf(log);
    if (found?.event === "run.queued") return found.data.batch;
  }
  return null;
}

/** When the batch of a run begins: the first of its group takes the others along. Null where the run waits in none. */
function batchUntil({ store }: Scene, run: Run): number | null {
  const own = batchOf(store, run);
  if (own === null) return null;
  const queued = store.runs.active().filter(({ workflow, state }) => workflow === run.workflow && state === "queued");
  for (const other of queued.slice(0, LOOKED_AT)) {
    const first = batchOf(store, other);
    if (first?.group === own.group) return Math.min(first.until, own.until);
  }
  return own.until;
}

function whyQueued(scene: Scene, run: Run): NotDone {
  const until = batchUntil(scene, run);
  if (until === null) return { ...whyWaiting(scene, run), until };
  const text = `run ${run.id} waits in a batch, which begins at ${moment(until, scene.now)}`;
  return { reason: "batch", until, text };
}

function whyWaiting({ status, store, now }: Scene, run: Run): Pick<NotDone, "reason" | "text"> {
  const since = `run ${run.id} has waited since ${moment(run.queued_at, now)}`;
  const broken = status?.broken_workflows.find(({ name }) => name === run.workflow);
  if (broken !== undefined) {
    return { reason: "not-loaded", text: `${since}, because ${run.workflow} does not load: ${short(broken.reason)}` };
  }
  const others = store.runs.active().filter(({ workflow, id }) => workflow === run.workflow && id !== run.id);
  const incident = incidentOf(run.decision);
  const before = others.find(
    ({ id, decision }) => id < run.id && incident !== null && incidentOf(decision) === incident,
  );
  if (before !== undefined) return { reason: "waiting", text: `${since}, until run ${before.id} has ended` };
  const running = others.filter(({ state }) => state === "running");
  const [first] = running;
  if (first === undefined) return { reason: "waiting", text: since };
  const who = running.length === 1 ? `run ${first.id} is` : `${counted(running.length, "run")} are`;
  return { reason: "queue", text: `${since}, because ${who} under way and \`concurrency\` allows no more` };
}
