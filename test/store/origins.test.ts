/** Signals of other hosts in logs.db: their columns, filters by full name, and what is known of each host. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { Origin } from "../../src/model/origin.ts";
import { fullyNamed } from "../../src/model/signal.ts";
import { refuse } from "../../src/store/damage.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { ALL_SIGNALS } from "../../src/store/signals.ts";
import { storeFile } from "../../src/store/tables.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { withoutOrigins } from "../helpers/older-store.ts";

const NOW = 1_700_000_000_000;
const TRACE = "a".repeat(32);

function open(data: string): Store {
  const opened = openStore(data, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

/** 1 load of here, 2 web1/load, 3 web2/load (late), 4 web1/disk-root, 5 web1/presence, 6 disk-root of here. */
function fill(store: Store): void {
  const own = (sense: string) => store.signals.append({ sense, at: NOW, payload: "{}", cause: null, trace: TRACE });
  const remote = (origin: string, sense: string, id: number | null, late: number | null = null) =>
    store.signals.appendRemote({
      ...{ sense, at: NOW, payload: "{}", trace: TRACE, origin, late },
      origin_id: id,
      origin_at: id === null ? null : NOW - 5,
    });
  store.commit(() => {
    own("load");
    remote("web1", "load", 7);
    remote("web2", "load", 7, 1);
    remote("web1", "disk-root", 8);
    remote("web1", "presence", null);
    own("disk-root");
  });
}

const ORIGIN: Origin = {
  ...{ host: "web1", epoch: "e1", upto: 8, at: NOW, signals: 2, gaps: 0, missing: 0, late: 0 },
  ...{ state: "up", since: NOW, heard: 12 },
};

test("a name without a slash is a sense of this host, and one with a slash a sense of others", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  fill(store);
  const ids = (...senses: string[]) => store.signals.list({ ...ALL_SIGNALS, senses }).map(({ id }) => id);
  expect(ids("load")).toEqual([1]);
  expect(ids("*/load")).toEqual([2, 3]);
  expect(ids("web1/load")).toEqual([2]);
  expect(ids("web1/*")).toEqual([2, 4, 5]);
  expect(ids("web*/disk-*", "load")).toEqual([1, 4]);
  expect(ids("web/load", "*/loa")).toEqual([]);
  expect(ids("[w]eb1/load", "web?/load")).toEqual([]);
  expect(ids()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(store.signals.list({ ...ALL_SIGNALS, senses: ["*/load"], newest: true, limit: 1 })).toEqual([
    {
      ...{ id: 3, sense: "load", at: NOW, payload: "{}", cause: null, trace: TRACE },
      ...{ origin: "web2", origin_id: 7, origin_at: NOW - 5, late: 1 },
    },
  ]);
  expect(store.signals.sensesBelow(4, 2)).toEqual([
    { id: 3, sense: "web2/load", at: NOW },
    { id: 2, sense: "web1/load", at: NOW },
  ]);
  store.close();
});

test("a signal is called by its full name where it came from another host", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  fill(store);
  expect(store.signals.list(ALL_SIGNALS).map((signal) => fullyNamed(signal).sense)).toEqual([
    ...["load", "web1/load", "web2/load", "web1/disk-root", "web1/presence", "disk-root"],
  ]);
  store.close();
});

test("what is known of a host, and of the epochs it left, is read as it was written", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  store.commit(() => store.origins.put(ORIGIN));
  const silent: Origin = {
    ...ORIGIN,
    upto: 9,
    gaps: 1,
    missing: 3,
    late: 2,
    state: "silent",
    since: NOW + 1,
    heard: 99,
  };
  store.commit(() => {
    store.origins.put(silent);
    for (let epoch = 1; epoch <= 20; epoch++)
      store.origins.leave({ host: "web1", epoch: `e${epoch}`, upto: epoch }, NOW + epoch);
  });
  expect(store.origins.all()).toEqual([silent]);
  expect(store.origins.former().map(({ upto }) => upto)).toEqual([
    5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  ]);
  store.close();
});

test("a damaged origin is a damaged row", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  fill(store);
  store.close();
  const db = new Database(storeFile(folder.path));
  db.run("UPDATE signals SET origin = 'A b' WHERE id = 2");
  db.run("INSERT INTO origins (host, epoch, at, since, state) VALUES ('web1', 'e', 1, 1, 'gone')");
  db.close(true);
  const found: string[] = [];
  const reader = openStoreReader(folder.path, ({ problem }) => found.push(problem.message));
  if (!reader.ok) throw new Error(reader.error.message);
  expect(reader.value.signals.list({ ...ALL_SIGNALS, senses: ["web2/load"] }).map(({ id }) => id)).toEqual([3]);
  expect(reader.value.origins.all()).toEqual([]);
  expect(found.join("\n")).toMatch(/table signals, row 2: origin .*A b/);
  expect(found.join("\n")).toMatch(/table origins, row web1: state .*gone/);
  reader.value.close();
});

test("a store of an earlier build is read as it is, and has no signal of another host", () => {
  using folder = temporaryFolder();
  const store = open(folder.path);
  fill(store);
  store.close();
  const db = new Database(storeFile(folder.path));
  withoutOrigins(db);
  db.close(true);
  const reader = openStoreReader(folder.path, refuse);
  if (!reader.ok) throw new Error(reader.error.message);
  const { signals, origins } = reader.value;
  expect(signals.list({ ...ALL_SIGNALS, senses: ["load"] }).map(({ id, origin }) => [id, origin])).toEqual([
    [1, null],
    [2, null],
    [3, null],
  ]);
  expect([signals.list({ ...ALL_SIGNALS, senses: ["*/load"] }), origins.all(), origins.former()]).toEqual([[], [], []]);
  expect(signals.byId(2)?.late).toBeNull();
  reader.value.close();
  const again = open(folder.path);
  again.commit(() => again.origins.put(ORIGIN));
  expect(again.origins.all()).toEqual([ORIGIN]);
  again.close();
});
