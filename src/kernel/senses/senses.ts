/**
 * The senses there are, and their groups: what a due time leads to, and what is given up. Its twin is `runs/workflows.ts`.
 * Which senses there are is `Seating`'s to say; how a compute goes is the groups' and `Computes`'. Owns throttles and
 * quarantines.
 */
import type { Clock } from "../../base/clock.ts";
import { traceIds } from "../../base/trace-id.ts";
import { type PeerFiles, peerFiles } from "../../spawn/peer-files.ts";
import type { Owed } from "../../store/sense-state.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import type { DueTimes } from "../reflexes/clocks.ts";
import type { Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";
import type { Group } from "./group.ts";
import { Quarantines } from "./quarantines.ts";
import { Throttles } from "./throttles.ts";

export interface SensesParts {
  readonly world: Pick<World, "clock" | "chance">;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** The data directory. */
  readonly data: string;
  /** A sense may compute again. */
  readonly onFree: (sense: Sense) => void;
}

export class Senses implements DueTimes {
  /** Written by `Seating` alone. */
  readonly byName = new Map<string, Sense>();
  readonly groups = new Map<string, Group>();
  readonly throttles: Throttles;
  readonly quarantines: Quarantines;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #journal: Journal;
  readonly #data: string;
  readonly #onFree: (sense: Sense) => void;
  readonly #newTrace: (wallMs: number) => string;

  constructor({ world, ticker, ledger, journal, data, onFree }: SensesParts) {
    this.#onFree = onFree;
    const { clock } = world;
    this.#newTrace = traceIds(world.chance);
    this.#clock = clock;
    this.#ledger = ledger;
    this.#journal = journal;
    this.#data = data;
    this.throttles = new Throttles(clock, ticker, (sense) => this.wake(sense));
    this.quarantines = new Quarantines({
      clock,
      ticker,
      ledger,
      journal,
      isCurrent: (sense) => this.byName.get(sense.name) === sense,
      cancel: (sense) => this.cancel(sense, "is quarantined"),
      released: (sense) => this.#released(sense),
    });
  }

  /** Where the databases of all senses are. */
  peers(): PeerFiles {
    return peerFiles(this.#data, this.byName.keys());
  }

  // ── what the clock brings ────────────────────────────────────────────

  /** A due time of an interval: computed now, or owed when the throttle holds it back; missed while it still computes. */
  due(sense: Sense, dueMs: number, skipped: number, wallMs: number): void {
    if (!sense.mayCompute || sense.problem !== null) return;
    if (sense.flight !== null) {
      sense.stats.missed += skipped + 1;
      return;
    }
    sense.stats.missed += sense.tick?.reason === "tick" ? skipped + 1 : skipped;
    const trigger = this.#trigger("tick", dueMs, wallMs);
    if (!this.throttles.holds(sense)) {
      sense.fallDue(trigger);
      return this.wake(sense);
    }
    // While the store takes nothing decisions would pile up, and the next tick is as good.
    if (sense.pending !== null || this.#ledger.troubled) return;
    this.#ledger.add({ write: (draft) => draft.owe(sense, trigger), kept: () => this.wake(sense) });
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
        this.wake(sense);
      },
    });
  }

  /** nerve has started, or the reflex is new. */
  dueAtStart(sense: Sense): void {
    if (!sense.mayCompute) return;
    sense.alsoFallDue(this.#trigger("start", this.#clock.wallMs()));
    this.wake(sense);
  }

  /** What it watches has changed: owed, so that a compute under way is followed by one more. */
  dueByWatch(sense: Sense): void {
    const owed = this.#trigger("watch", this.#clock.wallMs());
    this.#ledger.add({ write: (draft) => void draft.owe(sense, owed), kept: () => this.wake(sense) });
  }

  /** A decision of a person, made now. */
  triggerByHand(): Owed {
    return this.#trigger("manual", this.#clock.wallMs());
  }

  #trigger(reason: Owed["reason"], at: number, wallMs = this.#clock.wallMs()): Owed {
    return { reason, at, cause: null, trace: this.#newTrace(wallMs) };
  }

  // ── what begins, and what does not ───────────────────────────────────

  /** `sense` has something to compute for, or may begin again. */
  wake(sense: Sense): void {
    this.groups.get(sense.config.group)?.wake(sense);
  }

  /** Whatever waits looks whether it may begin. */
  resume(): void {
    for (const sense of this.byName.values()) if (sense.pending !== null) this.wake(sense);
  }

  /** It may compute again: alone at first. */
  #released(sense: Sense): void {
    const group = this.groups.get(sense.config.group);
    if (!group) return;
    group.suspect(sense);
    this.#onFree(sense);
    if (sense.diedLoading) void group.retire().then(() => group.start());
  }

  /** What is owed or due to `sense` is given up, with a log. */
  cancel(sense: Sense, why: string): void {
    sense.dropTick();
    this.throttles.forget(sense);
    this.groups.get(sense.config.group)?.forget(sense);
    if (sense.owed === null || sense.owed === sense.flight?.owed) return;
    this.#ledger.write((draft) => draft.cancelOwed(sense));
    this.#logCancelled(sense.name, why);
  }

  /** What is owed to senses that are no longer there is given up, with a log each. */
  cancelOfRemoved(names: readonly string[]): void {
    if (names.length === 0) return;
    this.#ledger.write((draft) => draft.cancelOwedOf(names));
    for (const name of names) this.#logCancelled(name, "is no longer configured");
  }

  #logCancelled(name: string, why: string): void {
    const message = `a compute that was owed is cancelled: the sense ${why}`;
    this.#journal.of(`sense:${name}`).info("compute.cancelled", message, null);
  }

  // ── the end ──────────────────────────────────────────────────────────

  /** Aborts what runs and ends every worker. */
  async stop(): Promise<void> {
    await Promise.all([...this.groups.values()].map((group) => group.stop()));
  }

  /** SIGKILL to every worker's group, now. */
  killAll(why: string): void {
    for (const group of this.groups.values()) group.kill(why);
  }
}
