/**
 * The kernel's one timer. Recurring things follow the wall clock through their calendar; delays count elapsed time,
 * suspend included. It wakes at least once a second, so that a stepped clock is noticed within that time.
 */
import { type Clock, momentOf, STEP_MS, wallAheadMs } from "../../base/clock.ts";
import { Heap } from "../../base/heap.ts";
import type { Alarm } from "../../base/timer.ts";
import { type Calendar, newestDue } from "../../rules/calendar.ts";
import { Delays, type Handle } from "./delays.ts";

export type { Handle } from "./delays.ts";

export interface Recurring {
  readonly calendar: Calendar;
  /** Longest elapsed time between two firings, whatever the wall clock does; null for a cron. */
  readonly atMostEveryMs: number | null;
  /** `dueMs`: the newest due time that has come; `skipped`: how many older ones passed unnoticed. */
  readonly fire: (dueMs: number, skipped: number) => void;
}

interface Entry {
  readonly recurring: Recurring;
  dueWallMs: number;
  firedBootMs: number;
  cancelled: boolean;
}

const LONGEST_SLEEP_MS = 1_000;
/** An alarm that rings so much too late is a pause: of this process, of its whole cgroup, or of its event loop. */
const PAUSE_MS = 250;
/** Looks are taken at multiples of this time. */
const ROUND_MS = 500;
/** Looks are due so long after their round: whatever wakes the kernel at the round takes them along. */
const LAG_MS = 5;
/** A clock set back by less, while nerve runs or while it is down, repeats no cron time. */
export const SET_BACK_MS = 3 * 3_600_000;

export class Ticker {
  readonly #clock: Clock;
  readonly #stepped: (byMs: number) => void;
  #entries = new Heap<Entry>((a, b) => a.dueWallMs < b.dueWallMs);
  readonly #delays = new Delays();
  readonly #looks = new Delays();
  /** How far the wall clock is ahead of the boot clock, as looks take it: small changes move none of them. */
  #roundsAheadMs: number;
  readonly #alarm: Alarm;
  #disarm: (() => void) | null = null;
  #offset: number;
  #running = false;
  #isFiring = false;
  #lastWakeMonotonicMs: number;
  /** When the alarm should ring, and when this process was last seen running, in monotonic milliseconds. */
  #ringsAtMs = Number.POSITIVE_INFINITY;
  #seenAtMs: number;
  #pausedMs = 0;
  /** When the newest pause was over. */
  #wentOnAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, stepped: (byMs: number) => void, alarm: Alarm) {
    this.#clock = clock;
    this.#alarm = alarm;
    this.#stepped = stepped;
    const { wallMs, bootMs } = momentOf(clock);
    this.#offset = wallMs - bootMs;
    this.#roundsAheadMs = this.#offset;
    this.#lastWakeMonotonicMs = clock.monotonicMs();
    this.#seenAtMs = this.#lastWakeMonotonicMs;
  }

  /**
   * Milliseconds that this process has run. Pauses are left out: whoever is stopped together with the kernel is not late,
   * and whoever answers a kernel that does not listen is not silent. A pause is counted up to a second too long, never too
   * short.
   */
  awakeMs(): number {
    return this.#seen() - this.#pausedMs;
  }

  /** The moment `agoMs` ago, on the axis of {@link awakeMs}; the end of the newest pause, where that is later. */
  awakeAt(agoMs: number): number {
    return Math.max(this.#seen() - agoMs, this.#wentOnAtMs) - this.#pausedMs;
  }

  /** Milliseconds of all pauses that were seen so far. */
  get pausedMs(): number {
    return this.#pausedMs;
  }

  /** Monotonic milliseconds. Takes note of a pause, before anything is judged by the time it took. */
  #seen(): number {
    const now = this.#clock.monotonicMs();
    if (now - this.#ringsAtMs > PAUSE_MS) {
      this.#pausedMs += now - this.#seenAtMs;
      this.#ringsAtMs = now;
      this.#wentOnAtMs = now;
    }
    this.#seenAtMs = now;
    return now;
  }

  /** First due strictly after `afterMs`. */
  every(recurring: Recurring, afterMs: number = this.#clock.wallMs()): Handle {
    const due = recurring.calendar.next(afterMs);
    if (due === null) return { cancel() {} };
    const entry: Entry = { recurring, dueWallMs: due, firedBootMs: this.#clock.bootMs(), cancelled: false };
    this.#entries.push(entry);
    if (this.#entries.peek() === entry) this.#arm();
    return {
      cancel() {
        entry.cancelled = true;
      },
    };
  }

  after(delayMs: number, fire: () => void): Handle {
    const due = this.#clock.bootMs() + delayMs;
    const isFirst = due < this.#soonestBootMs;
    const handle = this.#delays.add(due, fire);
    // The alarm rings within a second in any case, and for what was due before.
    if (delayMs < LONGEST_SLEEP_MS && isFirst) this.#arm();
    return handle;
  }

  /** When the first delay or look is due. Infinity where there is none. */
  get #soonestBootMs(): number {
    return Math.min(this.#delays.dueBootMs, this.#looks.dueBootMs);
  }

  /**
   * As `after`, about then: at the half second of the wall clock that is nearest. So all that look again and again do so in
   * the same wakes, and in those of intervals. `delayMs`: half a second at least.
   */
  look(delayMs: number, fire: () => void): Handle {
    const ahead = this.#roundsAheadMs;
    const rounds = Math.round((this.#clock.bootMs() + delayMs + ahead - LAG_MS) / ROUND_MS);
    const due = rounds * ROUND_MS - ahead + LAG_MS;
    const isFirst = due < this.#soonestBootMs;
    const handle = this.#looks.add(due, fire);
    if (isFirst) this.#arm();
    return handle;
  }

  /** As `after`, on the axis of {@link awakeMs}. */
  afterAwake(delayMs: number, fire: () => void): Handle {
    const due = this.awakeMs() + delayMs;
    const look = (): void => {
      const leftMs = due - this.awakeMs();
      if (leftMs > 0) handle = this.after(leftMs, look);
      else fire();
    };
    let handle = this.after(delayMs, look);
    return { cancel: () => handle.cancel() };
  }

  start(): void {
    this.#running = true;
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    this.#disarm?.();
    this.#disarm = null;
    this.#ringsAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    // Who fires what is due arms once, at the end.
    if (!this.#running || this.#isFiring) return;
    this.#disarm?.();
    const entry = this.#entries.peek();
    const due = this.#soonestBootMs;
    // Counted from the last wake: being armed anew, however often, must not put off noticing a step.
    let sleep = this.#lastWakeMonotonicMs + LONGEST_SLEEP_MS - this.#clock.monotonicMs();
    if (entry) sleep = Math.min(sleep, entry.dueWallMs - this.#clock.wallMs());
    if (due < Number.POSITIVE_INFINITY) sleep = Math.min(sleep, due - this.#clock.bootMs());
    // Rounded up: timers fire up to a millisecond early when the delay has a fraction.
    const delayMs = Math.max(0, Math.ceil(sleep));
    this.#ringsAtMs = this.#seen() + delayMs;
    this.#disarm = this.#alarm(delayMs, () => this.#wake());
  }

  #wake(): void {
    this.#disarm = null;
    this.#lastWakeMonotonicMs = this.#seen();
    const wall = this.#clock.wallMs();
    const boot = this.#clock.bootMs();
    const offset = wallAheadMs(this.#clock, wall, this.#offset);
    const step = offset - this.#offset;
    this.#offset = offset;
    if (Math.abs(offset - this.#roundsAheadMs) > LAG_MS) this.#roundsAheadMs = offset;
    this.#isFiring = true;
    try {
      if (Math.abs(step) > STEP_MS) this.#realign(wall, boot, step);
      this.#fireDue(wall, boot);
    } finally {
      this.#isFiring = false;
      this.#arm();
    }
  }

  #fireDue(wall: number, boot: number): void {
    this.#delays.fireDue(boot);
    for (let entry = this.#entries.peek(); entry && entry.dueWallMs <= wall; entry = this.#entries.peek()) {
      this.#entries.pop();
      if (!entry.cancelled) this.#fire(entry, wall, boot);
    }
    // Last, so that nobody who has a due time waits for them.
    this.#looks.fireDue(boot + 2 * LAG_MS);
  }

  #fire(entry: Entry, wall: number, boot: number): void {
    const { calendar, atMostEveryMs, fire } = entry.recurring;
    let due = entry.dueWallMs;
    let skipped = 0;
    let next = calendar.next(due);
    if (atMostEveryMs !== null && next !== null && next <= wall) {
      const behind = Math.floor((wall - due) / atMostEveryMs);
      due += behind * atMostEveryMs;
      skipped = behind;
      next = calendar.next(wall);
    } else if (next !== null && next <= wall) {
      due = newestDue(calendar, due, wall);
      next = calendar.next(wall);
    }
    entry.firedBootMs = boot;
    if (next !== null) {
      entry.dueWallMs = next;
      this.#entries.push(entry);
    }
    fire(due, skipped);
  }

  /** Intervals follow the new wall time at once and wait no longer than one interval in all; a cron time runs once. */
  #realign(wall: number, boot: number, step: number): void {
    const entries = this.#entries;
    this.#entries = new Heap<Entry>((a, b) => a.dueWallMs < b.dueWallMs);
    for (let entry = entries.pop(); entry; entry = entries.pop()) {
      if (entry.cancelled) continue;
      const { calendar, atMostEveryMs } = entry.recurring;
      if (atMostEveryMs !== null) {
        const aligned = calendar.next(wall) ?? wall;
        const latest = wall + Math.max(0, Math.ceil(entry.firedBootMs + atMostEveryMs - boot));
        entry.dueWallMs = Math.min(aligned, latest);
      } else if (step < -SET_BACK_MS) {
        entry.dueWallMs = calendar.next(wall) ?? entry.dueWallMs;
      }
      this.#entries.push(entry);
    }
    this.#stepped(step);
  }
}
