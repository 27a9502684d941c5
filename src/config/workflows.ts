/** Owns the section `workflows` of nerve.yaml. */
import { formatDuration } from "../base/duration.ts";
import type { BatchConfig, RetryConfig, WorkflowConfig } from "../model/config.ts";
import { DEFAULT_CONCURRENCY, DEFAULT_GRACE_PERIOD_MS, DEFAULT_MAX_QUEUE } from "./defaults.ts";
import {
  decimal,
  hasBrokenOptions,
  integer,
  jsonMap,
  key,
  name,
  named,
  oneOf,
  type Reader,
  reader,
  readFields,
  schemaOf,
  shapeOf,
} from "./fields.ts";
import { hintOfMisplaced } from "./misplaced-keys.ts";
import { NEEDS } from "./needs.ts";
import { duration, durationOrZero } from "./quantities.ts";
import { readBatchBy } from "./reflex-words.ts";
import { child, found } from "./tree.ts";

const RETRY_DOC =
  "`{ limit, interval: 5s, backoff: 2, max_interval: 5m }`: attempts after the first, from the step that failed. " +
  "`max_interval`, where it is not given, is no shorter than `interval`";

const RETRY = { limit: integer(0), interval: duration, backoff: decimal(1), max_interval: duration };

const readRetry: Reader<RetryConfig> = reader({ ...schemaOf(RETRY), required: ["limit"] }, (tree, label, report) => {
  const fields = readFields(tree, label, RETRY, report);
  if (!fields) return null;
  const { limit, interval, backoff, max_interval } = fields.values;
  if (fields.placeOf("limit") === null) {
    report.add("missing-key", tree.place, `\`${label}.limit\` is missing`, "say how many attempts follow the first");
  }
  const [leastTree, maxTree] = [fields.treeOf("interval"), fields.treeOf("max_interval")];
  if (leastTree && maxTree && interval !== null && max_interval !== null && max_interval < interval) {
    const what = `no shorter than \`interval\` (${found(leastTree)})`;
    report.expected("conflict", maxTree, child(label, "max_interval"), what, null);
  }
  return limit === null ? null : { limit, intervalMs: interval, backoff, maxIntervalMs: max_interval };
});

const BATCH_DOC =
  "`{ wait, by }`: the first run of a group waits this long, and takes along whatever of its group is queued then. `by`: " +
  "`reflex`, `severity` (of the incident) or a payload path; without it all are one group ([more](workflows.md#batches))";

const BATCH = { wait: duration, by: readBatchBy };

const readBatch: Reader<BatchConfig> = reader({ ...schemaOf(BATCH), required: ["wait"] }, (tree, label, report) => {
  const fields = readFields(tree, label, BATCH, report);
  if (!fields) return null;
  if (fields.placeOf("wait") === null) {
    const remedy = "say how long the first of a group waits for others, such as `wait: 30s`";
    report.add("missing-key", tree.place, `\`${label}.wait\` is missing`, remedy);
  }
  const { wait, by } = fields.values;
  return wait === null ? null : { waitMs: wait, by };
});

/** The keys of a workflow: for each key its reader and its text in the docs. */
export const WORKFLOW_KEYS = {
  use: key(
    name,
    "the name",
    "the module: `./workflows/<use>/index.ts` beside the config, else the built-in `exec`, `webhook` or `notify`",
  ),
  with: key(jsonMap, "`{}`", "options, checked against what the module exports as `options`"),
  needs: NEEDS,
  expect_every: key(
    duration,
    "none",
    "with no completed run for this long the workflow is stale, which is a log `workflow.stale` and wakes the sense `nerve` ([more](sources.md#what-does-not-come))",
  ),
  concurrency: key(integer(1), `\`${DEFAULT_CONCURRENCY}\``, "runs at a time"),
  overflow: key(
    oneOf("drop", "queue"),
    "`queue`",
    "what happens above it: `queue` waits, first come first served; `drop` drops",
  ),
  max_queue: key(integer(0), `\`${DEFAULT_MAX_QUEUE}\``, "with `queue`: how many may wait; what comes then is dropped"),
  timeout: key(
    duration,
    "none",
    "running time of one attempt: not queued, not asleep, not while nerve is down. Its `AbortSignal` fires",
  ),
  grace_period: key(
    durationOrZero,
    `\`${formatDuration(DEFAULT_GRACE_PERIOD_MS)}\``,
    "still not settled this long after: the worker is killed",
  ),
  retry: key(readRetry, "none", RETRY_DOC),
  batch: key(readBatch, "none", BATCH_DOC),
};

const WORKFLOW = shapeOf(WORKFLOW_KEYS);

export const readWorkflows = named<WorkflowConfig>(schemaOf(WORKFLOW), (workflow, tree, label, report) => {
  const misplaced = hintOfMisplaced("workflow", workflow, Object.keys(WORKFLOW));
  const fields = readFields(tree, label, WORKFLOW, report, misplaced);
  if (!fields || hasBrokenOptions(fields)) return null;
  const { use, with: options, needs, concurrency, overflow, timeout, grace_period, retry } = fields.values;
  const { max_queue, batch, expect_every } = fields.values;
  const common = {
    name: workflow,
    use: use ?? workflow,
    with: options,
    needs,
    expectEveryMs: expect_every,
    concurrency,
    timeoutMs: timeout,
    gracePeriodMs: grace_period,
    retry,
  };
  if (overflow !== "drop") return { ...common, overflow: "queue", maxQueue: max_queue ?? DEFAULT_MAX_QUEUE, batch };
  for (const one of ["max_queue", "batch"] as const) {
    const place = fields.placeOf(one);
    if (place === null) continue;
    const message = `\`${child(label, one)}\` has no meaning with \`overflow: drop\``;
    report.add("conflict", place, message, "remove it, or write `overflow: queue`");
  }
  return { ...common, overflow };
});
