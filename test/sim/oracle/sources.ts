/** What must be of everything that comes from outside but items: watches, delivered signals, and what does not come. */
import type { NerveConfig } from "../../../src/model/config.ts";
import type { NewLog } from "../../../src/model/log.ts";
import type { Message } from "../../helpers/kernel-bench.ts";
import type { Machine } from "../machine.ts";
import type { Change } from "../store.ts";
import { DeliveryOracle } from "./deliveries.ts";
import { ExpectationOracle } from "./expectations.ts";
import { WatchOracle } from "./watches.ts";

export class SourceOracle {
  readonly watches: WatchOracle;
  readonly deliveries: DeliveryOracle;
  readonly expectations: ExpectationOracle;
  /** All from the first on. */
  #removedSignals = 0;

  constructor(machine: Machine, canCompute: (sense: string) => boolean) {
    this.watches = new WatchOracle(machine, canCompute);
    this.deliveries = new DeliveryOracle(machine);
    this.expectations = new ExpectationOracle(machine);
  }

  configured(config: NerveConfig, elapsed: number): void {
    this.watches.configured(config);
    this.deliveries.configured(config);
    this.expectations.configured(config, elapsed);
  }

  starts(elapsed: number): void {
    this.watches.starts();
    this.expectations.starts(elapsed);
  }

  /** The kernel ends, or begins to. */
  ends(): void {
    this.watches.ends();
    this.expectations.ends();
  }

  /** Whether SQLite takes commits. */
  takes(isWell: boolean): void {
    this.watches.takes(isWell);
    if (!isWell) this.expectations.isDisturbed();
  }

  pauses(isPaused: boolean): void {
    this.watches.pauses(isPaused);
    this.expectations.isDisturbed();
  }

  /** logs.db is copied. Once the copy is put back, the result says how many signals retention had removed. */
  copied(): (keepsSenses: boolean) => number {
    const removed = this.#removedSignals;
    const putBack = this.deliveries.copied();
    return (keepsSenses) => {
      putBack(keepsSenses);
      return removed;
    };
  }

  /** Of one transaction, in its order. */
  committed(change: Change, elapsed: number): void {
    switch (change.kind) {
      case "signal": {
        const { sense, payload } = change.signal;
        this.deliveries.signal(change.id, sense, payload);
        return this.expectations.came(`sense:${sense}`, elapsed);
      }
      case "item":
        return this.expectations.came(`sense:${change.sense}`, elapsed);
      case "removed-signals":
        this.#removedSignals += change.count;
        return this.deliveries.removed(this.#removedSignals);
      case "switched":
        return this.#switched(change.name, change.enabled);
      case "owed":
        if (change.owed?.reason === "watch") this.watches.woken(change.sense, change.owed.trace);
        return;
      case "log":
        return this.#log(change.log, elapsed);
    }
  }

  #log({ event, source, message }: NewLog, elapsed: number): void {
    if (event === "run.completed") this.expectations.came(source, elapsed);
    if (event === "sense.stale" || event === "workflow.stale") this.expectations.said(source, elapsed);
    if (event === "watch.limited") this.watches.limited(message);
  }

  #switched(name: string, enabled: boolean): void {
    const [kind = "", rest = ""] = name.split(":");
    if (kind === "reflex") this.deliveries.switched(rest, enabled);
  }

  /** Once the transaction is over. */
  transacted(changes: readonly Change[], elapsed: number): void {
    for (const change of changes) {
      if (change.kind !== "switched") continue;
      const [kind = "", rest = ""] = change.name.split(":");
      if (kind === "reflex") this.watches.switched(rest, change.enabled);
      else this.expectations.switched(rest, change.enabled, elapsed);
    }
    this.watches.look();
    this.expectations.look(elapsed);
  }

  said(event: string): void {
    if (event === "store.low-space") this.watches.isLowOnSpace(true);
    if (event === "store.space-recovered") this.watches.isLowOnSpace(false);
  }

  /** The worker of a group has loaded its senses, as far as they load. */
  ready(group: string, senses: readonly Message[]): void {
    const named = senses.filter(({ problem }) => problem === null);
    const unloaded = senses.flatMap(({ sense, problem }) => (problem === null ? [] : String(sense)));
    this.watches.workerIs(group, true, unloaded);
    for (const { sense, watch } of named) this.watches.names(String(sense), watch as never);
  }
}
