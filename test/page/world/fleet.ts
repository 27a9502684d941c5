/** A hub that is cut off from its fleet's servers, and has heard 15 hosts, two of which are silent. */
import type { FleetStatus } from "../../../src/model/fleet-status.ts";
import type { OtlpStatus } from "../../../src/model/otlp-status.ts";
import { NO_TRIES } from "../../../src/model/tries.ts";
import type { HostRow } from "../../../src/web/contract-host.ts";
import { LIVE, STATUS } from "./live.ts";
import { NOW, signal } from "./shapes.ts";
import type { World } from "./world.ts";

const WHY = "no server of `fleet` can be reached: connection refused";

const TRIES = { last_try: NOW - 12_000, next_try: NOW + 17_000 };

const BEHIND = { since: NOW - 90_000, lag_ms: 36_000, busiest: "web1", share: 97 };

export const FLEET: FleetStatus = {
  host: "hub",
  servers: ["tls://nats1.example:4222"],
  out: {
    state: "offline",
    why: WHY,
    since: NOW - 240_000,
    ...TRIES,
    upto: 3_000,
    backlog: 1_204,
    sent: 3_000,
    lost: 0,
  },
  in: {
    state: "connected",
    why: null,
    since: NOW - 3_600_000,
    ...NO_TRIES,
    pending: 1,
    behind: BEHIND,
    stored: 90_210,
  },
  stream: null,
  clocks: [{ host: "web3", ahead_ms: -3_600_000, since: NOW - 90_000 }],
  late: [{ host: "web4", since: NOW - 90_000, at: NOW - 4_000 }],
  conflicts: [{ host: "web2", since: NOW - 90_000, at: NOW - 4_000 }],
  copied: null,
  origins: { up: 13, silent: 2, missing: 12, late: 0, silent_hosts: [] },
};

const REFUSED = "it answered 400 on /v1/metrics: no such tenant";

export const OTLP: OtlpStatus = {
  address: "https://otel.example",
  links: [
    {
      ...{ kind: "signals", state: "refusing", why: REFUSED, since: NOW - 600_000 },
      ...{ last_try: NOW - 4_000, next_try: null, upto: 3_000, backlog: 0, sent: 0, refused: 1_288, lost: 0 },
    },
    {
      ...{ kind: "logs", state: "connected", why: null, since: NOW - 600_000 },
      ...{ ...NO_TRIES, upto: 900, backlog: 0, sent: 80, refused: 0, lost: 0 },
    },
  ],
};

export const hostRow = (host: string, state: HostRow["state"], heard: number | null, missing: number): HostRow => ({
  ...{ host, state, since: NOW - 60_000, last_heard: heard, epoch: "e", upto: 900, signals: 880 },
  ...{ gaps: missing > 0 ? 1 : 0, missing, late: 0 },
});

export const FLEETED: World = {
  ...LIVE,
  status: {
    ...STATUS,
    listeners: [
      ...STATUS.listeners,
      { name: "fleet", address: "tls://nats1.example:4222", state: "failed", reason: WHY, since: NOW - 240_000 },
    ],
    fleet: FLEET,
    otlp: OTLP,
  },
  signals: [...LIVE.signals, signal(9_000, "load", NOW - 2_000, { load1: 3 }, { origin: "web1", origin_id: 880 })],
  hosts: [
    hostRow("a-host-with-a-long-name-in-the-basement-of-the-old-building-2", "silent", NOW - 120_000, 12),
    hostRow("never-heard", "silent", null, 0),
    ...Array.from({ length: 13 }, (_, nth) => hostRow(`web${nth + 1}`, "up", NOW - 4_000, 0)),
  ],
};
