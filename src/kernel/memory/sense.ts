/** What the kernel knows of one sense while it runs. Changed by the engine and its group only, after the commit. */
import type { Moment } from "../../base/clock.ts";
import type { SenseConfig } from "../../model/config.ts";
import type { Problem } from "../../model/problem.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { Owed, Quarantine, SenseState } from "../../store/sense-state.ts";

/** Computes sent together; their results commit together while `left` counts down. */
export interface Batch {
  left: number;
}

export interface Flight {
  /** Compute id, unique within the kernel's life. */
  readonly id: number;
  readonly trigger: Owed;
  /** The owed decision this compute answers, if it began for one. */
  readonly owed: Owed | null;
  readonly batch: Batch;
  /** Awake milliseconds of its `started`, null before. */
  startedAt: number | null;
  /** Its result has come and waits for the commit. */
  settling: boolean;
  /** It has passed its timeout, and that is counted and logged. */
  timedOut: boolean;
}

const REMEMBERED_DURATIONS = 128;

/** Counts since the kernel started, and the newest durations. */
export class SenseStats {
  computes = 0;
  nulls = 0;
  errors = 0;
  timeouts = 0;
  missed = 0;
  lastSignal: { readonly id: number; readonly at: number } | null = null;
  /** Why its newest compute failed, timed out or was killed; null once one has succeeded since. */
  failure: string | null = null;
  readonly #durations: number[] = [];
  #next = 0;

  took(durationMs: number): void {
    this.#durations[this.#next] = durationMs;
    this.#next = (this.#next + 1) % REMEMBERED_DURATIONS;
  }

  /** Milliseconds, or null before the first compute. */
  percentile(share: number): number | null {
    const sorted = [...this.#durations].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
  }
}

export class Sense {
  readonly name: string;
  readonly config: SenseConfig;
  /** Where its module is, or why there is none. */
  readonly location: Location | null;
  /** Why it cannot compute: not found, not loaded, not migrated. Null once its worker has loaded it. */
  problem: Problem | null;
  loaded = false;
  enabled = true;
  /** Highest outbox row taken. */
  outbox = 0;
  owed: Owed | null = null;
  /** Causes of the compute that was under way when `owed` was decided: lost with it, unless it settles. */
  unanswered: readonly number[] = [];
  /** A due time that has come and needs no durability: the newest one, until it is computed. */
  tick: Owed | null = null;
  flight: Flight | null = null;
  /** Start of the newest compute. */
  started: Moment | null = null;
  strikes = 0;
  quarantine: Quarantine | null = null;
  /** The compute that was under way when its worker last died. */
  diedInFlight: number | null = null;
  /** Its worker died while loading it: it is left out of the next one while it is quarantined. */
  diedLoading = false;
  stats = new SenseStats();

  constructor(config: SenseConfig, location: Location | null, problem: Problem | null) {
    this.name = config.name;
    this.config = config;
    this.location = location;
    this.problem = problem;
  }

  restore(state: SenseState): void {
    this.outbox = state.outbox;
    this.owed = state.owed;
    this.unanswered = state.unanswered;
    this.started = state.started;
    this.strikes = state.strikes;
    this.quarantine = state.quarantine;
  }

  /** What outlives a reload of its configuration. */
  inherit(before: Sense): void {
    this.outbox = before.outbox;
    this.owed = before.owed;
    this.unanswered = before.unanswered;
    this.started = before.started;
    this.strikes = before.strikes;
    this.quarantine = before.quarantine;
    before.quarantine = null;
    this.enabled = before.enabled;
    this.stats = before.stats;
  }

  get state(): "ok" | "failed" | "quarantined" | "disabled" {
    if (!this.enabled) return "disabled";
    if (this.quarantine) return "quarantined";
    return this.problem ? "failed" : "ok";
  }

  /** Whether it starts computes at all. */
  get mayCompute(): boolean {
    return this.enabled && this.quarantine === null;
  }

  /** What it would compute for now, if anything: the owed decision before the plain tick. */
  get pending(): Owed | null {
    return this.owed !== null && this.owed !== this.flight?.owed ? this.owed : this.tick;
  }
}
