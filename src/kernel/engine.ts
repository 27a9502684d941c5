/**
 * The floor plan of the kernel: what there is, in the order in which each part needs the ones above it, and how one
 * configuration follows another. What the parts do is in their own files.
 */
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { planStart, type ReloadPlan } from "../config/reload-plan.ts";
import type { NerveConfig } from "../model/config.ts";
import type { Problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import type { Locations } from "../spawn/modules-on-disk.ts";
import { FLEET_ROLE, OTLP_ROLE, SENSE_WORKER_ROLE, WATCHDOG_ROLE, WORKFLOW_WORKER_ROLE } from "../spawn/own-image.ts";
import type { WorkerCommand } from "../spawn/worker-process.ts";
import type { Store } from "../store/open.ts";
import { Bell, isWatcher } from "./bell.ts";
import type { Journal } from "./commits/journal.ts";
import type { Ledger } from "./commits/ledger.ts";
import { Expectations } from "./expectations.ts";
import { Fleet } from "./fleet/fleet.ts";
import { InboxUpkeep } from "./inbox/inbox-upkeep.ts";
import { Inboxes } from "./inbox/inboxes.ts";
import { Leavings } from "./inbox/leavings.ts";
import type { Sense } from "./memory/sense.ts";
import { Otlp } from "./otlp/otlp.ts";
import { Firings } from "./reflexes/firings.ts";
import { IncidentRequests } from "./reflexes/incident-requests.ts";
import { Incidents } from "./reflexes/incidents.ts";
import { Reflexes } from "./reflexes/reflexes.ts";
import { Silences } from "./reflexes/silences.ts";
import { TimedRuns } from "./reflexes/timed-runs.ts";
import { Requests } from "./requests.ts";
import { Workflows } from "./runs/workflows.ts";
import { Computes } from "./senses/computes.ts";
import { Deliveries } from "./senses/deliveries.ts";
import type { Group } from "./senses/group.ts";
import { Intake } from "./senses/intake.ts";
import { Loading } from "./senses/loading.ts";
import { Seating } from "./senses/seating.ts";
import { Senses } from "./senses/senses.ts";
import type { Lifetime } from "./time/lifetime.ts";
import type { Ticker } from "./time/ticker.ts";
import { Watchdog } from "./watchdog/watchdog.ts";
import { Watches } from "./watches.ts";
import type { World } from "./world.ts";

export interface EngineParts {
  readonly world: World;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  /** Whether there is room for anything new. */
  readonly space: { readonly low: boolean };
  readonly data: string;
  readonly command: (role: string) => WorkerCommand;
  readonly lifetime: Lifetime;
  /** Each signal after its commit. */
  readonly onSignal: ((signal: Signal) => void) | null;
}

/** Where the modules are, by the names that use them. */
export interface Modules {
  readonly senses: Locations;
  readonly workflows: Locations;
}

type SeatPlan = Pick<ReloadPlan, "restart" | "keepSenses" | "reflexes" | "tellPeers">;

interface WorkflowNeeds extends Pick<EngineParts, "ledger" | "lifetime" | "store" | "command" | "data"> {
  readonly host: Pick<EngineParts, "world" | "ticker" | "journal"> & { nextGeneration(): number };
  readonly isHeld: () => boolean;
  readonly senses: Senses;
  readonly hasRoom: (workflow: string) => void;
}

function workflowsOf({
  host,
  command,
  senses,
  data,
  ledger,
  lifetime,
  store,
  isHeld,
  hasRoom,
}: WorkflowNeeds): Workflows {
  return new Workflows({
    ...host,
    ledger,
    lifetime,
    store,
    isHeld,
    command: () => command(WORKFLOW_WORKER_ROLE),
    peers: () => senses.peers(),
    isWatcher: (name) => isWatcher(senses.byName.get(name)),
    blobs: join(data, "blobs"),
    // With a dot, which is in no name: no group can be called so.
    lockOf: (workflow) => join(data, "locks", `workflow.${workflow}.lock`),
    hasRoom,
  });
}

export class Engine {
  readonly clock: Clock;
  readonly reflexes: Reflexes;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly incidents: Incidents;
  readonly incidentRequests: IncidentRequests;
  readonly inboxes: Inboxes;
  readonly leavings: Leavings;
  readonly inboxUpkeep: InboxUpkeep;
  readonly requests: Requests;
  readonly watchdog: Watchdog;
  readonly fleet: Fleet;
  readonly otlp: Otlp;
  readonly expectations: Expectations;
  readonly deliveries: Deliveries;
  readonly #senses: Senses;
  readonly #seating: Seating;
  readonly #bell: Bell;
  readonly watches: Watches;
  readonly #ledger: Ledger;
  readonly #store: Store;
  #generation = 0;
  #stopping = false;

  constructor({ world, ticker, ledger, journal, store, space, data, command, lifetime, onSignal }: EngineParts) {
    const { clock, chance } = world;
    this.clock = clock;
    this.#ledger = ledger;
    this.#store = store;
    const host = { world, ticker, journal, nextGeneration: () => ++this.#generation };
    // Nothing new is started: the store cannot be written, or there is hardly room left.
    const isHeld = (): boolean => ledger.troubled || space.low;
    const onFree = ({ name }: Sense): void => {
      inboxes.due(name);
      deliveries.resume();
    };
    const senses = new Senses({ world, ticker, ledger, journal, data, onFree });
    const wake = (sense: Sense): void => senses.wake(sense);
    const hasRoom = (workflow: string): void => incidents.hasRoom(workflow);
    this.workflows = workflowsOf({ host, ledger, lifetime, store, isHeld, command, senses, data, hasRoom });
    this.silences = new Silences({ ledger, lifetime, journal, store });
    const { workflows, silences } = this;
    const firings = new Firings({ chance, lifetime, journal, store, workflows, silences, wake });
    const incidents = new Incidents({ lifetime, journal, store, workflows, silences, chance });
    this.incidents = incidents;
    const timedRuns = new TimedRuns({ wallMs: clock.wallMs, chance, ledger, lifetime, journal, workflows });
    this.reflexes = new Reflexes({
      clock,
      ticker,
      ledger,
      lifetime,
      journal,
      store,
      firings,
      silences,
      incidents,
      dueTimes: senses,
      timedRuns,
    });
    const [{ reflexes }, { throttles, quarantines }] = [this, senses];
    const intake = new Intake({ world, ledger, reflexes, onSignal });
    const inboxes = new Inboxes({ world, ticker, ledger, journal, lifetime, store, isHeld, senses, reflexes });
    this.inboxes = inboxes;
    this.leavings = new Leavings({ ledger, journal, store, inboxes });
    const { leavings } = this;
    this.inboxUpkeep = new InboxUpkeep({ clock, ticker, ledger, lifetime, store, inboxes, leavings });
    const deliveries = new Deliveries({ ledger, journal, store, reflexes, senses });
    this.deliveries = deliveries;
    const computes = new Computes({ world, ledger, journal, store, throttles, intake, inboxes, deliveries, isHeld });
    const role = (name: string) => (): WorkerCommand => command(name);
    const loading = new Loading({ journal, data, command: role(SENSE_WORKER_ROLE), senses, inboxes, deliveries });
    this.#senses = senses;
    this.#seating = new Seating({ ledger, journal, store, senses, computes, loading, host });
    this.watchdog = new Watchdog({ host, ledger, touch: () => lifetime.keep(), command: role(WATCHDOG_ROLE) });
    const onRemote = onSignal ?? ((): void => {});
    const ofFleet = { host, ledger, store, reflexes, data, isHeld, onSignal: onRemote };
    this.fleet = new Fleet({ ...ofFleet, command: role(FLEET_ROLE) });
    this.otlp = new Otlp({ host, ledger, store, data, command: role(OTLP_ROLE) });
    const expectations = new Expectations({ lifetime, ticker, ledger, journal, store, senses, workflows, inboxes });
    this.expectations = expectations;
    this.#bell = new Bell({ ticker, journal, senses, reflexes, workflows, expectations, inboxes, isHeld });
    this.watches = new Watches({ paths: world.watchPaths(data), ticker, journal, reflexes, isHeld });
    this.incidentRequests = new IncidentRequests({ ledger, store, incidents, reflexes });
    this.requests = new Requests({ clock, ledger, journal, store, senses, reflexes, quarantines, inboxes, deliveries });
  }

  get senses(): ReadonlyMap<string, Sense> {
    return this.#senses.byName;
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#senses.groups;
  }

  /** The first configuration replaces that of an empty world: everything begins. */
  load(config: NerveConfig, modules: Modules): void {
    const restart = new Set(config.groups.keys());
    this.#seat(config, modules, { restart, keepSenses: new Set(), reflexes: planStart(config), tellPeers: false });
    this.workflows.load(config, modules.workflows);
    this.#bell.listen(config);
    this.watches.listen(config);
    this.expectations.listen(config);
    this.deliveries.listen(config);
    this.watchdog.configure(config.watchdog);
    this.fleet.configure(config);
    this.otlp.configure(config);
  }

  /**
   * Another configuration, by the plan of the reload: groups that restart finish their computes first. Resolves when the
   * configuration is in force, with the ids of the runs it cancels.
   */
  async replace(config: NerveConfig, modules: Modules, plan: ReloadPlan): Promise<readonly number[]> {
    await this.#seating.retire(plan.restart);
    // What is still to be committed speaks of the senses as they were. A store in trouble is waited for: a worker
    // started before that would be told of outbox rows, and a sense of decisions, as if they had never been taken.
    // The signals of one compute are committed one part behind the other.
    while (this.#ledger.isWaiting) if (!this.#ledger.flush()) await this.#ledger.committed();
    if (this.#stopping) return [];
    this.#seat(config, modules, plan);
    if (plan.tellPeers) this.workflows.tellPeers();
    const cancelled = this.workflows.replace(config, modules.workflows, plan.renewWorkflows);
    this.#bell.listen(config);
    this.watches.listen(config);
    this.expectations.listen(config);
    this.deliveries.listen(config);
    this.watchdog.configure(config.watchdog);
    this.fleet.configure(config);
    this.otlp.configure(config);
    return cancelled;
  }

  #seat(config: NerveConfig, modules: Modules, plan: SeatPlan): void {
    this.#seating.seat(config, modules.senses, plan);
    this.reflexes.load(config, this.senses, new Set<string>(this.#store.switches.disabled()), plan.reflexes);
    this.#seating.start(plan);
    this.inboxes.resume();
    this.inboxUpkeep.keepFor(config);
  }

  /** Waits for the workers of `groups` to load their senses: why those that do not load do not. */
  whyNotLoaded(groups: Iterable<string>): Promise<readonly Problem[]> {
    return this.#seating.whyNotLoaded(groups);
  }

  /** Commits work again, or there is room again: everything that waits looks whether it may start. */
  resume(): void {
    this.#senses.resume();
    this.inboxes.resume();
    this.workflows.resume();
    this.fleet.resume();
  }

  /** Aborts what runs and ends every worker; a reload that is under way starts none. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#bell.stop();
    this.watches.stop();
    this.expectations.stop();
    await Promise.all([
      this.#senses.stop(),
      this.workflows.stop(),
      this.watchdog.stop(),
      this.fleet.stop(),
      this.otlp.stop(),
    ]);
  }

  /** SIGKILL to every worker's group, now. */
  killAll(why: string): void {
    this.#senses.killAll(why);
    this.workflows.killAll(why);
    this.watchdog.kill(why);
    this.fleet.kill(why);
    this.otlp.kill(why);
  }
}
