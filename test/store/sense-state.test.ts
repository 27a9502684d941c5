/** The table of what is owed to senses: its numbers, and a store that an earlier build left. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { copyFileSync } from "node:fs";

import { openStore, type Store } from "../../src/store/open.ts";
import type { Owed } from "../../src/store/sense-state.ts";
import { storeFile } from "../../src/store/tables.ts";
import { carryOver } from "../../src/upgrade/carry-over.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { withoutSenseKeys } from "../helpers/older-store.ts";

const NOW = 1_750_000_000_000;
const owedFor = (cause: number): Owed => ({ reason: "signal", at: NOW, cause, trace: "0".repeat(32) });

function open(data: string): Store {
  const store = openStore(data, "normal", "b", NOW);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

const changesOf = (count: number, cause: number) =>
  Array.from({ length: count }, (_, nth) => ({ sense: `s${nth}`, owed: owedFor(cause), unanswered: [] }));

const causes = (store: Store): Record<string, number | null> =>
  Object.fromEntries(store.senses.all().map(({ sense, owed }) => [sense, owed?.cause ?? null]));

test.each([1, 3, 64, 87])("%i changes of one commit are kept, each with its sense, and changed again", (count) => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  const expected = (cause: number) => Object.fromEntries(changesOf(count, cause).map(({ sense }) => [sense, cause]));
  store.commit(() => store.senses.setOwed(changesOf(count, 1)));
  expect(causes(store)).toEqual(expected(1));
  store.commit(() => store.senses.setOwed(changesOf(count, 2).reverse()));
  expect(causes(store)).toEqual(expected(2));
  store.close();
});

test("a row that was made in a commit that failed is made again by the next one", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  const refused = () =>
    store.commit(() => {
      store.senses.setOwed(changesOf(2, 1));
      throw new Error("refused");
    });
  expect(refused).toThrow("refused");
  expect(store.senses.all()).toEqual([]);
  store.commit(() => store.senses.setOwed([{ sense: "other", owed: owedFor(3), unanswered: [] }]));
  store.commit(() => store.senses.setOwed(changesOf(2, 2)));
  expect(causes(store)).toEqual({ other: 3, s0: 2, s1: 2 });
  store.close();
});

test("a row that somebody deletes while the store is open is written again", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  store.commit(() => store.senses.setOwed(changesOf(2, 1)));
  const other = new Database(storeFile(folder.path));
  other.run("DELETE FROM sense_state WHERE sense = 's1'");
  other.close();
  store.commit(() => store.senses.setOwed(changesOf(2, 2)));
  expect(causes(store)).toEqual({ s0: 2, s1: 2 });
  store.close();
});

test("what an earlier build left is the same after its migration, damaged columns too", () => {
  using folder = temporaryFolder();
  let store = open(folder.path);
  const moment = { bootId: "b", bootMs: 5, wallMs: NOW };
  store.commit(() => {
    store.senses.setOwed([{ sense: "z", owed: owedFor(4), unanswered: [2, 3] }]);
    store.senses.setOutbox([{ sense: "a", outbox: 9 }]);
    store.senses.setQuarantine("a", { since: moment, forMs: 60_000 });
    store.senses.setStarted("m", moment);
    store.senses.setStrikes("m", 2);
  });
  const before = store.senses.all();
  store.close();
  const db = new Database(storeFile(folder.path));
  withoutSenseKeys(db);
  db.run("INSERT INTO sense_state (sense, outbox, owed) VALUES ('b', 'x', '{x')");
  db.close(true);
  store = open(folder.path);
  const after = store.senses.all();
  const byName = <T extends { readonly sense: string }>(rows: readonly T[]): T[] =>
    [...rows].sort((one, other) => (one.sense < other.sense ? -1 : 1));
  expect(byName(after.filter(({ sense }) => sense !== "b"))).toEqual(byName(before));
  expect(after.find(({ sense }) => sense === "b")?.damaged).toEqual(["owed"]);
  expect([store.senses.problemOf("a"), store.senses.problemOf("b")?.message]).toEqual([
    null,
    expect.stringContaining("row b: outbox is"),
  ]);
  store.close();
});

test("the way back of an upgrade carries the rows into the table of the earlier build", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  store.commit(() => store.senses.setOwed([...changesOf(3, 1), { sense: "a", owed: owedFor(2), unanswered: [1] }]));
  store.close();
  const older = folder.file("older.db");
  copyFileSync(storeFile(folder.path), older);
  const columns = "SELECT sense, outbox, owed, started, strikes, quarantine FROM sense_state ORDER BY sense";
  const before = new Database(older);
  const rows = before.query(columns).all();
  withoutSenseKeys(before);
  before.run("DELETE FROM sense_state");
  before.close(true);
  expect(carryOver(older, storeFile(folder.path))).toEqual({ ok: true, value: undefined });
  const after = new Database(older, { readonly: true });
  expect([rows.length, after.query(columns).all()]).toEqual([4, rows]);
  after.close();
});
