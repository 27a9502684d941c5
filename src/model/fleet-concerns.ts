/** Owns what of a fleet needs a person though its links are up, in words that fit behind the name of what is concerned. Pure. */
import { duration } from "../base/times.ts";
import type { FleetBehind, FleetStatus } from "./fleet-status.ts";
import { roomWords } from "./stream-room.ts";

/** `reason`: what is so. `since`: Unix milliseconds. */
export interface FleetConcern {
  readonly kind: "conflict" | "behind" | "filling";
  readonly reason: string;
  readonly since: number;
}

function behindWords({ lag_ms, busiest, share }: FleetBehind): string {
  const most = busiest === null ? "" : `; ${share} % of the frames that come are of ${busiest}`;
  return `what comes is ${duration(lag_ms)} behind what others send${most}`;
}

/** The worst first. */
export function fleetConcerns({ conflicts, in: incoming, stream }: FleetStatus): readonly FleetConcern[] {
  const concerns: FleetConcern[] = [];
  const [first] = conflicts;
  if (first !== undefined) {
    const reason = `two kernels send as ${conflicts.map(({ host }) => host).join(", ")}`;
    concerns.push({ kind: "conflict", reason, since: first.since });
  }
  const behind = incoming?.behind ?? null;
  if (behind !== null) concerns.push({ kind: "behind", reason: behindWords(behind), since: behind.since });
  const since = stream?.filling_since ?? null;
  if (stream !== null && since !== null)
    concerns.push({
      kind: "filling",
      reason: `the stream ${stream.stream} is ${roomWords(stream, stream.looked_at)}`,
      since,
    });
  return concerns;
}
