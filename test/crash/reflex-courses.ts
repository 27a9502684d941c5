/**
 * What a reflex can have decided about one key: the rules over the signals of the key, once for each course that time
 * can have taken. Of courses that lead to the same state the one stays that explains most of what has fired.
 */

import type { Decision, Rule } from "../../src/rules/decision.ts";
import { type KeyState, REST } from "../../src/rules/key-state.ts";
import { deadlineOf, decide } from "../../src/rules/rule.ts";
import { type Known, possibleTimes } from "./possible-times.ts";

export interface KeySignal {
  readonly id: number;
  readonly at: number;
  readonly matches: boolean;
  readonly clears: boolean;
}

export interface Firing {
  readonly signal: number;
  /** Unix milliseconds of the deadline that led to it, or null. */
  readonly due: number | null;
}

/** A firing as the log has it. */
export interface LoggedFiring extends Firing {
  readonly lateMs: number;
}

interface Fired extends Firing {
  readonly before: Fired | null;
}

export interface Course {
  readonly state: KeyState;
  readonly fired: readonly Firing[];
  /** Firings that it has and the log has not, less those that both have. */
  readonly cost: number;
}

interface Open {
  readonly state: KeyState;
  readonly newest: Fired | null;
  readonly cost: number;
}

/** Without a throttle that is over by `at`. */
export const stillValid = (state: KeyState, at: number): KeyState =>
  (state.throttledUntil ?? 0) <= at ? { ...state, throttledUntil: null } : state;

const nameOf = ({ signal, due }: Firing): string => `${signal} ${due}`;

export class Courses {
  readonly #rule: Rule;
  readonly #known: Known;
  readonly #logged: ReadonlySet<string>;
  /** Moments at which a late deadline may have been found, as the log tells. */
  readonly #found: readonly number[];
  #open: readonly Open[] = [{ state: REST, newest: null, cost: 0 }];

  constructor(rule: Rule, known: Known, logged: readonly LoggedFiring[]) {
    this.#rule = rule;
    this.#known = known;
    this.#logged = new Set(logged.map(nameOf));
    const { debounce } = rule;
    this.#found = logged.flatMap(({ due, lateMs }) => {
      if (due === null) return [];
      const burst = debounce === null ? [] : [due - debounce.waitMs, due - (debounce.maxMs ?? debounce.waitMs)];
      return [due + lateMs, ...burst];
    });
  }

  take({ id, at, matches, clears }: KeySignal): void {
    this.pass(at);
    const event = { kind: "signal", id, elapsed: at, matches, clears, element: null } as const;
    this.#keep(
      this.#open.map((open) => this.#apply(open, decide(this.#rule, open.state, event))),
      at,
    );
  }

  /** Every deadline up to `at` acts. */
  pass(at: number): void {
    const done: Open[] = [];
    let pending = this.#open;
    while (pending.length > 0) {
      pending = pending.flatMap((open) => {
        const due = deadlineOf(this.#rule, open.state);
        if (due === null || due > at) {
          done.push(open);
          return [];
        }
        const times = possibleTimes(this.#known, due, [...this.#found, at]).filter((time) => time <= at);
        return times.map((elapsed) => this.#apply(open, decide(this.#rule, open.state, { kind: "time", elapsed })));
      });
    }
    this.#keep(done, at);
  }

  /** All that are left, the best first. */
  end(): Course[] {
    return this.#open
      .map(({ state, newest, cost }) => {
        const fired: Firing[] = [];
        for (let one = newest; one !== null; one = one.before) fired.unshift({ signal: one.signal, due: one.due });
        return { state, fired, cost };
      })
      .sort((a, b) => a.cost - b.cost);
  }

  #apply(open: Open, { state, decisions }: { state: KeyState; decisions: readonly Decision[] }): Open {
    let { newest, cost } = open;
    for (const { kind, signal, due } of decisions) {
      if (kind === "throttled") continue;
      newest = { signal, due, before: newest };
      cost += this.#logged.has(nameOf(newest)) ? -1 : 1;
    }
    return { state, newest, cost };
  }

  #keep(open: readonly Open[], at: number): void {
    const best = new Map<string, Open>();
    for (const one of open) {
      const name = JSON.stringify(stillValid(one.state, at));
      const other = best.get(name);
      if (other === undefined || one.cost < other.cost) best.set(name, one);
    }
    this.#open = [...best.values()];
  }
}
