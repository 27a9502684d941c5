/**
 * Owns the module of one workflow: its place, its files, and the reason why it does not load. A module that does not load
 * is tried again when its files have changed, and once a minute in any case, because its imports may lie elsewhere. Its
 * runs wait until then.
 */
import type { Result } from "../../base/result.ts";
import { formatProblem, type Problem } from "../../model/problem.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { Handle, Ticker } from "../time/ticker.ts";

/** The files of a broken module are looked at this often. */
const LOOK_MS = 2_000;
/** Unchanged files are tried again after this many looks. */
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

  /** The place of the module when a worker was last started for it. */
  get location(): Result<Location, Problem> {
    return this.#location;
  }

  /** Digest of the files, as in a run's logs. Empty for a built-in workflow. */
  get code(): string {
    return this.#location.ok ? this.#location.value.print.slice(0, 16) : "";
  }

  /** Why the module did not load at the last try. Null where it loaded, or was never tried. */
  get problem(): Problem | null {
    return this.#problem;
  }

  /** The module does not load, and nothing has changed since. */
  get isBroken(): boolean {
    return this.#problem !== null && !this.#isTried;
  }

  /** Finds the module that the next worker is going to load. The file may have been edited since the last time. */
  locate(): Result<Location, Problem> {
    this.#location = this.#find();
    return this.#location;
  }

  /** Called when the module does not load. Returns false when that was known. */
  broke(problem: Problem): boolean {
    const isNew = this.#problem === null || formatProblem(problem) !== formatProblem(this.#problem);
    this.#problem = problem;
    this.#isTried = false;
    this.stop();
    this.#look(LOOKS_A_TRY);
    return isNew;
  }

  /** Called when the module has loaded. */
  loaded(): void {
    this.stop();
    this.#problem = null;
  }

  /** Lets the next worker try the module, broken or not. */
  tryAgain(): void {
    this.stop();
    this.#isTried = true;
  }

  stop(): void {
    this.#looking?.cancel();
    this.#looking = null;
  }

  #look(looksLeft: number): void {
    this.#looking = this.#ticker.look(LOOK_MS, () => {
      if (looksLeft > 1 && isSame(this.#location, this.#find())) return this.#look(looksLeft - 1);
      this.tryAgain();
      this.#mayLoad();
    });
  }
}

const isSame = (was: Result<Location, Problem>, is: Result<Location, Problem>): boolean =>
  was.ok && is.ok ? was.value.print === is.value.print : was.ok === is.ok;
