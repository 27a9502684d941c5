/**
 * What the kernel knows of one sense while it runs. Its state changes through the methods of {@link Sense} alone; a move that
 * cannot be is a bug, which ends the kernel:
 * - What is owed, the outbox cursor and the newest start follow a commit: the draft calls `keep…` after the commit.
 * - A flight goes `begin → send → start → settle → land` (a prompt one needs no `start`), or ends with `abort` or `lose`: the group and `Computes` call these.
 * - A due time that needs no commit comes from `Senses`; what a reload leaves of a sense is up to `Seating`.
 * - Strikes, quarantine and the switch only hold something back, so they take effect at once and are stored after.
 */
import { bug } from "../../base/bug.ts";
import type { Moment } from "../../base/clock.ts";
import type { SenseConfig } from "../../model/config.ts";
import type { Item } from "../../model/item.ts";
import type { Problem } from "../../model/problem.ts";
import type { Location } from "../../spawn/modules-on-disk.ts";
import type { Owed, Quarantine, SenseState } from "../../store/sense-state.ts";
import { type Exported, NOTHING_EXPORTED } from "./exported.ts";
import { type Batch, type Delivery, type Flight, Flying } from "./flight.ts";
import { SenseStats } from "./sense-stats.ts";

export class Sense {
  readonly name: string;
  readonly config: SenseConfig;
  /** Where its module is, or why there is none. */
  readonly location: Location | null;
  #problem: Problem | null;
  #isLoaded = false;
  #exported = NOTHING_EXPORTED;
  #isEnabled = true;
  #outbox = 0;
  #owed: Owed | null = null;
  #unanswered: readonly number[] = [];
  #tick: Owed | null = null;
  #flight: Flying | null = null;
  #started: Moment | null = null;
  #strikes = 0;
  #quarantine: Quarantine | null = null;
  #diedInFlight: Flight | null = null;
  #diedLoading = false;
  #stats = new SenseStats();

  constructor(config: SenseConfig, location: Location | null, problem: Problem | null) {
    this.name = config.name;
    this.config = config;
    this.location = location;
    this.#problem = problem;
  }

  // ── what is known ────────────────────────────────────────────────────

  /** Why it cannot compute: not found, not loaded, not migrated. Null once its worker has loaded it. */
  get problem(): Problem | null {
    return this.#problem;
  }

  get loaded(): boolean {
    return this.#isLoaded;
  }

  get exported(): Exported {
    return this.#exported;
  }

  get enabled(): boolean {
    return this.#isEnabled;
  }

  /** Highest outbox row taken. */
  get outbox(): number {
    return this.#outbox;
  }

  get owed(): Owed | null {
    return this.#owed;
  }

  /** Signals that the running compute was for when `owed` was decided. If that compute dies, the next one answers them. */
  get unanswered(): readonly number[] {
    return this.#unanswered;
  }

  /** A due time that has come and needs no durability: the newest one, until it is computed. */
  get tick(): Owed | null {
    return this.#tick;
  }

  get flight(): Flight | null {
    return this.#flight;
  }

  /** Start of the newest compute, where that is kept. */
  get started(): Moment | null {
    return this.#started;
  }

  get strikes(): number {
    return this.#strikes;
  }

  get quarantine(): Quarantine | null {
    return this.#quarantine;
  }

  /** The compute that was under way when its worker last died. */
  get diedInFlight(): Flight | null {
    return this.#diedInFlight;
  }

  /** Its worker died while loading it: the next one leaves it out while it is quarantined. */
  get diedLoading(): boolean {
    return this.#diedLoading;
  }

  get stats(): SenseStats {
    return this.#stats;
  }

  get state(): "ok" | "failed" | "quarantined" | "disabled" {
    if (!this.#isEnabled) return "disabled";
    if (this.#quarantine) return "quarantined";
    return this.#problem ? "failed" : "ok";
  }

  /** Whether it starts computes at all. */
  get mayCompute(): boolean {
    return this.#isEnabled && this.#quarantine === null;
  }

  /** What it would compute for now, if anything: the owed decision before the plain tick. */
  get pending(): Owed | null {
    return this.#owed !== null && this.#owed !== this.#flight?.owed ? this.#owed : this.#tick;
  }

  // ── from one life to the next ────────────────────────────────────────

  restore(state: SenseState): void {
    this.#outbox = state.outbox;
    this.#owed = state.owed;
    this.#unanswered = state.unanswered;
    this.#started = state.started;
    this.#strikes = state.strikes;
    this.#quarantine = state.quarantine;
  }

  /** What outlives a reload of its configuration. `before` is not used again. */
  inherit(before: Sense): void {
    if (before.#flight !== null && !before.#flight.settling) bug(`${before.name} is replaced while it computes`);
    this.#outbox = before.#outbox;
    this.#owed = before.#owed;
    this.#unanswered = before.#unanswered;
    this.#started = before.#started;
    this.#strikes = before.#strikes;
    this.#quarantine = before.#quarantine;
    before.#quarantine = null;
    this.#isEnabled = before.#isEnabled;
    this.#stats = before.#stats;
  }

  // ── after a commit: the draft's hand ─────────────────────────────────

  keepOwed(owed: Owed | null, unanswered: readonly number[]): void {
    this.#owed = owed;
    this.#unanswered = owed === null ? [] : unanswered;
  }

  keepOutbox(row: number): void {
    if (row <= this.#outbox) bug(`row ${row} of the outbox of ${this.name} is taken twice`);
    this.#outbox = row;
  }

  keepStarted(moment: Moment): void {
    this.#started = moment;
  }

  // ── what is due ──────────────────────────────────────────────────────

  /** A newer due time takes the place of one that waits. */
  fallDue(trigger: Owed): void {
    this.#tick = trigger;
  }

  /** What waits already answers this one, too. */
  alsoFallDue(trigger: Owed): void {
    this.#tick ??= trigger;
  }

  dropTick(): void {
    this.#tick = null;
  }

  // ── a compute ────────────────────────────────────────────────────────

  /** Begins for what is pending. One compute answers the owed decision and the tick: it begins after both. */
  begin(id: number, batch: Batch, items: readonly Item[] = [], delivered: Delivery | null = null): Flight {
    const due = this.pending;
    if (this.#flight !== null || due === null) return bug(`a compute of ${this.name} begins for nothing or twice`);
    const owed = due === this.#owed ? due : null;
    this.#tick = null;
    this.#flight = new Flying(id, due, items, delivered, owed, batch);
    return this.#flight;
  }

  get #flying(): Flying {
    return this.#flight ?? bug(`nothing of ${this.name} was begun`);
  }

  /** It is sent to its worker. `pausedMs`: how long this process has been paused so far. */
  send(at: number, pausedMs: number): void {
    this.#flying.send(at, pausedMs);
  }

  start(how: "noted" | "said"): void {
    this.#flying.starts(how);
  }

  leavesMore(): void {
    this.#flying.isBehind = true;
  }

  /** Its timeout has passed. False: that is known already. */
  timeOut(): boolean {
    if (this.#flight === null || this.#flight.timedOut) return false;
    this.#flight.timedOut = true;
    this.#stats.timeouts++;
    return true;
  }

  /** Its result has come. */
  settle(): void {
    this.#flying.settle();
  }

  /** Its result is committed: it did not kill its worker, and the next compute may begin. */
  land(flight: Flight): void {
    this.#stats.computes++;
    this.#strikes = 0;
    this.#diedLoading = false;
    if (this.#flight === flight) this.#flight = null;
  }

  /** It was stopped. What was owed stays owed, and a tick is over. */
  abort(): void {
    this.#dropFlight();
  }

  /** It never settles, through no decision of ours: what it was for is to be computed again. */
  lose(): void {
    const flight = this.#dropFlight();
    this.#diedInFlight = flight;
    if (flight.owed === null) this.#tick ??= flight.due;
  }

  #dropFlight(): Flight {
    const flight = this.#flying;
    flight.drop();
    this.#flight = null;
    return flight;
  }

  // ── its worker, and people ───────────────────────────────────────────

  unload(): void {
    this.#isLoaded = false;
  }

  /** Its worker has loaded it, or has not: then `problem` says why. */
  load(problem: Problem | null): void {
    this.#isLoaded = problem === null;
    this.#problem = problem;
  }

  /** Its module is loaded, and exports this. */
  exports(exported: Exported): void {
    this.#exported = exported;
  }

  /** A module that once killed its worker has loaded after all. */
  absolve(): void {
    this.#diedLoading = false;
  }

  /** Its worker died while it was alone: while its module was loaded, or in a compute. */
  charge(loading: boolean): void {
    this.#diedLoading = loading;
  }

  strike(quarantine: Quarantine | null): void {
    this.#strikes++;
    this.#quarantine = quarantine;
  }

  /** The quarantine is over; so many strikes are held against it still. */
  release(strikes: number): void {
    this.#quarantine = null;
    this.#strikes = strikes;
  }

  enable(isEnabled: boolean): void {
    this.#isEnabled = isEnabled;
  }
}
