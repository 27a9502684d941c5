/**
 * The module of one workflow: where it is, what it is made of, and why it does not load. A module that does not load is
 * looked at again: when its files are others than they were, and once a minute whatever they are, because what it imports
 * may lie elsewhere. Its runs wait meanwhile, as they stand.
 */
import type { Result } from "../../base/result.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

/** How often the files of a broken module are looked at, and how often it is tried though they are the same. */
const LOOK_MS = 2_000;
const LOOKS_A_TRY = 30;

export class Module {
  readonly #find: () => Result<Location, Problem>;
  readonly #ticker: Ticker;
  readonly #mayLoad: () => void;
  #location: Result<Location, Problem>;
  #problem: Problem | null = null;
  #isTried = false;
  #looking: Handle | null = null;

  /** `mayLoad` is called when a broken module may load after all. */
  constructor(
    location: Result<Location, Problem>,
    ticker: Ticker,
    find: () => Result<Location, Problem>,
    mayLoad: () => void,
  ) {
    this.#location = location;
    this.#ticker = ticker;
    this.#find = find;
    this.#mayLoad = mayLoad;
  }

  /** As it was when a worker was last started for it. */
  get location(): Result<Location, Problem> {
    return this.#location;
  }

  /** Digest of its files as a run's logs have it; empty for a built-in workflow. */
  get code(): string {
    return this.#location.ok ? this.#location.value.print.slice(0, 16) : "";
  }

  /** Why it did not load when it was last tried; null: it did, or was never tried. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** It does not load, and nothing says that it would now. */
  get isBroken(): boolean {
    return this.#problem !== null && !this.#isTried;
  }

  /** What the next worker is going to load: it may have been edited since. */
  locate(): Result<Location, Problem> {
    this.#location = this.#find();
    return this.#location;
  }

  /** It does not load. False: that was known. */
  broke(problem: Problem): boolean {
    const isNew = this.#problem === null || formatProblem(problem) !== formatProblem(this.#problem);
    this.#problem = problem;
    this.#isTried = false;
    this.stop();
    this.#look(LOOKS_A_TRY);
    return isNew;
  }

  /** It has loaded. */
  loaded(): void {
    this.stop();
    this.#problem = null;
  }

  /** It is to be tried, whatever is known of it. */
  tryAgain(): void {
    this.stop();
    this.#isTried = true;
  }

  stop(): void {
    this.#looking?.cancel();
    this.#looking = null;
  }

  #look(looksLeft: number): void {
    this.#looking = this.#ticker.after(LOOK_MS, () => {
      if (looksLeft > 1 && isSame(this.#location, this.#find())) return this.#look(looksLeft - 1);
      this.tryAgain();
      this.#mayLoad();
    });
  }
}

const isSame = (was: Result<Location, Problem>, is: Result<Location, Problem>): boolean =>
  was.ok && is.ok ? was.value.print === is.value.print : was.ok === is.ok;
