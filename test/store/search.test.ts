import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { refuse } from "../../src/store/damage.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { ALL_SIGNALS } from "../../src/store/signals.ts";
import { storeFile } from "../../src/store/tables.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { withoutClockSteps } from "../helpers/older-store.ts";

const NOW = 1_700_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function opened(data: string): Store {
  const store = openStore(data, "normal", "boot", NOW);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

const signal = (at: number) => ({ sense: "a", at, payload: "{}", cause: null, trace: "0".repeat(32) });

const append = (store: Store, count: number, from: number): void =>
  store.commit(() => {
    for (let n = 0; n < count; n++) store.signals.append(signal(from + n));
  });

test("rows of the last two hours are found though a stretch of wrong clock lies between them", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  append(store, 20_000, NOW - HOUR);
  append(store, 40_000, NOW - 20 * DAY);
  append(store, 2_000, NOW - 60_000);
  expect(store.signals.firstIdSince(NOW - 2 * HOUR)).toBe(1);
  expect(store.signals.firstIdSince(NOW - HOUR / 2)).toBe(60_001);
  expect(store.signals.firstIdSince(NOW - 30 * DAY)).toBe(1);
  expect(store.signals.firstIdSince(NOW)).toBe(62_001);
  const since = { ...ALL_SIGNALS, after: store.signals.firstIdSince(NOW - 2 * HOUR) - 1, since: NOW - 2 * HOUR };
  expect(store.signals.list(since)).toHaveLength(22_000);
  store.close();
});

test("rows that another hand wrote are found as well", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  append(store, 100, NOW - HOUR);
  const db = new Database(storeFile(folder.path));
  const insert = db.prepare("INSERT INTO signals (sense, at, payload, trace) VALUES ('b', ?, '{}', '')");
  db.transaction(() => {
    for (let n = 0; n < 20_000; n++) insert.run(NOW - 20 * DAY + n);
  })();
  db.close(true);
  expect(store.signals.firstIdSince(NOW - 2 * HOUR)).toBe(1);
  append(store, 5_000, NOW - 60_000);
  expect(store.signals.firstIdSince(NOW - 2 * HOUR)).toBe(1);
  expect(store.signals.firstIdSince(NOW - HOUR / 2)).toBe(20_101);
  store.close();
});

test("whatever the clock did, the first id for a time is that of the first row as young as it", () => {
  using folder = temporaryFolder();
  let seed = 7;
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const store = opened(folder.path);
  const ats: number[] = [];
  let clock = NOW;
  for (let round = 0; round < 60; round++) {
    if (random() < 0.4) clock += Math.floor((random() - 0.5) * 10 * DAY);
    const batch = Array.from({ length: 1 + Math.floor(random() * 20) }, () => {
      clock += Math.floor(random() * 5_000);
      // Stamps of one batch come a little out of order.
      return clock - Math.floor(random() * 900);
    });
    // A transaction that fails leaves nothing behind, in memory either.
    if (random() < 0.3) {
      expect(() =>
        store.commit(() => {
          store.signals.append(signal(clock - 5 * DAY));
          throw new Error("no");
        }),
      ).toThrow("no");
    }
    store.commit(() => batch.map((at) => store.signals.append(signal(at))));
    ats.push(...batch);
  }
  for (let n = 0; n < 400; n++) {
    const at = NOW + Math.floor((random() - 0.5) * 40 * DAY);
    const index = ats.findIndex((stamp) => stamp >= at);
    expect(store.signals.firstIdSince(at)).toBe(index < 0 ? ats.length + 1 : index + 1);
  }
  store.close();
});

test("a store of an earlier build learns where its clock fell back", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  append(store, 500, NOW - HOUR);
  append(store, 500, NOW - 20 * DAY);
  append(store, 500, NOW);
  store.close();
  const db = new Database(storeFile(folder.path));
  withoutClockSteps(db);
  db.close(true);
  const reader = openStoreReader(folder.path, refuse);
  expect(reader.ok).toBe(true);
  if (reader.ok) reader.value.close();
  const again = opened(folder.path);
  expect(again.signals.firstIdSince(NOW - 2 * HOUR)).toBe(1);
  append(again, 10, NOW - 40 * DAY);
  append(again, 10, NOW + HOUR);
  expect(again.signals.firstIdSince(NOW + HOUR / 2)).toBe(1_511);
  again.close();
});
