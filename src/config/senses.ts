/** Owns the section `senses` of nerve.yaml. */
import { formatDuration } from "../base/duration.ts";
import type { SenseConfig } from "../model/config.ts";
import { DEFAULT_GRACE_PERIOD_MS, DEFAULT_GROUP, DEFAULT_TIMEOUT_MS } from "./defaults.ts";
import {
  type Fields,
  hasBrokenOptions,
  jsonMap,
  key,
  name,
  named,
  oneOf,
  readFields,
  schemaOf,
  shapeOf,
} from "./fields.ts";
import { readInbox } from "./inbox.ts";
import { readMetrics } from "./metrics.ts";
import { hintOfMisplaced } from "./misplaced-keys.ts";
import { NEEDS } from "./needs.ts";
import { duration, durationOrNone, durationOrZero } from "./quantities.ts";

/** The keys of a sense: for each key its reader and its text in the docs. */
export const SENSE_KEYS = {
  use: key(
    name,
    "the name",
    "the module: `./senses/<use>/index.ts` beside the config, else the built-in sense of that name",
  ),
  group: key(name, `\`${DEFAULT_GROUP}\``, "which worker process it lives in"),
  timeout: key(
    duration,
    `\`${formatDuration(DEFAULT_TIMEOUT_MS)}\``,
    "soft: its `AbortSignal` fires, the compute counts as timed out and is rolled back",
  ),
  grace_period: key(
    durationOrZero,
    `\`${formatDuration(DEFAULT_GRACE_PERIOD_MS)}\``,
    "hard: still not settled this long after the soft timeout, the worker is killed. 0 kills at once",
  ),
  durability: key(
    oneOf("full", "normal"),
    "`normal`",
    "`full`: its own database survives power loss too, one fsync a compute that wrote · `normal`: survives any crash of nerve. A sense with an `inbox` has that of the daemon",
  ),
  throttle: key(
    durationOrNone,
    "none",
    "least time between the starts of two computes, kept across restarts; triggers in between are owed one trailing compute",
  ),
  with: key(jsonMap, "`{}`", "options, checked against what the module exports as `options`"),
  inbox: key(
    readInbox,
    "none",
    "`{ max, bytes, secret }`, or `{}`: lets items in from outside, which its computes get as `context.inbox`",
  ),
  expect_every: key(
    duration,
    "none",
    "with neither a signal nor an item for this long the sense is stale, which is a log `sense.stale` and wakes the sense `nerve` ([more](sources.md#what-does-not-come))",
  ),
  metrics: key(
    readMetrics,
    "none",
    "`true`, or a list of dotted payload paths: these numbers of its newest payload stand on `/metrics`, at most 100",
  ),
  needs: NEEDS,
};

const SENSE = shapeOf(SENSE_KEYS);
type Values = Fields<typeof SENSE>["values"];

const configOf = (sense: string, values: Values): SenseConfig => ({
  name: sense,
  use: values.use ?? sense,
  group: values.group ?? DEFAULT_GROUP,
  throttleMs: values.throttle,
  timeoutMs: values.timeout,
  gracePeriodMs: values.grace_period,
  with: values.with,
  inbox: values.inbox,
  durability: values.durability,
  expectEveryMs: values.expect_every,
  metrics: values.metrics,
  needs: values.needs,
});

export const readSenses = named<SenseConfig>(schemaOf(SENSE), (sense, tree, label, report) => {
  const fields = readFields(tree, label, SENSE, report, hintOfMisplaced("sense", sense, Object.keys(SENSE)));
  return fields && !hasBrokenOptions(fields) ? configOf(sense, fields.values) : null;
});

/** The configuration of a sense of which nothing is written: every key is absent. */
export const unwrittenSense = (sense: string): SenseConfig =>
  configOf(sense, Object.fromEntries(Object.keys(SENSE).map((absent) => [absent, null])) as Values);
