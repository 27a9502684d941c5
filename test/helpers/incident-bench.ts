/** Reflexes with incidents on a clock driven by hand, and the runs that report them. The store is real. */
import { SYSTEM_CHANCE } from "../../src/base/chance.ts";
import type { Json } from "../../src/base/json.ts";
import { planReload, planStart } from "../../src/config/reload-plan.ts";
import { Firings } from "../../src/kernel/reflexes/firings.ts";
import { IncidentRequests } from "../../src/kernel/reflexes/incident-requests.ts";
import { Incidents } from "../../src/kernel/reflexes/incidents.ts";
import { Reflexes } from "../../src/kernel/reflexes/reflexes.ts";
import { Silences } from "../../src/kernel/reflexes/silences.ts";
import { TimedRuns } from "../../src/kernel/reflexes/timed-runs.ts";
import type { IncidentConfig, NerveConfig, QuietHours, WorkflowReflexConfig } from "../../src/model/config.ts";
import type { TriggerIncident } from "../../src/model/incident.ts";
import type { Incident } from "../../src/model/incident-row.ts";
import { ALL_INCIDENTS } from "../../src/store/incidents.ts";
import { checkStore } from "../../src/store/rebuild-store.ts";
import { workflowReflex } from "./reflex.ts";
import { COMPLETED, type FlowConfig, RunsBench } from "./runs-bench.ts";

const TRACE = "0".repeat(32);
const SENSE = "sense";
const NO_SENSES = new Map();
const NO_PRINTS = { sense: new Map(), workflow: new Map() };

export const incident = (words: Partial<IncidentConfig>): IncidentConfig => ({
  severity: null,
  summary: null,
  resolveAfterMs: null,
  remindEveryMs: null,
  escalate: [],
  inhibitedBy: [],
  ...words,
});

/** Opens at `v > 5`. */
export const alarm = (
  words: Partial<IncidentConfig> = {},
  reflex: Partial<WorkflowReflexConfig> = {},
): WorkflowReflexConfig =>
  workflowReflex({ name: "high", when: { v: "number > 5" }, incident: incident(words), ...reflex });

/** What a run reports, in short. */
export interface Report {
  readonly run: number;
  readonly state: string;
  readonly incident: TriggerIncident;
}

export class IncidentBench extends RunsBench {
  silences: Silences;
  incidents: Incidents;
  reflexes: Reflexes;
  #reflexes: readonly WorkflowReflexConfig[];
  #quiet: readonly QuietHours[] = [];
  /** Workers that were made ready. */
  #awoken = 0;

  constructor(reflexes: readonly WorkflowReflexConfig[], flow: FlowConfig = {}) {
    super(flow);
    this.#reflexes = reflexes;
    const made = this.#begun();
    this.silences = made.silences;
    this.incidents = made.incidents;
    this.reflexes = made.reflexes;
  }

  get #config(): NerveConfig {
    const { workflows } = this.configOf({});
    const config = {
      workflows,
      groups: new Map(),
      senses: new Map(),
      reflexes: this.#reflexes,
      quietHours: this.#quiet,
    };
    return { ...this.configOf({}), ...config };
  }

  #begun() {
    const { clock, ticker, ledger, lifetime, journal, store, workflows } = this;
    const chance = SYSTEM_CHANCE;
    const silences = new Silences({ ledger, lifetime, journal, store });
    const incidents = new Incidents({ lifetime, journal, store, workflows, silences, chance });
    this.roomIn = (workflow) => incidents.hasRoom(workflow);
    const reflexes = new Reflexes({
      clock,
      ticker,
      ledger,
      lifetime,
      journal,
      store,
      silences,
      incidents,
      firings: new Firings({ chance, lifetime, journal, store, workflows, silences, wake: () => {} }),
      dueTimes: { due: () => {}, dueDurably: () => {}, dueAtStart: () => {}, dueByWatch: () => {} },
      timedRuns: new TimedRuns({ wallMs: clock.wallMs, chance, ledger, lifetime, journal, workflows }),
    });
    reflexes.load(this.#config, NO_SENSES, new Set(this.store.switches.disabled()), planStart(this.#config));
    return { silences, incidents, reflexes };
  }

  /** A worker is there, for runs that begin at once. */
  async begin(): Promise<void> {
    const [first = 0] = await this.ask();
    await this.awake();
    await this.begins(first);
    await this.says(first, COMPLETED);
  }

  /** A worker that was started since loads its module. */
  async awake(): Promise<void> {
    if (this.children.length === this.#awoken) return;
    this.#awoken = this.children.length;
    await this.ready();
  }

  /** The id of the signal. */
  async signal(payload: Json): Promise<number> {
    let id = 0;
    const at = this.clock.wallMs();
    const heard = this.reflexes.hear(SENSE, payload, at);
    await this.ledger.commit((draft) => {
      id = draft.signals([{ sense: SENSE, at, payload: JSON.stringify(payload), cause: null, trace: TRACE }]);
      if (heard !== null) this.reflexes.decide(draft, heard, { id, sense: SENSE, at, trace: TRACE });
    });
    await this.settle();
    return id;
  }

  /** In steps, so that what is due is committed before what follows from it is due. */
  async wait(ms: number, stepMs = 60_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) await this.pass(Math.min(left, stepMs));
  }

  /** The kernel is gone without a word; the next begins on what was committed, with these reflexes. */
  async crash(downMs: number, after: readonly WorkflowReflexConfig[] = this.#reflexes): Promise<void> {
    this.#reflexes = after;
    for (const { states } of this.reflexes.byName.values()) states?.forgetAll();
    this.ticker.stop();
    this.clock.freeze(downMs);
    this.ticker.start();
    // As in the engine: reflexes are there first, and the runs that are left come after.
    this.workflows = this.kernel();
    const made = this.#begun();
    this.silences = made.silences;
    this.incidents = made.incidents;
    this.reflexes = made.reflexes;
    await this.pass(1);
  }

  /** Somebody sets the clock. */
  async step(byMs: number): Promise<void> {
    this.clock.step(byMs);
    this.reflexes.lookAgain(null);
    await this.settle();
  }

  async change(reflexes: readonly WorkflowReflexConfig[], quiet: readonly QuietHours[] = []): Promise<void> {
    const before = { config: this.#config, prints: NO_PRINTS };
    this.#reflexes = reflexes;
    this.#quiet = quiet;
    const plan = planReload(before, { config: this.#config, prints: NO_PRINTS }, []);
    this.reflexes.load(this.#config, NO_SENSES, new Set(), plan.reflexes);
    await this.settle();
  }

  get requests(): IncidentRequests {
    const { ledger, store, incidents, reflexes } = this;
    return new IncidentRequests({ ledger, store, incidents, reflexes });
  }

  get rows(): Incident[] {
    return this.store.incidents.list(ALL_INCIDENTS);
  }

  /** What the runs were to report, in the order in which that was decided. */
  get reports(): Report[] {
    const found: Report[] = [];
    for (let run = 1; run <= this.store.runs.lastId(); run++) {
      const [first] = this.store.history.ofRun(run, 0);
      const { trigger } = JSON.parse(first?.data ?? "{}");
      if (trigger?.incident) found.push({ run, state: this.row(run).state, incident: trigger.incident });
    }
    return found;
  }

  /** `opened 1, resolved 1`. */
  get reported(): string {
    return this.reports.map(({ incident: { id, notification } }) => `${notification} ${id}`).join(", ");
  }

  /** Whatever runs has begun, and ends. */
  async work(): Promise<void> {
    for (let again = true; again; ) {
      const running = this.sent.filter((run) => this.row(run).state === "running");
      again = running.length > 0;
      for (const run of running) {
        await this.begins(run);
        await this.says(run, COMPLETED);
      }
    }
  }

  /** What differs between the tables and the logs: nothing. */
  get difference(): unknown {
    const checked = checkStore(this.folder.path);
    if (!checked.ok) return checked.error;
    const { differences, faults, incidents } = checked.value;
    return [...differences, ...faults, ...incidents.differences, ...incidents.faults];
  }
}
