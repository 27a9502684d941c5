import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayOf } from "../../src/store/archive-names.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { storeFile, storeProblem } from "../../src/store/tables.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const NOW = 1_700_000_000_000;
const TRACE = "0".repeat(32);

function opened(data: string): Store {
  const store = openStore(data, "full", "boot", NOW);
  if (!store.ok) throw new Error(store.error.message);
  return store.value;
}

const signal = (n: number) => ({ sense: "a", at: NOW + n, payload: `{"n":${n}}`, cause: null, trace: TRACE });
const log = (n: number) => ({
  at: NOW + n,
  level: "info" as const,
  source: "kernel",
  event: "log",
  run: null,
  trace: null,
  message: `${n}`,
  data: null,
});

/** A store with ten signals and ten logs, closed. */
function recorded(data: string): void {
  const store = opened(data);
  store.commit(() => {
    for (let n = 1; n <= 10; n++) {
      store.signals.append(signal(n));
      store.logs.append(log(n));
    }
  });
  store.close();
}

function tamper(data: string, ...statements: readonly string[]): void {
  const db = new Database(storeFile(data));
  try {
    for (const sql of statements) db.run(sql);
  } finally {
    db.close(true);
  }
}

const ALL = { after: 0, senses: [], since: null, until: null, trace: null, limit: 100, newest: false };
const ALL_LOGS = {
  after: 0,
  sources: [],
  since: null,
  until: null,
  trace: null,
  level: null,
  limit: 100,
  newest: false,
};

/** What a reader of everything is told: the message of the problem, null for none. */
function readAll(data: string): string | null {
  const reader = openStoreReader(data);
  if (!reader.ok) return reader.error.message;
  try {
    reader.value.signals.list(ALL);
    reader.value.history.page(ALL_LOGS);
    reader.value.silences.all();
    reader.value.switches.disabled();
    reader.value.loadedReflexes.all();
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    reader.value.close();
  }
}

describe("a reader names the file, the table, the row and the column of", () => {
  test.each([
    ["UPDATE signals SET at = 'noon' WHERE id = 4", "table signals, row 4: at is the text"],
    ["UPDATE signals SET at = 1.5 WHERE id = 4", "table signals, row 4: at is 1.5"],
    ["UPDATE signals SET payload = x'00' WHERE id = 4", "table signals, row 4: payload is a blob"],
    ["UPDATE signals SET id = -4 WHERE id = 4", null],
    ["UPDATE logs SET level = 'loud' WHERE id = 4", "table logs, row 4: level is the text"],
    ["UPDATE logs SET at = 1e300 WHERE id = 4", "table logs, row 4: at is 1e+300"],
    ["UPDATE meta SET value = 'abc' WHERE key = 'archived_up_to'", "`archived_up_to` is the text"],
    ["UPDATE meta SET value = '1.0' WHERE key = 'archived_up_to'", "`archived_up_to` is the text"],
    ["UPDATE meta SET value = '0x10' WHERE key = 'archived_up_to'", "`archived_up_to` is the text"],
    ["UPDATE meta SET value = '-1' WHERE key = 'archived_up_to'", "`archived_up_to` is the text"],
    ["UPDATE meta SET value = x'31' WHERE key = 'archived_up_to'", "meta, row archived_up_to: value is a blob"],
    ["INSERT INTO switches VALUES ('hello', 1)", "table switches, row hello: name is the text"],
    ["INSERT INTO silences VALUES ('a*', 'why', 1, 1, 'later')", "table silences, row a*: due is the text"],
    ["INSERT INTO reflexes VALUES ('r', 'd', 'x', 1)", "table reflexes, row r: since is the text"],
    ["DROP TABLE switches", "the table switches is gone"],
    ["DROP TABLE _migrations", "the table _migrations is gone"],
    ["ALTER TABLE logs DROP COLUMN data", "the column data of the table logs is gone"],
  ])("%s", (sql, told) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    tamper(folder.path, sql);
    const found = readAll(folder.path);
    if (told === null) return expect(found).toBeNull();
    expect(found).toContain(told);
    expect(found).toContain(storeFile(folder.path));
  });
});

test("a page that is lost is found when the store is opened, by kernel and commands, and is no row that never was", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  const db = new Database(storeFile(folder.path));
  const page = db.query<{ rootpage: number }, []>("SELECT rootpage FROM sqlite_schema WHERE name = 'signals'").get();
  db.close(true);
  const bytes = new Uint8Array(Bun.mmap(storeFile(folder.path)).slice());
  // The number of rows on the page: two instead of ten, and each other byte is right.
  const at = ((page?.rootpage ?? 0) - 1) * 4096 + 3;
  expect([bytes[at], bytes[at + 1]]).toEqual([0, 10]);
  bytes[at + 1] = 2;
  writeFileSync(storeFile(folder.path), bytes);
  expect(readAll(folder.path)).toContain(storeFile(folder.path));
  expect(openStore(folder.path, "full", "boot", NOW)).toMatchObject({ ok: false, error: { kind: "store-damaged" } });
});

describe("ids are given once, though the sequence", () => {
  test.each([
    ["is lost", "DELETE FROM sqlite_sequence"],
    ["fell back", "UPDATE sqlite_sequence SET seq = 3"],
    ["is a text", "UPDATE sqlite_sequence SET seq = 'abc'"],
    ["is a fraction", "UPDATE sqlite_sequence SET seq = 12.5"],
    ["is beyond all counting", "UPDATE sqlite_sequence SET seq = 9223372036854775807"],
  ])("%s", (_, sql) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    tamper(folder.path, sql);
    const store = opened(folder.path);
    const ids = store.commit(() => [store.signals.append(signal(11)), store.logs.append(log(11))]);
    expect(ids).toEqual([11, 11]);
    expect(store.notices.map(({ event }) => event)).toContain("store.sequence-restored");
    store.close();
  });
});

test("a store begun anew beside an archive and senses says so, and goes on above what they prove", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "archive"));
  mkdirSync(join(folder.path, "senses"));
  const fired = { ...log(1), id: 41, event: "reflex.fired", data: JSON.stringify({ signal: 77 }) };
  const last = { ...log(2), id: 42, run: 5 };
  writeFileSync(join(folder.path, "archive/2023-11-14.jsonl"), `${JSON.stringify(fired)}\n${JSON.stringify(last)}\n`);
  writeFileSync(join(folder.path, "senses/a.db"), "not empty");
  const store = opened(folder.path);
  expect(store.notices).toMatchObject([{ event: "store.begun-anew" }]);
  expect(store.notices[0]?.message).toContain("1 archive file and 1 database of senses");
  expect([store.signals.lastId(), store.logs.lastId(), store.runs.lastId()]).toEqual([77, 42, 5]);
  store.close();
});

test("a reader of a logs.db that is gone names what lies beside it; where nothing does, no nerve has run", () => {
  using folder = temporaryFolder();
  const read = (): unknown => openStoreReader(folder.path);
  expect(read()).toMatchObject({ ok: false, error: { kind: "store-missing" } });
  mkdirSync(join(folder.path, "senses"));
  writeFileSync(join(folder.path, "senses/a.db"), "not empty");
  const message = `${storeFile(folder.path)} is gone, though 0 archive files and 1 database of senses lie beside it`;
  expect(read()).toMatchObject({ ok: false, error: { kind: "store-gone", message, file: storeFile(folder.path) } });
});

test("a first start says nothing of that", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  expect(store.notices).toEqual([]);
  store.close();
  const again = opened(folder.path);
  expect(again.notices).toEqual([]);
  again.close();
});

test("the outbox cursor of a sense that is no number stops that sense alone; other columns begin anew", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  for (const sense of ["whole", "text", "negative", "fraction", "strikes"]) {
    store.commit(() => store.senses.setOutbox(sense, 7));
  }
  store.close();
  tamper(
    folder.path,
    "UPDATE sense_state SET outbox = 'x' WHERE sense = 'text'",
    "UPDATE sense_state SET outbox = -1 WHERE sense = 'negative'",
    "UPDATE sense_state SET outbox = 1.5 WHERE sense = 'fraction'",
    "UPDATE sense_state SET strikes = 'many' WHERE sense = 'strikes'",
  );
  const again = opened(folder.path);
  const problems = ["whole", "text", "negative", "fraction", "strikes"].map((sense) => again.senses.problemOf(sense));
  expect(problems.map((found) => found?.kind ?? null)).toEqual([
    null,
    "sense-state-damaged",
    "sense-state-damaged",
    "sense-state-damaged",
    null,
  ]);
  expect(again.senses.all().find(({ sense }) => sense === "strikes")).toMatchObject({
    strikes: 0,
    damaged: ["strikes"],
  });
  again.close();
});

test("a trigger of somebody else is said at the start, and named as what refuses", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  tamper(folder.path, "CREATE TRIGGER no BEFORE INSERT ON signals BEGIN SELECT raise(ABORT, 'no'); END");
  const store = opened(folder.path);
  expect(store.notices).toMatchObject([{ event: "store.foreign-trigger" }]);
  expect(store.notices[0]?.message).toContain("trigger no on the table signals");
  let found: unknown = null;
  try {
    store.commit(() => store.signals.append(signal(11)));
  } catch (error) {
    found = error;
  }
  expect(storeProblem(store.file, found)).toMatchObject({ kind: "store-trigger", file: store.file });
  store.close();
});

test.each(["signal = 'abc'", "log = 1.5", "unreferenced = 'never'"])(
  "a blob is not judged by a damaged row: %s",
  (change) => {
    using folder = temporaryFolder();
    const store = opened(folder.path);
    const digest = "a".repeat(64);
    store.commit(() => store.blobs.setUnreferenced(digest, { bootId: "b", bootMs: 1, wallMs: 1 }));
    store.close();
    tamper(folder.path, `UPDATE blob_references SET ${change}`);
    const again = opened(folder.path);
    expect(() => again.blobs.state(digest)).toThrow("table blob_references");
    again.close();
  },
);

test("a trace that begins with no time is searched for from the first row on", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  const reader = openStoreReader(folder.path);
  if (!reader.ok) throw new Error(reader.error.message);
  expect([reader.value.history.firstIdSince(Number.NaN), dayOf(Number.NaN)]).toEqual([11, "1970-01-01"]);
  reader.value.close();
});

test("a key of a reflex that is no JSON names no state", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  const insert = (key: string): string =>
    `INSERT INTO reflex_state (reflex, key, definition, state) VALUES ('r', ${key}, 'd', '{}')`;
  tamper(
    folder.path,
    ...["'{'", "x'00'", `'"h0'`, `'"whole"'`, "'clock'", "''", `'sha256:${"0".repeat(64)}'`].map(insert),
  );
  const store = opened(folder.path);
  const states = store.reflexes.all().map(({ key, state }) => [key, state]);
  store.close();
  expect(states.filter(([, state]) => state !== undefined).map(([key]) => key)).toEqual([
    "",
    '"whole"',
    "clock",
    `sha256:${"0".repeat(64)}`,
  ]);
  expect(states).toHaveLength(7);
});
