/** Owns a notice in words: its title, its lines, and the cut that makes a text fit. */
import { localMoment } from "../base/local-time.ts";
import { oneLine } from "../base/one-line.ts";
import type { BatchNotice, Notice } from "../model/notice.ts";

const STEPS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A duration in at most two units: `3 d 4 h`, `12 min 25 s`. */
export function lasted(ms: number): string {
  let left = Math.max(0, Math.round(ms / 1_000) * 1_000);
  const first = STEPS.findIndex(([, size]) => left >= size);
  if (first < 0) return "less than 1 s";
  const parts = STEPS.slice(first, first + 2).flatMap(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count > 0 ? `${count} ${unit}` : [];
  });
  return parts.join(" ");
}

/** A moment in the host's time zone, to the second, with the zone. */
export function moment(at: number): string {
  const offset = -new Date(at).getTimezoneOffset();
  const two = (value: number): string => String(value).padStart(2, "0");
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${localMoment(at).slice(0, 19)} ${zone}`;
}

/** The first words of a title: `critical`, `critical, reminder`, `resolved`. */
export function stateOf({ notification, severity }: Notice): string {
  if (notification === "resolved") return "resolved";
  if (notification === "reminded") return `${severity}, reminder`;
  return notification === "escalated" ? `${severity}, escalated` : severity;
}

export const MAX_TITLE = 250;

/** The title on one line: `[critical] web1: /srv is 91 % full`. */
export const titleOf = (notice: Notice): string =>
  oneLine(`[${stateOf(notice)}] ${notice.host}: ${notice.summary}`, MAX_TITLE);

/** The parts of the body in their order. Where room is missing, the later parts are cut first. */
export function partsOf(notice: Notice): readonly string[] {
  const facts = notice.facts.map(({ label, value }) => `${label}: ${value}`);
  const lists = notice.lists.map(({ label, lines }) => [`${label}:`, ...lines.map((line) => `  ${line}`)].join("\n"));
  return [facts.join("\n"), ...(notice.text === null ? [] : [notice.text]), ...lists].filter((part) => part !== "");
}

export type Size = (text: string) => number;

/** The count of JavaScript, Slack, Discord and Telegram. */
export const characters: Size = (text) => text.length;
export const bytes: Size = (text) => Buffer.byteLength(text);

/** For a channel in which no character has a meaning of its own. */
export const PLAIN = (text: string): string => text;

const CUT = "…";

/** The way to write a text for a channel, and the channel's limit. */
export interface Fit {
  readonly limit: number;
  readonly size: Size;
  readonly write: (text: string) => string;
}

/** The escaped text, cut between characters so that it fits. A cut text ends with `…`. */
export function fitted(text: string, { limit, size, write }: Fit): string {
  const whole = write(text);
  if (size(whole) <= limit) return whole;
  const most = limit - size(CUT);
  let used = 0;
  let cut = "";
  for (const character of text) {
    const written = write(character);
    used += size(written);
    if (used > most) break;
    cut += written;
  }
  return cut + CUT;
}

/** The body. Its last line, the command, is there for a body of any length. */
export function bodyOf(notice: Notice, fit: Fit): string {
  const { command, batch } = notice;
  const end = command === null ? "" : `\n\n${fit.write(command)}`;
  const room = { ...fit, limit: fit.limit - fit.size(end) };
  const body = partsOf(notice).join("\n\n");
  return (batch === null ? fitted(body, room) : listed(body, batch, room)) + end;
}

/** The line of one notice among others. `told` is what the title says of all of them. */
function lineOf(notice: Notice, told: string | null): string {
  const state = stateOf(notice);
  const { summary, endedAt, since } = notice;
  const took = endedAt === null ? "" : ` (lasted ${lasted(endedAt - since)})`;
  return oneLine(`${state === told ? "" : `${state}: `}${summary}${took}`, MAX_TITLE);
}

/** The lines that fit behind `head`, each whole, and the number of the others. */
function listed(head: string, { items, more }: BatchNotice, { limit, size, write }: Fit): string {
  const states = new Set(items.map(stateOf));
  const told = states.size === 1 ? ([...states][0] ?? null) : null;
  const lines = items.map((notice) => write(lineOf(notice, told)));
  const rest = (shown: number): string => {
    const others = more + lines.length - shown;
    return others === 0 ? "" : write(`\nand ${others} more`);
  };
  const begin = head === "" ? "" : `${write(head)}\n\n`;
  let used = size(begin);
  let shown = 0;
  for (const line of lines) {
    used += size(line) + 1;
    const isLast = shown + 1 === lines.length;
    if (used + (isLast ? size(rest(shown + 1)) : size(rest(0))) > limit) break;
    shown++;
  }
  return `${begin}${lines.slice(0, shown).join("\n")}${rest(shown)}`;
}

/** The notices that a channel with a state for each gets one by one. */
export const eachOf = (notice: Notice): readonly Notice[] => {
  if (notice.batch === null) return [notice];
  const { items, more } = notice.batch;
  return more === 0 ? items : [...items, notice];
};
