/** Nights, each made by a kernel, and what a person asks who is woken in it. */

import type { Message } from "../helpers/kernel-bench.ts";
import { COMPLETED, failedWith, suspendedFor } from "../helpers/runs-bench.ts";
import type { StoryBench } from "../helpers/story-bench.ts";
import { INBOX_NIGHTS } from "./inbox-stories.ts";
import type { Night } from "./night.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const DISK = `senses: { disks: { use: disk-usage } }
reflexes:
  - { sense: disks, interval: 1m }
  - name: disk-full
    workflow: notify
    on: [disks]
    each: mounts
    key: path
    when: { used_percent: number >= 90 }
    clear: { used_percent: number < 80 }
`;
const SUMMARY = '"{{ payload.path }} is {{ payload.used_percent }} % full"';
const NOTIFY = `channels: { team: { webhook: { url: "https://chat.example.org/hook" } } }
workflows: { notify: { with: { to: [team] } } }
`;

const BATCHED = `${DISK}    incident: { summary: ${SUMMARY} }
channels: { team: { webhook: { url: "https://chat.example.org/hook" } } }
workflows: { notify: { with: { to: [team] }, batch: { wait: 10m } } }
`;

/** One disk, and three minutes later another one. */
async function fillTwo(bench: StoryBench, outcome: Message = TOLD): Promise<void> {
  bench.runs("notify", outcome);
  bench.sees("disks", full(96));
  await bench.wait(3 * MINUTE);
  bench.sees("disks", { mounts: [...full(97).mounts, { path: "/srv", used_percent: 91 }] });
  await bench.wait(3 * MINUTE);
}

const full = (used_percent: number) => ({ mounts: [{ path: "/var", used_percent }] });
const TOLD = { ...COMPLETED, output: { told: ["team"], failed: [] } };

export const NIGHTS: readonly Night[] = [
  {
    title: "an incident is open, and people were told",
    config: `${DISK}    for: 2m
    incident: { severity: critical, summary: ${SUMMARY}, remind_every: 4h, escalate: [{ after: 30m, workflow: call }] }
channels: { team: { webhook: { url: "https://chat.example.org/hook" } } }
workflows: { notify: { with: { to: [team] } }, call: { use: notify, with: { to: [team] } } }
`,
    asked: [null, "disk-full"],
    async make(bench) {
      bench.runs("notify", TOLD);
      bench.sees("disks", full(71));
      await bench.wait(2 * HOUR);
      bench.sees("disks", full(93.1));
      await bench.wait(12 * MINUTE);
    },
  },
  {
    title: "an incident flaps, and somebody knows of it",
    config: `${DISK}    incident: { severity: critical, summary: ${SUMMARY}, resolve_after: 10m, remind_every: 1h }
${NOTIFY}`,
    asked: [null],
    async make(bench) {
      bench.runs("notify", TOLD);
      bench.sees("disks", full(96));
      await bench.wait(75 * MINUTE);
      await bench.ack(1, "eva", "the new disk comes at nine");
      for (let flap = 0; flap < 5; flap++) {
        bench.sees("disks", full(71));
        await bench.wait(3 * MINUTE);
        if (flap < 4) bench.sees("disks", full(96));
        await bench.wait(3 * MINUTE);
      }
    },
  },
  {
    title: "a silence, and nerve is stopped",
    config: `${DISK}    incident: { summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null, "disk-full"],
    async make(bench) {
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      await bench.silence("disk-*", 4 * HOUR, "the disks are being moved");
      bench.sees("disks", full(96));
      await bench.wait(30 * MINUTE);
      await bench.stop();
      bench.clock.pass(20 * MINUTE);
    },
  },
  {
    title: "reports wait in a batch",
    config: BATCHED,
    asked: [null],
    make: (bench) => fillTwo(bench),
  },
  {
    title: "one run has reported the batch",
    config: BATCHED,
    asked: [null, "run:2"],
    async make(bench) {
      await fillTwo(bench);
      await bench.wait(10 * MINUTE);
    },
  },
  {
    title: "the run that was to report the batch has failed",
    config: BATCHED,
    asked: ["run:2"],
    async make(bench) {
      await fillTwo(bench, failedWith("no channel took it: channel `team`: 503"));
      await bench.wait(10 * MINUTE);
    },
  },
  {
    title: "an incident waits for the end of the quiet hours",
    config: `quiet_hours: [{ from: "22:00", to: "07:00" }]
${DISK}    incident: { summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null],
    async make(bench) {
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.sees("disks", full(96));
      await bench.wait(HOUR);
    },
  },
  {
    title: "an incident is inhibited by another",
    config: `senses: { disks: { use: disk-usage }, uplink: { use: network-io } }
reflexes:
  - { sense: disks, interval: 1m }
  - { sense: uplink, interval: 1m }
  - { name: host-down, workflow: page, on: [uplink], when: { up: "false" }, incident: { severity: critical, summary: "the uplink is down" } }
  - { name: disk-full, workflow: notify, on: [disks], each: mounts, key: path, when: { used_percent: number >= 90 }, incident: { summary: ${SUMMARY}, inhibited_by: [host-down] } }
channels: { team: { webhook: { url: "https://chat.example.org/hook" } } }
workflows: { notify: { with: { to: [team] } }, page: { use: notify, with: { to: [team] } } }
`,
    asked: [null, "incident:1"],
    async make(bench) {
      bench.runs("page", TOLD);
      bench.sees("uplink", { up: false });
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.sees("disks", full(96));
      await bench.wait(10 * MINUTE);
    },
  },
  {
    title: "a flap in the quiet hours tells nobody",
    config: `quiet_hours: [{ from: "22:00", to: "07:00" }]
${DISK}    incident: { summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null],
    async make(bench) {
      bench.sees("disks", full(71));
      await bench.wait(2 * HOUR);
      bench.sees("disks", full(96));
      await bench.wait(2 * MINUTE);
      bench.sees("disks", full(71));
      await bench.wait(3 * HOUR);
    },
  },
  {
    title: "the backup of the night failed, and nobody listens",
    config: `senses: { memory: }
reflexes:
  - { sense: memory, interval: 1m }
  - { workflow: backup, cron: "30 2 * * *", tz: UTC }
workflows: { backup: { use: exec, with: { command: [rsync, -a, /srv/, /mnt/] }, retry: { limit: 2, interval: 10m } } }
`,
    asked: [null, "backup"],
    async make(bench) {
      bench.sees("memory", { used_percent: 12 });
      bench.runs("backup", failedWith("rsync ended with code 12: No space left on device"));
      await bench.wait(4 * HOUR);
    },
  },
  {
    title: "the backup was killed at its hard limit, and people were told",
    config: `senses: { nerve: }
reflexes:
  - { workflow: backup, cron: "30 2 * * *", tz: UTC }
  - { sense: nerve, interval: 30s }
  - { workflow: tell, on: [nerve], each: failed_runs, key: run }
workflows:
  backup: { timeout: 2h, use: exec, with: { command: [rsync, -a, /srv/, /mnt/] } }
  tell: { use: exec, with: { command: [logger, "{{ payload.workflow }}"] } }
`,
    asked: [null],
    async make(bench) {
      bench.sees("nerve", { failed_runs: [] });
      bench.never("backup");
      await bench.wait(4 * HOUR + 31 * MINUTE);
      const error = bench.store.runs.byId(1)?.error ?? null;
      bench.sees("nerve", { failed_runs: [{ workflow: "backup", run: 1, state: "timed-out", error }] });
      await bench.wait(30_000);
      bench.sees("nerve", { failed_runs: [] });
      await bench.wait(30 * MINUTE);
    },
  },
  {
    title: "a run was dropped, for the queue is full",
    config: `senses: { uploads: { use: exec, with: { command: [ls] } } }
reflexes:
  - { sense: uploads, interval: 1m }
  - { name: each-upload, workflow: convert, on: [uploads], when: { n: number > 0 } }
workflows: { convert: { use: exec, with: { command: [convert] }, max_queue: 2 } }
`,
    asked: [null],
    async make(bench) {
      bench.never("convert");
      bench.sees("uploads", { n: 0 });
      await bench.wait(HOUR);
      bench.sees("uploads", { n: 1 });
      await bench.wait(4 * MINUTE);
      bench.sees("uploads", { n: 0 });
      await bench.wait(10 * MINUTE);
    },
  },
  {
    title: "a sense is quarantined, so its reflex never fires",
    config: `${DISK}    incident: { severity: critical, summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null, "disk-full"],
    async make(bench) {
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.dies("disks");
      await bench.wait(4 * MINUTE);
    },
  },
  {
    title: "a threshold is crossed, and `for` has not ended",
    config: `${DISK}    for: 10m
    incident: { severity: critical, summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null, "disk-full"],
    async make(bench) {
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.sees("disks", full(93.1));
      await bench.wait(4 * MINUTE);
    },
  },
  {
    title: "everything is well",
    config: `${DISK}    incident: { severity: critical, summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null, "disks", "disk-full", "signal:70"],
    async make(bench) {
      bench.runs("notify", TOLD);
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.sees("disks", full(96));
      await bench.wait(20 * MINUTE);
      bench.sees("disks", full(71));
      await bench.wait(3 * HOUR);
    },
  },
  {
    title: "no channel took the report",
    config: `${DISK}    incident: { severity: critical, summary: ${SUMMARY} }
${NOTIFY}`,
    asked: [null, "run:1"],
    async make(bench) {
      const error = "team answered 403 Forbidden";
      const step = { step: "team", nth: 0 };
      bench.runs(
        "notify",
        { type: "step-started", ...step, attempt: 1 },
        {
          type: "step-failed",
          ...step,
          attempt: 1,
          error,
          name: "Error",
          message: error,
          stack: null,
          durationMs: 9,
          retryInMs: null,
        },
        failedWith(`no channel took it: ${error}`),
      );
      bench.sees("disks", full(71));
      await bench.wait(HOUR);
      bench.sees("disks", full(96));
      await bench.wait(10 * MINUTE);
    },
  },
  {
    title: "one channel took the opening, and another one is tried again",
    config: `${DISK}    incident: { summary: ${SUMMARY}, remind_every: 1h }
channels: { team: { slack: "https://chat.example.org/hook" }, phone: { ntfy: "https://ntfy.sh/x" } }
workflows: { notify: { with: { to: [team, phone] } } }
`,
    asked: [null],
    async make(bench) {
      const step = { step: "team", nth: 0, attempt: 1 };
      bench.runs(
        "notify",
        { type: "step-started", ...step },
        { type: "step-completed", ...step, result: { answer: "200" }, durationMs: 9 },
        suspendedFor(HOUR),
      );
      bench.sees("disks", full(96));
      await bench.wait(5 * MINUTE);
    },
  },
  {
    title: "a reflex is throttled, and another is disabled",
    config: `senses: { load: }
reflexes:
  - { sense: load, interval: 1m }
  - { name: high-load, workflow: note, on: [load], when: { load1: number > 8 }, throttle: 1h }
  - { name: odd-load, workflow: note, on: [load], when: { load1: number < 0 } }
workflows: { note: { use: exec, with: { command: [echo, high] } } }
`,
    asked: ["high-load", "odd-load", "load", "note"],
    async make(bench) {
      bench.sees("load", { load1: 9.5 });
      await bench.wait(20 * MINUTE);
      await bench.disable("reflex:odd-load");
      await bench.wait(5 * MINUTE);
    },
  },
  {
    title: "`notify` has no channel",
    config: `${DISK}    incident: { summary: ${SUMMARY} }
workflows: { notify: }
`,
    asked: [null],
    async make(bench) {
      bench.runs("notify", { ...COMPLETED, output: { told: [], failed: [] } });
      bench.sees("disks", full(96));
      await bench.wait(5 * MINUTE);
    },
  },
  {
    title: "a number of the host is bad, and no rule looks at that number",
    config: `senses: { cpu-usage: , health: { use: host-health } }
reflexes:
  - { sense: cpu-usage, interval: 1m }
  - { sense: health, on: [cpu-usage] }
`,
    asked: [null],
    async make(bench) {
      for (const value of [40, 99, 99.5]) {
        const status = value >= 98 ? "critical" : "ok";
        const check = { sense: "cpu-usage", check: "cpu_percent", value, status, warning: 90, critical: 98 };
        bench.sees("cpu-usage", { usage_percent: value });
        bench.sees("health", { host: "vm", status, reasons: [], checks: [check], skipped: [] });
        await bench.wait(MINUTE);
      }
    },
  },
  ...INBOX_NIGHTS,
];
