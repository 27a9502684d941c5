/** The section `workflows`. */
import type { RetryConfig, WorkflowConfig } from "../model/config.ts";
import {
  decimal,
  duration,
  durationOrZero,
  integer,
  jsonMap,
  name,
  named,
  oneOf,
  type Reader,
  readFields,
} from "./fields.ts";
import { child, found } from "./tree.ts";

const RETRY = { limit: integer(0), interval: duration, backoff: decimal(1), max_interval: duration };

const readRetry: Reader<RetryConfig> = (tree, label, report) => {
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
};

const WORKFLOW = {
  use: name,
  with: jsonMap,
  concurrency: integer(1),
  overflow: oneOf("drop", "queue"),
  max_queue: integer(0),
  timeout: duration,
  grace_period: durationOrZero,
  retry: readRetry,
};

export const readWorkflows = named<WorkflowConfig>((workflow, tree, label, report) => {
  const fields = readFields(tree, label, WORKFLOW, report);
  if (!fields) return null;
  const { use, with: options, concurrency, overflow, max_queue, timeout, grace_period, retry } = fields.values;
  const common = {
    name: workflow,
    use: use ?? workflow,
    with: options,
    concurrency,
    timeoutMs: timeout,
    gracePeriodMs: grace_period,
    retry,
  };
  if (overflow !== "drop") return { ...common, overflow, maxQueue: max_queue };
  const queuePlace = fields.placeOf("max_queue");
  if (queuePlace) {
    const message = `\`${label}.max_queue\` has no meaning with \`overflow: drop\``;
    report.add("conflict", queuePlace, message, "remove it, or write `overflow: queue`");
  }
  return { ...common, overflow };
});
