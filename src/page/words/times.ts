/** How times are written: 24 hours with seconds, in the zone of the host; the date only where the day is another. */
import { now, zone } from "../state/clock.ts";
import { span } from "./numbers.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone.value} ${name}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone.value });
  } catch {
    // A browser that is older than the zone.
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" });
  }
  formats.set(key, made);
  return made;
}

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;

/** `06:28:23`. */
export const clock = (at: number): string => format("clock", TIME).format(at);
/** `06:28:23.001`. */
export const exactClock = (at: number): string =>
  format("exact", { ...TIME, fractionalSecondDigits: 3 })
    .format(at)
    .replace(",", ".");
/** `06:28`. */
export const minute = (at: number): string =>
  format("minute", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
/** `28 Nov`. */
export const day = (at: number): string => format("day", { day: "numeric", month: "short" }).format(at);
/** `Saturday 28 November 2026`. */
export const longDay = (at: number): string =>
  format("long", { weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(at).replace(",", "");

export const sameDay = (one: number, other: number): boolean => longDay(one) === longDay(other);

/** `06:28:23`, on another day than today `27 Nov 06:28:23`. */
export const moment = (at: number): string => (sameDay(at, now.value) ? clock(at) : `${day(at)} ${clock(at)}`);
/** For tables: on another day without seconds, `27 Nov 06:28`. */
export const shortMoment = (at: number): string => (sameDay(at, now.value) ? clock(at) : `${day(at)} ${minute(at)}`);
/** For a `title`: date, time and zone. */
export const whole = (at: number): string => `${longDay(at)}, ${exactClock(at)} ${zone.value}`;

const isoDay = (at: number): string =>
  format("iso", { year: "numeric", month: "2-digit", day: "2-digit" }).format(at).split("/").reverse().join("-");

/** A sentence of the host with its times as this page writes them: without milliseconds, and without the date of today. */
export const withShortTimes = (text: string): string =>
  text.replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)\.\d{3}\b/g, (_, date: string, time: string) =>
    date === isoDay(now.value) ? time : `${date} ${time}`,
  );

const JUST_NOW_MS = 1_500;

/** `now`, `3 s ago`, `in 9 s`. */
export function ago(at: number): string {
  const ms = now.value - at;
  if (Math.abs(ms) < JUST_NOW_MS) return "now";
  return ms > 0 ? `${span(ms)} ago` : `in ${span(-ms)}`;
}

export const left = (until: number): string => span(until - now.value);
export const lasted = (since: number): string => span(now.value - since);
