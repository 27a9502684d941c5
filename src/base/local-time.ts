/** Moments as a clock on the wall shows them here. */
const two = (value: number): string => String(value).padStart(2, "0");

/** `2026-11-22`. */
export function localDay(at: number): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** `12:00:01.004`. */
export function localTime(at: number): string {
  const date = new Date(at);
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

export const localMoment = (at: number): string => `${localDay(at)} ${localTime(at)}`;
