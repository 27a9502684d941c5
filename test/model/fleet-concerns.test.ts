/** What of a fleet needs a person though its links are up: each is said with its number, the worst first. */
import { expect, test } from "bun:test";
import { fleetLines } from "../../src/cli/screen/fleet-lines.ts";
import { clockWords, fleetConcerns } from "../../src/model/fleet-concerns.ts";
import type { FleetStatus } from "../../src/model/fleet-status.ts";
import { FLEET } from "../page/world/fleet.ts";

const NOW = 1_800_000_000_000;
const GB = 1024 ** 3;
const incoming = (behind: NonNullable<FleetStatus["in"]>["behind"]): FleetStatus["in"] =>
  FLEET.in === null ? null : { ...FLEET.in, behind };
const WELL: FleetStatus = {
  ...FLEET,
  conflicts: [],
  copied: null,
  in: incoming(null),
  stream: null,
  clocks: [],
  late: [],
};
const STREAM = {
  ...{ stream: "NERVE", bytes: 8.5 * GB, max_bytes: 10 * GB, messages: 9, max_messages: 0, max_age_ms: 0 },
  ...{ oldest_at: NOW - 850_000, newest_at: NOW, percent: 85, full_in_ms: 150_000, looked_at: NOW },
};
const NOT_WELL: FleetStatus = {
  ...WELL,
  conflicts: [{ host: "web2", since: NOW - 5_000, at: NOW }],
  in: incoming({ since: NOW - 4_000, lag_ms: 43_000, busiest: "evil", share: 97 }),
  stream: { ...STREAM, filling_since: NOW - 3_000 },
  clocks: ["a", "b", "c", "d"].map((host) => ({ host, ahead_ms: -3_600_000, since: NOW - 2_000 })),
};

test("a fleet that is well has no concern, and one that is not has each with its number", () => {
  expect(fleetConcerns(WELL)).toEqual([]);
  expect(fleetConcerns({ ...WELL, stream: { ...STREAM, filling_since: null } })).toEqual([]);
  expect(fleetConcerns(NOT_WELL)).toEqual([
    { kind: "conflict", reason: "two kernels send as web2", since: NOW - 5_000 },
    {
      kind: "behind",
      reason: "what comes is 43s behind what others send; 97 % of the frames that come are of evil",
      since: NOW - 4_000,
    },
    {
      kind: "filling",
      reason:
        "the stream NERVE is 85 % full (8.5 GB of 10.0 GB), its oldest frame is 14m 10s old, at this rate full in 2m 30s",
      since: NOW - 3_000,
    },
    {
      kind: "clock",
      reason: "the clock of a is 1h behind; the clock of b is 1h behind; the clock of c is 1h behind; and 1 more",
      since: NOW - 2_000,
    },
  ]);
});

test("a clock is behind or ahead", () => {
  expect([-90_000, 7_200_000].map((ahead_ms) => clockWords({ ahead_ms }))).toEqual(["1m 30s behind", "2h ahead"]);
});

test("each concern is a line of `nerve status`", () => {
  const lines = fleetLines(NOT_WELL, NOW, { terminal: false, colours: false, width: null }).join("\n");
  for (const text of ["two kernels send as web2", "43s behind", "85 % full", "the clock of a is 1h behind"])
    expect(lines).toContain(text);
});
