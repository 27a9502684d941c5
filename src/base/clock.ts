/**
 * Time, injected. `wallMs` is only stored, shown and used to align; every wait is measured on `bootMs`, which counts
 * suspend and never steps, or on `monotonicMs`, which does not count suspend.
 */
import { readFileSync } from "node:fs";

export interface Clock {
  /** Unix milliseconds; steps when someone sets the clock. */
  wallMs(): number;
  /** Milliseconds since some moment in this process's life; never steps, stands still during suspend. */
  monotonicMs(): number;
  /** Milliseconds since the machine booted, suspend included; never steps within a boot. */
  bootMs(): number;
  /** Identifies this boot, so that a stored `bootMs` is only compared within it. */
  readonly bootId: string;
}

/** A difference between wall and boot clock above this is a step, below it is slewing. */
export const STEP_MS = 100;

/** A moment that survives a restart of nerve (boot clock) and of the machine (wall clock). */
export interface Moment {
  readonly bootId: string;
  readonly bootMs: number;
  readonly wallMs: number;
}

/** Two clocks that were looked at within this time were looked at together. The boot clock is no finer. */
const TOGETHER_MS = 10;
/** So often at most. */
const LOOKS = 5;

interface Look<T> {
  readonly value: T;
  /** How long this process was held up meanwhile. */
  readonly heldMs: number;
}

/** On a busy machine much time can pass between two looks at clocks: the pair counts that was looked at together, or nearly. */
function lookTogether<T>(look: () => Look<T>): T {
  let best = look();
  for (let looks = 1; looks < LOOKS && best.heldMs > TOGETHER_MS; looks++) {
    const next = look();
    if (next.heldMs < best.heldMs) best = next;
  }
  return best.value;
}

export const momentOf = (clock: Clock): Moment =>
  lookTogether(() => {
    const bootMs = clock.bootMs();
    const wallMs = clock.wallMs();
    const heldMs = Math.abs(clock.bootMs() - bootMs);
    return { value: { bootId: clock.bootId, bootMs: Math.round(bootMs), wallMs }, heldMs };
  });

/**
 * What the wall clock is ahead of the boot clock by, at `wallMs`, which was just read. `before`: by how much it was ahead
 * before. Where the two seem to differ by a step, both clocks are looked at once more.
 */
export function wallAheadMs(clock: Clock, wallMs: number, before: number): number {
  const ahead = wallMs - clock.bootMs();
  if (Math.abs(ahead - before) <= STEP_MS) return ahead;
  const moment = momentOf(clock);
  return moment.wallMs - moment.bootMs;
}

/** Real milliseconds that have passed since `then`: by the boot clock within one boot, by the wall clock across boots. */
export const elapsedSince = (then: Moment, clock: Clock): number =>
  then.bootId === clock.bootId ? clock.bootMs() - then.bootMs : Math.max(0, clock.wallMs() - then.wallMs);

/**
 * `then` as a moment of this boot. What is of an earlier boot is as old as the wall clock says now, and at least of this very
 * moment. From here on nobody who sets the wall clock makes `then` older or younger.
 */
export function inThisBoot(then: Moment, clock: Clock): Moment {
  if (then.bootId === clock.bootId) return then;
  const { bootId, bootMs, wallMs } = momentOf(clock);
  const agoMs = Math.max(0, wallMs - then.wallMs);
  return { bootId, bootMs: bootMs - agoMs, wallMs: wallMs - agoMs };
}

/** /proc/uptime counts suspend but ticks in hundredths of a second, the monotonic clock is fine but does not: joined here. */
export function systemClock(): Clock {
  const bootAheadMs = (): number =>
    lookTogether(() => {
      const before = performance.now();
      const uptimeMs = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1000;
      return { value: uptimeMs - before, heldMs: performance.now() - before };
    });
  let offset = bootAheadMs();
  let checkedAt = performance.now();
  let wallAhead = Date.now() - checkedAt;
  return {
    wallMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    bootMs() {
      const now = performance.now();
      // The wall clock has parted from the monotonic one: it was set, or the machine has slept and both are right.
      const parted = Math.abs(Date.now() - now - wallAhead) > 50;
      if (parted || now - checkedAt > 500) {
        checkedAt = now;
        wallAhead = Date.now() - now;
        const measured = bootAheadMs();
        if (Math.abs(measured - offset) > 50) offset = measured;
      }
      return now + offset;
    },
    bootId: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
  };
}
