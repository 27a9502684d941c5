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
  },
  senses: LIVE.senses.filter(
    ({ name, state }) => state === "ok" && !["host-health", "self", "queue-depth"].includes(name),
  ),
  logs: LIVE.logs.filter(({ level }) => level === "info").slice(0, 1),
  runs: [],
  incidents: [],
  silences: [],
  reflexes: LIVE.reflexes.map((one) => ({ ...one, pending: 0 })),
  signals: LIVE.signals.filter(({ sense }) => sense !== "host-health"),
};
