/** The one model of what must be, fed with what happens in the world and with what is committed. */
import type { Json } from "../../../src/base/json.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import type { NewLog } from "../../../src/model/log.ts";
import type { Run } from "../../../src/model/run.ts";
import type { Message } from "../../helpers/kernel-bench.ts";
import type { AsideWorker } from "../aside-worker.ts";
import type { FlowWorker } from "../flow-worker.ts";
import type { Machine } from "../machine.ts";
import type { SenseWorker } from "../sense-worker.ts";
import type { Change } from "../store.ts";
import { BAD_ITEM, type Fields } from "../words.ts";
import { Axis, LATE_MS } from "./axis.ts";
import { InboxOracle } from "./inboxes.ts";
import { IncidentOracle, type Told } from "./incidents.ts";
import type { Present } from "./looks.ts";
import { Moves, stateName } from "./moves.ts";
import { OtlpOracle } from "./otlp.ts";
import { ReflexOracle } from "./reflexes.ts";
import { RemoteOracle } from "./remote.ts";
import { violation } from "./report.ts";
import { RetentionOracle } from "./retention.ts";
import { RunOracle } from "./runs.ts";
import { SenseOracle } from "./senses.ts";
import { SilenceOracle } from "./silences.ts";
import { SourceOracle } from "./sources.ts";
import { TimedRunOracle } from "./timed-runs.ts";

/** A signal that the kernel has heard. */
interface Heard {
  readonly at: number;
  /** Its compute settles with it. */
  readonly settles: boolean;
  /** Those that the kernel goes on with once it is committed. */
  readonly next: readonly string[];
}

const HEARD: Heard = { at: 0, settles: true, next: [] };
const TAKEN_AT_ONCE = 100;

export class Oracle {
  readonly axis: Axis;
  readonly moves = new Moves();
  readonly runs = new RunOracle(this.moves);
  readonly senses = new SenseOracle();
  readonly reflexes = new ReflexOracle();
  readonly incidents = new IncidentOracle((reflex, decision) => this.runs.decided.get(`${reflex} ${decision}`) ?? null);
  readonly timedRuns = new TimedRunOracle();
  readonly silences = new SilenceOracle();
  readonly inboxes = new InboxOracle();
  readonly remote = new RemoteOracle();
  readonly otlp = new OtlpOracle();
  readonly retention: RetentionOracle;
  readonly sources: SourceOracle;
  readonly #machine: Machine;
  readonly #trace: (line: () => string) => void;
  lastSignal = 0;
  lastLog = 0;
  commits = 0;
  signals = 0;
  /** Digest of each log by its id, from 1 on. */
  readonly logs: number[] = [0];
  archivedUpTo = 0;
  #lastCommit = 0;
  /** Since when SQLite takes no commits; null: it does. */
  #refusedSince: number | null = null;
  /** When the kernel heard each payload, by sense and number. */
  readonly #heard = new Map<string, Heard>();
  /** Runs whose worker died while they were alone in it. */
  readonly #loneDeaths = new Map<number, number>();
  /** Whether the code of each workflow loaded, when it was tried last. */
  readonly #loads = new Map<string, boolean>();
  #dead: { readonly known: ReadonlySet<string> } = { known: new Set() };

  /** In force. */
  #config: NerveConfig;

  constructor(machine: Machine, config: NerveConfig, trace: (line: () => string) => void) {
    this.#machine = machine;
    this.#config = config;
    this.#trace = trace;
    this.axis = new Axis(machine);
    this.retention = new RetentionOracle(machine);
    this.sources = new SourceOracle(machine, (sense) => this.#canCompute(sense));
  }

  // ── kernels ──────────────────────────────────────────────────────────

  starts(): void {
    this.axis.starts();
    this.retention.starts();
    // What a kernel that commits nothing sees and decides has never been.
    this.reflexes.goesOn(this.#lastCommit, this.axis.now);
    this.sources.starts(this.axis.now);
  }

  #canCompute(sense: string): boolean {
    const { isDisabled, isQuarantined } = this.senses.of(sense);
    return !isDisabled && !isQuarantined;
  }

  /** The kernel begins to end. */
  stops(): void {
    this.sources.ends();
  }

  /** What a look must show. */
  get present(): Present {
    return {
      config: this.#config,
      active: this.runs.active.values(),
      incidents: this.incidents.incidents.values(),
      isDisabled: (sense) => this.senses.of(sense).isDisabled,
    };
  }

  /** The page is told how far what is committed reaches. */
  watermarks(signals: number, logs: number): void {
    if (signals > this.lastSignal || logs > this.lastLog)
      violation(
        "look",
        `the page hears of signal ${signals} and log ${logs}, of ${this.lastSignal} and ${this.lastLog}`,
      );
  }

  /** A configuration comes into force. */
  configured(config: NerveConfig): void {
    this.#config = config;
    this.reflexes.configured(config.reflexes, this.axis.now);
    this.runs.configured(config.workflows);
    this.senses.configured(config, this.#machine.realMs);
    this.incidents.configured(config);
    this.timedRuns.configured(config.reflexes);
    this.retention.configured(config);
    this.sources.configured(config, this.axis.now);
  }

  /** Everything is well since `wellSince`, and has had the time it needs. */
  rested(wellSince: number, patienceMs: number): void {
    const elapsed = this.axis.now;
    this.senses.rested(wellSince + 2 * patienceMs);
    this.runs.rested(elapsed, patienceMs, (workflow) => this.#loads.get(workflow) === true);
    this.incidents.rested(elapsed);
    this.inboxes.rested(wellSince + 2 * patienceMs, (sense, body) => {
      const isConfigured = this.#config.reflexes.some(({ name }) => name === `${sense}#inbox`);
      return !this.#canCompute(sense) || !isConfigured || body.includes(BAD_ITEM);
    });
    this.otlp.rested(wellSince + patienceMs);
    if (this.#config.fleet !== null) this.remote.rested(this.#machine.wallMs, patienceMs);
    this.sources.deliveries.rested(wellSince + 2 * patienceMs, (sense) => !this.#canCompute(sense));
  }

  crashed(): void {
    this.#refusedSince = null;
    this.sources.ends();
    this.#heard.clear();
    this.senses.crashed();
    this.runs.workerGone(null);
    this.reflexes.goesBlind(this.#lastCommit, true);
  }

  stopped(isClean: boolean): void {
    if (isClean) this.runs.stopped();
    this.crashed();
  }

  // ── what is committed ────────────────────────────────────────────────

  refused(): void {
    this.#refusedSince ??= this.axis.now;
    this.sources.takes(false);
  }

  committed(changes: readonly Change[]): void {
    this.commits++;
    const elapsed = this.axis.now;
    if (this.#refusedSince !== null) this.reflexes.hasWaited(this.#refusedSince, elapsed);
    this.#refusedSince = null;
    this.sources.takes(true);
    this.#lastCommit = elapsed;
    const newestRun = this.runs.newest;
    for (const change of changes) {
      this.#committed(change, elapsed);
      this.sources.committed(change, elapsed);
    }
    this.incidents.committed();
    this.runs.batches.committed(this.runs.newest);
    this.timedRuns.committed((reflex) => this.runs.waits(reflex, (run) => run <= newestRun));
    // What is switched counts from the next transaction on.
    for (const change of changes) {
      if (change.kind === "run") this.#runIs(change.run);
      if (change.kind === "switched") this.#switched(change.name, change.enabled, elapsed);
    }
    this.sources.transacted(changes, elapsed);
  }

  #runIs(run: Run): void {
    this.runs.row(run);
    if (this.runs.active.has(run.id)) this.retention.begins(`run ${run.id}`, run.first_log_id);
    else this.retention.ends(`run ${run.id}`);
  }

  #switched(name: string, enabled: boolean, elapsed: number): void {
    const [kind = "", rest = ""] = name.split(":");
    if (kind === "reflex") this.reflexes.switched(rest, enabled, elapsed);
    else this.senses.of(rest).isDisabled = !enabled;
  }

  #committed(change: Change, elapsed: number): void {
    switch (change.kind) {
      case "signal":
        this.otlp.signal(change.id, this.#machine.realMs);
        return this.#signal(change.id, change.signal, elapsed);
      case "remote":
        return this.#remote(change.id, change.signal, elapsed);
      case "origin":
        return this.remote.origin(change.row, this.#machine.realMs);
      case "log":
        this.#takes(change.id, change.digest);
        this.otlp.log(change.id, change.log.level, this.#machine.realMs);
        return this.#log(change.id, change.log, elapsed);
      case "owed":
        return this.senses.owed(change.sense, change.owed?.cause ?? null);
      case "incident":
        return this.incidents.row(change.row);
      case "quarantine":
        this.senses.of(change.sense).isQuarantineStored = change.quarantine !== null;
        return;
      case "reflex": {
        const { reflex, key, definition, state } = change.row;
        if (key === "clock") this.#due(reflex, definition, (state as { last: number }).last);
        else this.moves.to("reflex", `${reflex} ${key}`, "rest", stateName(state));
        return this.reflexes.touched(reflex, elapsed);
      }
      case "forgotten":
        this.moves.allTo("reflex", `${change.reflex} ${change.key ?? ""}`, "rest");
        return this.reflexes.touched(change.reflex, elapsed);
      case "meta":
        if (change.key === "lifetime" && change.value !== null) this.axis.kept(change.value);
        this.otlp.meta(change.key, change.value);
        return;
      case "item":
        return this.inboxes.committed(change.id, change.sense, change.body, this.#machine.realMs);
      case "item-gone":
        return this.inboxes.gone(change.id);
      case "removed-signals":
        return this.retention.removedSignals(change.count);
      case "archived":
        return this.retention.archived();
      case "unarchived":
        return this.retention.forgotten(change.file.day, change.file.last_id);
    }
  }

  #due(reflex: string, definition: string, due: number): void {
    this.senses.due(reflex, definition, due);
    this.timedRuns.noted(reflex, due);
  }

  #signal(
    id: number,
    { sense, at, payload, cause }: Extract<Change, { kind: "signal" }>["signal"],
    elapsed: number,
  ): void {
    if (id !== this.lastSignal + 1) violation("signal-ids", `signal ${id} comes after ${this.lastSignal}`);
    this.lastSignal = id;
    this.signals++;
    this.retention.signal(at);
    const fields = JSON.parse(payload) as Fields;
    this.#trace(() => `signal ${id} of ${sense}: ${payload}`);
    this.senses.signal(sense, fields.n);
    const { at: heardAt, settles, next } = this.#heard.get(`${sense} ${fields.n}`) ?? { ...HEARD, at: elapsed };
    // A row that an earlier worker left answers no compute: what is owed is computed all the same.
    if (settles) this.senses.answered(sense, cause);
    this.#heard.delete(`${sense} ${fields.n}`);
    for (const name of next) this.#heard.set(name, { ...(this.#heard.get(name) ?? HEARD), at: elapsed });
    if (elapsed - heardAt > LATE_MS) this.reflexes.hasWaited(heardAt, elapsed);
    this.reflexes.signal(id, sense, fields, heardAt);
    for (const target of this.reflexes.owesAtEach(sense)) this.senses.owes(target, id, this.#machine.realMs);
  }

  /** Of another host, or what this host says of it: who listens decides as for a signal made here. */
  #remote(id: number, signal: Extract<Change, { kind: "remote" }>["signal"], elapsed: number): void {
    if (id !== this.lastSignal + 1) violation("signal-ids", `signal ${id} comes after ${this.lastSignal}`);
    this.lastSignal = id;
    this.retention.signal(signal.at);
    this.remote.signal(signal, this.#machine.realMs);
    const name = `${signal.origin}/${signal.sense}`;
    this.#trace(() => `signal ${id} of ${name}: ${signal.payload}`);
    this.reflexes.signal(id, name, JSON.parse(signal.payload) as Fields, elapsed);
    for (const target of this.reflexes.owesAtEach(name)) this.senses.owes(target, id, this.#machine.realMs);
  }

  #takes(id: number, digest: number): void {
    if (id !== this.lastLog + 1) violation("log-ids", `log ${id} comes after ${this.lastLog}`);
    this.lastLog = id;
    this.logs.push(digest);
  }

  #log(id: number, log: NewLog, elapsed: number): void {
    const { source, event } = log;
    this.#trace(() => `log ${id} ${source} ${event}: ${log.message}`);
    if (log.run !== null) this.runs.log(id, log, elapsed);
    if (event === "run.queued" && log.run !== null) this.#queued(log.run, log, elapsed);
    if (event.startsWith("incident.")) return this.#incident(id, log, elapsed);
    if (event === "reflex.silenced" || event === "reflex.unsilenced") return this.#silenced(log, elapsed);
    if (event === "reflex.fired") return this.#fired(source.slice("reflex:".length), log, elapsed);
    if (event === "run.failed" && log.run !== null) return this.#failed(log.run, log.message);
    if (event === "item.dead") this.inboxes.dead((JSON.parse(log.data ?? "{}") as { item: number }).item);
    if (!source.startsWith("sense:")) return;
    const sense = source.slice("sense:".length);
    if (event === "compute.coalesced") {
      for (const cause of (JSON.parse(log.data ?? "{}") as { causes: number[] }).causes)
        this.senses.answered(sense, cause);
    }
    if (event === "compute.cancelled" && log.message.startsWith("a compute that was owed"))
      this.senses.cancelled(sense);
  }

  #queued(run: number, { data }: NewLog, elapsed: number): void {
    const { decision, trigger } = JSON.parse(data ?? "{}");
    if (trigger.reflex === null || decision === null) return;
    const [kind] = decision.split(":");
    if (kind === "due" || kind === "start")
      this.timedRuns.queued({ reflex: trigger.reflex, due: trigger.due, isStart: kind === "start" });
    else if (trigger.incident?.notification !== "resolved") this.silences.starts(run, trigger.reflex, elapsed);
  }

  #silenced({ event, data, at }: NewLog, elapsed: number): void {
    const { pattern, until } = JSON.parse(data ?? "{}");
    if (event === "reflex.silenced") this.silences.begins(pattern, until - at, elapsed);
    else this.silences.ends(pattern);
  }

  #incident(id: number, { event, source, data, at }: NewLog, elapsed: number): void {
    const reflex = source.slice("reflex:".length);
    const told = JSON.parse(data ?? "{}") as Told;
    if (event === "incident.limited") return;
    this.reflexes.touched(reflex, elapsed);
    this.incidents.log(id, event, reflex, told, elapsed, at);
    const { incident, signal, key, reason } = told;
    if (event === "incident.opened") this.retention.begins(`incident ${incident}`, id);
    if (event === "incident.resolved") this.retention.ends(`incident ${incident}`);
    if (event === "incident.opened") this.reflexes.opened(reflex, incident, signal, key as Json);
    if (event === "incident.again") this.reflexes.again(incident, signal);
    if (event === "incident.resolved") this.reflexes.resolved(incident, reason, elapsed);
  }

  #fired(reflex: string, { data }: NewLog, elapsed: number): void {
    const told = JSON.parse(data ?? "{}");
    // The clock has started a run.
    if (told.signal === null) return;
    this.reflexes.fired(reflex, told.signal, told.key);
    this.reflexes.touched(reflex, elapsed);
    const target = this.reflexes.targetOf(reflex);
    if (target !== null && told.cancelled === undefined) this.senses.owes(target, told.signal, this.#machine.realMs);
    if (told.run !== undefined && !this.runs.runs.has(told.run))
      violation("fired", `${reflex} fired for run ${told.run}, which is not there`);
  }

  // ── what happens in the world ────────────────────────────────────────

  arrivedFromSense(worker: SenseWorker, message: Message): void {
    if (message.generation !== worker.generation) return;
    const { type } = message;
    const sense = String(message.sense);
    const id = message.id as number | null;
    if (type === "ready" && Array.isArray(message.senses) && message.senses.length > 0) {
      worker.known.clear();
      this.sources.ready(worker.group, message.senses as unknown as Message[]);
    }
    if (type === "started") {
      if (id === null) worker.known.clear();
      worker.known.set(sense, id);
    }
    if (type !== "signal" && type !== "no-signal" && type !== "error") return;
    const isLie = id !== null && worker.known.get(sense) !== id;
    if (isLie) return;
    if (id !== null) {
      worker.known.delete(sense);
      this.sources.watches.settled(worker.group, sense);
    }
    if (type === "signal") {
      this.#hears(sense, id === null, [message, ...(message.more as unknown as Message[])]);
    } else if (message.kind !== "aborted") this.senses.settles(sense, worker.causes.get(sense) ?? null);
  }

  /** Some are taken at once, and the next of the same compute once those are committed. */
  #hears(sense: string, isLeftOver: boolean, signals: readonly Message[]): void {
    const names = signals.map(({ payload }) => `${sense} ${(payload as unknown as Fields).n}`);
    for (const [index, name] of names.entries()) {
      if (this.#heard.has(name)) continue;
      const settles = !isLeftOver && index === names.length - 1;
      const next = index % TAKEN_AT_ONCE === TAKEN_AT_ONCE - 1 ? names.slice(index + 1, index + 1 + TAKEN_AT_ONCE) : [];
      this.#heard.set(name, { at: this.axis.now, settles, next });
    }
  }

  arrivedFromFlow(worker: FlowWorker, message: Message): void {
    if (message.generation !== worker.generation) return;
    if (message.type === "ready") this.#loads.set(worker.workflow, message.problem === null);
    const run = message.run as number | null;
    if (run === null || run === undefined) return;
    if (message.type === "started") worker.known.add(run);
    const isEnd = ["completed", "failed", "timed-out", "stopped", "suspended"].includes(message.type);
    if (isEnd && message.lingers !== true) worker.known.delete(run);
  }

  gone(worker: SenseWorker | FlowWorker | AsideWorker): void {
    if ("name" in worker) return this.senses.gone(worker.name, worker);
    if ("group" in worker) {
      this.senses.gone(`group ${worker.group}`, worker);
      this.sources.watches.workerIs(worker.group, false);
      this.#dead = { known: new Set(worker.known.keys()) };
      return;
    }
    this.senses.gone(`workflow ${worker.workflow}`, worker);
    this.runs.workerGone(worker.workflow);
    const [only] = worker.known;
    if (worker.known.size === 1 && only !== undefined)
      this.#loneDeaths.set(only, (this.#loneDeaths.get(only) ?? 0) + 1);
  }

  /** The kernel has just said so, whether or not that is committed. */
  said(event: string, source: string, message: string): void {
    this.#trace(() => `says ${source} ${event}: ${message}`);
    this.sources.said(event);
    if (!source.startsWith("sense:")) return;
    const sense = source.slice("sense:".length);
    if (event === "compute.killed") this.senses.struck(sense, this.#dead.known);
    if (event === "sense.quarantined") this.senses.of(sense).isQuarantined = true;
    if (event === "sense.released") this.senses.of(sense).isQuarantined = false;
  }

  #failed(run: number, message: string): void {
    if (!message.includes("times while it ran alone")) return;
    const deaths = this.#loneDeaths.get(run) ?? 0;
    if (deaths < 3) violation("blame", `run ${run} failed for three deaths, and was alone at ${deaths}`);
  }
}
