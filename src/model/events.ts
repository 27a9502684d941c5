/**
 * Every event a log can have: its levels, one sentence for people, and the shape of its `data`. Whoever writes a log
 * names an event of this table, so a new event does not compile until it stands here. The table of docs/operations.md is
 * generated from it (scripts/events.ts).
 */

import type { DataOf, EventKind } from "./event-kind.ts";
import { FLEET_EVENT_KINDS } from "./fleet-events.ts";
import { INBOX_EVENT_KINDS } from "./inbox-events.ts";
import { INCIDENT_EVENT_KINDS } from "./incident-events.ts";
import { LISTENING_EVENT_KINDS } from "./listening-events.ts";
import type { LogLevel } from "./log.ts";
import { OTLP_EVENT_KINDS } from "./otlp-events.ts";
import { RUN_EVENT_KINDS } from "./run-events.ts";
import { SENSE_EVENT_KINDS } from "./sense-events.ts";
import { STORE_EVENT_KINDS } from "./store-events.ts";

const worker = { "group?": "string", "workflow?": "string", "role?": "string" } as const;
const silence = { pattern: "string", until: "number", why: "string" } as const;
const problem = { kind: "string", file: "string | null", line: "number | null", column: "number | null" } as const;

export const EVENTS = {
  // ── the kernel ───────────────────────────────────────────────────────
  "kernel.started": {
    levels: ["info"],
    sentence: "The kernel has started.",
    data: { ahead_ms: "number", last_signal: "number" },
  },
  "kernel.ready": { levels: ["info"], sentence: "On a terminal only: how to look at what nerve does.", data: null },
  "kernel.swept": {
    levels: ["warn"],
    sentence: "Processes that an earlier kernel had left behind were ended.",
    data: null,
  },
  "kernel.stopping": { levels: ["info"], sentence: "The kernel has begun to stop.", data: null },
  "kernel.stopped": { levels: ["info"], sentence: "The kernel has stopped, and everything is stored.", data: null },
  "kernel.crashed": {
    levels: ["error"],
    sentence: "On stderr only: the kernel has met a bug in nerve and ends with code 70.",
    data: { "stack?": "string" },
  },
  "kernel.signal": {
    levels: ["warn"],
    sentence: "On stderr only: a signal came that means nothing to nerve, which ignores all of that name.",
    data: null,
  },
  "data.lost": {
    levels: ["error"],
    sentence:
      "On stderr only: somebody removed or replaced the data directory, logs.db or its lock under the running kernel, which ends with code 75.",
    data: null,
  },
  "control.renewed": {
    levels: ["warn"],
    sentence: "Somebody removed the control socket; the kernel made it anew.",
    data: null,
  },
  "stderr.lost": {
    levels: ["warn"],
    sentence:
      "On stderr only: nobody read it for a while, so these lines were not written there. The table `logs` has them, signals aside.",
    data: { lines: "number" },
  },
  "config.reloaded": {
    levels: ["info", "warn"],
    sentence: "A changed config is in force; `warn`: a part of the change takes a restart.",
    data: null,
  },
  "config.refused": {
    levels: ["error"],
    sentence: "A changed config has problems, and the old config stays in force. `nerve check` lists every problem.",
    data: null,
  },
  "clock.stepped": {
    levels: ["warn"],
    sentence:
      "The wall clock was set. Retention and the sweep of blobs wait until it has agreed with the machine's own clock for an hour.",
    data: { by_ms: "number", ahead_ms: "number" },
  },
  enabled: { levels: ["info"], sentence: "A person enabled this sense or reflex.", data: null },
  disabled: { levels: ["info"], sentence: "A person disabled this sense or reflex.", data: null },

  ...STORE_EVENT_KINDS,
  ...INCIDENT_EVENT_KINDS,

  ...INBOX_EVENT_KINDS,
  ...LISTENING_EVENT_KINDS,
  ...FLEET_EVENT_KINDS,
  ...OTLP_EVENT_KINDS,

  // ── workers ──────────────────────────────────────────────────────────
  "worker.started": {
    levels: ["info"],
    sentence: "The worker of a group or workflow takes work.",
    data: { ...worker, pid: "number | null", generation: "number", "senses?": "number", "failed?": "number" },
  },
  "worker.exited": {
    levels: ["warn", "error"],
    sentence:
      "A worker died, or is not gone after it was killed (`state` is `stuck`: nothing is started in its place until it is gone). Several suspects: nobody is to blame yet, and they run again one at a time.",
    data: {
      ...worker,
      "pid?": "number",
      "state?": "string",
      "code?": "number | null",
      "signal?": "string | null",
      "suspects?": "string[]",
    },
  },
  "worker.malformed": {
    levels: ["error"],
    sentence: "A worker sent something that is no message of nerve; it is ignored.",
    data: { ...worker, "stack?": "string" },
  },
  "worker.error": {
    levels: ["error"],
    sentence: "User code raised an error outside of any compute or run.",
    data: { ...worker, "stack?": "string" },
  },
  log: { levels: ["debug", "info", "warn", "error"], sentence: "What user code logged.", data: "any" },
  output: { levels: ["debug", "info", "warn", "error"], sentence: "What user code printed.", data: "any" },

  // ── senses ───────────────────────────────────────────────────────────
  ...SENSE_EVENT_KINDS,
  "compute.failed": {
    levels: ["error"],
    sentence: "A compute threw and was rolled back. Repeats are folded into one row a minute with a count.",
    data: { compute: "number", duration_ms: "number", "stack?": "string" },
  },
  "compute.timed-out": {
    levels: ["error"],
    sentence:
      "A compute passed its soft timeout and was rolled back. Repeats are folded into one row a minute with a count.",
    data: { compute: "number", duration_ms: "number", "stack?": "string" },
  },
  "compute.killed": {
    levels: ["error"],
    sentence: "The worker of a sense died while this sense ran alone: a strike. The third is a quarantine.",
    data: { compute: "number | null", after_ms: "number", strikes: "number" },
  },
  "compute.coalesced": {
    levels: ["debug"],
    sentence: "One compute answered several signals; `causes` are the earlier ones.",
    data: { causes: "number[]" },
  },
  "compute.cancelled": {
    levels: ["info"],
    sentence: "A signal or a time led to no compute: the sense is disabled, quarantined or no longer configured.",
    data: null,
  },

  // ── reflexes ─────────────────────────────────────────────────────────
  "reflex.fired": {
    levels: ["info"],
    sentence:
      "A reflex fired: for a signal, or at a due time. `silenced` or `cancelled`: nothing was started, and why. `due` and `late_ms`: when its deadline or due time was, and how late nerve acted.",
    data: {
      signal: "number | null",
      key: "any",
      due: "number | null",
      late_ms: "number",
      "run?": "number",
      "silenced?": "string",
      "cancelled?": "string",
    },
  },
  "watch.limited": {
    levels: ["warn"],
    sentence:
      "Something that a reflex watches cannot be seen, or not all of it: only the interval of the reflex finds changes there. Said once. `reflex` is null where nothing can be watched.",
    data: { reflex: "string | null" },
  },
  "reflex.watches-nothing": {
    levels: ["warn"],
    sentence: "The reflex has `watch: true`, and the module of its sense exports no `watch`.",
    data: null,
  },
  "reflex.missed": {
    levels: ["warn"],
    sentence: "A due time started no run: the run before it had not begun. `status` counts such times.",
    data: null,
  },
  "reflex.cleared": {
    levels: ["info"],
    sentence: "What a reflex remembered was cleared: one of the words that decide has changed, or the reflex is gone.",
    data: null,
  },
  "reflex.state-damaged": {
    levels: ["error"],
    sentence:
      "Something else than nerve wrote what a reflex remembers. The reflex begins anew with that key, and with nothing else.",
    data: { key: "string" },
  },
  "reflex.keys-limited": {
    levels: ["warn"],
    sentence:
      "A reflex remembers as many keys as it may. It passes over signals of further keys until some come to rest.",
    data: { keys: "number" },
  },
  "reflex.key-missing": {
    levels: ["warn"],
    sentence: "A payload has no scalar at the `key` of a reflex: such signals share the key null.",
    data: { key: "any" },
  },
  "reflex.elements-limited": {
    levels: ["warn"],
    sentence: "A payload has more elements at the `each` of a reflex than it looks at: the rest is passed over.",
    data: { each: "string", elements: "number", looked_at: "number" },
  },
  "reflex.silenced": { levels: ["info"], sentence: "A person silenced reflexes.", data: silence },
  "reflex.unsilenced": {
    levels: ["info"],
    sentence: "A silence is over, or a person lifted it.",
    data: silence,
  },

  // ── workflows and runs ───────────────────────────────────────────────
  "workflow.stale": {
    levels: ["warn"],
    sentence: "No run of the workflow has completed for `expect_every`. Logged once, until one completes.",
    data: { expect_every_ms: "number" },
  },
  "workflow.failed": {
    levels: ["error"],
    sentence:
      "The module of a workflow does not load: the message says what and where. Its runs wait as they stand. Mend it: nerve tries it again when its files change, once a minute, and at a reload.",
    data: problem,
  },
  "watchdog.failing": {
    levels: ["warn"],
    sentence: "The watchdog's address did not answer as it should. Further pings that fail have no log.",
    data: null,
  },
  "watchdog.recovered": { levels: ["info"], sentence: "The watchdog's address answers again.", data: null },
  "channel.failing": {
    levels: ["warn"],
    sentence: "A channel did not take a message; what is tried until it takes one again has no log of this kind.",
    data: { channel: "string" },
  },
  "channel.recovered": {
    levels: ["info"],
    sentence: "A channel that failed took a message.",
    data: { channel: "string" },
  },
  "workflow.waiting": {
    levels: ["warn"],
    sentence:
      "A reload changed a workflow, and a step of one of its runs has not ended since; new runs wait for it. `nerve cancel` ends the run, a `timeout` would.",
    data: { runs: "number[]" },
  },
  "run.waiting": {
    levels: ["warn"],
    sentence:
      "A run waits though it could go on: its module does not load, or its history cannot be read. Mend what the message names; nerve tries again by itself, and at a reload.",
    data: null,
  },
  "run.nothing-to-run": {
    levels: ["warn"],
    sentence:
      "An attempt of a run began no step: every step that had failed was dealt with. `nerve retry ID --from-step NAME` does a step anew, and what follows it.",
    data: null,
  },
  "run.long": {
    levels: ["warn"],
    sentence:
      "A run has begun very many steps and sleeps, and answers all of them from its log each time it goes on. Let a sense poll, and a reflex on it start a run.",
    data: { places: "number" },
  },
  "run.corrected": {
    levels: ["error"],
    sentence: "The row of a run was not what its logs say, and was put right from them.",
    data: { run: "number", row: "string | null", log: "string" },
  },
  "run.killed": {
    levels: ["warn"],
    sentence: "A run had ended but had not settled when its worker was killed.",
    data: { run: "number" },
  },
  ...RUN_EVENT_KINDS,
} as const satisfies Readonly<Record<string, EventKind>>;

export type EventName = keyof typeof EVENTS;

export type LevelOf<Name extends EventName> = (typeof EVENTS)[Name]["levels"][number];

/** The events that can be logged at `Level`. */
export type EventAt<Level extends LogLevel> = {
  [Name in EventName]: Level extends LevelOf<Name> ? Name : never;
}[EventName];

/** What the `data` of an event is. */
export type EventData<Name extends EventName> = DataOf<(typeof EVENTS)[Name]["data"]>;
