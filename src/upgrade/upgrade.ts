/**
 * Owns an upgrade: another executable takes the place of this one, in steps that a journal follows. Verify and rehearse
 * (nothing is changed yet), stop, back up, swap, start, watch, and back again where that fails. After a kill at any step
 * one whole executable is in place, and the next `nerve upgrade` goes on or goes back.
 */
import { accessSync, constants, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { STORE } from "../backup/layout.ts";
import { takeBackup } from "../backup/take.ts";
import { giveTo, ownerOf } from "../base/owner.ts";
import { ok, type Result } from "../base/result.ts";
import { type Problem, problem as problemOf } from "../model/problem.ts";
import { describe, rehearse, type Setting, verify, whyUnfit } from "./candidate.ts";
import { asideOf, backupOf } from "./data-back.ts";
import { type End, refused } from "./end.ts";
import { type Discard, goBack } from "./go-back.ts";
import { type Build, Home, type Journal } from "./home.ts";
import { noRoomForBackup, stage } from "./room.ts";
import { type Running, runningOn, start } from "./service.ts";
import { holdPlace, StartedAgain } from "./stopped.ts";
import { lastLog, type Patience, WITHIN_MS, watch } from "./watch.ts";

type Ended = Promise<Result<End, readonly Problem[]>>;

/** The result of the trials before anything is changed. */
type Trial = Promise<Result<Extract<End, { readonly kind: "rehearsed" | "same" }>, readonly Problem[]>>;

export interface UpgradeOptions {
  /** The executable that is replaced: this one. */
  readonly executable: string;
  readonly own: Omit<Build, "sha256">;
  readonly config: string;
  readonly data: string;
  readonly patience: Patience;
  /** Reports each step, a line each. */
  tell(line: string): void;
}

export class Upgrade {
  readonly #options: UpgradeOptions;
  readonly #home: Home;
  /** Ends the trials. Null once something is changed. */
  #trial: AbortController | null = null;

  constructor(options: UpgradeOptions) {
    this.#options = options;
    this.#home = new Home(options.executable);
  }

  /** Ends an upgrade that has changed nothing yet. False when something is changed: such an upgrade ends by itself. */
  stop(): boolean {
    this.#trial?.abort();
    return this.#trial !== null;
  }

  /** With `onlyCheck` nothing is changed. */
  async to(file: string, onlyCheck: boolean): Ended {
    const unfit = whyUnfit(file);
    if (unfit !== null) return { ok: false, error: [unfit] };
    return this.#alone(async (journal) => {
      if (journal === null || isOver(journal)) return this.#begin(file, onlyCheck);
      if (onlyCheck)
        return refused("unfinished", `the upgrade to nerve ${journal.to.version} is not finished`, CONTINUE);
      return this.#resume(journal, file);
    });
  }

  back(isDiscardAsked: boolean): Ended {
    return this.#alone(async (known) => {
      if (known === null) return refused("no-upgrade", `no upgrade of ${this.#options.executable} is known`);
      if (known.step === "gone-back") {
        return refused("no-upgrade", `nerve ${known.from.version} is in place already: it was gone back to`);
      }
      if (known.config !== this.#options.config) {
        const hint = `nerve upgrade -c ${known.config} --rollback`;
        return refused("no-upgrade", `the last upgrade of ${this.#options.executable} was with ${known.config}`, hint);
      }
      const { journal, was } = asItRuns(known);
      if (!isOver(journal) && (await this.#isBeforeSwap(journal))) {
        const problems = await this.#goOn(journal, was, "it was ended before the swap");
        if (problems !== null) return { ok: false, error: problems };
        const { from, to } = journal;
        return ok({ kind: "gone-back", from, to, reason: "it was ended before the swap", rung: "as-it-is" });
      }
      const discard = isDiscardAsked ? "asked" : "never";
      return this.#goBack(journal, journal.reason ?? "a person asked for it", was, discard);
    });
  }

  /** Acts under the lock of the executable. */
  async #alone(act: (journal: Journal | null) => Ended): Ended {
    const { executable, config } = this.#options;
    const folder = dirname(executable);
    try {
      accessSync(folder, constants.W_OK);
      const lock = this.#home.enter();
      if (lock === null) return refused("in-use", `another upgrade of ${executable} is under way`);
      try {
        const journal = this.#home.read();
        if (!journal.ok) return { ok: false, error: [journal.error] };
        const other = journal.value !== null && !isOver(journal.value) && journal.value.config !== config;
        if (!other) return await act(journal.value);
        const hint = `finish it first: nerve upgrade -c ${journal.value?.config}`;
        return refused("in-use", `an upgrade of ${executable} with ${journal.value?.config} is not finished`, hint);
      } finally {
        rmSync(this.#home.staged, { force: true });
        lock.release();
      }
    } catch (error) {
      if (error instanceof StartedAgain) return refused("started-again", error.message, "stop whoever starts it");
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined || code.startsWith("ERR_")) throw error;
      const isDenied = code === "EACCES" || code === "EROFS";
      const hint = isDenied ? "run it as who may write there: sudo nerve upgrade …" : this.#howOn();
      return refused("upgrade-failed", message, hint, folder);
    }
  }

  /** After an error of the file system: how to continue an upgrade that has begun. Null where none has begun. */
  #howOn(): string | null {
    try {
      const journal = this.#home.read();
      return journal.ok && journal.value !== null && !isOver(journal.value) ? CONTINUE : null;
    } catch {
      return CONTINUE;
    }
  }

  // ── nothing is changed yet ──────────────────────────────────────────

  async #begin(file: string, onlyCheck: boolean): Ended {
    const { data, own } = this.#options;
    const was = existsSync(data) ? runningOn(data) : null;
    const trial = new AbortController();
    this.#trial = trial;
    try {
      const from: Build = { ...own, sha256: await this.#home.inPlace() };
      const tried = await this.#try(file, from, was, trial.signal);
      if (trial.signal.aborted) return refused("interrupted", "the upgrade was ended before it changed anything");
      if (!tried.ok || tried.value.kind === "same" || onlyCheck) return tried;
      this.#trial = null;
      return await this.#change(from, tried.value.to, was);
    } finally {
      this.#trial = null;
    }
  }

  async #try(file: string, from: Build, was: Running | null, stop: AbortSignal): Trial {
    const { data, config, tell, executable } = this.#options;
    const { staged } = this.#home;
    const roomless = noRoomForBackup(data) ?? stage(this.#home, file);
    if (roomless !== null) return { ok: false, error: [roomless] };
    const verified = await verify(file, staged);
    if (!verified.ok) return verified;
    if (verified.value === from.sha256) return ok({ kind: "same", build: from });
    tell(`${file} is whole`);
    const setting: Setting = { config, data, environment: was?.environment ?? process.env, stop };
    const to = await describe(file, staged, verified.value, setting);
    if (!to.ok) return { ok: false, error: [to.error] };
    const pending = await rehearse(staged, executable, to.value, setting);
    if (!pending.ok) return pending;
    tell(`nerve ${to.value.version} takes the config, and its migrations work on copies: ${listed(pending.value)}`);
    return ok({ kind: "rehearsed", to: to.value, pending: pending.value });
  }

  // ── from here on something is changed ───────────────────────────────

  async #change(from: Build, to: Build, was: Running | null): Ended {
    const { data, config, tell } = this.#options;
    const manager = was?.manager ?? null;
    let journal: Journal = {
      step: "stopping",
      config,
      data,
      from,
      to,
      manager,
      lastLog: 0,
      reason: null,
      rung: "as-it-is",
    };
    this.#home.write(journal);
    const held = await holdPlace(manager, data);
    let problem: Problem | null;
    try {
      journal = { ...journal, lastLog: lastLog(data) ?? 0 };
      if (manager !== null) tell("the daemon has stopped");
      problem = await this.#backUp();
      if (problem === null) this.#swap({ ...journal, step: "backed-up" });
    } finally {
      held?.release();
    }
    if (problem === null) return this.#watch({ ...journal, step: "watching" }, was, "if-unreadable");
    return { ok: false, error: [problem, ...((await this.#goOn(journal, was, problem.message)) ?? [])] };
  }

  async #backUp(): Promise<Problem | null> {
    const { data, own, tell } = this.#options;
    for (const folder of [backupOf(data), asideOf(data)]) rmSync(folder, { recursive: true, force: true });
    if (!existsSync(join(data, STORE))) return null;
    const taken = await takeBackup(data, backupOf(data), own);
    if (!taken.ok) return taken.error;
    giveTo(ownerOf(data), backupOf(data));
    tell(`backed up to ${backupOf(data)}`);
    return null;
  }

  #swap(journal: Journal): void {
    const home = this.#home;
    home.write(journal);
    home.keepPrevious();
    home.write({ ...journal, step: "swapping" });
    home.putInPlace(home.staged);
    home.write({ ...journal, step: "watching" });
    this.#options.tell(`nerve ${journal.to.version} is in place`);
  }

  async #watch(journal: Journal, was: Running | null, discard: Discard): Ended {
    const { from, to, manager, data } = journal;
    const { executable, patience, tell } = this.#options;
    if (manager !== null) {
      const started = await start(manager, executable, data, was);
      const fault = await watch(executable, data, started, journal.lastLog, patience);
      if (fault !== null) return this.#goBack(journal, fault, was, discard);
      tell("the daemon runs and commits");
    }
    this.#home.write({ ...journal, step: "done" });
    return ok({ kind: "upgraded", from, to, isWatched: manager !== null });
  }

  #goBack(journal: Journal, reason: string, was: Running | null, discard: Discard): Ended {
    const { patience, tell } = this.#options;
    return goBack(journal, reason, { home: this.#home, was, discard, patience, tell });
  }

  /** Nothing was swapped: the old daemon goes on, where a daemon ran. Null, or the reason why it does not. */
  async #goOn(journal: Journal, was: Running | null, reason: string): Promise<readonly Problem[] | null> {
    const { executable, data, patience } = this.#options;
    const { manager, from } = journal;
    if (manager !== null && runningOn(data) === null) {
      const started = await start(manager, executable, data, was);
      const longer = { ...patience, withinMs: Math.max(patience.withinMs, WITHIN_MS) };
      const fault = await watch(executable, data, started, lastLog(data) ?? 0, longer);
      if (fault !== null)
        return [problemOf("not-running", `nerve ${from.version} is in place and does not run: ${fault}`)];
    }
    this.#home.write({ ...journal, step: "gone-back", reason });
    return null;
  }

  // ── after a kill ────────────────────────────────────────────────────

  /** True when the old executable is in place, and the new one never was. */
  async #isBeforeSwap(journal: Journal): Promise<boolean> {
    if (journal.step === "stopping" || journal.step === "backed-up") return true;
    return journal.step === "swapping" && (await this.#home.inPlace()) === journal.from.sha256;
  }

  async #resume(known: Journal, file: string): Ended {
    const { tell } = this.#options;
    const { journal, was } = asItRuns(known);
    if (await this.#isBeforeSwap(journal)) {
      tell("an earlier upgrade was ended before the swap: beginning anew");
      const problems = await this.#goOn(journal, was, "it was ended before the swap");
      return problems === null ? this.#begin(file, false) : { ok: false, error: problems };
    }
    if (journal.step === "going-back") return this.#afterTheWayBack(journal, was, file);
    tell(`the upgrade to nerve ${journal.to.version} was ended after the swap: going on`);
    const ended = await this.#watch({ ...journal, step: "watching" }, was, "never");
    if (!ended.ok || ended.value.kind !== "upgraded") return ended;
    const verified = await verify(file, file);
    return verified.ok && verified.value === journal.to.sha256 ? ended : this.#begin(file, false);
  }

  /** Finishes the way back first. Only the old executable goes on with `file`, and this process is that executable. */
  async #afterTheWayBack(journal: Journal, was: Running | null, file: string): Ended {
    const { from, to, reason } = journal;
    if ((await this.#home.inPlace()) !== from.sha256) {
      const message = `the way back from nerve ${to.version} to ${from.version} is not finished`;
      return refused("unfinished", message, "`nerve upgrade --rollback` finishes it");
    }
    this.#options.tell(`an earlier way back to nerve ${from.version} was ended after the swap: it is finished first`);
    const ended = await this.#goBack(journal, reason ?? "it was going back", was, "never");
    return ended.ok ? this.#begin(file, false) : ended;
  }
}

const CONTINUE = "`nerve upgrade` with the same file goes on, `nerve upgrade --rollback` goes back";

/** Somebody else may have started or stopped the daemon since. */
function asItRuns(journal: Journal): { readonly journal: Journal; readonly was: Running | null } {
  const was = existsSync(journal.data) ? runningOn(journal.data) : null;
  return { journal: { ...journal, manager: was?.manager ?? journal.manager }, was };
}

const isOver = ({ step }: Journal): boolean => step === "done" || step === "gone-back" || step === "stuck";

const listed = (pending: readonly string[]): string => (pending.length === 0 ? "there are none" : pending.join(", "));
