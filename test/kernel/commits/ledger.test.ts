/** Group commit, on a real store that another connection keeps from being written. Memory follows the commit. */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { SYSTEM_CHANCE } from "../../../src/base/chance.ts";
import type { LogLine } from "../../../src/base/logger.ts";
import { traceIds } from "../../../src/base/trace-id.ts";
import { unwrittenSense } from "../../../src/config/senses.ts";
import { Draft } from "../../../src/kernel/commits/draft.ts";
import { Journal } from "../../../src/kernel/commits/journal.ts";
import { type Entry, Ledger } from "../../../src/kernel/commits/ledger.ts";
import type { Voice } from "../../../src/kernel/commits/voice.ts";
import type { Batch } from "../../../src/kernel/memory/flight.ts";
import { Sense } from "../../../src/kernel/memory/sense.ts";
import { Ticker } from "../../../src/kernel/time/ticker.ts";
import { Archiver } from "../../../src/kernel/upkeep/archiver.ts";
import { Retention } from "../../../src/kernel/upkeep/retention.ts";
import { archiveFolder } from "../../../src/store/archive-names.ts";
import { openStore, type Store } from "../../../src/store/open.ts";
import type { Owed } from "../../../src/store/sense-state.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { LINEAR, timesSlower } from "../../helpers/growth.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { until } from "../../helpers/until.ts";
import { REAL_ALARM, worldAt, worldShowing } from "../../helpers/world.ts";

const NOW = Date.UTC(2025, 0, 1);
const trace = traceIds(SYSTEM_CHANCE);
const ALL = { after: 0, before: null, senses: [], since: null, until: null, trace: null, limit: 10_000, newest: false };
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
  const opened = openStore(folder.path, "normal", "b", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const trouble: (string | null)[] = [];
  const ledger = new Ledger(
    store,
    worldShowing(() => NOW),
    { trouble: (message) => trouble.push(message) },
  );
  const blocker = new Database(storeFile(folder.path));
  const ends: (() => void)[] = [];
  return {
    folder,
    store,
    ledger,
    trouble,
    /** Called before the store is closed. */
    atEnd: (end: () => void) => ends.push(end),
    block: () => blocker.run("BEGIN IMMEDIATE"),
    unblock: () => blocker.run("ROLLBACK"),
    /** Waits in vain for the lock, for so long. */
    reference(ms: number) {
      const waiting = new Database(storeFile(folder.path));
      waiting.run(`PRAGMA busy_timeout = ${ms}`);
      ends.push(() => waiting.close(true));
      return (): void => expect(() => waiting.run("BEGIN IMMEDIATE")).toThrow("locked");
    },
    [Symbol.dispose]() {
      for (const end of ends) end();
      blocker.close(true);
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

const makeSense = (name: string): Sense => new Sense(unwrittenSense(name), null, null);

const signal = (n: number, said: unknown[]): Entry => ({
  write: (draft) => void draft.signals([{ sense: "a", at: NOW, payload: `${n}`, cause: null, trace: trace(NOW) }]),
  kept: () => said.push(n),
});

const payloads = (store: Store): number[] => store.signals.list(ALL).map(({ payload }) => Number(payload));

/** Commits that were made, seen from outside. */
function commits(store: Store): () => number {
  const db = new Database(store.file, { readonly: true });
  const version = db.prepare<{ data_version: number }, []>("PRAGMA data_version");
  let last = version.get()?.data_version;
  return () => {
    const now = version.get()?.data_version;
    const changed = now !== last ? 1 : 0;
    last = now;
    return changed;
  };
}

describe("the ledger", () => {
  test("commits what comes in one turn together, in order, and announces it afterwards", async () => {
    using given = bench();
    const { store, ledger } = given;
    const said: unknown[] = [];
    for (let n = 0; n < 100; n++) ledger.add({ ...signal(n, said), kept: () => said.push(payloads(store).length) });
    expect([said, payloads(store)]).toEqual([[], []]);
    await until("a hundred commits are reported", () => said.length === 100);
    // All were there when the first was announced: one transaction.
    expect(said).toEqual(Array(100).fill(100));
    expect(payloads(store)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  test("runs what a transaction put off once, after its commit, in order, and never for one the store refused", async () => {
    using given = bench();
    const { ledger } = given;
    const said: unknown[] = [];
    const entry = (n: number): Entry => ({
      write: (draft) => draft.afterwards(() => said.push(`after ${n}`)),
      kept: () => said.push(`kept ${n}`),
    });
    given.block();
    ledger.add(entry(1));
    ledger.add(entry(2));
    expect([ledger.flush(), said]).toEqual([false, []]);
    given.unblock();
    expect([ledger.flush(), said]).toEqual([true, ["after 1", "kept 1", "after 2", "kept 2"]]);
  });

  test("commits the first result of all at once, though others of its batch are to come", async () => {
    using given = bench();
    const said: unknown[] = [];
    given.ledger.add(signal(1, said), { left: 2 });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(said).toEqual([1]);
  });

  test("lets a later result wait for the others of its batch, for a moment, and a lone one not at all", async () => {
    using given = bench();
    const { store, ledger } = given;
    const said: unknown[] = [];
    const batch: Batch = { left: 2 };
    ledger.add({ write: () => {}, kept: () => {} }, batch);
    await new Promise((resolve) => setImmediate(resolve));
    ledger.flush();
    const committed = commits(store);
    ledger.add(signal(1, said), batch);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([said, committed()]).toEqual([[], 0]);
    batch.left = 0;
    ledger.add(signal(2, said), batch);
    await until("two commits are reported", () => said.length === 2);
    expect([said, committed()]).toEqual([[1, 2], 1]);
    // Nobody else comes: it is kept all the same.
    ledger.add(signal(3, said), { left: 5 });
    await until("three commits are reported", () => said.length === 3);
  });

  test("keeps everything and its order while the store refuses, says so once, and announces nothing before", async () => {
    using given = bench();
    const { store, ledger, trouble } = given;
    const said: unknown[] = [];
    given.block();
    ledger.add(signal(1, said));
    expect(ledger.flush()).toBe(false);
    ledger.add(signal(2, said));
    expect(ledger.flush()).toBe(false);
    expect([said, ledger.troubled, payloads(store)]).toEqual([[], true, []]);
    expect(trouble).toEqual([expect.stringContaining("SQLITE_BUSY")]);
    ledger.add(signal(3, said));
    given.unblock();
    // It tries again by itself.
    await until("three commits are reported", () => said.length === 3);
    expect([said, payloads(store), ledger.troubled, trouble.length, trouble[1]]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      false,
      2,
      null,
    ]);
  });

  test("does not hold the kernel up for long while someone else is writing", () => {
    using given = bench();
    given.block();
    given.ledger.add(signal(1, []));
    const patience = given.reference(250);
    const flush = (): void => expect(given.ledger.flush()).toBe(false);
    expect(timesSlower(flush, patience, 1)).toBeLessThan(LINEAR);
    given.unblock();
    expect(given.ledger.flush()).toBe(true);
  });

  test("a transaction with a bug in it is thrown, kept by nobody, and announced to nobody", () => {
    using given = bench();
    const { store, ledger } = given;
    const said: unknown[] = [];
    ledger.add(signal(1, said));
    ledger.add({
      write: () => {
        throw new TypeError("a bug");
      },
      kept: () => said.push("no"),
    });
    expect(() => ledger.flush()).toThrow("a bug");
    expect([said, payloads(store)]).toEqual([[], []]);
  });

  test("what is added while something is announced goes into the next transaction", async () => {
    using given = bench();
    const { ledger, store } = given;
    const said: unknown[] = [];
    ledger.add({
      ...signal(1, said),
      kept: () => {
        said.push(payloads(store));
        ledger.add(signal(2, said));
      },
    });
    await until("two commits are reported", () => said.length === 2);
    expect([said, payloads(store)]).toEqual([
      [[1], 2],
      [1, 2],
    ]);
  });
});

describe("G1: a draft", () => {
  const owed = (cause: number | null, reason: Owed["reason"] = "signal"): Owed => ({
    reason,
    at: NOW,
    cause,
    trace: trace(NOW),
  });
  const commit = (store: Store, act: (draft: Draft) => void): Draft => {
    const draft = new Draft(store, NOW);
    store.commit(() => {
      act(draft);
      draft.finish();
    });
    return draft;
  };
  const stored = (store: Store, name: string): Owed | null =>
    store.senses.all().find(({ sense }) => sense === name)?.owed ?? null;

  test("changes memory only when it is kept, and the store only when it is committed", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const decision = owed(1);
    const moment = { bootId: "b", bootMs: 1, wallMs: NOW };
    const draft = commit(store, (made) => {
      made.owe(sense, decision);
      made.started(sense, moment);
      expect([
        made.takeOutbox(sense, 3),
        made.takeOutbox(sense, 3),
        made.takeOutbox(sense, 2),
        made.takeOutbox(sense, 4),
      ]).toEqual([true, false, false, true]);
    });
    expect([sense.owed, sense.outbox, sense.started]).toEqual([null, 0, null]);
    expect(store.senses.all()).toMatchObject([{ sense: "a", owed: decision, outbox: 4, started: moment }]);
    draft.keep();
    expect([sense.owed, sense.outbox, sense.started]).toEqual([decision, 4, moment]);
    expect(commit(store, (again) => expect(again.takeOutbox(sense, 4)).toBe(false))).toBeDefined();
  });

  test("that failed leaves no trace: the next one decides anew", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const failed = new Draft(store, NOW);
    expect(() =>
      store.commit(() => {
        failed.owe(sense, owed(1));
        failed.takeOutbox(sense, 9);
        failed.finish();
        throw new Error("disk");
      }),
    ).toThrow("disk");
    expect([sense.owed, sense.outbox, store.senses.all()]).toEqual([null, 0, []]);
  });

  test("coalesces decisions nobody has begun to answer into the newest, with a log of their causes", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const newest = owed(3);
    commit(store, (draft) => {
      draft.owe(sense, owed(1));
      draft.owe(sense, owed(2));
      draft.owe(sense, newest);
    }).keep();
    expect(sense.owed).toBe(newest);
    expect(stored(store, "a")).toEqual(newest);
    expect(store.logs.list(ALL_LOGS)).toMatchObject([
      {
        event: "compute.coalesced",
        source: "sense:a",
        trace: newest.trace,
        message: "2 earlier signals answered by one compute",
        data: '{"causes":[1,2]}',
      },
    ]);
    // Across transactions too.
    const later = owed(4);
    commit(store, (draft) => draft.owe(sense, later)).keep();
    expect(sense.owed).toBe(later);
    expect(store.logs.list(ALL_LOGS).at(-1)).toMatchObject({
      message: "1 earlier signal answered by one compute",
      data: '{"causes":[3]}',
    });
  });

  test("answers a deadline of an older signal with the newer one that waits, and two reflexes of one signal with one", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const newest = owed(9);
    commit(store, (draft) => {
      expect(draft.owe(sense, newest)).toBe(newest);
      expect(draft.owe(sense, owed(5)).cause).toBe(9);
    }).keep();
    expect([sense.owed, stored(store, "a")]).toEqual([newest, newest]);
    expect(store.logs.list(ALL_LOGS)).toMatchObject([{ trace: newest.trace, data: '{"causes":[5]}' }]);
    commit(store, (draft) => draft.owe(sense, owed(9))).keep();
    expect([sense.owed?.cause, store.logs.list(ALL_LOGS).length]).toEqual([9, 1]);
  });

  test("a decision without a cause neither hides a signal that waits, nor is kept beside one", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const [manual, waiting] = [owed(null, "manual"), owed(1)];
    commit(store, (draft) => draft.owe(sense, manual)).keep();
    expect(sense.owed).toBe(manual);
    commit(store, (draft) => draft.owe(sense, waiting)).keep();
    expect(sense.owed).toBe(waiting);
    commit(store, (draft) => draft.owe(sense, owed(null, "cron"))).keep();
    expect(sense.owed).toBe(waiting);
    expect(store.logs.list(ALL_LOGS)).toEqual([]);
  });

  test("a compute settles what it began for, and never what was decided since", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const first = owed(1);
    commit(store, (draft) => draft.owe(sense, first)).keep();
    const flight = sense.begin(1, { left: 0 });
    expect(sense.pending).toBeNull();
    const second = owed(2);
    // A signal arrives during the compute: it is owed one more, and nothing is coalesced away.
    commit(store, (draft) => draft.owe(sense, second)).keep();
    expect([sense.pending, store.logs.list(ALL_LOGS)]).toEqual([second, []]);
    commit(store, (draft) => draft.settle(sense, first)).keep();
    expect([sense.owed, stored(store, "a")]).toEqual([second, second]);
    sense.land(flight);
    commit(store, (draft) => draft.settle(sense, second)).keep();
    expect([sense.owed, stored(store, "a"), sense.pending]).toEqual([null, null, null]);
  });

  test("a compute that is lost under way is answered by the one that was owed meanwhile, and its cause is in the log", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const [first, second, third] = [owed(1), owed(2), owed(3)];
    const kept = () => store.senses.all().find((row) => row.sense === "a")?.unanswered;
    commit(store, (draft) => draft.owe(sense, first)).keep();
    sense.begin(1, { left: 0 });
    commit(store, (draft) => draft.owe(sense, second)).keep();
    expect([sense.unanswered, kept()]).toEqual([[1], [1]]);
    sense.abort();
    commit(store, (draft) => draft.overtake(sense)).keep();
    expect([sense.owed, sense.unanswered, kept()]).toEqual([second, [], []]);
    const causes = () => store.logs.list(ALL_LOGS).map(({ event, data }) => [event, JSON.parse(data ?? "").causes]);
    expect(causes()).toEqual([["compute.coalesced", [1]]]);

    // One that settles has been answered by itself.
    const flight = sense.begin(2, { left: 0 });
    commit(store, (draft) => draft.owe(sense, third)).keep();
    expect(sense.unanswered).toEqual([2]);
    commit(store, (draft) => draft.settle(sense, second)).keep();
    expect([sense.owed, sense.unanswered, kept()]).toEqual([third, [], []]);
    sense.land(flight);
    commit(store, (draft) => draft.overtake(sense)).keep();
    expect(causes()).toHaveLength(1);
  });

  test("settling and owing in one transaction keeps what is newer", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    const [first, second] = [owed(1), owed(2)];
    commit(store, (draft) => draft.owe(sense, first)).keep();
    sense.begin(1, { left: 0 });
    commit(store, (draft) => {
      draft.settle(sense, first);
      draft.owe(sense, second);
    }).keep();
    expect(sense.owed).toBe(second);
  });

  test("cancels what is owed, and says whether there was something", () => {
    using given = bench();
    const { store } = given;
    const sense = makeSense("a");
    commit(store, (draft) => {
      expect(draft.cancelOwed(sense)).toBe(false);
      draft.owe(sense, owed(1));
      expect([draft.cancelOwed(sense), draft.cancelOwed(sense)]).toEqual([true, false]);
    }).keep();
    expect([sense.owed, stored(store, "a")]).toEqual([null, null]);
  });
});

describe("the journal", () => {
  function journalOn(given: ReturnType<typeof bench>) {
    const lines: LogLine[] = [];
    const journal = new Journal(given.ledger, { write: (line) => lines.push(line) }, () => NOW);
    const rows = () => {
      given.ledger.flush();
      return given.store.logs.list(ALL_LOGS).map(({ message, data }) => [message, data] as const);
    };
    return { journal, lines, rows };
  }
  const say = (voice: Voice, message: string, after: number): void =>
    voice.error("archive.damaged", message, { after });

  test("writes each record to the table and to stderr", () => {
    using given = bench();
    const { journal, lines, rows } = journalOn(given);
    say(journal.of("kernel"), "x", 1);
    say(journal.aside("kernel"), "only said", 2);
    expect(rows()).toEqual([["x", '{"after":1}']]);
    expect(lines.map(({ message, at }) => [message, at])).toEqual([
      ["x", NOW],
      ["only said", NOW],
    ]);
  });

  test("folds repeats of one error into one row with a count, a minute at a time", () => {
    using given = bench();
    const { journal, lines, rows } = journalOn(given);
    for (let time = 0; time < 1_000; time++) say(journal.folding("kernel"), "broken", time);
    say(journal.folding("kernel"), "other", 0);
    expect(rows()).toEqual([
      ["broken", '{"after":0}'],
      ["other", '{"after":0}'],
    ]);
    journal.unfold();
    expect(rows().at(-1)).toEqual(["broken (999 more times)", '{"after":0,"count":999}']);
    say(journal.folding("kernel"), "broken", 0);
    journal.unfold();
    expect(rows().at(-1)).toEqual(["broken (once more)", '{"after":0,"count":1}']);
    // Quiet for a minute: the next is a row of its own again.
    journal.unfold();
    say(journal.folding("kernel"), "broken", 2_000);
    expect(rows().at(-1)).toEqual(["broken", '{"after":2000}']);
    expect(lines).toHaveLength(rows().length);
    // However soon after it the minute is over, its first repeat is one.
    journal.unfold();
    say(journal.folding("kernel"), "broken", 0);
    journal.unfold();
    expect(rows().at(-1)).toEqual(["broken (once more)", '{"after":2000,"count":1}']);
  });

  test("remembers so many messages and no more, and loses no count of those it forgets", () => {
    using given = bench();
    const { journal, rows } = journalOn(given);
    say(journal.folding("kernel"), "first", 0);
    say(journal.folding("kernel"), "first", 0);
    for (let n = 0; n < 1_000; n++) say(journal.folding("kernel"), `message ${n}`, 0);
    const found = rows().map(([message]) => message);
    expect(found).toContain("first (once more)");
    say(journal.folding("kernel"), "first", 0);
    expect(rows().at(-1)?.[0]).toBe("first");
  });
});

describe("retention", () => {
  const FOR_EVER = Number.MAX_SAFE_INTEGER;
  const keeping = (signalsMs: number) => ({ logsMs: FOR_EVER, signalsMs, archiveMs: null });
  function setting(given: ReturnType<typeof bench>, retentionMs: number) {
    const clock = new HandClock(NOW);
    const ticker = new Ticker(clock, () => retention.clockStepped(), clock.alarm);
    const journal = new Journal(given.ledger, { write: () => {} }, clock.wallMs);
    const folder = archiveFolder(given.folder.path);
    const archiver = new Archiver({ world: worldAt(clock), store: given.store, ledger: given.ledger, folder, journal });
    const retention: Retention = new Retention(
      { clock, ticker, alarm: REAL_ALARM, store: given.store, ledger: given.ledger, archiver },
      keeping(retentionMs),
    );
    ticker.start();
    retention.start();
    given.atEnd(() => retention.stop());
    const pass = (ms: number): void => {
      for (let left = ms; left > 0; left -= 60_000) {
        clock.pass(Math.min(left, 60_000));
        given.ledger.flush();
      }
    };
    return { clock, retention, pass };
  }
  const HOUR = 3_600_000;
  const fill = (store: Store, at: readonly number[]): void =>
    store.commit(() => {
      for (const time of at)
        store.signals.append({ sense: "a", at: time, payload: `${time - NOW}`, cause: null, trace: trace(NOW) });
    });

  test("removes nothing until the clocks have agreed for an hour, then the old prefix", () => {
    using given = bench();
    const { pass, clock } = setting(given, 3 * HOUR);
    fill(given.store, [NOW - 3 * HOUR, NOW - 2 * HOUR, NOW - 1, NOW - 4 * HOUR]);
    pass(HOUR - 60_000);
    expect(payloads(given.store)).toHaveLength(4);
    clock.step(200_000);
    pass(HOUR - 60_000);
    expect(payloads(given.store)).toHaveLength(4);
    pass(5 * 60_000);
    // The third is young still, and keeps the fourth.
    expect(payloads(given.store)).toEqual([-1, -4 * HOUR]);
    pass(HOUR);
    expect(payloads(given.store)).toEqual([]);
  });

  test("goes by batches, each a transaction between which other work is done", () => {
    using given = bench();
    const { pass, clock } = setting(given, HOUR);
    fill(
      given.store,
      Array.from({ length: 2_500 }, () => NOW - 2 * HOUR),
    );
    pass(HOUR + 60_000);
    const left = [payloads(given.store).length];
    for (let batch = 0; batch < 4; batch++) {
      clock.pass(25);
      given.ledger.flush();
      left.push(payloads(given.store).length);
    }
    expect(left[0]).toBeLessThan(2_500);
    expect(left.at(-1)).toBe(0);
    for (const [index, rows] of left.slice(1).entries())
      expect((left[index] as number) - rows).toBeLessThanOrEqual(1_000);
  });

  test("a store that cannot be written is nothing to die of: it goes on once it can", async () => {
    using given = bench();
    const { pass, clock } = setting(given, HOUR);
    fill(given.store, [NOW - 2 * HOUR]);
    pass(HOUR - 60_000);
    given.block();
    clock.pass(120_000);
    expect(given.ledger.flush()).toBe(false);
    expect(given.trouble).toHaveLength(1);
    given.unblock();
    await until("no payload is left", () => payloads(given.store).length === 0);
  });

  test("for another time counts from the next look, and stops when it is told", () => {
    using given = bench();
    const { pass, retention } = setting(given, 100 * HOUR);
    fill(given.store, [NOW - 2 * HOUR, NOW - 90 * 60_000]);
    pass(2 * HOUR);
    expect(payloads(given.store)).toHaveLength(2);
    retention.keepFor(keeping(HOUR));
    retention.stop();
    pass(2 * HOUR);
    expect(payloads(given.store)).toHaveLength(2);
  });
});
