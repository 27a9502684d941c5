/** Due times by the clock: what passed while nerve was down, and while the store takes nothing. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import { planStart } from "../../../src/config/reload-plan.ts";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { type Entry, Ledger } from "../../../src/kernel/commits/ledger.ts";
import { Sense } from "../../../src/kernel/memory/sense.ts";
import type { DueTimes } from "../../../src/kernel/reflexes/clocks.ts";
import { Firings } from "../../../src/kernel/reflexes/firings.ts";
import { Incidents } from "../../../src/kernel/reflexes/incidents.ts";
import { countingOn, newReflex } from "../../../src/kernel/reflexes/reflex.ts";
import { Reflexes } from "../../../src/kernel/reflexes/reflexes.ts";
import { Silences } from "../../../src/kernel/reflexes/silences.ts";
import { TimedRuns } from "../../../src/kernel/reflexes/timed-runs.ts";
import type { Workflows } from "../../../src/kernel/runs/workflows.ts";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import type { NerveConfig, SenseReflexConfig } from "../../../src/model/config.ts";
import { openStore } from "../../../src/store/open.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { senseReflex } from "../../helpers/reflex.ts";
import { worldAt } from "../../helpers/world.ts";

const REFLEX = senseReflex({ intervalMs: 1_000, catchUp: "one" });

class CountingLedger extends Ledger {
  added = 0;

  override add(entry: Entry): void {
    this.added++;
    super.add(entry);
  }
}

/** `start()` is another start of nerve, with what the store holds by then. */
function bench(reflex: SenseReflexConfig) {
  const folder = temporaryFolder();
  const clock = new HandClock();
  const opened = openStore(folder.path, "normal", "b", clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const ledger = new CountingLedger(store, worldAt(clock), { trouble: () => {} });
  const journal = new Journal(ledger, { write: () => {} }, clock.wallMs);
  const dues: number[] = [];
  const caughtUp: number[] = [];
  const dueTimes: DueTimes = {
    due: (_, dueMs) => void dues.push(dueMs),
    dueDurably: (_, dueMs, remember, kept) => {
      caughtUp.push(dueMs);
      ledger.add({ write: remember, kept });
    },
    dueAtStart: () => {},
    dueByWatch: () => {},
  };
  const entry = unwrittenSense("a");
  const config = { reflexes: [reflex] } as Partial<NerveConfig> as NerveConfig;
  let ticker: Ticker | null = null;
  return {
    folder,
    clock,
    ledger,
    dues,
    caughtUp,
    last: (): unknown => store.reflexes.all().find(({ reflex: name }) => name === "watched")?.state,
    start(): void {
      ticker?.stop();
      ticker = new Ticker(clock, () => {}, clock.alarm);
      ticker.start();
      const lifetime = new Lifetime(clock, store.meta);
      const silences = new Silences({ ledger, lifetime, journal, store });
      // No reflex here starts a workflow.
      const workflows = null as unknown as Workflows;
      const firings = new Firings({
        chance: SYSTEM_CHANCE,
        lifetime,
        journal,
        store,
        workflows,
        silences,
        wake: () => {},
      });
      const incidents = new Incidents({ lifetime, journal, store, workflows, silences, chance: SYSTEM_CHANCE });
      const timedRuns = new TimedRuns({
        wallMs: clock.wallMs,
        chance: SYSTEM_CHANCE,
        ledger,
        lifetime,
        journal,
        workflows,
      });
      const parts = {
        clock,
        ticker,
        ledger,
        lifetime,
        journal,
        store,
        firings,
        silences,
        incidents,
        dueTimes,
        timedRuns,
      };
      const reflexes = new Reflexes(parts);
      reflexes.load(config, new Map([["a", new Sense(entry, null, null)]]), new Set(), planStart(config));
    },
    stop: (): void => ticker?.stop(),
    [Symbol.dispose](): void {
      ticker?.stop();
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

test.each<[string, Partial<SenseReflexConfig>, number]>([
  ["a cron time", { cron: "* * * * *", intervalMs: null }, 60_000],
  ["an interval", { intervalMs: 15_000 }, 15_000],
  ["an interval of its own phase", { intervalMs: 15_000, align: false }, 15_000],
])("%s that passed several times while nerve was down is made up for once, however often it starts", (_, of, every) => {
  using on = bench({ ...REFLEX, ...of });
  on.start();
  on.clock.pass(2 * every);
  expect(on.ledger.flush()).toBe(true);
  on.stop();
  on.clock.pass(5 * every + every / 2);
  const before = on.caughtUp.length;
  for (let starts = 0; starts < 4; starts++) {
    on.start();
    expect(on.ledger.flush()).toBe(true);
    on.stop();
    on.clock.pass(100);
  }
  expect(on.caughtUp.slice(before)).toHaveLength(1);
  const [due = 0] = on.caughtUp.slice(before);
  expect(on.clock.wallMs() - 400 - due).toBeWithin(0, every);
});

test("an interval that is caught up after downtime adds nothing while the store cannot be written, and goes on after", () => {
  using on = bench(REFLEX);
  const { folder, clock, ledger, dues, last } = on;
  on.start();

  clock.pass(3_000);
  expect(ledger.flush()).toBe(true);
  const before = last();
  expect(before).toEqual({ last: expect.any(Number) });

  const blocker = new Database(storeFile(folder.path));
  blocker.run("BEGIN IMMEDIATE");
  clock.pass(1_000);
  expect(ledger.flush()).toBe(false);
  const added = ledger.added;
  clock.pass(3_600_000);
  expect(dues).toHaveLength(3_604);
  expect(ledger.added).toBe(added);

  blocker.run("ROLLBACK");
  blocker.close(true);
  expect(ledger.flush()).toBe(true);
  clock.pass(1_000);
  expect(ledger.flush()).toBe(true);
  expect(last()).toEqual({ last: clock.wallMs() - (clock.wallMs() % 1_000) });
});

test("a reflex whose words change goes on counting, and one that is new begins at 0", () => {
  const before = newReflex(REFLEX, null, "old words", null);
  before.fired = 3;
  before.throttled = 2;
  before.missed = 1;
  expect(countingOn(newReflex(REFLEX, null, "new words", null), before)).toMatchObject({
    fired: 3,
    throttled: 2,
    missed: 1,
  });
  expect(countingOn(newReflex(REFLEX, null, "new words", null), undefined)).toMatchObject({
    fired: 0,
    throttled: 0,
    missed: 0,
  });
});
