/**
 * Owns the due times of reflexes, and the rule that no due time is decided twice. Reflexes of one interval and phase share
 * one entry in the ticker.
 */
import type { Clock } from "../../base/clock.ts";
import { DEFAULT_ALIGN, DEFAULT_CATCH_UP_CRON, DEFAULT_CATCH_UP_INTERVAL } from "../../config/defaults.ts";
import type { ClockWords } from "../../model/config.ts";
import { type Calendar, cronCalendar, intervalCalendar, jitterOffset, newestDue } from "../../rules/calendar.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import { type Handle, SET_BACK_MS, type Ticker } from "../time/ticker.ts";
import type { Reflex } from "./reflex.ts";
import { clockRow } from "./reflex-rows.ts";
import type { TimedRuns } from "./timed-runs.ts";

/** Takes the due times of senses. */
export interface DueTimes {
  /** `wallMs`: the present time. */
  due(sense: Sense, dueMs: number, skipped: number, wallMs: number): void;
  dueDurably(sense: Sense, dueMs: number, remember: (draft: Draft) => void, kept: () => void): void;
  dueAtStart(sense: Sense): void;
  dueByWatch(sense: Sense): void;
}

/** Reflexes of one interval and phase. They share one entry in the ticker, and are sent and committed together. */
interface Beat {
  readonly reflexes: Set<Reflex>;
  readonly handle: Handle;
}

export interface ClocksParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly dueTimes: DueTimes;
  readonly timedRuns: TimedRuns;
}

export class Clocks {
  readonly #clock: Clock;
  readonly #ticker: Ticker;
  readonly #ledger: Ledger;
  readonly #dueTimes: DueTimes;
  readonly #timedRuns: TimedRuns;
  readonly #beats = new Map<string, Beat>();

  constructor({ clock, ticker, ledger, dueTimes, timedRuns }: ClocksParts) {
    this.#clock = clock;
    this.#ticker = ticker;
    this.#ledger = ledger;
    this.#dueTimes = dueTimes;
    this.#timedRuns = timedRuns;
  }

  schedule(reflex: Reflex): void {
    const { config } = reflex;
    const now = this.#clock.wallMs();
    if (config.intervalMs !== null) this.#scheduleInterval(reflex, config, config.intervalMs, now);
    if (config.cron === null) return;
    const calendar = cronCalendar(config.cron, config.tz);
    reflex.calendars.push(calendar);
    const { last } = reflex;
    const setBack = last !== null && last > now && last - now <= SET_BACK_MS;
    const fire = (due: number): void => this.#fireByClock(reflex, due);
    reflex.handles.push(this.#ticker.every({ calendar, atMostEveryMs: null, fire }, setBack ? last : now));
    if ((config.catchUp ?? DEFAULT_CATCH_UP_CRON) === "one" && last !== null) {
      this.#catchUp(reflex, calendar, calendar.next(last), now);
    }
  }

  unschedule(reflex: Reflex): void {
    for (const handle of reflex.handles) handle.cancel();
    reflex.handles = [];
    reflex.calendars = [];
    for (const [name, beat] of this.#beats) {
      if (!beat.reflexes.delete(reflex) || beat.reflexes.size > 0) continue;
      beat.handle.cancel();
      this.#beats.delete(name);
    }
  }

  #scheduleInterval(reflex: Reflex, config: ClockWords, intervalMs: number, now: number): void {
    const aligned = config.align ?? DEFAULT_ALIGN;
    const phaseMs = aligned ? jitterOffset(reflex.config.name, config.jitterMs ?? 0) : now % intervalMs;
    const calendar = intervalCalendar(intervalMs, phaseMs);
    reflex.calendars.push(calendar);
    const name = `${intervalMs}+${phaseMs}`;
    const beat = this.#beats.get(name) ?? this.#newBeat(name, intervalMs, phaseMs, now);
    beat.reflexes.add(reflex);
    if ((config.catchUp ?? DEFAULT_CATCH_UP_INTERVAL) === "one" && reflex.last !== null) {
      this.#catchUp(reflex, calendar, reflex.last + intervalMs, now);
    }
  }

  #newBeat(name: string, intervalMs: number, phaseMs: number, now: number): Beat {
    const reflexes = new Set<Reflex>();
    const fire = (due: number, skipped: number): void => {
      const wallMs = this.#clock.wallMs();
      // Most senses are still computing when ticks come faster than computes: what is looked at for each tick is little.
      for (const reflex of reflexes) {
        if (!reflex.enabled) continue;
        const { sense } = reflex;
        if (sense === null) {
          const { config } = reflex;
          if (config.kind === "workflow") this.#timedRuns.due(reflex, config, due, skipped);
          continue;
        }
        // While the store cannot be written nothing is computed, and the entries that wait for the store must not grow with
        // time.
        if (reflex.remembersDue && !this.#ledger.troubled) this.#remember(reflex, due);
        reflex.fired++;
        this.#dueTimes.due(sense, due, skipped, wallMs);
      }
    };
    const calendar = intervalCalendar(intervalMs, phaseMs);
    const handle = this.#ticker.every({ calendar, atMostEveryMs: intervalMs, fire }, now);
    const beat = { reflexes, handle };
    this.#beats.set(name, beat);
    return beat;
  }

  /** Fires once for all due times since `missed`, with the last of them, so that none is left. */
  #catchUp(reflex: Reflex, calendar: Calendar, missed: number | null, now: number): void {
    if (missed !== null && missed <= now) this.#fireByClock(reflex, newestDue(calendar, missed, now));
  }

  #remember(reflex: Reflex, due: number): void {
    this.#ledger.write((draft) => {
      draft.reflex(clockRow(reflex, due));
      draft.afterwards(() => {
        reflex.last = due;
      });
    });
  }

  /** Fires for a cron time, or for a time that is caught up: once for each time. A compute is owed until it is done. */
  #fireByClock(reflex: Reflex, due: number): void {
    if (!reflex.enabled) return;
    if (reflex.config.kind === "workflow") return this.#timedRuns.due(reflex, reflex.config, due, 0);
    if (reflex.sense === null) return;
    reflex.fired++;
    const remember = (draft: Draft): void => draft.reflex(clockRow(reflex, due));
    this.#dueTimes.dueDurably(reflex.sense, due, remember, () => {
      reflex.last = due;
    });
  }

  /** What the sense of the reflex watches has changed. A compute is owed until it is done. */
  ring(reflex: Reflex): void {
    if (!reflex.enabled || reflex.sense === null) return;
    reflex.fired++;
    this.#dueTimes.dueByWatch(reflex.sense);
  }

  fireAtStart(reflex: Reflex): void {
    if (!reflex.enabled) return;
    if (reflex.config.kind === "workflow") return this.#timedRuns.atStart(reflex, reflex.config);
    if (reflex.sense === null) return;
    reflex.fired++;
    this.#dueTimes.dueAtStart(reflex.sense);
  }
}
