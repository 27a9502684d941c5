/** Owns what is sent by OTLP as `nerve status` shows it. */
import { counted } from "../../base/counted.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import { duration } from "../../base/times.ts";
import type { OtlpLink, OtlpStatus } from "../../model/otlp-status.ts";
import { triesWords } from "../../model/tries.ts";
import { LINK_STYLES } from "./fleet-lines.ts";
import { renderLine, type Screen, span } from "./terminal.ts";

/** Nothing without `otlp`. */
export function otlpLines(otlp: OtlpStatus | null, now: number, screen: Screen): string[] {
  if (otlp === null) return [];
  const free: Screen = { ...screen, width: null };
  return [
    "",
    ...otlp.links.map((link) =>
      renderLine([span(`otlp, ${link.kind}`, LINK_STYLES[link.state]), span(about(link, now))], free),
    ),
  ];
}

function about(link: OtlpLink, now: number): string {
  const { state, why, since, backlog, sent, refused, lost } = link;
  const forMs = Math.max(0, Math.floor((now - since) / 1000) * 1000);
  const is =
    state === "starting" ? "nothing answered yet" : state === "connected" ? state : `${state} for ${duration(forMs)}`;
  const tries = triesWords(link, now);
  const because = [why === null ? "" : `: ${escapeForTerminal(why)}`, tries === null ? "" : ` (${tries})`].join("");
  const gone = [refused > 0 ? `, ${refused} refused` : "", lost > 0 ? `, ${lost} lost` : ""].join("");
  const waits = backlog === 0 ? "" : `, ${counted(backlog, "id")} to look at`;
  return `: ${is}${because}, ${sent} sent${gone}${waits}`;
}
