/** Who is silenced, and until when: real ledger, real store, a clock moved by hand. */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import { Silences } from "../../../src/kernel/reflexes/silences.ts";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import { openStore } from "../../../src/store/open.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { worldAt } from "../../helpers/world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
const ALL_LOGS = {
  after: 0,
  before: null,
  sources: [],
  since: null,
  until: null,
  trace: null,
  level: null,
  limit: 10_000,
  newest: false,
};

function bench() {
  const folder = temporaryFolder();
  const clock = new HandClock();
  const opened = openStore(folder.path, "normal", "b", clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const start = () => {
    const lifetime = new Lifetime(clock, store.meta);
    lifetime.keep();
    const ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
    const journal = new Journal(ledger, { write: () => {} }, clock.wallMs);
    const silences = new Silences({ ledger, lifetime, journal, store });
    silences.reflexes = ["page", "page-later", "tell"];
    return { lifetime, ledger, silences };
  };
  let kernel = start();
  /** What is kept leads to logs of its own. */
  const settle = (): void => {
    kernel.ledger.flush();
    kernel.ledger.flush();
  };
  return {
    clock,
    store,
    file: storeFile(folder.path),
    silences: () => kernel.silences,
    commit: () => kernel.ledger.flush(),
    set(pattern: string, forMs: number): void {
      void kernel.silences.set({ pattern, for_ms: forMs, why: "maintenance" });
    },
    over: (reflex: string) => kernel.silences.over(reflex, kernel.lifetime.now())?.pattern ?? null,
    restart(): void {
      settle();
      kernel = start();
    },
    events: () =>
      store.logs
        .list(ALL_LOGS)
        .map(({ event }) => event)
        .filter((event) => event.startsWith("reflex.")),
    [Symbol.dispose]() {
      settle();
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe("a silence", () => {
  test("covers the reflexes its pattern names from its commit on, until its time is over", () => {
    using given = bench();
    given.set("page*", MINUTE);
    expect(given.over("page")).toBeNull();
    given.commit();
    expect(["page", "page-later", "tell"].map(given.over)).toEqual(["page*", "page*", null]);
    given.clock.pass(MINUTE - 1);
    expect(given.over("page")).toBe("page*");
    given.clock.pass(1);
    expect(given.over("page")).toBeNull();
  });

  test.each([DAY, -DAY])(
    "lasts as long when the clock is set by %d ms, and says when it ends by the new time",
    (by) => {
      using given = bench();
      given.set("page", MINUTE);
      given.commit();
      given.clock.step(by);
      given.clock.pass(30 * SECOND);
      expect(given.over("page")).toBe("page");
      expect(given.silences().list()[0]?.until).toBe(given.clock.wallMs() + 30 * SECOND);
      given.clock.pass(30 * SECOND);
      expect([given.over("page"), given.silences().list()]).toEqual([null, []]);
    },
  );

  test("lasts as long when the clock is set while nerve is down", () => {
    using given = bench();
    given.set("page", MINUTE);
    given.commit();
    given.clock.step(-DAY);
    given.clock.pass(59 * SECOND);
    given.restart();
    expect(given.over("page")).toBe("page");
    given.clock.pass(SECOND);
    expect(given.over("page")).toBeNull();
  });

  test("that is over is forgotten, and told once, however long the store takes nothing", () => {
    using given = bench();
    given.set("page", SECOND);
    given.commit();
    given.commit();
    given.clock.pass(MINUTE);
    const blocker = new Database(given.file);
    blocker.run("BEGIN IMMEDIATE");
    given.silences().expire();
    expect(given.commit()).toBe(false);
    given.silences().expire();
    blocker.run("ROLLBACK");
    blocker.close(true);
    expect([given.commit(), given.commit()]).toEqual([true, true]);
    expect([given.events(), given.store.silences.all()]).toEqual([["reflex.silenced", "reflex.unsilenced"], []]);
  });

  test("that is set anew just as it ends is kept", () => {
    using given = bench();
    given.set("page", SECOND);
    given.commit();
    given.clock.pass(MINUTE);
    given.set("page", DAY);
    given.silences().expire();
    given.commit();
    given.commit();
    expect(given.over("page")).toBe("page");
    given.restart();
    expect(given.over("page")).toBe("page");
    expect(given.events()).toEqual(["reflex.silenced", "reflex.silenced"]);
  });
});
