/**
 * Senses, reflexes and groups brought together: what a due time or a signal leads to, and in which transaction.
 * Invariants kept here:
 * - G1: the owed computes a signal leads to are committed with it, and cleared with the result of a compute that began
 *   after them.
 * - Memory follows the commit: `kept` of an entry is the only place where a result changes what the engine knows.
 *   Strikes and quarantines alone are taken note of at once: they only ever hold something back.
 */
import { join } from "node:path";
import { type Clock, elapsedSince, momentOf } from "../base/clock.ts";
import { counted } from "../base/counted.ts";
import { formatDuration } from "../base/duration.ts";
import { exceedsBytes, type Json } from "../base/json.ts";
import { nearest } from "../base/nearest.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TRACE_PATTERN, traceIds } from "../base/trace-id.ts";
import { DEFAULT_GRACE_PERIOD_MS, DEFAULT_TIMEOUT_MS } from "../config/defaults.ts";
import type { ParentMessage, WorkerMessageOf } from "../ipc/definitions.ts";
import type { NerveConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { Signal } from "../model/signal.ts";
import { MAX_KEYS } from "../rules/key.ts";
import type { Store } from "../store/open.ts";
import type { Owed } from "../store/sense-state.ts";
import type { Draft } from "./draft.ts";
import { Group, type GroupHost, type Limits, type LoneDeath } from "./group.ts";
import type { Journal } from "./journal.ts";
import type { Ledger } from "./ledger.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Locations } from "./modules-on-disk.ts";
import { SENSE_WORKER_ROLE, WORKFLOW_WORKER_ROLE } from "./own-image.ts";
import { Quarantines } from "./quarantines.ts";
import { Reactions } from "./reactions.ts";
import { type Desk, type Reflex, Reflexes } from "./reflexes.ts";
import { type Flight, Sense } from "./sense.ts";
import { type PeerFiles, peerFiles, senseDatabase } from "./sense-databases.ts";
import { Silences } from "./silences.ts";
import type { Handle, Ticker } from "./ticker.ts";
import type { Watch } from "./watch.ts";
import { LOG_CREDIT } from "./worker-life.ts";
import type { WorkerCommand } from "./worker-process.ts";
import { Workflows } from "./workflows.ts";

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
  readonly lifetime: Lifetime;
  /** Each signal after its commit. */
  readonly onSignal: (signal: Signal) => void;
}

/** Where the modules are, by the names that use them. */
export interface Modules {
  readonly senses: Locations;
  readonly workflows: Locations;
}

/** Names of what a reload starts anew. */
export interface Changed {
  readonly groups: ReadonlySet<string>;
  readonly workflows: ReadonlySet<string>;
}

const MAX_PAYLOAD_BYTES = 64 * 1024;

export class Engine implements GroupHost, Desk {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly journal: Journal;
  readonly senses = new Map<string, Sense>();
  readonly groups = new Map<string, Group>();
  readonly reflexes: Reflexes;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly #reactions: Reactions;
  readonly #quarantines: Quarantines;
  readonly #ledger: Ledger;
  readonly #store: Store;
  readonly #parts: EngineParts;
  readonly #newTrace = traceIds();
  readonly #throttled = new Map<Sense, Handle>();
  #computeId = 0;
  #generation = 0;
  #stopping = false;

  constructor(parts: EngineParts) {
    this.clock = parts.clock;
    this.ticker = parts.ticker;
    this.journal = parts.journal;
    this.#ledger = parts.ledger;
    this.#store = parts.store;
    this.#parts = parts;
    this.silences = new Silences({ ...parts, reflexes: () => this.reflexes.startingWorkflows() });
    this.#reactions = new Reactions({
      ...parts,
      reflexes: () => this.reflexes,
      workflows: () => this.workflows,
      silences: this.silences,
      wake: (sense) => this.#wake(sense),
    });
    const late = this.#reactions.late.bind(this.#reactions);
    const watching = { ...parts, late, limited: (watch: Watch) => this.#logLimited(watch) };
    this.#quarantines = new Quarantines({
      ...parts,
      isCurrent: (sense) => this.senses.get(sense.name) === sense,
      cancel: (sense) => this.#cancel(sense, "is quarantined"),
      released: (sense) => this.#released(sense),
    });
    this.reflexes = new Reflexes({ ...parts, desk: this, watching });
    this.workflows = new Workflows({
      ...parts,
      nextGeneration: this.nextGeneration,
      isHeld: () => this.#isHeld,
      command: () => parts.command(WORKFLOW_WORKER_ROLE),
      peers: () => this.#peers(),
      blobs: join(parts.data, "blobs"),
      // With a dot, which is in no name: no group can be called so.
      lockOf: (workflow) => join(parts.data, "locks", `workflow.${workflow}.lock`),
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
      if (state) sense.restore(state);
      sense.enabled = !disabled.has(`sense:${name}`);
      this.senses.set(name, sense);
    }
    this.#cancelOfRemoved(
      [...states.values()].filter((state) => state.owed && !this.senses.has(state.sense)).map((state) => state.sense),
    );
    for (const sense of this.senses.values()) this.#group(config, sense.config.group).seats.set(sense.name, sense);
    for (const sense of this.senses.values()) this.#quarantines.arm(sense);
    this.reflexes.load(config, this.senses, disabled, true);
    for (const group of this.groups.values()) group.start();
    this.workflows.load(config, workflows);
  }

  #newSense(config: NerveConfig, locations: Locations, name: string): Sense {
    const entry = config.senses.get(name);
    const location = locations.get(name);
    if (entry === undefined || location === undefined) throw new Error(`sense ${name} is not configured`);
    const sense = location.ok ? new Sense(entry, location.value, null) : new Sense(entry, null, location.error);
    if (sense.problem) this.#logFailed(sense, sense.problem);
    return sense;
  }

  #group(config: NerveConfig, name: string): Group {
    const known = this.groups.get(name);
    if (known) return known;
    const group = new Group(config.groups.get(name) ?? { name, memoryBytes: null }, this);
    this.groups.set(name, group);
    return group;
  }

  /**
   * Another configuration: groups named in `groups` finish their computes and start anew, reflexes and senses that did
   * not change keep what they know. Resolves when the new one is in force.
   */
  async replace(config: NerveConfig, modules: Modules, changed: Changed): Promise<void> {
    const { groups } = changed;
    const locations = modules.senses;
    await Promise.all([...groups].map((name) => this.groups.get(name)?.retire()));
    // What is still to be committed speaks of the senses as they were. A store in trouble is waited for: a worker
    // started before that would be told of outbox rows, and a sense of decisions, as if they had never been taken.
    while (!this.#ledger.flush()) await this.#ledger.committed();
    if (this.#stopping) return;
    const before = new Map(this.senses);
    const affected = (name: string): boolean => groups.has(name);
    this.senses.clear();
    for (const [name, entry] of config.senses) {
      const known = before.get(name);
      const stays = known && !affected(known.config.group) && !affected(entry.group);
      if (stays) {
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
    this.reflexes.load(config, this.senses, new Set<string>(this.#store.switches.disabled()), false);
    const same = before.size === this.senses.size && [...before.keys()].every((name) => this.senses.has(name));
    for (const group of this.groups.values()) {
      if (affected(group.name) || group.pid === null) group.start();
      else if (!same) group.tellPeers(this.#peers());
    }
    if (!same) this.workflows.tellPeers();
    this.workflows.replace(config, modules.workflows, changed.workflows);
  }

  #cancelOfRemoved(names: readonly string[]): void {
    if (names.length === 0) return;
    const store = this.#store;
    this.#ledger.add({
      write: () => {
        for (const name of names) store.senses.setOwed(name, null);
      },
      kept: () => {},
    });
    for (const name of names) this.#logCancelled(name, "is not configured any more");
  }

  // ── decisions ────────────────────────────────────────────────────────

  /** A due time of an interval: computed now, or owed when the throttle holds it back; missed while it still computes. */
  due(sense: Sense, dueMs: number, skipped: number): void {
    if (!sense.mayCompute || sense.problem) return;
    sense.stats.missed += skipped;
    if (sense.flight !== null || sense.tick?.reason === "tick") sense.stats.missed++;
    if (sense.flight !== null) return;
    const trigger = this.#trigger("tick", dueMs);
    if (this.#throttleLeft(sense) <= 0) {
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

  #logLimited({ name }: Watch): void {
    this.journal.logFolded({
      level: "warn",
      source: `reflex:${name}`,
      event: "reflex.keys-limited",
      message: `it remembers ${MAX_KEYS} keys, as many as it may: signals of further ones are not looked at until some come to rest`,
      data: { keys: MAX_KEYS },
      trace: null,
    });
  }

  // ── what a group asks ────────────────────────────────────────────────

  nextGeneration = (): number => ++this.#generation;
  nextComputeId = (): number => ++this.#computeId;
  command = (): WorkerCommand => this.#parts.command(SENSE_WORKER_ROLE);

  #peers(): PeerFiles {
    return peerFiles(this.#parts.data, this.senses.keys());
  }

  init(group: Group, senses: readonly Sense[], generation: number): ParentMessage {
    const { data } = this.#parts;
    return {
      type: "init",
      generation,
      senses: senses.map((sense) => ({
        name: sense.name,
        folder: sense.location?.folder ?? null,
        use: sense.config.use,
        database: senseDatabase(data, sense.name),
        options: sense.config.with ?? {},
        timeoutMs: this.limits(sense).timeoutMs,
        outboxTaken: sense.outbox,
        patterns: [],
      })),
      peers: this.#peers(),
      blobs: join(data, "blobs"),
      lock: join(data, "locks", `${group.name}.lock`),
      logCredit: LOG_CREDIT,
    };
  }

  limits(sense: Sense): Limits {
    const { timeoutMs, gracePeriodMs } = sense.config;
    return { timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS, gracePeriodMs: gracePeriodMs ?? DEFAULT_GRACE_PERIOD_MS };
  }

  #throttleLeft(sense: Sense): number {
    const { throttleMs } = sense.config;
    if (throttleMs === null || sense.started === null) return 0;
    return throttleMs - elapsedSince(sense.started, this.clock);
  }

  /** Nothing new is started: the store cannot be written, or there is hardly room left. */
  get #isHeld(): boolean {
    return this.#ledger.troubled || this.#parts.space.low;
  }

  mayStart(sense: Sense): boolean {
    if (!sense.mayCompute || this.#isHeld) return false;
    const left = this.#throttleLeft(sense);
    if (left <= 0) return true;
    if (!this.#throttled.has(sense)) {
      const handle = this.ticker.after(left, () => {
        this.#throttled.delete(sense);
        this.#wake(sense);
      });
      this.#throttled.set(sense, handle);
    }
    return false;
  }

  begin(starting: readonly Sense[], send: () => void): void {
    const throttled = starting.filter((sense) => sense.config.throttleMs !== null);
    if (throttled.length === 0) return send();
    const moment = momentOf(this.clock);
    this.#ledger.add({
      write: (draft) => {
        for (const sense of throttled) draft.started(sense, moment);
      },
      kept: send,
    });
  }

  signal(group: Group, sense: Sense, flight: Flight | null, message: WorkerMessageOf<"signal">): void {
    const payload = message.payload === null ? "null" : JSON.stringify(message.payload);
    if (message.payload === null || exceedsBytes(payload, MAX_PAYLOAD_BYTES)) {
      const what = message.payload === null ? "the payload null" : "a payload over 64 KiB";
      if (flight) this.failed(group, sense, flight, refused(message, `the worker sent ${what}`));
      return;
    }
    const at = this.clock.wallMs();
    const { cause, trace } = flight?.trigger ?? this.#believe(message);
    const seen = this.#reactions.see(sense.name, message.payload as Json, at);
    let id = 0;
    let react: (() => void) | null = null;
    this.#ledger.add(
      {
        write: (draft) => {
          const isNew = message.outbox === null || draft.takeOutbox(sense, message.outbox);
          if (flight) this.#settle(draft, sense, flight);
          if (!isNew) return;
          id = draft.signal({ sense: sense.name, at, payload, cause, trace });
          if (seen !== null) react = this.#reactions.decide(draft, seen, { id, sense: sense.name, at, trace });
        },
        kept: () => {
          if (message.outbox !== null) group.ack([{ sense: sense.name, upTo: message.outbox }], 0);
          if (flight) this.#settled(group, sense, flight);
          if (id === 0) return;
          sense.stats.lastSignal = { id, at };
          react?.();
          this.#parts.onSignal({ id, sense: sense.name, at, payload, cause, trace });
        },
      },
      flight?.batch ?? null,
    );
  }

  /** Cause and trace of a left-over row, if they can be true. */
  #believe(message: WorkerMessageOf<"signal">): { cause: number | null; trace: string } {
    const cause = message.cause !== null && message.cause <= this.#store.signals.lastId() ? message.cause : null;
    return { cause, trace: TRACE_PATTERN.test(message.trace) ? message.trace : this.#newTrace(this.clock.wallMs()) };
  }

  noSignal(group: Group, sense: Sense, flight: Flight): void {
    sense.stats.nulls++;
    if (flight.owed === null && sense.strikes === 0) return this.#settled(group, sense, flight);
    this.#ledger.add(
      { write: (draft) => this.#settle(draft, sense, flight), kept: () => this.#settled(group, sense, flight) },
      flight.batch,
    );
  }

  failed(group: Group, sense: Sense, flight: Flight, message: WorkerMessageOf<"error">): void {
    const timedOut = message.kind === "timed-out";
    if (timedOut) sense.stats.timeouts++;
    else sense.stats.errors++;
    const { timeoutMs } = this.limits(sense);
    this.journal.logFolded({
      level: "error",
      source: `sense:${sense.name}`,
      event: timedOut ? "compute.timed-out" : "compute.failed",
      message: timedOut
        ? `the compute passed its timeout of ${formatDuration(timeoutMs)} and was rolled back`
        : message.message,
      data: {
        compute: flight.id,
        duration_ms: message.durationMs,
        ...(message.stack === null ? {} : { stack: message.stack }),
      },
      trace: flight.trigger.trace,
    });
    this.#ledger.add(
      { write: (draft) => this.#settle(draft, sense, flight), kept: () => this.#settled(group, sense, flight) },
      flight.batch,
    );
  }

  #settle(draft: Draft, sense: Sense, flight: Flight): void {
    draft.settle(sense, flight.owed);
    if (sense.strikes > 0) draft.strikes(sense, 0, null);
  }

  #settled(group: Group, sense: Sense, flight: Flight): void {
    sense.stats.computes++;
    sense.strikes = 0;
    group.settled(sense, flight);
  }

  output(group: Group, message: WorkerMessageOf<"log">, taken: () => void): void {
    const source = message.sense === null ? "kernel" : `sense:${message.sense}`;
    const data = (message.data as Json) ?? (message.sense === null ? { group: group.name } : null);
    const { level, event, trace } = message;
    this.journal.relay({ level, source, event, message: message.message, data, trace }, null, taken);
  }

  ready(group: Group, message: WorkerMessageOf<"ready">): void {
    let failed = 0;
    for (const { sense: name, problem: found, applied } of message.senses) {
      const sense = group.seats.get(name);
      if (!sense) continue;
      sense.loaded = found === null;
      sense.problem = found;
      if (found) {
        failed++;
        this.#logFailed(sense, found);
      }
      if (applied.length > 0) {
        const text = `applied ${applied.join(", ")}`;
        this.journal.log({
          level: "info",
          source: `sense:${name}`,
          event: "sense.migrated",
          message: text,
          data: { applied },
          trace: null,
        });
      }
    }
    const loaded = message.senses.length - failed;
    const text = `worker ${group.pid} of group "${group.name}" is up with ${counted(loaded, "sense")}`;
    const data = { group: group.name, pid: group.pid, generation: message.generation, senses: loaded, failed };
    this.journal.log({ level: "info", source: "kernel", event: "worker.started", message: text, data, trace: null });
  }

  #logFailed(sense: Sense, found: Problem): void {
    this.journal.logProblem(`sense:${sense.name}`, "sense.failed", found);
  }

  // ── blame ────────────────────────────────────────────────────────────

  strike(sense: Sense, death: LoneDeath): boolean {
    return this.#quarantines.strike(sense, death);
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
    this.#throttled.get(sense)?.cancel();
    this.#throttled.delete(sense);
    this.groups.get(sense.config.group)?.forget(sense);
    if (sense.owed === null || sense.owed === sense.flight?.owed) return;
    this.#ledger.add({ write: (draft) => draft.cancelOwed(sense), kept: () => {} });
    this.#logCancelled(sense.name, why);
  }

  #logCancelled(name: string, why: string): void {
    const message = `a compute that was owed is cancelled: the sense ${why}`;
    this.journal.log({
      level: "info",
      source: `sense:${name}`,
      event: "compute.cancelled",
      message,
      data: null,
      trace: null,
    });
  }

  // ── what a person asks ───────────────────────────────────────────────

  #find(name: string): Result<Sense, Problem> {
    const sense = this.senses.get(name);
    if (sense) return ok(sense);
    const meant = nearest(name, this.senses.keys());
    const hint = meant === null ? `there are: ${[...this.senses.keys()].sort().join(", ")}` : `did you mean ${meant}?`;
    return err(problem("unknown-sense", `there is no sense "${name}"`, hint));
  }

  /** One compute, now: its trace, once the decision is durable. */
  trigger(name: string): Promise<Result<{ sense: string; trace: string }, Problem>> {
    const found = this.#find(name);
    if (!found.ok) return Promise.resolve(found);
    const sense = found.value;
    const { state } = sense;
    if (state !== "ok") {
      const hint = {
        failed: "see `nerve status`",
        quarantined: `nerve release ${name}`,
        disabled: `nerve enable ${name}`,
      }[state];
      return Promise.resolve(err(problem(`sense-${state}`, `sense "${name}" is ${state} and starts no compute`, hint)));
    }
    let owed = this.#trigger("manual", this.clock.wallMs());
    return new Promise((resolve) => {
      this.#ledger.add({
        write: (draft) => {
          owed = draft.owe(sense, owed);
        },
        kept: () => {
          this.#wake(sense);
          resolve(ok({ sense: name, trace: owed.trace }));
        },
      });
    });
  }

  /** `sense:NAME`, `reflex:NAME`, or a bare name: the sense if there is one. */
  #resolve(reference: string): Result<{ kind: "sense"; sense: Sense } | { kind: "reflex"; reflex: Reflex }, Problem> {
    const [prefix, rest] = /^(sense|reflex):(.*)$/.exec(reference)?.slice(1) ?? [null, reference];
    const name = rest ?? reference;
    const sense = prefix === "reflex" ? undefined : this.senses.get(name);
    if (sense) return ok({ kind: "sense", sense });
    const reflex = prefix === "sense" ? undefined : this.reflexes.byName.get(name);
    if (reflex) return ok({ kind: "reflex", reflex });
    const candidates = [
      ...(prefix === "reflex" ? [] : this.senses.keys()),
      ...(prefix === "sense" ? [] : this.reflexes.byName.keys()),
    ];
    const meant = nearest(name, candidates);
    const hint = meant === null ? "see `nerve status`" : `did you mean ${meant}?`;
    return err(problem(`unknown-${prefix ?? "name"}`, `there is no ${prefix ?? "sense or reflex"} "${name}"`, hint));
  }

  /** Durable when it resolves; what it names, in the form `sense:NAME` or `reflex:NAME`. */
  switch(reference: string, enabled: boolean): Promise<Result<{ name: string; enabled: boolean }, Problem>> {
    const found = this.#resolve(reference);
    if (!found.ok) return Promise.resolve(found);
    const target = found.value;
    const name =
      target.kind === "sense"
        ? (`sense:${target.sense.name}` as const)
        : (`reflex:${target.reflex.config.name}` as const);
    const store = this.#store;
    const at = this.clock.wallMs();
    const message = enabled ? "enabled" : "disabled";
    const entry = { level: "info", source: name, event: message, message, data: null, trace: null } as const;
    return new Promise((resolve) => {
      this.#ledger.add({
        write: (draft) => {
          draft.log(this.journal.row(entry));
          if (enabled) store.switches.enable(name);
          else store.switches.disable(name, at);
          if (target.kind === "reflex" && target.reflex.enabled !== enabled) {
            draft.clearReflex(target.reflex.config.name);
          }
        },
        kept: () => {
          if (target.kind === "sense") {
            target.sense.enabled = enabled;
            if (!enabled) this.#cancel(target.sense, "is disabled");
          } else {
            if (target.reflex.enabled !== enabled) {
              target.reflex.last = null;
              target.reflex.watch?.forgetAll();
            }
            target.reflex.enabled = enabled;
          }
          this.journal.say(entry);
          resolve(ok({ name, enabled }));
        },
      });
    });
  }

  /** Lifts a quarantine and forgets the strikes. `released` false: there was none. */
  release(name: string): Result<{ sense: string; released: boolean }, Problem> {
    const found = this.#find(name);
    if (!found.ok) return found;
    const released = found.value.quarantine !== null;
    if (released) this.#quarantines.release(found.value, "by hand", 0);
    return ok({ sense: name, released });
  }

  /** Commits work again, or it does not: everything that waits looks again. */
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

const refused = (message: WorkerMessageOf<"signal">, why: string): WorkerMessageOf<"error"> => ({
  type: "error",
  generation: message.generation,
  id: message.id,
  sense: message.sense,
  kind: "failed",
  message: why,
  stack: null,
  durationMs: message.durationMs,
});
