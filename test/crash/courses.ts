/**
 * What a reflex can have decided about one key, where a deadline can have acted at several moments: the model of reflexes
 * over the signals of the key, once for each course that time can have taken. Of courses after which the same is remembered
 * the one stays that explains most of what has fired.
 */
import type { Rule } from "../../src/rules/decision.ts";
import {
  type ActsAt,
  expectedDecisions,
  type Happening,
  type Remembered,
  rememberedAt,
} from "../sim/oracle/decisions.ts";
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

export interface Course {
  readonly remembered: Remembered;
  readonly fired: readonly Firing[];
  /** Firings that it has and the log has not, less those that both have. */
  readonly cost: number;
}

/** When each deadline acted that can have acted at several moments, as far as that is chosen. */
type Choices = ReadonlyMap<number, number>;

const nameOf = ({ signal, due }: Firing): string => `${signal} ${due}`;

export class Courses {
  readonly #rule: Rule;
  readonly #known: Known;
  readonly #history: readonly Happening[];
  readonly #end: number;
  readonly #logged: ReadonlySet<string>;
  /** Moments at which a late deadline may have been found, as the log tells. */
  readonly #found: readonly number[];

  /** `signals` are those of the key, in order, up to `end`. */
  constructor(rule: Rule, known: Known, signals: readonly KeySignal[], logged: readonly LoggedFiring[], end: number) {
    this.#rule = rule;
    this.#known = known;
    this.#end = end;
    this.#history = signals.map(({ id, at, matches, clears }) => ({
      kind: "signal",
      id,
      elapsed: at,
      matches,
      clears,
      element: null,
    }));
    this.#logged = new Set(logged.map(nameOf));
    const { debounce } = rule;
    this.#found = logged.flatMap(({ due, lateMs }) => {
      if (due === null) return [];
      const burst = debounce === null ? [] : [due - debounce.waitMs, due - (debounce.maxMs ?? debounce.waitMs)];
      return [due + lateMs, ...burst];
    });
  }

  /** All that are left, the best first. */
  all(): Course[] {
    let open: readonly Choices[] = [new Map()];
    for (;;) {
      const asked = open.map((choices) => ({ choices, due: this.#nextChoice(choices) }));
      const next = Math.min(...asked.map(({ due }) => due));
      if (next === Infinity) break;
      const chosen = asked.flatMap(({ choices, due }) =>
        due > next ? [choices] : this.#timesOf(due).map((time) => new Map(choices).set(due, time)),
      );
      open = this.#bestOf(chosen);
    }
    return open
      .map((choices) => ({
        remembered: this.#remembered(choices, this.#end),
        fired: this.#fired(choices, Infinity),
        cost: this.#cost(choices, Infinity),
      }))
      .sort((a, b) => a.cost - b.cost);
  }

  /** What comes next looks at a deadline that has passed. */
  #timesOf(due: number): number[] {
    const at = this.#history.find(({ elapsed }) => elapsed >= due)?.elapsed ?? this.#end;
    return due > at ? [] : possibleTimes(this.#known, due, [...this.#found, at]).filter((time) => time <= at);
  }

  /** `asks` is called with each deadline that can have acted at several moments, and of which none is chosen. */
  #actsAt(choices: Choices, asks: (due: number) => void): ActsAt {
    return (due) => {
      const times = this.#timesOf(due);
      if (times.length > 1 && !choices.has(due)) asks(due);
      return choices.get(due) ?? times[0] ?? null;
    };
  }

  /** The first deadline of which it is not chosen when it acted: whatever comes before does not depend on it. */
  #nextChoice(choices: Choices): number {
    let next = Infinity;
    const actsAt = this.#actsAt(choices, (due) => {
      next = Math.min(next, due);
    });
    expectedDecisions(this.#rule, this.#history, actsAt);
    return next;
  }

  #bestOf(all: readonly Choices[]): Choices[] {
    const at = Math.min(this.#end, ...all.map((choices) => this.#nextChoice(choices)));
    const best = new Map<string, { readonly choices: Choices; readonly cost: number }>();
    for (const choices of all) {
      const toCome = [...choices].filter(([, time]) => time >= at);
      const name = JSON.stringify([this.#remembered(choices, at - 1), toCome]);
      const cost = this.#cost(choices, at);
      const other = best.get(name);
      if (other === undefined || cost < other.cost) best.set(name, { choices, cost });
    }
    return [...best.values()].map(({ choices }) => choices);
  }

  #remembered(choices: Choices, at: number): Remembered {
    return rememberedAt(
      this.#rule,
      this.#history,
      this.#actsAt(choices, () => {}),
      at,
    );
  }

  #fired(choices: Choices, before: number): Firing[] {
    const decisions = expectedDecisions(
      this.#rule,
      this.#history,
      this.#actsAt(choices, () => {}),
    );
    return decisions.flatMap(({ kind, signal, due, elapsed }) =>
      kind === "fire" && elapsed < before ? [{ signal, due }] : [],
    );
  }

  #cost(choices: Choices, before: number): number {
    return this.#fired(choices, before).reduce((cost, firing) => cost + (this.#logged.has(nameOf(firing)) ? -1 : 1), 0);
  }
}
