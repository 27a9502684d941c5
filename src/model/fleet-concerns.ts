/** Owns what of a fleet needs a person though its links are up, in words that fit behind the name of what is concerned. Pure. */
import { duration } from "../base/times.ts";
import type { FleetBehind, FleetClock, FleetStatus } from "./fleet-status.ts";
import { roomWords } from "./stream-room.ts";

/** `reason`: what is so. `since`: Unix milliseconds. */
export interface FleetConcern {
  readonly kind: "conflict" | "copied" | "behind" | "filling" | "clock";
  readonly reason: string;
  readonly since: number;
}

function behindWords({ lag_ms, busiest, share }: FleetBehind): string {
  const most = busiest === null ? "" : `; ${share} % of the frames that come are of ${busiest}`;
  return `what comes is ${duration(lag_ms)} behind what others send${most}`;
}

const NAMED = 3;

/** `1h behind` */
export const clockWords = ({ ahead_ms }: Pick<FleetClock, "ahead_ms">): string =>
  `${duration(Math.abs(ahead_ms))} ${ahead_ms < 0 ? "behind" : "ahead"}`;

/** The worst first. */
export function fleetConcerns({
  conflicts,
  copied,
  in: incoming,
  stream,
  clocks,
}: FleetStatus): readonly FleetConcern[] {
  const concerns: FleetConcern[] = [];
  const [first] = conflicts;
  if (first !== undefined) {
    const reason = `two kernels send as ${conflicts.map(({ host }) => host).join(", ")}`;
    concerns.push({ kind: "conflict", reason, since: first.since });
  }
  if (copied !== null) {
    const reason = `another copy of the data of ${copied.host} has sent under its ids`;
    concerns.push({ kind: "copied", reason, since: copied.since });
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
  const [off] = clocks;
  if (off !== undefined) {
    const named = clocks.slice(0, NAMED).map((clock) => `the clock of ${clock.host} is ${clockWords(clock)}`);
    const more = clocks.length > NAMED ? `; and ${clocks.length - NAMED} more` : "";
    concerns.push({ kind: "clock", reason: `${named.join("; ")}${more}`, since: off.since });
  }
  return concerns;
}
