/** A host with much of everything: 200 senses, 10,000 keys of one reflex, runs and incidents by the hundred, a disk that is full. */
import { answer } from "./explained.ts";
import { LIVE, STATUS } from "./live.ts";
import { incident, log, NOW, reflex, run, SECOND, sense, signal } from "./shapes.ts";
import type { World } from "./world.ts";

const numbers = (amount: number): number[] => Array.from({ length: amount }, (_, nth) => nth + 1);
const DAY = 86_400_000;

const senses = numbers(200).map((nth) =>
  sense(`service-with-a-long-name-${nth}`, {
    state: nth % 40 === 0 ? "failed" : nth % 25 === 0 ? "stale" : "ok",
    reason: nth % 40 === 0 ? "the module does not load: Cannot find package 'left-pad'" : null,
    computes: 1_234_567 * nth,
    last: signal(nth, `service-with-a-long-name-${nth}`, NOW - nth * SECOND, { value: nth * 1_000 }),
  }),
);

export const MANY: World = {
  ...LIVE,
  status: {
    ...STATUS,
    kernel: { ...STATUS.kernel, store: "the disk is full: nothing new is started" },
    incidents: { open: 150, acked: 20 },
  },
  senses,
  signals: numbers(400).map((nth) =>
    signal(999_600 + nth, `service-with-a-long-name-${(nth % 200) + 1}`, NOW - (400 - nth) * SECOND, {
      value: nth,
      note: "a long note ".repeat(20),
    }),
  ),
  logs: numbers(400).map((nth) =>
    log(10_000_000 + nth, NOW - (400 - nth) * 700_000, {
      level: nth % 9 === 0 ? "error" : nth % 4 === 0 ? "warn" : "info",
      source: `sense:service-with-a-long-name-${(nth % 200) + 1}`,
      message: `something happened for the ${nth}th time, and the line goes on for a while to see how long lines look`,
    }),
  ),
  runs: numbers(300).map((nth) =>
    run(10_000 + nth, "workflow-with-a-long-name", {
      state: nth % 7 === 0 ? "failed" : "completed",
      reflex: "disk-full",
      key: `/var/lib/containers/${nth}`,
      queued_at: NOW - ((300 - nth) * DAY) / 20,
      started_at: NOW - ((300 - nth) * DAY) / 20 + 5,
      ended_at: NOW - ((300 - nth) * DAY) / 20 + nth * 1_000,
      error: nth % 7 === 0 ? "exit 1" : null,
    }),
  ),
  incidents: numbers(170).map((nth) =>
    incident(nth, {
      key: `/var/lib/containers/${nth}`,
      summary: `/var/lib/containers/${nth} is ${90 + (nth % 10)} % full`,
      state: nth % 9 === 0 ? "acked" : "open",
      acked_by: nth % 9 === 0 ? "root" : null,
      severity: nth % 3 === 0 ? "critical" : "warning",
      opened_at: NOW - nth * 1_800_000,
    }),
  ),
  reflexes: [
    reflex("disk-full", "workflow:note", {
      on: ["disks"],
      words: ["when used_percent ≥ 90", "for 1m"],
      key: "path",
      keys: 10_000,
      pending: 10_000,
      fired: 123_456,
    }),
  ],
  explained: {
    "disk-full": answer("disk-full", {
      strips: numbers(10_000).map((nth) => ({
        key: `/var/lib/containers/${nth}`,
        segments: [{ from: NOW - nth * SECOND, to: null, state: "matching" as const }],
        fired: [],
      })),
    }),
  },
};
