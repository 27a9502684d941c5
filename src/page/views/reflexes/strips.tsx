/** What each key of a reflex did in the range: matching, pending, throttled, fired; on its right the state now and its deadline. */
import type { Json } from "../../../base/json.ts";
import type { KeyNow, KeySegment, KeyStanding, ReflexAnswer } from "../../../web/contract-reflexes.ts";
import { Axis } from "../../chart/axis.tsx";
import { place } from "../../chart/ticks.ts";
import { Foreign, KeyChip, StatusMark } from "../../parts/basics.tsx";
import { now } from "../../state/clock.ts";
import { type Range, range } from "../../state/range.ts";
import { span } from "../../words/numbers.ts";
import { type Mark, STANDING_MARKS } from "../../words/states.ts";
import { lasted, left, moment } from "../../words/times.ts";

interface KeyLine {
  readonly id: string;
  readonly key: Json;
  readonly segments: readonly KeySegment[];
  readonly fired: readonly number[];
  readonly now: KeyNow | null;
  /** What keeps it from matching, by its newest decision: `depth 49, needs >= 500`; or the empty string. */
  readonly lacks: string;
}

/** The grave and the waiting first, then as the answer has them. */
const RANK: Readonly<Record<KeyStanding, number>> = {
  incident: 0,
  pending: 1,
  debouncing: 1,
  matching: 2,
  spent: 2,
  throttled: 3,
  disabled: 4,
  rest: 5,
};

/** A throttle that is over is none. */
const quietUntil = (held: KeyNow | null): number | null =>
  held?.throttled_until != null && held.throttled_until > now.value ? held.throttled_until : null;

function standingOf({ segments, now: held }: KeyLine): KeyStanding {
  if (held?.incident != null) return "incident";
  if (held?.for_until != null) return "pending";
  if (held?.debounce_until != null) return "debouncing";
  if (held?.matching === true) return "matching";
  const last = segments.findLast(({ to, state }) => to === null && state !== "throttled");
  if (last !== undefined && last.state !== "rest") return last.state;
  return quietUntil(held) === null ? "rest" : "throttled";
}

const plainText = (value: Json): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

function lacksOf({ decisions }: ReflexAnswer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { newest } of decisions) {
    const id = JSON.stringify(newest.key);
    const [first] = newest.mismatches;
    if (found.has(id)) continue;
    if (newest.outcome !== "no-match" || first === undefined) found.set(id, "");
    else if (first.missing) found.set(id, `${first.path} is not in the payload`);
    else found.set(id, `${first.path} ${plainText(first.value)}, needs ${first.expected.replace(/^number /, "")}`);
  }
  return found;
}

export function keyLines(answer: ReflexAnswer): readonly KeyLine[] {
  const { strips, pending } = answer;
  const lacks = lacksOf(answer);
  const held = new Map(pending.map((key) => [JSON.stringify(key.key), key]));
  const drawn = strips.map((strip): KeyLine => {
    const id = JSON.stringify(strip.key);
    const known = held.get(id) ?? null;
    held.delete(id);
    return { id, ...strip, now: known, lacks: lacks.get(id) ?? "" };
  });
  const others = [...held].map(
    ([id, key]): KeyLine => ({ id, key: key.key, segments: [], fired: [], now: key, lacks: "" }),
  );
  const lines = [...drawn, ...others].map((line, index) => ({ line, index }));
  return lines
    .sort((a, b) => RANK[standingOf(a.line)] - RANK[standingOf(b.line)] || a.index - b.index)
    .map(({ line }) => line);
}

const CLASSES: Readonly<Record<KeyStanding, string | null>> = {
  rest: null,
  matching: "m",
  pending: "p",
  debouncing: "p",
  throttled: "t",
  incident: "m grave",
  spent: "m",
  disabled: "q",
};

const end = (segment: KeySegment, { to }: Range): number => Math.min(segment.to ?? to, to);

function Strip({ line, range: shown }: { readonly line: KeyLine; readonly range: Range }) {
  const { from, to } = shown;
  const inside = line.segments.filter((segment) => end(segment, shown) > from && segment.from < to);
  return (
    <div class="sb">
      <i class="off" />
      {inside.map((segment) => {
        const style = CLASSES[segment.state];
        const begin = Math.max(segment.from, from);
        const long = end(segment, shown) - begin;
        if (style === null) return null;
        const title = `${STANDING_MARKS[segment.state].word} for ${span((segment.to ?? now.value) - segment.from)}, since ${moment(segment.from)}`;
        return (
          <i
            key={`${segment.state} ${segment.from}`}
            class={style}
            title={title}
            style={{ left: place(begin, from, to), width: place(long, 0, to - from) }}
          />
        );
      })}
      {line.fired
        .filter((at) => at >= from && at <= to)
        .map((at) => (
          <i key={at} class="x" title={`fired ${moment(at)}`} style={{ left: place(at, from, to) }} />
        ))}
    </div>
  );
}

/** The one deadline, or the one fact, that belongs to the state. */
function deadlineOf(line: KeyLine): string {
  const { now: held, segments } = line;
  const throttled = quietUntil(held) === null ? "" : ` · quiet until ${moment(quietUntil(held) ?? 0)}`;
  if (held?.for_until != null) return `fires at ${moment(held.for_until)}, in ${left(held.for_until)}`;
  if (held?.debounce_until != null) return `fires at ${moment(held.debounce_until)}, in ${left(held.debounce_until)}`;
  const since = held?.matching_since ?? null;
  if (held?.incident != null)
    return `for ${lasted(held.incident.opened_at)}${held.incident.acked ? ", acked" : ""}${throttled}`;
  if (since !== null) return `for ${lasted(since.at)}, since #${since.signal}${throttled}`;
  const last = segments.findLast(({ to, state }) => to === null && state !== "throttled");
  if (last !== undefined && last.state !== "rest") return `for ${lasted(last.from)}${throttled}`;
  if (throttled !== "") return throttled.slice(" · ".length);
  const counted = held?.counted ?? 0;
  return counted > 0 ? `counted ${counted} so far` : line.lacks;
}

export function markOf(line: KeyLine): Mark {
  const standing = standingOf(line);
  const mark = STANDING_MARKS[standing];
  // Two bars beside `matching`: it matches, and says nothing for a while.
  return standing === "matching" && quietUntil(line.now) !== null ? { ...mark, icon: "gate" } : mark;
}

/** So many keys are drawn; the filter finds the others. */
export const MOST_KEYS = 40;

export function Strips({ lines, foot }: { readonly lines: readonly KeyLine[]; readonly foot: boolean }) {
  const shown = range.value;
  return (
    <div class="strip">
      {lines.slice(0, MOST_KEYS).map((line) => (
        <div class="sr" key={line.id}>
          <div class="l">
            <KeyChip value={line.key} />
          </div>
          <Strip line={line} range={shown} />
          <div class="v">
            <StatusMark mark={markOf(line)} />
            <div class="s tr" title={deadlineOf(line)}>
              <Foreign text={deadlineOf(line)} />
            </div>
          </div>
        </div>
      ))}
      {lines.length > MOST_KEYS ? (
        <div class="sr s">{lines.length - MOST_KEYS} more keys: filter by key to see them</div>
      ) : null}
      {foot ? (
        <div class="sr ax">
          <div class="l s">per key, {shown.label}</div>
          <Axis from={shown.from} to={shown.to} live={shown.live} />
          <div class="v" />
        </div>
      ) : null}
    </div>
  );
}
