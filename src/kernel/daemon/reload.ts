/**
 * The configuration in force, and its replacement by what the file says now. One reload at a time: whatever asks during one
 * or right after one gets the next, all together, so that a storm of SIGHUPs costs a few reloads. A bad config is refused
 * and changes nothing.
 */
import { counted } from "../../base/counted.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Secrets } from "../../base/secrets.ts";
import { retentionsOf } from "../../config/defaults.ts";
import { type Fingerprints, namesIn } from "../../config/diff.ts";
import { planReload } from "../../config/reload-plan.ts";
import type { Reloaded } from "../../control/contract.ts";
import type { NerveConfig } from "../../model/config.ts";
import { formatProblem, type Problem, problem } from "../../model/problem.ts";
import type { Locations } from "../../spawn/modules-on-disk.ts";
import type { Voice } from "../commits/voice.ts";
import type { Engine, Modules } from "../engine.ts";
import type { Ticker } from "../time/ticker.ts";
import type { Retention } from "../upkeep/retention.ts";
import type { DaemonWorld, ModuleFinder } from "../world.ts";
import type { Listeners } from "./listeners.ts";

const STOPPING = problem("stopping", "nerve is stopping, the config is no longer re-read");

/** Kinds of problems of a sense whose database found no room at its start. */
const ROOMLESS = new Set(["database-no-space", "database-io"]);

const printsOf = (locations: Locations): Map<string, string> =>
  new Map([...locations].map(([name, found]) => [name, found.ok ? found.value.print : found.error.message]));

const prints = ({ senses, workflows }: Modules): Fingerprints => ({
  sense: printsOf(senses),
  workflow: printsOf(workflows),
});

export const locate = (finder: ModuleFinder, config: NerveConfig): Modules => ({
  senses: finder.senses(config),
  workflows: finder.workflows(config),
});

export interface ReloadParts {
  readonly world: DaemonWorld;
  /** Learns what was filled into each config. */
  readonly secrets: Secrets;
  readonly engine: Engine;
  readonly voice: Voice;
  readonly retention: Retention;
  readonly ticker: Ticker;
  /** The status line for the service manager, once a reload is over. */
  readonly statusLine: () => string;
  readonly isStopping: () => boolean;
  readonly listeners: Pick<Listeners, "configure" | "whyNotListening">;
}

/** From the end of one reload to the beginning of the next: what is asked for meanwhile is one reload. */
const REST_MS = 100;

type InForce = Omit<Reloaded, "failed">;
type Outcome<T> = Result<T, readonly Problem[]>;

export class Reloads {
  readonly #parts: ReloadParts;
  #config: NerveConfig;
  #modules: Modules;
  #underWay: Promise<unknown> = Promise.resolve();
  /** The reload that begins when the present one is over. */
  #next: Promise<Outcome<InForce>> | null = null;
  /** Monotonic milliseconds of the last reload's end. */
  #endedAt = Number.NEGATIVE_INFINITY;

  /** `config` is in force, with the modules as `locate` found them. */
  constructor(config: NerveConfig, modules: Modules, parts: ReloadParts) {
    this.#config = config;
    this.#modules = modules;
    this.#parts = parts;
  }

  /** Re-reads the config. Resolves once the new one is in force and every worker that it restarts has loaded or listens, or has not. */
  async reload(): Promise<Outcome<Reloaded>> {
    this.#next ??= this.#after(async () => {
      await this.#rested();
      this.#next = null;
      return this.#reload();
    });
    const outcome = await this.#next;
    if (!outcome.ok) return outcome;
    // Others may reload meanwhile: a worker that hangs while it loads holds up nobody but who asked.
    const { engine, listeners } = this.#parts;
    const [senses, silent] = await Promise.all([
      engine.whyNotLoaded(outcome.value.groups),
      listeners.whyNotListening(),
    ]);
    return ok({ ...outcome.value, failed: [...senses, ...silent] });
  }

  /** Groups of senses that found no room for their databases start anew: they are not to wait for a reload. */
  startRoomless(): void {
    const { engine } = this.#parts;
    const senses = [...engine.senses.values()].filter(({ problem: found }) => ROOMLESS.has(found?.kind ?? ""));
    const groups = new Set(senses.map(({ config }) => config.group));
    if (groups.size === 0) return;
    void this.#after(() => {
      const asItIs = { config: this.#config, prints: prints(this.#modules) };
      return engine.replace(this.#config, this.#modules, planReload(asItIs, asItIs, groups));
    });
  }

  #after<T>(act: () => Promise<T>): Promise<T> {
    const acted = this.#underWay.then(act);
    this.#underWay = acted.catch(() => {});
    return acted;
  }

  #rested(): Promise<void> {
    const leftMs = this.#endedAt + REST_MS - this.#parts.world.clock.monotonicMs();
    return leftMs <= 0 ? Promise.resolve() : new Promise((resolve) => this.#parts.ticker.after(leftMs, resolve));
  }

  async #reload(): Promise<Outcome<InForce>> {
    const { statusLine } = this.#parts;
    const { notify } = this.#parts.world;
    notify.reloading();
    const outcome = await this.#replaceConfig();
    this.#endedAt = this.#parts.world.clock.monotonicMs();
    notify.send("READY=1", statusLine());
    return outcome;
  }

  async #replaceConfig(): Promise<Outcome<InForce>> {
    const { world, secrets, engine, retention, isStopping } = this.#parts;
    const loaded = world.readConfig();
    if (!loaded.ok) {
      this.#refused(loaded.error);
      return loaded;
    }
    secrets.learn(loaded.value.secrets);
    const modules = locate(world.modules, loaded.value);
    const failed = [...engine.senses.values()].filter((sense) => sense.problem).map((sense) => sense.config.group);
    const before = { config: this.#config, prints: prints(this.#modules) };
    const plan = planReload(before, { config: loaded.value, prints: prints(modules) }, failed);
    const cancelled = await engine.replace(loaded.value, modules, plan);
    if (isStopping()) return err([STOPPING]);
    this.#config = loaded.value;
    this.#modules = modules;
    retention.keepFor(retentionsOf(loaded.value));
    this.#parts.listeners.configure(loaded.value);
    const { reflexes, workflows, settings, needsRestart } = plan.changes;
    const reloaded = {
      groups: [...plan.restart],
      reflexes: [...namesIn(reflexes)],
      workflows: [...namesIn(workflows)],
      settings,
      cancelled_runs: cancelled,
      needs_restart: [...needsRestart],
    };
    this.#reloaded(reloaded);
    return ok(reloaded);
  }

  #refused(problems: readonly Problem[]): void {
    const [first] = problems;
    const more = problems.length > 1 ? ` and ${counted(problems.length - 1, "more problem")}` : "";
    const message = `the config is refused, the old one goes on: ${first ? formatProblem(first) : ""}${more}`;
    this.#parts.voice.error("config.refused", message, null);
  }

  #reloaded({ groups, reflexes, workflows, settings, cancelled_runs, needs_restart }: InForce): void {
    const restart = needs_restart.length === 0 ? "" : `; ${needs_restart.join(", ")} changed, which needs a restart`;
    const runs = cancelled_runs.map((run) => `run ${run}`).join(", ");
    const cancelled = runs === "" ? "" : `; cancelled with their workflow: ${runs}`;
    const set = settings.length === 0 ? "" : `; ${settings.join(", ")} changed`;
    const message = `config reloaded: ${counted(groups.length, "group")} started anew, ${counted(reflexes.length, "reflex", "reflexes")} and ${counted(workflows.length, "workflow")} changed${set}${cancelled}${restart}`;
    if (restart === "") this.#parts.voice.info("config.reloaded", message, null);
    else this.#parts.voice.warn("config.reloaded", message, null);
  }
}
