/** What a reflex remembers in the running kernel: real ledger, real store, a clock moved by hand. */

import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Json } from "../../../src/base/json.ts";
import type { Draft } from "../../../src/kernel/commits/draft.ts";
import { Ledger } from "../../../src/kernel/commits/ledger.ts";
import type { Incidents } from "../../../src/kernel/reflexes/incidents.ts";
import { KeyStates } from "../../../src/kernel/reflexes/key-states.ts";
import type { StoredPayload } from "../../../src/kernel/reflexes/stored-payloads.ts";
import { Lifetime } from "../../../src/kernel/time/lifetime.ts";
import { type Handle, Ticker } from "../../../src/kernel/time/ticker.ts";
import type { WorkflowReflexConfig } from "../../../src/model/config.ts";
import type { Decision } from "../../../src/rules/decision.ts";
import { MAX_KEYS } from "../../../src/rules/key.ts";
import { type KeyState, REST } from "../../../src/rules/key-state.ts";
import { matcherOf } from "../../../src/rules/matcher.ts";
import { decide, ruleOf } from "../../../src/rules/rule.ts";
import { openStore } from "../../../src/store/open.ts";
import { storeFile } from "../../../src/store/tables.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { HandClock } from "../../helpers/hand-clock.ts";
import { workflowReflex } from "../../helpers/reflex.ts";
import { randomFrom } from "../../helpers/runs.ts";
import { worldAt } from "../../helpers/world.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
const SLICE = 200;
const SENSE = "sense";
const TRACE = "0".repeat(32);

type Words = Partial<WorkflowReflexConfig>;

/** Counts what is set and has neither fired nor been cancelled. */
class CountingTicker extends Ticker {
  readonly waiting = new Set<object>();

  override after(delayMs: number, fire: () => void): Handle {
    const mark = {};
    this.waiting.add(mark);
    const handle = super.after(delayMs, () => {
      this.waiting.delete(mark);
      fire();
    });
    return {
      cancel: () => {
        this.waiting.delete(mark);
        handle.cancel();
      },
    };
  }
}

interface Decided extends Decision {
  readonly key: string;
}

/** No reflex here keeps any. */
const NO_INCIDENTS = null as unknown as Incidents;

/** A kernel's states of one reflex over a store that outlives it. */
function bench(words: Words) {
  const folder = temporaryFolder();
  const clock = new HandClock();
  const opened = openStore(folder.path, "normal", "b", clock.wallMs());
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const config = workflowReflex(words);
  const decided: Decided[] = [];
  const about = new Map<number, Json[]>();
  let limited = 0;
  let decidedFirst: readonly Decided[] = [];

  const start = () => {
    const ticker = new CountingTicker(clock, () => lifetime.keep(), clock.alarm);
    const lifetime = new Lifetime(clock, store.meta);
    lifetime.keep();
    const ledger = new Ledger(store, worldAt(clock), { trouble: () => {} });
    const late = (draft: Draft, of: KeyStates, key: string, decision: Decision): void => {
      expect(of).toBe(states);
      draft.afterwards(() => decided.push({ key, ...decision }));
    };
    function* signalsBefore(sense: string, before: number): Generator<StoredPayload> {
      const page = {
        after: 0,
        before: null,
        senses: [sense],
        since: null,
        until: null,
        trace: null,
        limit: 10,
        newest: true,
      };
      const signals = store.signals.list(page).filter((signal) => signal.id < before);
      for (const { id, payload } of signals.reverse()) yield { id, sense, payload: JSON.parse(payload) as Json };
    }
    const owner = {
      ticker,
      ledger,
      lifetime,
      late,
      limited: () => limited++,
      signalsBefore,
      incidents: NO_INCIDENTS,
      opened: () => {},
    };
    const made = KeyStates.of(config, "d", owner);
    if (!made.ok) throw new Error(made.error.message);
    const states = made.value;
    states.restore(store.reflexes.all().map(({ key, state }) => ({ key, state: state as unknown as KeyState })));
    ticker.start();
    return { ticker, lifetime, ledger, states };
  };
  let kernel = start();
  let id = 0;

  const commit = (): void => {
    if (!kernel.ledger.flush()) throw new Error("the store refused");
  };
  /** As the engine does with one: seen when it is received, decided in its transaction. */
  const receive = (payload: Json): number => {
    const { states, ledger, lifetime } = kernel;
    const elapsed = lifetime.of(clock.wallMs());
    const heard = states.hear(SENSE, payload);
    const signal = ++id;
    ledger.write((draft) => {
      const text = JSON.stringify(payload);
      const stored = draft.signals([{ sense: SENSE, at: clock.wallMs(), payload: text, cause: null, trace: TRACE }]);
      expect(stored).toBe(signal);
      if (heard === null) return;
      const mine = states.decide(draft, heard, { id: signal, sense: SENSE, elapsed }, payload);
      draft.afterwards(() => {
        for (const { key, decision, element } of mine) {
          decided.push({ key, ...decision });
          about.set(signal, [...(about.get(signal) ?? []), decision.element ?? element]);
        }
      });
    });
    return signal;
  };
  return {
    clock,
    store,
    config,
    decided,
    /** Payloads or elements that decisions of this signal were about. */
    about: (signal: number): Json[] => about.get(signal) ?? [],
    file: storeFile(folder.path),
    limited: () => limited,
    /** In the first transaction of the newest kernel. */
    decidedFirst: () => decidedFirst,
    timers: () => kernel.ticker.waiting.size,
    now: () => kernel.lifetime.now(),
    states: () => kernel.states,
    ledger: () => kernel.ledger,
    receive,
    commit,
    signal(payload: Json): number {
      const signal = receive(payload);
      commit();
      return signal;
    },
    /** What is due on the way is committed on the way. */
    pass(ms: number): void {
      for (let left = ms; left > 0; left -= SLICE) {
        clock.pass(Math.min(left, SLICE));
        commit();
      }
      // A deadline of this very moment.
      clock.pass(0);
      commit();
    },
    /** kill -9, and another kernel after `ms`, which needs `startMs` until its first timer can ring. */
    restart(ms: number, startMs = 0): void {
      commit();
      kernel.ticker.stop();
      clock.pass(ms);
      kernel = start();
      clock.freeze(startMs);
      const before = decided.length;
      commit();
      decidedFirst = decided.slice(before);
      clock.pass(0);
      commit();
    },
    forget(): void {
      const { states, ledger } = kernel;
      const resting = states.atRest();
      ledger.write((draft) => {
        for (const memory of resting) if (states.rests(memory, draft)) draft.remember(states, memory, null);
      });
    },
    rows: () => store.reflexes.all().map(({ key }) => key),
    fired: () => decided.filter(({ kind }) => kind === "fire").map(({ signal, due }) => ({ signal, due })),
    [Symbol.dispose]() {
      kernel.ticker.stop();
      kernel.ledger.flush();
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

const FOR: Words = { when: { on: "true" }, forMs: 5 * SECOND };
const ON: Json = { on: true };
const OFF: Json = { on: false };

describe("a deadline", () => {
  test("acts once, at the moment it was due, and leaves no more to come", () => {
    using given = bench(FOR);
    const signal = given.signal(ON);
    given.pass(4_900);
    expect(given.fired()).toEqual([]);
    given.pass(MINUTE);
    const decision = { kind: "fire", signal, element: null, due: 5_000, elapsed: 5_000, until: null } as const;
    expect(given.decided).toEqual([{ key: "", ...decision }]);
  });

  test.each<[string, (clock: HandClock) => void]>([
    ["set a day ahead", (clock) => clock.step(DAY)],
    ["set a day back", (clock) => clock.step(-DAY)],
    [
      "set ahead and back again",
      (clock) => {
        clock.step(DAY);
        clock.pass(2 * SECOND);
        clock.step(-DAY);
      },
    ],
  ])("is neither early nor lost when the clock is %s while it runs", (_, meddle) => {
    using given = bench(FOR);
    given.signal(ON);
    given.pass(SECOND);
    meddle(given.clock);
    while (given.now() < 4_900) given.pass(100);
    expect(given.fired()).toEqual([]);
    given.pass(200);
    expect(given.fired()).toEqual([{ signal: 1, due: 5_000 }]);
    given.pass(2 * MINUTE);
    expect(given.fired()).toHaveLength(1);
  });

  test.each([DAY, -DAY, 0])("goes on in another kernel, the clock having been set by %d ms meanwhile", (by) => {
    using given = bench(FOR);
    given.signal(ON);
    given.pass(2 * SECOND);
    given.clock.step(by);
    given.restart(SECOND);
    while (given.now() < 4_900) given.pass(100);
    expect(given.fired()).toEqual([]);
    given.pass(200);
    expect(given.fired()).toEqual([{ signal: 1, due: 5_000 }]);
  });

  test("that passed while nerve was down acts at the start, once, and counts from there", () => {
    using given = bench({ ...FOR, throttleMs: 10 * SECOND });
    given.signal(ON);
    given.restart(MINUTE);
    const decision = { kind: "fire", signal: 1, due: 5_000, elapsed: MINUTE, until: MINUTE + 10 * SECOND } as const;
    expect(given.decided).toEqual([{ key: "", element: null, ...decision }]);
    given.restart(MINUTE);
    given.pass(MINUTE);
    expect(given.decided).toHaveLength(1);
  });

  test("that passed while nerve was down acts at the moment of the start, however long the start takes", () => {
    using given = bench({ ...FOR, debounce: { waitMs: SECOND, maxMs: null }, throttleMs: 10 * SECOND });
    given.signal(ON);
    given.restart(MINUTE, 300);
    given.pass(2 * SECOND);
    expect(given.decided).toMatchObject([
      { kind: "fire", signal: 1, due: MINUTE + SECOND, elapsed: MINUTE + SECOND, until: MINUTE + 11 * SECOND },
    ]);
  });

  test("that comes during the start acts when it was due", () => {
    using given = bench({ ...FOR, throttleMs: 10 * SECOND });
    given.signal(ON);
    given.restart(4_900, 900);
    expect(given.decided).toMatchObject([{ kind: "fire", signal: 1, due: 5_000, elapsed: 5_000, until: 15_000 }]);
  });

  test("that passed while nerve was down is decided in the first transaction of the start", () => {
    using given = bench({ ...FOR, throttleMs: 10 * SECOND });
    given.signal(ON);
    given.restart(MINUTE);
    expect(given.decidedFirst()).toMatchObject([{ kind: "fire", signal: 1, due: 5_000, elapsed: MINUTE }]);
  });

  test("that passed while the machine was off acts at the start", () => {
    using given = bench(FOR);
    given.signal(ON);
    given.clock.reboot(DAY);
    given.restart(0);
    expect(given.decided).toMatchObject([{ kind: "fire", signal: 1, due: 5_000, elapsed: DAY }]);
  });

  test("that passed while the machine slept acts when it wakes", () => {
    using given = bench(FOR);
    given.signal(ON);
    given.clock.suspend(DAY);
    given.pass(SECOND);
    expect(given.fired()).toEqual([{ signal: 1, due: 5_000 }]);
  });

  test("is dropped by a signal that came before it, though both are committed after it", () => {
    using given = bench(FOR);
    given.signal(ON);
    given.clock.pass(4_990);
    given.receive(OFF);
    given.clock.pass(500);
    given.commit();
    given.pass(MINUTE);
    expect(given.decided).toEqual([]);
  });

  test("moves with each signal of a burst, and comes all the same", () => {
    using given = bench({ debounce: { waitMs: 2 * SECOND, maxMs: 5 * SECOND } });
    for (let signal = 0; signal < 8; signal++) {
      given.signal(ON);
      given.pass(SECOND);
    }
    given.pass(MINUTE);
    expect(given.fired()).toEqual([
      { signal: 5, due: 5_000 },
      { signal: 8, due: 9_000 },
    ]);
  });

  test("of what is forgotten does not come, and what is looked at after that begins anew", () => {
    using given = bench(FOR);
    given.signal(ON);
    given.pass(SECOND);
    given.states().forgetAll();
    given.pass(MINUTE);
    expect(given.decided).toEqual([]);
    given.signal(ON);
    given.pass(MINUTE);
    expect(given.fired()).toEqual([{ signal: 2, due: 66_000 }]);
  });

  test("is kept while the store takes nothing, and acts once when it does again", () => {
    using given = bench(FOR);
    given.signal(ON);
    const blocker = new Database(given.file);
    blocker.run("BEGIN IMMEDIATE");
    given.clock.pass(6 * SECOND);
    expect(given.ledger().flush()).toBe(false);
    given.receive(ON);
    given.receive({ on: true, again: true });
    expect(given.ledger().flush()).toBe(false);
    expect(given.decided).toEqual([]);
    blocker.run("ROLLBACK");
    blocker.close(true);
    given.pass(MINUTE);
    expect(given.fired()).toEqual([{ signal: 1, due: 5_000 }]);
  });
});

describe("keys", () => {
  const keyed: Words = { when: { on: "true" }, edge: "rising", key: "host" };

  test("that come to rest leave no row and no memory", () => {
    using given = bench({ ...keyed, throttleMs: 10 * SECOND });
    given.signal({ host: "a", on: true });
    given.signal({ host: "a", on: false });
    given.signal({ host: "b", on: true });
    given.signal({ host: "c", on: false });
    expect(given.rows()).toEqual(['"a"', '"b"']);
    given.pass(9_900);
    given.forget();
    given.commit();
    expect(given.rows()).toEqual(['"a"', '"b"']);
    given.pass(100);
    given.forget();
    given.commit();
    expect([given.rows(), given.states().keys]).toEqual([['"b"'], 1]);
  });

  test("that match and stop matching before their time leave no timer", () => {
    using watched = bench({ when: { status: "'critical'" }, forMs: 7 * DAY, key: "host" });
    for (let n = 0; n < 200; n++) {
      for (const status of ["critical", "ok"]) watched.signal({ status, host: n % 2 === 0 ? "a" : `host-${n}` });
    }
    expect(watched.timers()).toBe(0);
    watched.signal({ status: "critical", host: "a" });
    expect(watched.timers()).toBe(1);
  });

  test("are not forgotten when a signal comes in the same commit, before or after", () => {
    using given = bench({ ...keyed, throttleMs: SECOND });
    for (const host of ["before", "after"]) {
      given.signal({ host, on: true });
      given.signal({ host, on: false });
    }
    given.pass(2 * SECOND);
    given.receive({ host: "before", on: true });
    given.forget();
    given.receive({ host: "after", on: true });
    given.commit();
    expect(given.rows()).toEqual(['"after"', '"before"']);
    // It is matching, so this is no edge.
    given.signal({ host: "before", on: true });
    given.signal({ host: "after", on: true });
    expect(given.fired().map(({ signal }) => signal)).toEqual([1, 3, 5, 6]);
  });

  test("need no memory when only the signal itself is looked at", () => {
    using given = bench({ when: { on: "true" }, key: "host" });
    for (let host = 0; host < 100; host++) given.signal({ host, on: true });
    expect([given.fired().length, given.rows(), given.states().keys]).toEqual([100, [], 0]);
  });

  test("are looked at up to the limit: known ones go on, further ones are not, until some come to rest", () => {
    using given = bench({ ...keyed, edge: "falling" });
    for (let host = 0; host < MAX_KEYS + 100; host++) given.receive({ host, on: true });
    given.commit();
    expect([given.states().keys, given.rows().length, given.limited()]).toEqual([MAX_KEYS, MAX_KEYS, 100]);
    given.signal({ host: 7, on: false });
    given.signal({ host: MAX_KEYS + 1, on: true });
    given.signal({ host: MAX_KEYS + 1, on: false });
    expect(given.fired().map(({ signal }) => signal)).toEqual([MAX_KEYS + 101, MAX_KEYS + 103]);
    expect([given.states().keys, given.rows().length, given.limited()]).toEqual([MAX_KEYS - 1, MAX_KEYS - 1, 100]);
  });

  test("beyond the limit that would not be remembered are no news", () => {
    using given = bench({ ...keyed, edge: "falling" });
    for (let host = 0; host < MAX_KEYS; host++) given.receive({ host, on: true });
    given.signal({ host: "calm", on: false });
    expect([given.limited(), given.states().keys]).toEqual([0, MAX_KEYS]);
  });
});

// ── against the rule by itself ─────────────────────────────────────────

describe("each element of a payload", () => {
  const EACH = { each: "disks", key: "path", when: { used: "number > 90" } } as const;
  const disk = (path: string, used: number): Json => ({ path, used });
  const disks = (...list: Json[]): Json => ({ disks: list });

  test("is decided on by itself, in the order of the list", () => {
    using given = bench(EACH);
    const signal = given.signal(disks(disk("/", 95), disk("/home", 5), disk("/var", 99)));
    expect(given.decided.map(({ key, signal: of }) => [key, of])).toEqual([
      ['"/"', signal],
      ['"/var"', signal],
    ]);
    expect(given.about(signal)).toEqual([disk("/", 95), disk("/var", 99)]);
  });

  test("that is gone ends what matched, with what was last seen of it", () => {
    using given = bench({ ...EACH, edge: "falling" });
    given.signal(disks(disk("/", 95), disk("/home", 95)));
    given.signal(disks(disk("/", 97), disk("/home", 96)));
    const last = given.signal(disks(disk("/", 98)));
    expect(given.decided.map(({ key, signal }) => [key, signal])).toEqual([['"/home"', last]]);
    expect(given.about(last)).toEqual([disk("/home", 96)]);
    given.signal(disks(disk("/", 98)));
    expect([given.decided.length, given.rows()]).toEqual([1, ['"/"']]);
  });

  test("that is gone ends what lasts until `clear` as well", () => {
    using given = bench({ ...EACH, clear: { used: "number < 80" }, edge: "falling" });
    given.signal(disks(disk("/", 95)));
    given.signal(disks(disk("/", 85)));
    expect(given.decided).toEqual([]);
    const signal = given.signal(disks());
    expect(given.about(signal)).toEqual([disk("/", 85)]);
  });

  test("that is gone at the first signal after a start is what the store has of it", () => {
    using given = bench({ ...EACH, edge: "falling" });
    given.signal(disks(disk("/", 95)));
    given.signal(disks(disk("/", 96)));
    given.signal({ none: true });
    given.restart(SECOND);
    const signal = given.signal(disks());
    expect(given.about(signal)).toEqual([disk("/", 96)]);
  });

  test("that is gone within one commit is what the signal before it had", () => {
    using given = bench({ ...EACH, edge: "falling" });
    given.signal(disks(disk("/", 91)));
    given.receive(disks(disk("/", 99)));
    const signal = given.receive(disks());
    given.commit();
    expect(given.about(signal)).toEqual([disk("/", 99)]);
  });

  test("that is gone is remembered while `for` waits, whatever becomes of the signals", () => {
    using given = bench({ ...EACH, edge: "falling", forMs: 5 * SECOND });
    given.signal(disks(disk("/", 95)));
    const signal = given.signal(disks());
    given.restart(SECOND);
    given.signal(disks());
    given.pass(MINUTE);
    const [decision] = given.decided;
    expect(given.decided).toHaveLength(1);
    expect(decision).toMatchObject({ key: '"/"', kind: "fire", signal, element: disk("/", 95) });
  });

  test("is passed over where there is no list: nothing is decided, and nothing is gone", () => {
    using given = bench({ ...EACH, edge: "falling" });
    given.signal(disks(disk("/", 95)));
    given.signal({ disks: "none" });
    given.signal({});
    expect([given.decided, given.rows()]).toEqual([[], ['"/"']]);
  });
});

const ALL_WORDS: readonly Words[] = [
  { throttleMs: 3_000 },
  { count: { n: 3, withinMs: 4_000 } },
  { debounce: { waitMs: 700, maxMs: 2_500 } },
  { when: { on: "true" }, edge: "rising" },
  { when: { on: "true" }, edge: "falling", forMs: 1_500 },
  { when: { on: "true" }, clear: { ok: "true" }, forMs: 1_200 },
  { when: { on: "true" }, forMs: 900, debounce: { waitMs: 1_300, maxMs: null }, throttleMs: 4_000 },
  { when: { on: "true" }, count: { n: 2, withinMs: 3_000 }, debounce: { waitMs: 500, maxMs: null }, throttleMs: 2_000 },
];

test.each(ALL_WORDS)("through restarts, steps and commits of many, it is the rule and nothing else: %j", (words) => {
  let decisions = 0;
  for (let seed = 1; seed <= 12; seed++) {
    using given = bench({ ...words, key: "host" });
    const random = randomFrom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const matcher = matcherOf(given.config);
    if (!matcher.ok) throw new Error(matcher.error.message);
    const rule = ruleOf(given.config);
    const states = new Map<string, KeyState>();
    const expected: Decided[] = [];
    const happens = (key: string, event: Parameters<typeof decide>[2]): void => {
      const { state, decisions } = decide(rule, states.get(key) ?? REST, event);
      states.set(key, state);
      expected.push(...decisions.map((decision) => ({ key, ...decision })));
    };
    const timeIs = (elapsed: number): void => {
      for (const key of states.keys()) happens(key, { kind: "time", elapsed });
    };
    /** Nobody waits for a second, so every deadline acts when it is due. */
    const pass = (ms: number): void => {
      const end = given.now() + ms;
      given.pass(ms);
      for (let elapsed = end - ms; elapsed <= end; elapsed += SLICE / 2) timeIs(elapsed);
      timeIs(end);
    };
    for (let step = 0; step < 60; step++) {
      const kind = below(10);
      if (kind === 0) given.clock.step(below(2) === 0 ? DAY : -DAY);
      else if (kind === 1) {
        given.restart(below(3) * 1_100);
        timeIs(given.now());
      } else if (kind <= 4) pass(below(1_500));
      else {
        for (let signals = 1 + below(3); signals > 0; signals--) {
          const payload = { host: below(2), on: below(3) > 0, ok: below(4) === 0 };
          const match = matcher.value.match(SENSE, payload);
          const { key, matches, clears } = match;
          happens(key, {
            kind: "signal",
            id: given.receive(payload),
            elapsed: given.now(),
            matches,
            clears,
            element: null,
          });
        }
        given.commit();
      }
      if (below(8) === 0) given.forget();
    }
    pass(10 * SECOND);
    const order = (a: Decided, b: Decided): number =>
      a.key.localeCompare(b.key) || a.elapsed - b.elapsed || a.signal - b.signal;
    expect({ seed, decided: given.decided.toSorted(order) }).toEqual({ seed, decided: expected.toSorted(order) });
    decisions += expected.length;
  }
  expect(decisions).toBeGreaterThan(0);
});
