/**
 * Elapsed time as it must be: one axis since the store was first used, which no set clock moves, and the moments at which
 * nobody looks at what is due.
 */
import type { Machine } from "../machine.ts";
import { violation } from "./report.ts";

interface Anchor {
  readonly elapsedMs: number;
  readonly moment: { readonly bootId: string; readonly bootMs: number; readonly wallMs: number };
}

/** From `from` to `to` (null: still) no deadline was looked at. `isOpen`: at `from` there was somebody. */
export interface Blind {
  readonly from: number;
  readonly isOpen: boolean;
  to: number | null;
}

const STEP_MS = 100;
/** What acts later than this acts when somebody looks, and not when it was due. */
export const LATE_MS = 1_000;
/** Of rounding. */
const SLACK_MS = 5;
/** What runs too fast or too slow, since somebody looked, is taken for a part of a step. */
const MOST_DRIFT = 0.0005;

export class Axis {
  readonly #machine: Machine;
  #skewMs: number;
  #anchor: Anchor | null = null;
  #clock: { bootMs(): number };
  /** Real time of the newest anchor. */
  #keptAt = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#skewMs = machine.wallMs;
    this.#clock = machine.clock();
  }

  get now(): number {
    return this.#machine.wallMs - this.#skewMs;
  }

  /** Somebody sets the clock while the kernel runs. */
  stepped(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** The machine has slept, and its wall clock has gone `byMs` further than the others: so much is a clock that was set. */
  slept(byMs: number): void {
    if (Math.abs(byMs) > STEP_MS) this.#skewMs += byMs;
  }

  /** A kernel starts on what the store holds. */
  starts(): void {
    const { wallMs, bootId } = this.#machine;
    this.#clock = this.#machine.clock();
    let elapsed = 0;
    if (this.#anchor !== null) {
      const { elapsedMs, moment } = this.#anchor;
      const byWall = wallMs - moment.wallMs;
      const byBoot = Math.round(this.#clock.bootMs()) - moment.bootMs;
      const isSet = moment.bootId === bootId && Math.abs(byWall - byBoot) > STEP_MS;
      elapsed = elapsedMs + Math.max(0, isSet ? byBoot : byWall);
    }
    this.#skewMs = wallMs - elapsed;
  }

  /** The kernel keeps where the axis stands. */
  kept(text: string): void {
    const anchor = JSON.parse(text) as Anchor;
    const skewMs = anchor.moment.wallMs - anchor.elapsedMs;
    const sinceMs = this.#machine.realMs - this.#keptAt;
    this.#keptAt = this.#machine.realMs;
    if (Math.abs(skewMs - this.#skewMs) > SLACK_MS + sinceMs * MOST_DRIFT)
      violation("axis", `elapsed time is ${anchor.elapsedMs}, ${skewMs - this.#skewMs} ms from what it must be`);
    this.#anchor = anchor;
    this.#skewMs = skewMs;
  }
}

/** When a deadline acts, if somebody looks then; null: never. */
export function actsAt(due: number, blinds: readonly Blind[], end: number): number | null {
  const blind = blinds.find(({ from, to, isOpen }) => (isOpen ? due > from : due >= from) && (to === null || due < to));
  if (blind === undefined) return due <= end ? due : null;
  if (blind.to === null || blind.to > end) return null;
  // Where the next blind moment begins at once, nobody looks in between either.
  const { to } = blind;
  return actsWhen(due, to);
}

/** When a deadline acts that somebody looks at at `noticed`, and not before. */
export const actsWhen = (due: number, noticed: number): number => (noticed - due > LATE_MS ? noticed : due);
