/** One after the other: what the history answers in its order, what is new behind it. */
import { expect, test } from "bun:test";
import { Turns } from "../../src/workflow-worker/turns.ts";

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("the history's places come first, whoever asks first; what is new comes in the order it asks in", async () => {
  const went: string[] = [];
  let isOver = false;
  const turns = new Turns(2, () => {
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
  const turns = new Turns(2, () => {});
  const follows = turns.at(0).then(async () => {
    went.push("first");
    await turns.at(0.5);
    went.push("what follows from it");
  });
  await Promise.all([follows, turns.at(1).then(() => went.push("second"))]);
  expect(went).toEqual(["first", "what follows from it", "second"]);
});

test("after the end nobody's turn comes", async () => {
  let isOver = false;
  const turns = new Turns(0, () => {
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
