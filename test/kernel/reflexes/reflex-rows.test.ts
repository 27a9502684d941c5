/** Whose memory a row of the store is: over a reload, a start, and an upgrade of nerve. */

import { describe, expect, test } from "bun:test";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { newReflex } from "../../../src/kernel/reflexes/reflex.ts";
import { clockRow, ReflexRows } from "../../../src/kernel/reflexes/reflex-rows.ts";
import type { ReflexConfig } from "../../../src/model/config.ts";
import { REST } from "../../../src/rules/key-state.ts";
import { definitionOf, scheduleOf } from "../../../src/rules/same-reflex.ts";
import { openStore } from "../../../src/store/open.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { senseReflex } from "../../helpers/reflex.ts";
import { worldAt } from "../../helpers/world.ts";

const REFLEX = senseReflex({ on: ["a"], throttleMs: 5_000, intervalMs: 1_000, catchUp: "one" });
/** What builds before `each` called REFLEX. */
const FORMER = "e7cdec4062af59f2";
const HELD = { ...REST, isMatching: true };

function bench() {
  const folder = temporaryFolder();
  const clock = new HandClock();
  const opened = openStore(folder.path, "normal", "b", clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
  const journal = new Journal(ledger, { write: () => {} }, clock.wallMs);
  const rows = new ReflexRows({ clock, ledger, journal, store });
  return {
    store,
    rows,
    /** As a kernel leaves them that knew the reflex by `definition` and `schedule`. */
    leave(definition: string, schedule: string): void {
      const { name } = REFLEX;
      store.commit(() => {
        store.reflexes.set({ reflex: name, key: '"a"', definition, state: HELD });
        store.reflexes.set({ ...clockRow(newReflex(REFLEX, null, "", null), 5_000), definition: schedule });
        store.loadedReflexes.setKnown();
        store.loadedReflexes.set({ name, definition, since: 3, at: 7 });
      });
    },
    restore: (config: ReflexConfig) => {
      const found = rows.restore(config, store.reflexes.all());
      rows.keepSince(new Map([[config.name, newReflex(config, null, definitionOf(config), null)]]));
      expect(ledger.flush()).toBe(true);
      return found;
    },
    kept: () => store.reflexes.all().map(({ key, definition }) => [key, definition]),
    loaded: () => store.loadedReflexes.all(),
    logged: () => {
      const page = {
        after: 0,
        before: null,
        sources: [],
        since: null,
        until: null,
        trace: null,
        level: null,
        limit: 100,
        newest: false,
      };
      return store.logs.list(page).map(({ event }) => event);
    },
    [Symbol.dispose](): void {
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

const OWN = [
  ['"a"', definitionOf(REFLEX)],
  ["clock", scheduleOf(REFLEX)],
];

describe("what a reflex remembered", () => {
  test("of an earlier build is its own, and is spelled anew", () => {
    using given = bench();
    given.leave(FORMER, FORMER);
    expect(given.restore(REFLEX)).toEqual({ last: 5_000, keys: [{ key: '"a"', state: HELD }] });
    expect([given.kept(), given.logged()]).toEqual([OWN, []]);
    expect(given.loaded()).toEqual([{ name: REFLEX.name, definition: definitionOf(REFLEX), since: 3, at: 7 }]);
  });

  test.each<[string, ReflexConfig]>([
    ["another target", { ...REFLEX, sense: "b" }],
    ["another way to catch up", { ...REFLEX, catchUp: null }],
  ])("stays with %s", (_, config) => {
    using given = bench();
    given.leave(definitionOf(REFLEX), scheduleOf(REFLEX));
    expect(given.restore(config)).toEqual({ last: 5_000, keys: [{ key: '"a"', state: HELD }] });
    expect([given.kept(), given.logged()]).toEqual([OWN, []]);
    expect(given.loaded()).toMatchObject([{ since: 3, at: 7 }]);
  });

  test("of signals begins anew, with a log, when a word that decides changes; its due times stay", () => {
    using given = bench();
    given.leave(definitionOf(REFLEX), scheduleOf(REFLEX));
    expect(given.restore({ ...REFLEX, throttleMs: 6_000 })).toEqual({ last: 5_000, keys: [] });
    expect([given.kept(), given.logged()]).toEqual([[["clock", scheduleOf(REFLEX)]], ["reflex.cleared"]]);
    expect(given.loaded()).toMatchObject([{ since: 0 }]);
  });

  test("of due times begins anew when they change; what it remembered of signals stays", () => {
    using given = bench();
    given.leave(definitionOf(REFLEX), scheduleOf(REFLEX));
    expect(given.restore({ ...REFLEX, intervalMs: 2_000 })).toEqual({
      last: null,
      keys: [{ key: '"a"', state: HELD }],
    });
    expect([given.kept(), given.logged()]).toEqual([[['"a"', definitionOf(REFLEX)]], []]);
  });
});
