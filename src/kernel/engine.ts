/**
 * Senses, reflexes, groups and workflows brought together: which there are under a configuration and the next, and what
 * a due time leads to. What a group asks is in `computes.ts`, what follows from a signal in `reflexes/`, what a person
 * asks in `requests.ts`. Invariant kept here: memory follows the commit. Strikes and quarantines alone are taken note of
 * at once: they only ever hold something back.
 */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { err } from "../base/result.ts";
import { traceIds } from "../base/trace-id.ts";
import { planStart, type ReloadPlan } from "../config/reload-plan.ts";
import type { NerveConfig } from "../model/config.ts";
import { about, type Problem, problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import type { Locations } from "../spawn/modules-on-disk.ts";
import { SENSE_WORKER_ROLE, WORKFLOW_WORKER_ROLE } from "../spawn/own-image.ts";
import { type PeerFiles, peerFiles } from "../spawn/peer-files.ts";
import type { Spawn, WorkerCommand } from "../spawn/worker-process.ts";
import type { Store } from "../store/open.ts";
import type { Owed, SenseState } from "../store/sense-state.ts";
import type { Draft } from "./commits/draft.ts";
import type { Journal } from "./commits/journal.ts";
import type { Ledger } from "./commits/ledger.ts";
import { Sense } from "./memory/sense.ts";
import type { DueTimes } from "./reflexes/clocks.ts";
import { Firings } from "./reflexes/firings.ts";
import { Reflexes } from "./reflexes/reflexes.ts";
import { Silences } from "./reflexes/silences.ts";
import { Requests } from "./requests.ts";
import { Workflows } from "./runs/workflows.ts";
import { Computes } from "./senses/computes.ts";
import { Group } from "./senses/group.ts";
import { Quarantines } from "./senses/quarantines.ts";
import { Throttles } from "./senses/throttles.ts";
import type { Lifetime } from "./time/lifetime.ts";
import type { Ticker } from "./time/ticker.ts";

export interface EngineParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  /** Whether there is room for anything new. */
  readonly space: { readonly low: boolean };
  readonly data: string;
  readonly command: (role: string) => WorkerCommand;
  /** How a worker is started. */
  readonly spawn: Spawn;
  readonly lifetime: Lifetime;
  /** Each signal after its commit. */
  readonly onSignal: (signal: Signal) => void;
}

/** Where the modules are, by the names that use them. */
export interface Modules {
  readonly senses: Locations;
  readonly workflows: Locations;
}

export class Engine implements DueTimes {
  readonly clock: Clock;
  readonly senses = new Map<string, Sense>();
  readonly groups = new Map<string, Group>();
  readonly reflexes: Reflexes;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly requests: Requests;
  readonly #computes: Computes;
  readonly #throttles: Throttles;
  readonly #quarantines: Quarantines;
  readonly #journal: Journal;
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #parts: EngineParts;
  readonly #newTrace = traceIds();
  #generation = 0;
  #stopping = false;

  constructor(parts: EngineParts) {
    this.clock = parts.clock;
    this.#journal = parts.journal;
    this.#ledger = parts.ledger;
    this.#store = parts.store;
    this.#parts = parts;
    const { senses } = this;
    const wake = (sense: Sense): void => this.#wake(sense);
    const workers = { spawn: parts.spawn, nextGeneration: () => ++this.#generation, isHeld: () => this.#isHeld };
    const { clock, ticker, ledger, journal, store, lifetime } = parts;
    this.workflows = new Workflows({
      ...parts,
      ...workers,
      command: () => parts.command(WORKFLOW_WORKER_ROLE),
      peers: () => this.#peers(),
      blobs: join(parts.data, "blobs"),
      // With a dot, which is in no name: no group can be called so.
      lockOf: (workflow) => join(parts.data, "locks", `workflow.${workflow}.lock`),
    });
    this.silences = new Silences({ ledger, lifetime, journal, store });
    const firings = new Firings({ lifetime, journal, store, workflows: this.workflows, silences: this.silences, wake });
    this.reflexes = new Reflexes({
      clock,
      ticker,
      ledger,
      lifetime,
      journal,
      store,
      firings,
      silences: this.silences,
      dueTimes: this,
    });
    this.#throttles = new Throttles(parts.clock, parts.ticker, wake);
    this.#quarantines = new Quarantines({
      ...parts,
      isCurrent: (sense) => senses.get(sense.name) === sense,
      cancel: (sense) => this.#cancel(sense, "is quarantined"),
      released: (sense) => this.#released(sense),
    });
    this.#computes = new Computes({
      ...parts,
      ...workers,
      command: () => parts.command(SENSE_WORKER_ROLE),
      senses,
      throttles: this.#throttles,
      quarantines: this.#quarantines,
      reflexes: this.reflexes,
    });
    this.requests = new Requests({
      ...parts,
      senses,
      reflexes: this.reflexes,
      quarantines: this.#quarantines,
      owedByHand: () => this.#trigger("manual", this.clock.wallMs()),
      wake,
      cancel: (sense, why) => this.#cancel(sense, why),
    });
  }

  // ── configuration ────────────────────────────────────────────────────

  /** First configuration: state comes from the store; every group starts. */
  load(config: NerveConfig, { senses: locations, workflows }: Modules): void {
    const states = new Map(this.#store.senses.all().map((state) => [state.sense, state]));
    const disabled = new Set<string>(this.#store.switches.disabled());
    for (const name of config.senses.keys()) {
      const sense = this.#newSense(config, locations, name);
      const state = states.get(name);
      if (state) this.#restore(sense, state);
      this.#computes.lost(sense);
      sense.enabled = !disabled.has(`sense:${name}`);
      this.senses.set(name, sense);
    }
    this.#cancelOfRemoved(
      [...states.values()].filter((state) => state.owed && !this.senses.has(state.sense)).map((state) => state.sense),
    );
    for (const sense of this.senses.values()) this.#group(config, sense.config.group).seats.set(sense.name, sense);
    for (const sense of this.senses.values()) this.#quarantines.arm(sense);
    this.reflexes.load(config, this.senses, disabled, planStart(config));
    for (const group of this.groups.values()) group.start();
    this.workflows.load(config, workflows);
  }

  #restore(sense: Sense, state: SenseState): void {
    sense.restore(state);
    if (state.damaged.length === 0) return;
    const store = this.#store;
    this.#ledger.write(() => {
      for (const column of state.damaged) store.senses.empty(sense.name, column);
    });
    const message = `what was kept of it cannot be read (table sense_state, ${state.damaged.join(", ")}) and is taken for nothing`;
    const columns = [...state.damaged];
    this.#journal.of(`sense:${sense.name}`).error("sense.state-damaged", message, { columns });
  }

  #newSense(config: NerveConfig, locations: Locations, name: string): Sense {
    const entry = config.senses.get(name);
    const location = locations.get(name);
    if (entry === undefined || location === undefined) throw new Error(`sense ${name} is not configured`);
    const damage = this.#store.senses.problemOf(name);
    const whole = damage === null ? location : err(damage);
    const sense = whole.ok ? new Sense(entry, whole.value, null) : new Sense(entry, null, whole.error);
    if (sense.problem) this.#journal.logProblem(`sense:${name}`, "sense.failed", sense.problem);
    return sense;
  }

  #group(config: NerveConfig, name: string): Group {
    const known = this.groups.get(name);
    if (known) return known;
    const group = new Group(config.groups.get(name) ?? { name, memoryBytes: null }, this.#computes);
    this.groups.set(name, group);
    return group;
  }

  /**
   * Another configuration, by the plan of the reload: groups that restart finish their computes first. Resolves when the
   * configuration is in force, with the ids of the runs it cancels.
   */
  async replace(config: NerveConfig, modules: Modules, plan: ReloadPlan): Promise<readonly number[]> {
    const { restart: groups } = plan;
    const locations = modules.senses;
    await Promise.all([...groups].map((name) => this.groups.get(name)?.retire()));
    // What is still to be committed speaks of the senses as they were. A store in trouble is waited for: a worker
    // started before that would be told of outbox rows, and a sense of decisions, as if they had never been taken.
    while (!this.#ledger.flush()) await this.#ledger.committed();
    if (this.#stopping) return [];
    const before = new Map(this.senses);
    this.senses.clear();
    for (const name of config.senses.keys()) {
      const known = before.get(name);
      if (known && plan.keepSenses.has(name)) {
        this.senses.set(name, known);
        continue;
      }
      const sense = this.#newSense(config, locations, name);
      if (known) sense.inherit(known);
      this.#quarantines.arm(sense);
      this.senses.set(name, sense);
    }
    const removed = [...before.values()].filter((sense) => !this.senses.has(sense.name));
    this.#cancelOfRemoved(removed.filter((sense) => sense.owed).map((sense) => sense.name));
    for (const name of groups) {
      this.groups.get(name)?.seats.clear();
      if (!config.groups.has(name)) this.groups.delete(name);
    }
    for (const sense of this.senses.values()) {
      const group = this.#group(config, sense.config.group);
      group.config = config.groups.get(group.name) ?? group.config;
      group.seats.set(sense.name, sense);
    }
    this.reflexes.load(config, this.senses, new Set<string>(this.#store.switches.disabled()), plan.reflexes);
    for (const group of this.groups.values()) {
      if (groups.has(group.name) || group.pid === null) group.start();
      else if (plan.tellPeers) group.tellPeers(this.#peers());
    }
    if (plan.tellPeers) this.workflows.tellPeers();
    return this.workflows.replace(config, modules.workflows, plan.renewWorkflows);
  }

  /** Waits for the workers of `groups` to load their senses: why those that do not load do not. */
  async whyNotLoaded(groups: Iterable<string>): Promise<readonly Problem[]> {
    const started = [...groups].flatMap((name) => this.groups.get(name) ?? []);
    const outcomes = await Promise.all(started.map(async (group) => ({ group, loading: await group.whenLoaded() })));
    return outcomes.flatMap(({ group, loading }) => {
      const senses = [...group.seats.values()];
      const failed = senses.flatMap(({ name, problem: found }) => (found === null ? [] : about("sense", name, found)));
      if (failed.length > 0 || loading !== "died") return failed;
      const names = senses.map(({ name }) => name).join(", ");
      const message = `the worker of group \`${group.name}\` died while it loaded ${names}`;
      return [problem("worker-died", message, `see \`nerve logs --level error\``)];
    });
  }

  #cancelOfRemoved(names: readonly string[]): void {
    if (names.length === 0) return;
    const store = this.#store;
    this.#ledger.write(() => {
      for (const name of names) store.senses.setOwed(name, null);
    });
    for (const name of names) this.#logCancelled(name, "is not configured any more");
  }

  // ── what the clock brings ────────────────────────────────────────────

  /** A due time of an interval: computed now, or owed when the throttle holds it back; missed while it still computes. */
  due(sense: Sense, dueMs: number, skipped: number): void {
    if (!sense.mayCompute || sense.problem) return;
    sense.stats.missed += skipped;
    if (sense.flight !== null || sense.tick?.reason === "tick") sense.stats.missed++;
    if (sense.flight !== null) return;
    const trigger = this.#trigger("tick", dueMs);
    if (!this.#throttles.holds(sense)) {
      sense.tick = trigger;
      return this.#wake(sense);
    }
    // While the store takes nothing decisions would pile up, and the next tick is as good.
    if (sense.pending !== null || this.#ledger.troubled) return;
    this.#ledger.add({ write: (draft) => draft.owe(sense, trigger), kept: () => this.#wake(sense) });
  }

  /** A cron time: owed in the transaction that `remember` is part of. */
  dueDurably(sense: Sense, dueMs: number, remember: (draft: Draft) => void, kept: () => void): void {
    const owed = this.#trigger("cron", dueMs);
    this.#ledger.add({
      write: (draft) => {
        remember(draft);
        if (sense.mayCompute) draft.owe(sense, owed);
      },
      kept: () => {
        kept();
        this.#wake(sense);
      },
    });
  }

  /** nerve has started, or the reflex is new. */
  dueAtStart(sense: Sense): void {
    if (!sense.mayCompute) return;
    sense.tick ??= this.#trigger("start", this.clock.wallMs());
    this.#wake(sense);
  }

  #trigger(reason: Owed["reason"], at: number): Owed {
    return { reason, at, cause: null, trace: this.#newTrace(this.clock.wallMs()) };
  }

  #wake(sense: Sense): void {
    this.groups.get(sense.config.group)?.wake(sense);
  }

  /** It may compute again: alone at first. */
  #released(sense: Sense): void {
    const group = this.groups.get(sense.config.group);
    if (!group) return;
    group.suspect(sense);
    if (sense.diedLoading) void group.retire().then(() => group.start());
  }

  /** What is owed or due to `sense` is given up, with a log. */
  #cancel(sense: Sense, why: string): void {
    sense.tick = null;
    this.#throttles.forget(sense);
    this.groups.get(sense.config.group)?.forget(sense);
    if (sense.owed === null || sense.owed === sense.flight?.owed) return;
    this.#ledger.write((draft) => draft.cancelOwed(sense));
    this.#logCancelled(sense.name, why);
  }

  #logCancelled(name: string, why: string): void {
    const message = `a compute that was owed is cancelled: the sense ${why}`;
    this.#journal.of(`sense:${name}`).info("compute.cancelled", message, null);
  }

  #peers(): PeerFiles {
    return peerFiles(this.#parts.data, this.senses.keys());
  }

  /** Nothing new is started: the store cannot be written, or there is hardly room left. */
  get #isHeld(): boolean {
    return this.#ledger.troubled || this.#parts.space.low;
  }

  // ── the end ──────────────────────────────────────────────────────────

  /** Commits work again, or there is room again: everything that waits looks whether it may start. */
  resume(): void {
    for (const sense of this.senses.values()) if (sense.pending !== null) this.#wake(sense);
    this.workflows.resume();
  }

  /** Aborts what runs and ends every worker; a reload that is under way starts none. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...[...this.groups.values()].map((group) => group.stop()), this.workflows.stop()]);
  }

  /** SIGKILL to every worker's group, now. */
  killAll(why: string): void {
    for (const group of this.groups.values()) group.kill(why);
    this.workflows.killAll(why);
  }
}
