/** Owns what `/metrics` says of the links to others: the fleet, the hosts that are heard, and what is sent by OTLP. */

import type { FleetStatus, FleetStream } from "../model/fleet-status.ts";
import { ORIGIN_STATES, type Origin } from "../model/origin.ts";
import type { OtlpStatus } from "../model/otlp-status.ts";
import { family, type Series } from "./text.ts";

/** So many hosts have a series: a hub may have heard any number. */
export const MOST_HOSTS = 5_000;

const isUp = ({ state }: { readonly state: string }): number => (state === "connected" ? 1 : 0);
const only = (value: number): Series[] => [{ labels: {}, value }];

/** None where the configuration has no `fleet`. `origins`: by name. */
export function ofFleet(fleet: FleetStatus | null, origins: readonly Origin[]): string[] {
  if (fleet === null) return [];
  const { out, in: into, stream, clocks } = fleet;
  const up = [{ labels: { direction: "out" }, value: isUp(out) }];
  if (into !== null) up.push({ labels: { direction: "in" }, value: isUp(into) });
  return [
    ...family("nerve_fleet_link_up", "gauge", "1 where the servers of the fleet take or give, else 0.", up),
    ...family(
      "nerve_fleet_signals_waiting",
      "gauge",
      "Ids of signals behind the newest that has left.",
      only(out.backlog),
    ),
    ...family("nerve_fleet_signals_sent_total", "counter", "Signals that have left.", only(out.sent)),
    ...family(
      "nerve_fleet_signals_lost_total",
      "counter",
      "Ids that retention removed before they left.",
      only(out.lost),
    ),
    ...(into === null ? [] : ofReceiving(into, clocks, origins)),
    ...(stream === null ? [] : ofStream(stream)),
  ];
}

const ofStream = ({ bytes, max_bytes, oldest_at }: FleetStream): string[] => [
  ...family("nerve_fleet_stream_bytes", "gauge", "What the stream holds.", only(bytes)),
  ...family(
    "nerve_fleet_stream_limit_bytes",
    "gauge",
    "What the stream may hold.",
    max_bytes === 0 ? [] : only(max_bytes),
  ),
  ...family(
    "nerve_fleet_stream_oldest_timestamp_seconds",
    "gauge",
    "When the oldest frame of the stream was stored.",
    oldest_at === 0 ? [] : only(oldest_at / 1_000),
  ),
];

function ofReceiving(
  { pending, behind, stored }: NonNullable<FleetStatus["in"]>,
  clocks: FleetStatus["clocks"],
  origins: readonly Origin[],
): string[] {
  const sum = (of: "missing" | "gaps" | "late"): Series[] => only(origins.reduce((all, one) => all + one[of], 0));
  const states = ORIGIN_STATES.map(
    (state): Series => ({ labels: { state }, value: origins.filter((one) => one.state === state).length }),
  );
  const heard = origins
    .slice(0, MOST_HOSTS)
    .flatMap(({ host, at }): Series[] => (at === 0 ? [] : [{ labels: { host }, value: at / 1_000 }]));
  const leftOut = Math.max(0, origins.length - MOST_HOSTS);
  return [
    ...family("nerve_fleet_frames_waiting", "gauge", "Frames in the stream.", pending === null ? [] : only(pending)),
    ...family(
      "nerve_fleet_behind_seconds",
      "gauge",
      "How far what comes is behind what others send, where it has not caught up for long; else 0.",
      pending === null ? [] : only((behind?.lag_ms ?? 0) / 1_000),
    ),
    ...family(
      "nerve_fleet_signals_received_total",
      "counter",
      "Signals of other hosts that were stored.",
      only(stored),
    ),
    ...family("nerve_fleet_hosts", "gauge", "Other hosts by state.", states),
    ...family("nerve_fleet_gaps_total", "counter", "How often ids of other hosts were left out.", sum("gaps")),
    ...family("nerve_fleet_signals_missing_total", "counter", "Ids of other hosts that never came.", sum("missing")),
    ...family("nerve_fleet_signals_late_total", "counter", "Signals that were too old on arrival.", sum("late")),
    ...family("nerve_host_last_heard_timestamp_seconds", "gauge", "When something of a host came last.", heard),
    ...family(
      "nerve_host_clock_ahead_seconds",
      "gauge",
      "Of a host whose clock is more than a minute off; less than 0 where it is behind.",
      clocks.map(({ host, ahead_ms }): Series => ({ labels: { host }, value: ahead_ms / 1_000 })),
    ),
    ...family("nerve_hosts_left_out", "gauge", "Hosts beyond the most series.", only(leftOut)),
  ];
}

/** None where the configuration has no `otlp`. */
export function ofOtlp(otlp: OtlpStatus | null): string[] {
  const links = otlp?.links ?? [];
  const each = (of: "backlog" | "sent" | "refused" | "lost"): Series[] =>
    links.map((link) => ({ labels: { kind: link.kind }, value: link[of] }));
  const up = links.map((link) => ({ labels: { kind: link.kind }, value: isUp(link) }));
  const refusing = links.map(({ kind, state }) => ({ labels: { kind }, value: Number(state === "refusing") }));
  return [
    ...family("nerve_otlp_link_up", "gauge", "1 where the receiver takes what is sent, else 0.", up),
    ...family("nerve_otlp_refusing", "gauge", "1 where all of the newest request was refused, else 0.", refusing),
    ...family("nerve_otlp_waiting", "gauge", "Ids that were not looked at yet.", each("backlog")),
    ...family("nerve_otlp_sent_total", "counter", "Numbers, logs or spans that were taken.", each("sent")),
    ...family("nerve_otlp_refused_total", "counter", "What the receiver refused for good.", each("refused")),
    ...family("nerve_otlp_lost_total", "counter", "Ids that retention removed before they were sent.", each("lost")),
  ];
}
