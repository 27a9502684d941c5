/** One after the other: what the history answers in its order, what is new behind it. */
import { expect, test } from "bun:test";
import { REAL_TIMERS, type Timers } from "../../src/base/timer.ts";
import { Turns } from "../../src/workflow-worker/turns.ts";

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the history's places come first, whoever asks first; what is new comes in the order it asks in", async () => {
  const went: string[] = [];
  let isOver = false;
  const turns = new Turns(2, [], REAL_TIMERS, () => {
    isOver = true;
  });
  const goes = (name: string) => () => went.push(isOver ? `${name}, too late` : name);
  const all = [
    turns.next().then(goes("first new")),
    turns.at(1).then(goes("second past")),
    turns.next().then(goes("second new")),
    turns.at(0).then(goes("first past")),
  ];
  expect(turns.isEmpty).toBe(false);
  await Promise.all(all.slice(0, 2));
  expect(went).toEqual(["first past", "second past", "first new"]);
  expect([turns.isEmpty, isOver]).toEqual([false, false]);
  await Promise.all(all);
  expect([turns.isEmpty, isOver]).toEqual([true, true]);
});

test("what follows from a turn takes its own before the next one that waits", async () => {
  const went: string[] = [];
  const turns = new Turns(3, [], REAL_TIMERS, () => {});
  const follows = turns.at(0).then(async () => {
    went.push("first");
    await turns.at(1);
    went.push("what follows from it");
  });
  await Promise.all([follows, turns.at(2).then(() => went.push("second"))]);
  expect(went).toEqual(["first", "what follows from it", "second"]);
});

/** Timers that fire by hand. */
function handTimers(): Timers & { fire(): void; readonly armed: number } {
  const armed = new Set<() => void>();
  return {
    now: () => 0,
    start(_, act) {
      armed.add(act);
      return { stop: () => armed.delete(act) };
    },
    fire() {
      for (const act of [...armed]) {
        armed.delete(act);
        act();
      }
    },
    get armed() {
      return armed.size;
    },
  };
}

const rounds = async (): Promise<void> => {
  for (let round = 0; round < 10; round++) await immediate();
};

test("a recorded place that is asked for later than those behind it is waited for", async () => {
  const went: string[] = [];
  const timers = handTimers();
  const turns = new Turns(2, [], timers, () => {});
  void turns.at(1).then(() => went.push("behind"));
  void turns.next().then(() => went.push("new"));
  await rounds();
  expect([went, timers.armed]).toEqual([[], 1]);
  void turns.at(0).then(() => went.push("before"));
  await rounds();
  expect([went, timers.armed]).toEqual([["before", "behind", "new"], 0]);
});

test("a place that nobody asks for is waited for once, and what asks for it after all goes at once", async () => {
  const went: string[] = [];
  const timers = handTimers();
  const turns = new Turns(4, [], timers, () => {});
  void turns.at(1).then(() => went.push("behind"));
  await rounds();
  timers.fire();
  await rounds();
  expect(went).toEqual(["behind"]);
  void turns.at(3).then(() => went.push("far behind"));
  await rounds();
  expect(went).toEqual(["behind", "far behind"]);
  void turns.at(0).then(() => went.push("late"));
  await rounds();
  expect([went, timers.armed, turns.isEmpty]).toEqual([["behind", "far behind", "late"], 0, true]);
});

test("a loose place is not waited for", async () => {
  const went: string[] = [];
  const timers = handTimers();
  const turns = new Turns(3, [{ from: 0, to: 2 }], timers, () => {});
  void turns.at(2).then(() => went.push("behind"));
  void turns.next().then(() => went.push("new"));
  await rounds();
  expect([went, timers.armed]).toEqual([["behind", "new"], 0]);
});

test("ten thousand that wait at once take their turns in one sweep each", async () => {
  const turns = new Turns(10_000, [], REAL_TIMERS, () => {});
  const went: number[] = [];
  const all = Array.from({ length: 10_000 }, (_, index) => 9_999 - index);
  await Promise.all(all.map((place) => turns.at(place).then(() => went.push(place))));
  expect(went).toEqual(all.reverse());
});

test("after the end nobody's turn comes", async () => {
  let isOver = false;
  const turns = new Turns(0, [], REAL_TIMERS, () => {
    isOver = true;
  });
  let went = false;
  void turns.next().then(() => {
    went = true;
  });
  turns.end();
  await immediate();
  await immediate();
  expect([went, isOver, turns.isEmpty]).toEqual([false, false, true]);
});
