/** logs.db: cursors, filters, retention, the epoch, and what is refused. G2: ids only grow. */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_CHANCE } from "../../src/base/chance.ts";
import { traceIds } from "../../src/base/trace-id.ts";
import type { LogLevel } from "../../src/model/log.ts";
import { refuse } from "../../src/store/damage.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import type { SignalFilter } from "../../src/store/signals.ts";
import { storeFile } from "../../src/store/tables.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { LINEAR, timesSlower } from "../helpers/growth.ts";
import { withoutDecisions } from "../helpers/older-store.ts";

const NOW = 1_700_000_000_000;
const trace = traceIds(SYSTEM_CHANCE);

function open(data: string, durability: "full" | "normal" = "normal", bootId = "boot-1"): Store {
  const opened = openStore(data, durability, bootId, NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

const ALL: SignalFilter = {
  after: 0,
  before: null,
  senses: [],
  since: null,
  until: null,
  trace: null,
  limit: 1_000,
  newest: false,
};
const ALL_LOGS = {
  after: 0,
  before: null,
  sources: [],
  since: null,
  until: null,
  trace: null,
  level: null,
  limit: 1_000,
  newest: false,
};

/** Ten signals a second apart, of `a` and `b` in turn, two a trace. */
function fill(store: Store): string[] {
  const traces: string[] = [];
  store.commit(() => {
    for (let index = 0; index < 10; index++) {
      if (index % 2 === 0) traces.push(trace(NOW + index * 1_000));
      const sense = index % 2 === 0 ? "a" : "b";
      const cause = index % 2 === 0 ? null : index;
      store.signals.append({
        sense,
        at: NOW + index * 1_000,
        payload: `{"n":${index}}`,
        cause,
        trace: traces.at(-1) ?? "",
      });
    }
  });
  return traces;
}

for (const count of [1, 63, 64, 65, 200]) {
  test(`${count} signals that are appended together have the ids that follow one another, in their order`, () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    fill(store);
    const signals = Array.from({ length: count }, (_, nth) => ({
      sense: `s${nth}`,
      at: NOW + 20_000 + nth,
      payload: `{"n":${nth}}`,
      cause: nth % 2 === 0 ? null : 3,
      trace: trace(NOW),
    }));
    expect(store.commit(() => store.signals.appendMany(signals))).toBe(11);
    const listed = store.signals.list({ ...ALL, after: 10 });
    expect(listed.map(({ origin, origin_id, origin_at, late, ...row }) => row)).toEqual(
      signals.map((signal, nth) => ({ id: 11 + nth, ...signal })),
    );
    store.close();
  });
}

describe("signals", () => {
  const ids = (store: Store, filter: Partial<SignalFilter>): number[] =>
    store.signals.list({ ...ALL, ...filter }).map(({ id }) => id);

  test("are read forwards from a cursor, or the newest ones, always in id order", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    const traces = fill(store);
    expect(ids(store, {})).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ids(store, { after: 7 })).toEqual([8, 9, 10]);
    expect(ids(store, { limit: 3 })).toEqual([1, 2, 3]);
    expect(ids(store, { limit: 3, newest: true })).toEqual([8, 9, 10]);
    expect(ids(store, { after: 9, before: null, limit: 3, newest: true })).toEqual([10]);
    expect(ids(store, { after: 10 })).toEqual([]);
    expect(ids(store, { senses: ["b"] })).toEqual([2, 4, 6, 8, 10]);
    expect(ids(store, { senses: ["a", "b", "nobody"], limit: 2 })).toEqual([1, 2]);
    expect(ids(store, { senses: ["nobody"] })).toEqual([]);
    expect(ids(store, { since: NOW + 8_000 })).toEqual([9, 10]);
    expect(ids(store, { trace: traces[1] as string })).toEqual([3, 4]);
    expect(ids(store, { trace: traces[1] as string, senses: ["a"], since: NOW, after: 1, newest: true })).toEqual([3]);
    expect(store.signals.byId(2)).toEqual({
      id: 2,
      sense: "b",
      at: NOW + 1_000,
      payload: '{"n":1}',
      cause: 1,
      trace: traces[0] as string,
      origin: null,
      origin_id: null,
      origin_at: null,
      late: null,
    });
    expect(store.signals.byId(11)).toBeNull();
    store.close();
  });

  test("get ids that only grow, also after all of them were removed and the store was opened again", () => {
    using folder = temporaryFolder();
    let store = open(folder.path);
    expect(store.signals.lastId()).toBe(0);
    fill(store);
    expect(store.signals.removeOldest(NOW + 60_000, NOW + 60_000, 1_000)).toBe(10);
    expect([store.signals.lastId(), ids(store, {})]).toEqual([10, []]);
    store.close();
    store = open(folder.path);
    fill(store);
    expect(ids(store, {})[0]).toBe(11);
    store.close();
  });

  test("are removed as a prefix of ids, up to the first that is too young", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    const at = [10, 20, 30, 90, 25, 40].map((seconds) => NOW + seconds * 1_000);
    store.commit(() => {
      for (const time of at)
        store.signals.append({ sense: "a", at: time, payload: "1", cause: null, trace: trace(time) });
    });
    const remove = (cutoff: number, now: number, limit: number): number[] => {
      store.commit(() => store.signals.removeOldest(NOW + cutoff * 1_000, NOW + now * 1_000, limit));
      return ids(store, {});
    };
    expect(remove(5, 100, 10)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(remove(15, 100, 10)).toEqual([2, 3, 4, 5, 6]);
    // The fourth is young, and keeps what is older behind it.
    expect(remove(35, 100, 10)).toEqual([4, 5, 6]);
    // Stamped in the future it does not count as young.
    expect(remove(26, 50, 10)).toEqual([6]);
    store.close();
  });

  test("are removed in batches", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    fill(store);
    const removed: number[] = [];
    for (let batch = 0; batch < 5; batch++)
      removed.push(store.commit(() => store.signals.removeOldest(NOW + 7_000, NOW + 60_000, 3)));
    expect([removed, ids(store, {})]).toEqual([
      [3, 3, 1, 0, 0],
      [8, 9, 10],
    ]);
    store.close();
  });
});

describe("logs", () => {
  test("are read by cursor, source, time, trace and level", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    const levels: LogLevel[] = ["debug", "info", "warn", "error"];
    const mine = trace(NOW);
    store.commit(() => {
      for (let index = 0; index < 8; index++) {
        const source = index < 4 ? "kernel" : "sense:a";
        const level = levels[index % 4] as LogLevel;
        const data = index === 0 ? '{"x":1}' : null;
        store.logs.append({
          at: NOW + index,
          level,
          source,
          event: "e",
          run: null,
          trace: index === 5 ? mine : null,
          message: `m${index}`,
          data,
        });
      }
    });
    const ids = (filter: object): number[] => store.logs.list({ ...ALL_LOGS, ...filter }).map(({ id }) => id);
    expect(ids({})).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(ids({ level: "warn" })).toEqual([3, 4, 7, 8]);
    expect(ids({ level: "debug", limit: 2, newest: true })).toEqual([7, 8]);
    expect(ids({ sources: ["sense:a"], level: "error" })).toEqual([8]);
    expect(ids({ sources: ["kernel", "sense:a"], after: 6 })).toEqual([7, 8]);
    expect(ids({ since: NOW + 6 })).toEqual([7, 8]);
    expect(ids({ trace: mine })).toEqual([6]);
    expect(store.logs.list(ALL_LOGS)[0]).toEqual({
      id: 1,
      at: NOW,
      level: "debug",
      source: "kernel",
      event: "e",
      run: null,
      trace: null,
      message: "m0",
      data: '{"x":1}',
    });
    expect(store.logs.lastId()).toBe(8);
    store.close();
  });

  test("hostile text is data, in any filter", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    fill(store);
    const hostile = "x' OR 1=1; DROP TABLE signals; --";
    expect(store.signals.list({ ...ALL, senses: [hostile], trace: hostile })).toEqual([]);
    expect(store.logs.list({ ...ALL_LOGS, sources: [hostile], trace: hostile })).toEqual([]);
    store.commit(() =>
      store.logs.append({
        at: 0,
        level: "info",
        source: `sense:${hostile}`,
        event: "\u0000",
        run: null,
        trace: null,
        message: "a\u0000b",
        data: null,
      }),
    );
    expect(store.logs.list(ALL_LOGS)[0]).toMatchObject({
      source: `sense:${hostile}`,
      event: "\u0000",
      message: "a\u0000b",
    });
    expect(store.signals.lastId()).toBe(10);
    store.close();
  });
});

describe("rows by time", () => {
  test("the first id since a moment is found in any table, with gaps in it", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    expect(store.signals.firstIdSince(NOW)).toBe(1);
    fill(store);
    store.commit(() => store.signals.removeOldest(NOW + 3_000, NOW + 60_000, 100));
    const db = new Database(storeFile(folder.path));
    db.run("DELETE FROM signals WHERE id IN (6, 7)");
    db.close(true);
    const since = [-1, 3_000, 3_001, 4_000, 5_000, 6_500, 7_000, 9_000].map(
      (ms) => store.signals.list({ ...ALL, after: store.signals.firstIdSince(NOW + ms) - 1, limit: 1 })[0]?.id,
    );
    expect(since).toEqual([4, 4, 5, 5, 8, 8, 8, 10]);
    expect(store.signals.firstIdSince(NOW + 9_001)).toBe(11);
    store.close();
  });
});

describe("what the kernel remembers", () => {
  test("of senses is kept field by field", () => {
    using folder = temporaryFolder();
    let store = open(folder.path);
    const moment = { bootId: "b", bootMs: 5, wallMs: NOW };
    const owed = { reason: "signal" as const, at: NOW, cause: 3, trace: trace(NOW) };
    store.commit(() => {
      store.senses.setOutbox([{ sense: "a", outbox: 7 }]);
      store.senses.setOwed([{ sense: "a", owed, unanswered: [] }]);
      store.senses.setStarted("a", moment);
      store.senses.setStrikes("a", 3);
      store.senses.setQuarantine("a", { since: moment, forMs: 60_000 });
      store.senses.setOwed([{ sense: "b", owed, unanswered: [] }]);
      store.senses.setOwed([
        { sense: "b", owed: null, unanswered: [] },
        { sense: "c", owed, unanswered: [1, 2] },
      ]);
    });
    store.close();
    store = open(folder.path);
    expect(store.senses.all()).toEqual([
      {
        sense: "a",
        outbox: 7,
        owed,
        unanswered: [],
        started: moment,
        strikes: 3,
        quarantine: { since: moment, forMs: 60_000 },
        damaged: [],
      },
      { sense: "b", outbox: 0, owed: null, unanswered: [], started: null, strikes: 0, quarantine: null, damaged: [] },
      { sense: "c", outbox: 0, owed, unanswered: [1, 2], started: null, strikes: 0, quarantine: null, damaged: [] },
    ]);
    store.close();
  });

  test("of senses is taken for nothing where another hand has made it unreadable, column by column", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    const moment = { bootId: "b", bootMs: 5, wallMs: NOW };
    store.commit(() => {
      for (const sense of ["a", "b", "c", "d"]) store.senses.setStarted(sense, moment);
    });
    const db = new Database(storeFile(folder.path));
    db.run("UPDATE sense_state SET owed = '{x' WHERE sense = 'a'");
    db.run("UPDATE sense_state SET owed = 'null', quarantine = '[]' WHERE sense = 'b'");
    db.run(`UPDATE sense_state SET owed = '{"reason":"signal","at":1,"cause":"2","trace":""}' WHERE sense = 'c'`);
    db.run("UPDATE sense_state SET started = '5' WHERE sense = 'd'");
    db.close(true);
    const found = () => store.senses.all().map(({ sense, owed, started, damaged }) => [sense, owed, started, damaged]);
    expect(found()).toEqual([
      ["a", null, moment, ["owed"]],
      ["b", null, moment, ["owed", "quarantine"]],
      ["c", null, moment, ["owed"]],
      ["d", null, null, ["started"]],
    ]);
    store.commit(() => {
      for (const { sense, damaged } of store.senses.all()) for (const one of damaged) store.senses.empty(sense, one);
    });
    expect(found().map(([, , , damaged]) => damaged)).toEqual([[], [], [], []]);
    store.close();
  });

  test("of reflexes and switches too", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    const row = { reflex: "r", key: "", definition: "d", state: { last: 1 } };
    store.commit(() => {
      store.reflexes.set(row);
      store.reflexes.set({ ...row, state: { last: 2 } });
      store.reflexes.set({ ...row, key: `"host"` });
      store.reflexes.set({ ...row, reflex: "other" });
      store.reflexes.clear("other");
      store.switches.disable("sense:b", NOW);
      store.switches.disable("sense:b", NOW + 1);
      store.switches.disable("reflex:a", NOW);
      store.switches.disable("sense:c", NOW);
      store.switches.enable("sense:c");
    });
    expect(store.reflexes.all()).toEqual([
      { ...row, state: { last: 2 } },
      { ...row, key: `"host"` },
    ]);
    expect(store.switches.disabled()).toEqual(["reflex:a", "sense:b"]);
    store.close();
  });

  test("is not changed by a transaction that throws", () => {
    using folder = temporaryFolder();
    const store = open(folder.path);
    expect(() =>
      store.commit(() => {
        fillOne(store);
        store.senses.setOutbox([{ sense: "a", outbox: 1 }]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect([store.signals.lastId(), store.senses.all()]).toEqual([0, []]);
    store.close();
  });
});

const fillOne = (store: Store): number =>
  store.signals.append({ sense: "a", at: NOW, payload: "1", cause: null, trace: trace(NOW) });

describe("G2: the epoch changes when the last commits may be gone, and only then", () => {
  test.each<[name: string, durability: "full" | "normal", clean: boolean, boot: string, changes: boolean]>([
    ["a clean stop", "normal", true, "boot-1", false],
    ["a clean stop and a reboot", "normal", true, "boot-2", false],
    ["a crash within a boot", "normal", false, "boot-1", false],
    ["a crash and a reboot", "normal", false, "boot-2", true],
    ["a crash and a reboot with full durability", "full", false, "boot-2", false],
  ])("%s (%s)", (_, durability, clean, boot, changes) => {
    using folder = temporaryFolder();
    const first = open(folder.path, durability);
    const { epoch } = first;
    expect(epoch).toMatch(/^[0-9a-f]{16}$/);
    const signal = { sense: "load", at: 1, payload: "1", cause: null, trace: "0".repeat(32) };
    first.commit(() => first.signals.append(signal));
    if (clean) first.close();
    // What was durable then counts, not what is asked for now.
    const second = open(folder.path, durability === "full" ? "normal" : "full", boot);
    expect(second.epoch === epoch).toBe(!changes);
    expect(second.meta.get("epoch")).toBe(second.epoch);
    expect(second.meta.get("epoch_from")).toBe(changes ? "1" : null);
    second.close();
    if (!clean) first.close();
  });
});

describe("since when reflexes are loaded", () => {
  const upgraded = (data: string): Store => {
    const db = new Database(storeFile(data));
    withoutDecisions(db);
    db.run("DROP TABLE reflexes");
    db.run("DELETE FROM _migrations WHERE name = '0006_reflexes.sql'");
    db.close(true);
    return open(data);
  };

  test("nobody knows of those an earlier build had loaded, until that is settled", () => {
    using folder = temporaryFolder();
    const first = open(folder.path);
    expect(first.loadedReflexes.isUnknown()).toBe(false);
    first.close();
    const unused = upgraded(folder.path);
    expect(unused.loadedReflexes.isUnknown()).toBe(false);
    fill(unused);
    unused.close();
    const used = upgraded(folder.path);
    expect(used.loadedReflexes.isUnknown()).toBe(true);
    used.loadedReflexes.setKnown();
    expect(used.loadedReflexes.isUnknown()).toBe(false);
    used.close();
  });

  test("a reader of a store without the table can tell", () => {
    using folder = temporaryFolder();
    open(folder.path).close();
    const db = new Database(storeFile(folder.path));
    db.run("DROP TABLE reflexes");
    db.run("DELETE FROM _migrations WHERE name = '0006_reflexes.sql'");
    db.close(true);
    const reader = openStoreReader(folder.path, refuse);
    if (!reader.ok) throw new Error(reader.error.message);
    expect(reader.value.loadedReflexes.exists()).toBe(false);
    reader.value.close();
  });
});

describe("G10: what is no store of this build", () => {
  test("a newer one is refused by kernel and commands, and left as it is", () => {
    using folder = temporaryFolder();
    open(folder.path).close();
    const db = new Database(storeFile(folder.path));
    db.run("INSERT INTO _migrations VALUES ('9999_future.sql', 0, 'x')");
    db.close(true);
    for (const opened of [openStore(folder.path, "full", "b", NOW), openStoreReader(folder.path, refuse)]) {
      const message = `${storeFile(folder.path)} was written by a newer nerve (it has 9999_future.sql)`;
      expect(opened).toMatchObject({
        ok: false,
        error: { kind: "newer-store", message, hint: "run the build of nerve that wrote it, or a later one" },
      });
    }
  });

  test("a file that is no database is named, with the remedy", () => {
    using folder = temporaryFolder();
    writeFileSync(storeFile(folder.path), "not a database at all ".repeat(400));
    for (const opened of [openStore(folder.path, "full", "b", NOW), openStoreReader(folder.path, refuse)]) {
      expect(opened).toMatchObject({
        ok: false,
        error: { kind: "store-not-a-database", file: storeFile(folder.path) },
      });
    }
  });

  test("a database without our tables, or with others under their names, is a problem and no crash", () => {
    using folder = temporaryFolder();
    const db = new Database(storeFile(folder.path), { create: true });
    expect(openStoreReader(folder.path, refuse)).toMatchObject({ ok: false, error: { kind: "store-empty" } });
    db.run("CREATE TABLE signals (x)");
    db.close(true);
    expect(openStore(folder.path, "full", "b", NOW)).toMatchObject({ ok: false, error: { kind: "store-migration" } });
    const later = new Database(storeFile(folder.path));
    later.run("CREATE TABLE IF NOT EXISTS _migrations (something)");
    later.run("ALTER TABLE _migrations RENAME TO old");
    later.run("CREATE TABLE _migrations (other)");
    later.close(true);
    expect(openStore(folder.path, "full", "b", NOW)).toMatchObject({
      ok: false,
      error: { kind: "store-not-a-database" },
    });
  });

  test("a store that is not there is `missing`, and a command does not make it", () => {
    using folder = temporaryFolder();
    expect(openStoreReader(folder.path, refuse)).toMatchObject({
      ok: false,
      error: { kind: "store-missing", hint: "start nerve once with this config" },
    });
    expect(existsSync(storeFile(folder.path))).toBe(false);
  });
});

test("a reader sees each commit, knows when there was one, and writes nothing", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  const opened = openStoreReader(folder.path, refuse);
  if (!opened.ok) throw new Error(opened.error.message);
  const reader = opened.value;
  const before = reader.version();
  expect(reader.version()).toBe(before);
  store.commit(() => fillOne(store));
  expect(reader.version()).not.toBe(before);
  expect(reader.signals.list(ALL)).toHaveLength(1);
  expect(() => reader.signals.append({ sense: "a", at: 0, payload: "1", cause: null, trace: "" })).toThrow();
  reader.close();
  store.close();
});

test("closing never fails, also while another connection is writing", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  using other = new Database(storeFile(folder.path));
  other.run("BEGIN IMMEDIATE");
  using waiting = new Database(storeFile(folder.path));
  waiting.run("PRAGMA busy_timeout = 250");
  const refused = (): void => expect(() => store.commit(() => fillOne(store))).toThrow("locked");
  const patience = (): void => expect(() => waiting.run("BEGIN IMMEDIATE")).toThrow("locked");
  // The kernel has other things to do than to wait for long.
  expect(timesSlower(refused, patience, 1)).toBeLessThan(LINEAR);
  store.close();
});

describe("G2: what a sense with `deliver` has looked at was given", () => {
  /** A store with ten signals, and a database of a sense that has looked at signals up to `upTo`. */
  function beside(data: string, upTo: number): Store {
    const before = open(data);
    fill(before);
    before.commit(() => before.meta.set("deliveries", '{"d":{"begin":0,"off":null,"gaps":[]}}'));
    before.close();
    mkdirSync(join(data, "senses"));
    using db = new Database(join(data, "senses/d.db"), { create: true });
    db.run("CREATE TABLE _taken (origin TEXT PRIMARY KEY, up_to INTEGER NOT NULL)");
    db.run("INSERT INTO _taken VALUES ('signals:0123456789abcdef', ?), ('0123', 5000)", [upTo]);
    return open(data);
  }

  test("an older logs.db gives no such id again, begins another epoch, and says so", () => {
    using folder = temporaryFolder();
    const store = beside(folder.path, 25);
    expect(store.notices.map(({ event }) => event)).toEqual(["store.sequence-restored"]);
    expect(store.signals.lastId()).toBe(25);
    expect(store.meta.get("epoch_from")).toBe("10");
    store.close();
  });

  test.each([10, 5_000_000_000])("up to %p proves nothing else", (upTo) => {
    using folder = temporaryFolder();
    const store = beside(folder.path, upTo);
    expect([store.notices, store.signals.lastId(), store.meta.get("epoch_from")]).toEqual([[], 10, null]);
    store.close();
  });
});
