/** The clock of the host, as the page knows it: the browser's own clock may be wrong. Ages and ranges are counted on it. */
import { signal } from "@preact/signals";

/** How far the host's clock is ahead of the browser's, in milliseconds. */
let aheadMs = 0;

/** The zone of the host: every time of the page is told in it. */
export const zone = signal("UTC");
/** The host's time, which moves once a second; stands still while the page is paused. */
export const now = signal(Date.now());
/** A paused page keeps what it shows, ages included. */
export const paused = signal(false);

export const hostNow = (): number => Date.now() + aheadMs;

/** Takes the host's clock over from an answer. */
export function heardClock(at: number): void {
  aheadMs = at - Date.now();
  if (!paused.value && Math.abs(now.peek() - at) > 1_000) now.value = at;
}

const SECOND_MS = 1_000;

export function startClock(): void {
  setInterval(() => {
    if (!paused.value && !document.hidden) now.value = hostNow();
  }, SECOND_MS);
}
