/**
 * Owns which senses and groups exist under a configuration and the next one. A sense has its seat in its group, and keeps
 * its state as long as its name is configured. The first configuration replaces that of an empty world.
 */
import { inThisBoot } from "../../base/clock.ts";
import { err } from "../../base/result.ts";
import type { ReloadPlan } from "../../config/reload-plan.ts";
import type { NerveConfig } from "../../model/config.ts";
import { about, type Problem, problem } from "../../model/problem.ts";
import type { Locations } from "../../spawn/modules-on-disk.ts";
import type { Store } from "../../store/open.ts";
import type { SenseState } from "../../store/sense-state.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import { Sense } from "../memory/sense.ts";
import type { LifeHost } from "../workers/crew.ts";
import type { Computes } from "./computes.ts";
import { EarlierSignals } from "./earlier-signals.ts";
import { Group } from "./group.ts";
import type { Loading } from "./loading.ts";
import type { Senses } from "./senses.ts";

export interface SeatingParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly senses: Senses;
  readonly computes: Computes;
  readonly loading: Loading;
  readonly host: LifeHost;
}

/** The former state of senses that begin anew. */
interface Earlier {
  readonly before: ReadonlyMap<string, Sense>;
  readonly states: ReadonlyMap<string, SenseState>;
  readonly disabled: ReadonlySet<string>;
}

export class Seating {
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #store: Store;
  readonly #senses: Senses;
  readonly #computes: Computes;
  readonly #loading: Loading;
  readonly #host: LifeHost;
  readonly #earlierSignals: EarlierSignals;

  constructor({ ledger, journal, store, senses, computes, loading, host }: SeatingParts) {
    this.#ledger = ledger;
    this.#journal = journal;
    this.#store = store;
    this.#senses = senses;
    this.#computes = computes;
    this.#loading = loading;
    this.#host = host;
    this.#earlierSignals = new EarlierSignals({ store, ticker: host.ticker });
  }

  /** Lets the groups in `names` finish their computes and end their workers. Resolves once the workers are reaped. */
  async retire(names: Iterable<string>): Promise<void> {
    await Promise.all([...names].map((name) => this.#senses.groups.get(name)?.retire()));
  }

  /** Must be called when no decision waits for a commit. */
  seat(config: NerveConfig, locations: Locations, plan: Pick<ReloadPlan, "restart" | "keepSenses">): void {
    const { byName, quarantines } = this.#senses;
    const states = this.#store.senses.all();
    const earlier = {
      before: new Map(byName),
      states: new Map(states.map((state) => [state.sense, state])),
      disabled: new Set<string>(this.#store.switches.disabled()),
    };
    byName.clear();
    for (const name of config.senses.keys()) {
      const known = earlier.before.get(name);
      const stays = known !== undefined && plan.keepSenses.has(name);
      const sense = stays ? known : this.#newSense(config, locations, name, earlier);
      byName.set(name, sense);
      if (!stays) quarantines.arm(sense);
    }
    this.#senses.cancelOfRemoved(
      states.filter(({ sense, owed }) => owed && !byName.has(sense)).map(({ sense }) => sense),
    );
    this.#fillGroups(config, plan.restart);
    this.#earlierSignals.search(byName.values());
  }

  #newSense(config: NerveConfig, locations: Locations, name: string, { before, states, disabled }: Earlier): Sense {
    const entry = config.senses.get(name);
    const location = locations.get(name);
    if (entry === undefined || location === undefined) throw new Error(`sense ${name} is not configured`);
    const damage = this.#store.senses.problemOf(name);
    const whole = damage === null ? location : err(damage);
    const sense = whole.ok ? new Sense(entry, whole.value, null) : new Sense(entry, null, whole.error);
    if (sense.problem) this.#journal.logProblem(`sense:${name}`, "sense.failed", sense.problem);
    const known = before.get(name);
    const state = states.get(name);
    if (known) sense.inherit(known);
    else {
      if (state) this.#restore(sense, state);
      sense.enable(!disabled.has(`sense:${name}`));
    }
    return sense;
  }

  #restore(sense: Sense, stored: SenseState): void {
    const state = this.#ofThisBoot(stored);
    sense.restore(state);
    this.#computes.overtake(sense);
    if (state.damaged.length === 0) return;
    const store = this.#store;
    this.#ledger.write(() => {
      for (const column of state.damaged) store.senses.empty(sense.name, column);
    });
    const message = `what was kept of it cannot be read (table sense_state, ${state.damaged.join(", ")}) and is taken for nothing`;
    const columns = [...state.damaged];
    this.#journal.of(`sense:${sense.name}`).error("sense.state-damaged", message, { columns });
  }

  /** A throttle and a quarantine last no longer because a wall clock was set back while the machine was down. */
  #ofThisBoot(state: SenseState): SenseState {
    const { clock } = this.#host.world;
    const { sense } = state;
    const started = state.started === null ? null : inThisBoot(state.started, clock);
    const { quarantine: before } = state;
    const quarantine = before === null ? null : { ...before, since: inThisBoot(before.since, clock) };
    const isOther = quarantine?.since !== before?.since;
    if (started === state.started && !isOther) return state;
    this.#ledger.write(() => {
      if (started !== state.started) this.#store.senses.setStarted(sense, started);
      if (isOther) this.#store.senses.setQuarantine(sense, quarantine);
    });
    return { ...state, started, quarantine };
  }

  #fillGroups(config: NerveConfig, restart: ReadonlySet<string>): void {
    const { byName, groups, quarantines } = this.#senses;
    for (const name of restart) {
      groups.get(name)?.seats.clear();
      if (!config.groups.has(name)) groups.delete(name);
    }
    const parts = { host: this.#host, computes: this.#computes, loading: this.#loading, quarantines };
    for (const sense of byName.values()) {
      const { group: name } = sense.config;
      const entry = config.groups.get(name) ?? { name, memoryBytes: null };
      const group = groups.get(name) ?? new Group(entry, parts);
      groups.set(name, group);
      group.config = entry;
      group.seats.set(sense.name, sense);
    }
  }

  /** Starts the workers of groups that restart. Names the senses to the other workers, where that has changed. */
  start({ restart, tellPeers }: Pick<ReloadPlan, "restart" | "tellPeers">): void {
    for (const group of this.#senses.groups.values()) {
      if (restart.has(group.name) || group.pid === null) group.start();
      else if (tellPeers) group.tellPeers(this.#senses.peers());
    }
  }

  /** Waits for the workers of `groups` to load their senses. Returns why some do not load. */
  async whyNotLoaded(groups: Iterable<string>): Promise<readonly Problem[]> {
    const started = [...groups].flatMap((name) => this.#senses.groups.get(name) ?? []);
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
}
