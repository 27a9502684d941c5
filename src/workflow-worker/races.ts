/**
 * Which steps of a run nobody waits for any longer, because a `Promise.race`, `any` or `all` has settled without them. A run
 * that ends beside such a step has forgotten no `await`. What follows from a call of the thread (`then`, `catch`, `finally`,
 * a combinator) is known to follow from it; a promise of the run's own is not looked into, so every step may belong to it.
 */
import { peek } from "bun";
import type { StepCall } from "./arguments.ts";

type Any = Promise<unknown>;

/** What a promise follows from: the promises before it, or the step it is of; null: it is of a sleep. */
const origins = new WeakMap<Any, readonly Any[] | StepCall | null>();

const isPending = (promise: Any): boolean => peek.status(promise) === "pending";

/** A promise of the thread, or what follows from one. Its `then` notes what follows from it. */
export function followed<T>(promise: Promise<T>, origin: readonly Any[] | StepCall | null): Promise<T> {
  origins.set(promise, origin);
  const then = (...listeners: Parameters<Any["then"]>): Any =>
    followed(Promise.prototype.then.apply(promise, listeners) as Any, [promise]);
  // biome-ignore lint/suspicious/noThenProperty: it is a promise before and after
  return Object.defineProperty(promise, "then", { value: then, configurable: true, writable: true });
}

interface Race {
  readonly members: readonly Any[];
  readonly result: Any;
}

/** Settled members of no race are forgotten once there are so many races. */
const MANY = 64;

/** The races of one execution. */
export class Races {
  #races: Race[] = [];
  #pruneAt = MANY;

  add(race: Race): void {
    this.#races.push(race);
    if (this.#races.length < this.#pruneAt) return;
    this.#races = this.#races.filter(({ members }) => members.some(isPending));
    this.#pruneAt = Math.max(MANY, 2 * this.#races.length);
  }

  /** Whether `step`, which is under way, was let go. */
  letGo(step: StepCall): boolean {
    const steps = new Set<StepCall>();
    for (const { members, result } of this.#races) {
      if (isPending(result)) continue;
      for (const member of members) if (!findSteps(member, steps)) return true;
    }
    return steps.has(step);
  }
}

/** Adds the steps that `promise` waits for. False: that cannot be told. */
function findSteps(promise: Any, steps: Set<StepCall>): boolean {
  if (!isPending(promise)) return true;
  const origin = origins.get(promise);
  if (origin === undefined) return false;
  if (origin === null) return true;
  if (!Array.isArray(origin)) {
    steps.add(origin as StepCall);
    return true;
  }
  // What was waited for is there: code of the run's own goes on from it.
  if (!origin.some(isPending)) return false;
  return origin.every((before) => findSteps(before, steps));
}

/** Stands for a member that is no promise, and that nothing is known of. */
const UNKNOWN: Any = new Promise(() => {});

const isThenable = (value: unknown): boolean =>
  typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";

const memberOf = (value: unknown): readonly Any[] =>
  value instanceof Promise ? [value] : isThenable(value) ? [UNKNOWN] : [];

const COMBINATORS = ["race", "any", "all", "allSettled"] as const;

/** From now on the combinators of this process note what they wait for. `racesNow`: of the run whose code is running. */
export function watchRaces(racesNow: () => Races | null): void {
  for (const name of COMBINATORS) {
    const combine = Promise[name] as (this: unknown, values: Iterable<unknown>) => Any;
    const value = function (this: unknown, values: Iterable<unknown>): Any {
      const races = racesNow();
      const result = combine.call(this, values);
      if (races === null || !(Array.isArray(values) || values instanceof Set)) return result;
      const members = [...values].flatMap(memberOf);
      races.add({ members, result });
      return followed(result, members);
    };
    Object.defineProperty(Promise, name, { value, configurable: true, writable: true });
  }
}
