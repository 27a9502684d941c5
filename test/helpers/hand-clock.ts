/** Time that passes when a test says so, and an alarm that rings in it. */
import type { Clock } from "../../src/base/clock.ts";
import type { Alarm } from "../../src/base/timer.ts";

export class HandClock implements Clock {
  bootId = "boot-1";
  #wall: number;
  #boot = 1_000_000;
  #monotonic = 0;
  #pending: { readonly at: number; readonly fire: () => void } | null = null;
  /** How often the alarm rang. */
  rings = 0;
  #held: { looks: number; readonly ms: number } | null = null;

  constructor(wall = Date.UTC(2025, 0, 1)) {
    this.#wall = wall;
  }

  wallMs = (): number => this.#look(this.#wall);
  bootMs = (): number => this.#look(this.#boot);
  monotonicMs = (): number => this.#monotonic;

  /** This process is held up for `ms` behind the look at a clock that comes after `looks` others. */
  holdUp(looks: number, ms: number): void {
    this.#held = { looks, ms };
  }

  #look(shown: number): number {
    if (this.#held !== null && this.#held.looks-- === 0) {
      const { ms } = this.#held;
      this.#held = null;
      this.freeze(ms);
    }
    return shown;
  }

  /** As a timer would: rings in the order of time, however far `ms` goes. */
  pass(ms: number): void {
    const end = this.#monotonic + ms;
    while (this.#pending && this.#pending.at <= end) {
      const { at, fire } = this.#pending;
      this.#pending = null;
      this.#move(Math.max(0, at - this.#monotonic));
      this.rings++;
      fire();
    }
    this.#move(end - this.#monotonic);
  }

  #move(ms: number): void {
    this.#monotonic += ms;
    this.#boot += ms;
    this.#wall += ms;
  }

  /** This process is stopped, or its event loop is blocked: time passes, and no alarm rings before it goes on. */
  freeze(ms: number): void {
    this.#move(ms);
  }

  /** Someone sets the wall clock. */
  step(ms: number): void {
    this.#wall += ms;
  }

  /** The machine sleeps: timers stand still. */
  suspend(ms: number): void {
    this.#wall += ms;
    this.#boot += ms;
  }

  /** The machine goes down and comes up: another boot clock, the wall clock goes on. */
  reboot(ms: number): void {
    this.bootId = `${this.bootId}'`;
    this.#boot = 5_000;
    this.#wall += ms;
  }

  readonly alarm: Alarm = (delayMs, fire) => {
    const mine = { at: this.#monotonic + delayMs, fire };
    this.#pending = mine;
    return () => {
      if (this.#pending === mine) this.#pending = null;
    };
  };
}
