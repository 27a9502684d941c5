/** Owns the fleet as `nerve status` shows it: what leaves, what comes, and which hosts are silent. */
import { counted } from "../../base/counted.ts";

import { escapeForTerminal } from "../../base/escape.ts";
import { duration } from "../../base/times.ts";
import { type FleetConcern, fleetConcerns } from "../../model/fleet-concerns.ts";
import type { FleetSide, FleetStatus } from "../../model/fleet-status.ts";
import type { OtlpLink } from "../../model/otlp-status.ts";
import { triesWords } from "../../model/tries.ts";
import { renderLine, type Screen, type Span, type Style, span } from "./terminal.ts";

/** How the state of a link to another machine looks. */
export const LINK_STYLES: Readonly<Record<FleetSide["state"] | OtlpLink["state"], Style | null>> = {
  starting: "dim",
  connected: null,
  offline: "yellow",
  blocked: "red",
  refusing: "red",
};
const NAMED = 5;
const CONCERNS: Readonly<Record<FleetConcern["kind"], string>> = {
  conflict: "one name for two",
  copied: "a copy",
  behind: "behind",
  filling: "nearly full",
  clock: "another time",
};

const ago = (at: number, now: number): string => duration(Math.max(0, Math.floor((now - at) / 1000) * 1000));

function sideSpans(title: string, side: FleetSide, about: string, now: number): Span[] {
  const { state, why, since } = side;
  const is = state === "connected" ? "connected" : `${state} for ${ago(since, now)}`;
  const tries = triesWords(side, now);
  const because = [why === null ? "" : `: ${escapeForTerminal(why)}`, tries === null ? "" : ` (${tries})`].join("");
  return [span(title, LINK_STYLES[state]), span(`: ${is}${because}${about}`)];
}

/** Nothing without `fleet`. */
export function fleetLines(fleet: FleetStatus | null, now: number, screen: Screen): string[] {
  if (fleet === null) return [];
  const { out, in: incoming, origins } = fleet;
  const free: Screen = { ...screen, width: null };
  const lost = out.lost === 0 ? "" : `, ${out.lost} lost`;
  const waits = out.state === "connected" && out.backlog === 0 ? "" : `, ${counted(out.backlog, "id")} to look at`;
  const lines = [sideSpans("fleet, what leaves", out, `, ${out.sent} sent${lost}${waits}`, now)];
  if (incoming !== null) {
    const pending = incoming.pending === null ? "" : `, ${incoming.pending} pending`;
    const hosts = `, ${counted(origins.up, "host")} up, ${origins.silent} silent`;
    const gone = origins.missing === 0 ? "" : `, ${origins.missing} missing`;
    lines.push(sideSpans("fleet, what comes", incoming, `, ${incoming.stored} stored${pending}${hosts}${gone}`, now));
  }
  const silent = origins.silent_hosts.slice(0, NAMED).map(({ host, since }) => `${host} for ${ago(since, now)}`);
  const more = origins.silent > silent.length ? ` and ${origins.silent - silent.length} more` : "";
  if (silent.length > 0) lines.push([span("silent", "red"), span(`: ${silent.join(", ")}${more}`)]);
  for (const { kind, reason, since } of fleetConcerns(fleet))
    lines.push([span(CONCERNS[kind], "red"), span(`: ${escapeForTerminal(reason)}, for ${ago(since, now)}`)]);
  return ["", ...lines.map((spans) => renderLine(spans, free))];
}
