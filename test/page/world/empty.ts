/** A host on which nothing is configured, and nothing has happened. */
import { LIVE, STATUS } from "./live.ts";
import { NOW } from "./shapes.ts";
import type { World } from "./world.ts";

export const EMPTY: World = {
  ...LIVE,
  status: {
    ...STATUS,
    senses: [],
    reflexes: [],
    workflows: [],
    groups: [],
    incidents: { open: 0, acked: 0 },
    failures: [],
  },
  senses: [],
  signals: [],
  logs: [],
  runs: [],
  incidents: [],
  reflexes: [],
  explained: {},
  silences: [],
  graph: { file: "/etc/nerve/nerve.yaml", nodes: [], edges: [], unbounded: [] },
  store: {
    ...LIVE.store,
    files: [],
    growth_per_day: null,
    signals: { first: null, last: 0, since: null },
    logs: { first: null, last: 0, since: null },
    verify: null,
  },
  config: {},
  waves: {},
};

/** All is well, and has been for three days. */
export const QUIET: World = {
  ...LIVE,
  status: {
    ...STATUS,
    kernel: { ...STATUS.kernel, started_at: NOW - 3 * 86_400_000 },
    failures: [],
    incidents: { open: 0, acked: 0 },
    workflows: [],
  },
  senses: LIVE.senses.filter(
    ({ name, state }) => state === "ok" && !["host-health", "self", "queue-depth"].includes(name),
  ),
  logs: LIVE.logs
    .filter(({ event }) => event === "config.reloaded")
    .slice(0, 1)
    .map((one) => ({ ...one, at: NOW - 93_600_000 })),
  runs: [],
  waves: {
    ...LIVE.waves,
    "cpu-usage usage_percent": {
      wave: (at) => 4 + Math.sin(at / 9_000) * 2 + (at % 47_000 < 1_000 ? 14 : 0),
      everyMs: 1_000,
      unit: "percent",
    },
    "pressure cpu_some_avg60_percent": {
      wave: (at) => 0.6 + Math.sin(at / 90_000) * 0.2,
      everyMs: 10_000,
      unit: "percent",
    },
    "pressure cpu_some_avg10_percent": {
      wave: (at) => 0.6 + Math.sin(at / 40_000) * 0.4,
      everyMs: 10_000,
      unit: "percent",
    },
  },
  incidents: [],
  silences: [],
  reflexes: LIVE.reflexes.map((one) => ({ ...one, pending: 0 })),
  signals: LIVE.signals.filter(({ sense }) => sense !== "host-health"),
};
