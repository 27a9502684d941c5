/** Due times while the store takes nothing: they do not pile up. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { Journal } from "../../src/kernel/journal.ts";
import { type Entry, Ledger } from "../../src/kernel/ledger.ts";
import { Lifetime } from "../../src/kernel/lifetime.ts";
import { Reflexes } from "../../src/kernel/reflexes.ts";
import { Sense } from "../../src/kernel/sense.ts";
import { Ticker } from "../../src/kernel/ticker.ts";
import type { NerveConfig, SenseReflexConfig } from "../../src/model/config.ts";
import { openStore, storeFile } from "../../src/store/open.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { HandClock } from "../helpers/hand-clock.ts";

const REFLEX: SenseReflexConfig = {
  kind: "sense",
  name: "watched",
  sense: "a",
  on: [],
  when: null,
  clear: null,
  edge: null,
  forMs: null,
  count: null,
  debounce: null,
  throttleMs: null,
  key: null,
  intervalMs: 1_000,
  align: null,
  jitterMs: null,
  cron: null,
  tz: null,
  catchUp: "one",
  onStart: null,
};

class CountingLedger extends Ledger {
  added = 0;

  override add(entry: Entry): void {
    this.added++;
    super.add(entry);
  }
}

test("an interval that is caught up after downtime adds nothing while the store cannot be written, and goes on after", () => {
  using folder = temporaryFolder();
  const clock = new HandClock();
  const opened = openStore(folder.path, "normal", "b", clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const ledger = new CountingLedger(store, clock.wallMs, { trouble: () => {} });
  const ticker = new Ticker(clock, () => {}, clock.alarm);
  ticker.start();
  let dues = 0;
  const desk = { due: () => void dues++, dueDurably: () => {}, dueAtStart: () => {} };
  const lifetime = new Lifetime(clock, store.meta);
  const watching = { ticker, ledger, lifetime, late: () => () => {}, limited: () => {} };
  const journal = new Journal(ledger, { write: () => {} }, clock.wallMs);
  const reflexes = new Reflexes({ clock, ticker, ledger, journal, store, desk, watching });
  const entry = {
    name: "a",
    group: "default",
    use: "a",
    throttleMs: null,
    timeoutMs: null,
    gracePeriodMs: null,
    with: null,
  };
  const config = { reflexes: [REFLEX] } as Partial<NerveConfig> as NerveConfig;
  reflexes.load(config, new Map([["a", new Sense(entry, null, null)]]), new Set(), true);
  const last = (): unknown => store.reflexes.all().find(({ reflex }) => reflex === "watched")?.state;

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
  expect(dues).toBe(3_604);
  expect(ledger.added).toBe(added);

  blocker.run("ROLLBACK");
  blocker.close(true);
  expect(ledger.flush()).toBe(true);
  clock.pass(1_000);
  expect(ledger.flush()).toBe(true);
  expect(last()).toEqual({ last: clock.wallMs() - (clock.wallMs() % 1_000) });
  ticker.stop();
  store.close();
});
