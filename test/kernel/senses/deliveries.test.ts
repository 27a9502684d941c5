/** Which signals are delivered (G12) where reflexes are switched, replaced and loaded again, and where logs.db is put back. */
import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { changeEpoch } from "../../../src/backup/epoch.ts";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import type { TakenUpTo } from "../../../src/kernel/inbox/takings.ts";
import { Sense } from "../../../src/kernel/memory/sense.ts";
import type { Reflex } from "../../../src/kernel/reflexes/reflex.ts";
import { Deliveries } from "../../../src/kernel/senses/deliveries.ts";
import type { NerveConfig, SenseReflexConfig } from "../../../src/model/config.ts";
import { ALL_LOGS } from "../../../src/store/logs.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { senseReflex } from "../../helpers/reflex.ts";
import { worldAt } from "../../helpers/world.ts";

const DELIVERS = senseReflex({ name: "delivers", sense: "counts", on: ["many"], deliver: true });

function opened(data: string, boot: string): Store {
  const store = openStore(data, "normal", boot, 1);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

/** What one kernel knows of deliveries. */
class Bench {
  readonly sense = new Sense(unwrittenSense("counts"), null, null);
  readonly deliveries: Deliveries;
  readonly #ledger: Ledger;
  readonly #reflexes = new Map<string, Reflex>();

  constructor(readonly store: Store) {
    const clock = new HandClock();
    this.#ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
    this.deliveries = new Deliveries({
      ledger: this.#ledger,
      journal: new Journal(this.#ledger, { write: () => {} }, clock.wallMs),
      store,
      reflexes: { byName: this.#reflexes },
      senses: { byName: new Map(), dueByWatch: () => {} },
    });
  }

  /** A configuration with these reflexes comes into force. */
  loads(...reflexes: SenseReflexConfig[]): void {
    const disabled = new Set<string>(this.store.switches.disabled());
    this.#reflexes.clear();
    for (const config of reflexes)
      this.#reflexes.set(config.name, { config, enabled: !disabled.has(`reflex:${config.name}`) } as Reflex);
    this.deliveries.listen({ reflexes: [...reflexes] } as unknown as NerveConfig);
    this.#ledger.flush();
  }

  switches(name: string, enabled: boolean): void {
    this.#ledger.write((draft) => {
      if (enabled) this.store.switches.enable(`reflex:${name}`);
      else this.store.switches.disable(`reflex:${name}`, 1);
      this.deliveries.switched(draft, name, enabled);
    });
    this.#ledger.flush();
    const reflex = this.#reflexes.get(name);
    if (reflex !== undefined) reflex.enabled = enabled;
  }

  emits(count: number): void {
    const signal = { sense: "many", at: 1, payload: "1", cause: null, trace: "0".repeat(32) };
    for (let times = 0; times < count; times++) this.store.commit(() => this.store.signals.append(signal));
  }

  flushes(): void {
    this.#ledger.flush();
  }

  /** The ids of the signals that a compute is handed which begins now, where the sense has taken what `taken` says. */
  handed(taken: readonly TakenUpTo[] = []): number[] {
    this.deliveries.opened(this.sense, taken);
    return this.deliveries.pick(this.sense)?.signals.map(({ id }) => id) ?? [];
  }
}

test("what was taken of an earlier epoch counts as far as every epoch since kept it", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "logs.db");
  const first = new Bench(opened(folder.path, "one"));
  first.loads(DELIVERS);
  first.emits(4);
  first.store.close();
  copyFileSync(file, `${file}.copy`);
  const second = new Bench(opened(folder.path, "one"));
  second.loads(DELIVERS);
  second.emits(6);
  expect(second.handed()).toHaveLength(10);
  // What the database of the sense says of it, for ever after.
  const taken = [{ origin: `signals:${second.store.epoch}`, upTo: 10 }];
  second.store.close();

  copyFileSync(`${file}.copy`, file);
  changeEpoch(file);
  const third = new Bench(opened(folder.path, "one"));
  third.loads(DELIVERS);
  third.emits(8);
  expect(third.store.meta.get("epoch_from")).toBe("4");
  expect(third.handed(taken)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);

  // The machine goes down before the sense has taken any of them.
  const fourth = new Bench(opened(folder.path, "two"));
  fourth.loads(DELIVERS);
  expect(fourth.store.meta.get("epoch_from")).toBe("12");
  expect(fourth.handed(taken)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
  fourth.store.close();
  third.store.close();
});

test("a disabled reflex that is removed and loaded again hands over nothing that comes until it is enabled", () => {
  using folder = temporaryFolder();
  const bench = new Bench(opened(folder.path, "one"));
  bench.loads(DELIVERS);
  bench.switches("delivers", false);
  bench.loads();
  bench.loads(DELIVERS);
  bench.emits(3);
  bench.switches("delivers", true);
  bench.emits(1);
  expect(bench.handed()).toEqual([4]);
  bench.store.close();
});

test("what one reflex was disabled for is not held against the reflex that takes its place", () => {
  using folder = temporaryFolder();
  const bench = new Bench(opened(folder.path, "one"));
  bench.loads(DELIVERS);
  bench.switches("delivers", false);
  bench.emits(2);
  bench.loads({ ...DELIVERS, name: "other" });
  bench.emits(1);
  expect(bench.handed()).toEqual([3]);
  bench.switches("other", false);
  bench.emits(1);
  bench.switches("other", true);
  bench.emits(1);
  expect(bench.handed()).toEqual([3, 5]);
  bench.store.close();
});

test("signals that were removed before they were delivered are reported once, whatever is loaded again meanwhile", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path, "one");
  const bench = new Bench(store);
  bench.loads(DELIVERS);
  bench.emits(6);
  const missed = (): unknown[] => {
    bench.flushes();
    const logs = store.logs.list({ ...ALL_LOGS, sources: ["sense:counts"] });
    return logs.filter(({ event }) => event === "signals.missed").map(({ data }) => JSON.parse(data ?? ""));
  };
  store.commit(() => store.signals.removeOldest(2, 2, 6));
  bench.emits(1);
  expect(bench.handed()).toEqual([7]);
  expect(missed()).toEqual([{ from: 1, to: 6 }]);
  bench.loads(DELIVERS);
  expect(bench.handed()).toEqual([7]);
  expect(missed()).toHaveLength(1);
  store.close();
});
