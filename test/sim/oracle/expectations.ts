/**
 * What must be of `expect_every`: a sense from which neither a signal nor an item has come for that long, or a workflow of which
 * no run has completed, is said to be stale once, and no other. Downtime counts, a clock that is set does not.
 */
import type { Status } from "../../../src/control/contract.ts";
import type { NerveConfig } from "../../../src/model/config.ts";
import type { Machine } from "../machine.ts";
import { MINUTE, SECOND } from "../words.ts";
import { violation } from "./report.ts";

interface Expected {
  readonly everyMs: number;
  /** Elapsed time of what came last. */
  since: number;
  isStale: boolean;
}

const GRACE_MS = 5 * MINUTE;
/** Looks are a second apart, and what a look finds is committed. */
const LOOK_MS = 3 * SECOND;
/** A start knows the time of what came since the last note, a minute before at most, by a wall clock that may be set since. */
const NOTE_MS = 65 * SECOND;

export class ExpectationOracle {
  readonly #machine: Machine;
  readonly #disabled = new Set<string>();
  #expected = new Map<string, Expected>();
  /** Elapsed time. */
  #startedAt = 0;
  /** Since when somebody looks, in milliseconds of the machine. */
  #wellSince: number | null = null;
  /** When something changed, so that a look may not show it yet. */
  #changedAt = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  configured({ senses, workflows }: NerveConfig, elapsed: number): void {
    const before = this.#expected;
    this.#expected = new Map();
    const all = [
      ...[...senses].map(([name, { expectEveryMs }]) => [`sense:${name}`, expectEveryMs] as const),
      ...[...workflows].map(([name, { expectEveryMs }]) => [`workflow:${name}`, expectEveryMs] as const),
    ];
    for (const [id, everyMs] of all) {
      if (everyMs === null) continue;
      this.#expected.set(id, { ...(before.get(id) ?? { since: elapsed, isStale: false }), everyMs });
    }
    this.isDisturbed();
  }

  starts(elapsed: number): void {
    this.#startedAt = elapsed;
    // A machine may come up with its clock set back.
    for (const expected of this.#expected.values()) expected.since = Math.min(expected.since, elapsed);
    this.#wellSince = this.#machine.now;
  }

  ends(): void {
    this.#wellSince = null;
  }

  /** A pause, or a store that takes nothing: what is due is found a moment later. */
  isDisturbed(): void {
    this.#changedAt = this.#machine.now;
    if (this.#wellSince !== null) this.#wellSince = this.#machine.now;
  }

  /** Somebody switches a sense: what it was before makes no difference. */
  switched(sense: string, enabled: boolean, elapsed: number): void {
    if (this.#disabled.has(sense) === !enabled) return;
    if (enabled) this.#disabled.delete(sense);
    else this.#disabled.add(sense);
    this.came(`sense:${sense}`, elapsed);
  }

  /** Something came. */
  came(id: string, elapsed: number): void {
    const expected = this.#expected.get(id);
    if (expected === undefined) return;
    if (expected.isStale) this.#changedAt = this.#machine.now;
    expected.since = elapsed;
    expected.isStale = false;
  }

  /** It is committed that it is stale. */
  said(id: string, elapsed: number): void {
    const expected = this.#expected.get(id);
    if (expected === undefined) return violation("stale", `${id} is said to be stale, and nothing is expected of it`);
    const { everyMs, since, isStale } = expected;
    if (isStale) violation("stale-twice", `${id} is said to be stale twice, and nothing has come between`);
    if (this.#isOff(id)) violation("stale", `${id}, which is disabled, is said to be stale`);
    if (elapsed - since < everyMs - this.#slackOf(since))
      violation("stale", `${id} is said to be stale ${elapsed - since} ms after something came, of ${everyMs} ms`);
    const graceMs = Math.min(GRACE_MS, everyMs);
    if (elapsed - this.#startedAt < graceMs - SECOND)
      violation("stale", `${id} is said to be stale ${elapsed - this.#startedAt} ms after a start`);
    expected.isStale = true;
    this.#changedAt = this.#machine.now;
  }

  /** A kernel sees what comes in its own time at once. */
  #slackOf(since: number): number {
    return since >= this.#startedAt ? SECOND : NOTE_MS;
  }

  #isOff(id: string): boolean {
    return id.startsWith("sense:") && this.#disabled.has(id.slice("sense:".length));
  }

  /** What must have been said by now has been. */
  look(elapsed: number): void {
    if (this.#wellSince === null || this.#machine.now - this.#wellSince < LOOK_MS) return;
    for (const [id, { everyMs, since, isStale }] of this.#expected) {
      if (isStale || this.#isOff(id)) continue;
      const dueAt = Math.max(since + everyMs, this.#startedAt + Math.min(GRACE_MS, everyMs)) + LOOK_MS;
      if (elapsed > dueAt + this.#slackOf(since))
        violation("stale", `nothing has come of ${id} for ${elapsed - since} ms of ${everyMs} ms, and nobody says so`);
    }
  }

  /** What is stale is shown so, and nothing else. */
  isWellSeen({ senses, workflows, groups }: Status): void {
    const isSettled =
      this.#wellSince !== null && this.#machine.now - Math.max(this.#wellSince, this.#changedAt) > LOOK_MS;
    if (!isSettled) return;
    const isStale = (id: string): boolean => this.#expected.get(id)?.isStale === true;
    const stuck = new Set(groups.flatMap(({ name, state }) => (state === "stuck" ? name : [])));
    for (const { name, group, state } of senses) {
      const must = isStale(`sense:${name}`);
      if (state === "stale" && !must && !stuck.has(group))
        violation("look", `a look shows ${name} stale, and it is not`);
      if (must && (state === "ok" || state === "failing"))
        violation("look", `a look shows ${name} ${state}, and it is stale`);
    }
    for (const { name, stale } of workflows)
      if (stale !== isStale(`workflow:${name}`))
        violation(
          "look",
          `a look shows the workflow ${name} ${stale ? "" : "not "}stale, and it is ${stale ? "not" : "so"}`,
        );
  }
}
