import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayOf } from "../../src/store/archive-names.ts";
import { refuse } from "../../src/store/damage.ts";
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

const ALL = { after: 0, before: null, senses: [], since: null, until: null, trace: null, limit: 100, newest: false };
const ALL_LOGS = {
  after: 0,
  before: null,
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
  const reader = openStoreReader(data, refuse);
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
    ["UPDATE signals SET id = -4 WHERE id = 4", "table signals, row -4: nerve gave no such id"],
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
    ["UPDATE _migrations SET name = 'x' WHERE name LIKE '0004%'", "table _migrations, row x: name is the text"],
    ["DROP TABLE switches", "the table switches is gone"],
    ["DROP TABLE _migrations", "the table _migrations is gone"],
    ["ALTER TABLE logs DROP COLUMN data", "the column data of the table logs is gone"],
  ])("%s", (sql, told) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    tamper(folder.path, sql);
    const found = readAll(folder.path);
    expect(found).toContain(told);
    expect(found).toContain(storeFile(folder.path));
  });
});

/** What a reader shows of the ten signals and the ten logs, and what it names. */
function shownBy(data: string, filter: object = {}) {
  const named: string[] = [];
  const reader = openStoreReader(data, ({ problem: { message } }) => void named.push(message));
  if (!reader.ok) throw new Error(reader.error.message);
  const ids = (rows: readonly { readonly id: number }[]): number[] => rows.map(({ id }) => id);
  const signals = ids(reader.value.signals.list({ ...ALL, ...filter }));
  const logs = ids(reader.value.history.page({ ...ALL_LOGS, ...filter }));
  reader.value.close();
  return { signals, logs, named: named.map((message) => message.replace(`${storeFile(data)}: `, "")) };
}

const TEN = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const without = (id: number): number[] => TEN.filter((other) => other !== id);
const deep = `${"[".repeat(70)}${"]".repeat(70)}`;

describe("a reader shows every row but the damaged one, and names that, after", () => {
  test.each([
    ["signals", "id = -7 WHERE id = 7", 7, "row -7: nerve gave no such id"],
    ["signals", "id = 0 WHERE id = 7", 7, "row 0: nerve gave no such id"],
    ["signals", "id = 9223372036854775807 WHERE id = 7", 7, "row 9223372036854775807: nerve gave no such id"],
    ["signals", "payload = '{broken' WHERE id = 4", 4, 'payload is the text "{broken"'],
    ["signals", "payload = '' WHERE id = 4", 4, "payload is the text"],
    ["signals", "payload = 'null' WHERE id = 4", 4, "payload is the text"],
    ["signals", `payload = '${deep}' WHERE id = 4`, 4, "payload is the text"],
    ["signals", `payload = '{"__proto__":1}' WHERE id = 4`, 4, "payload is the text"],
    ["signals", `payload = '{"\\u005f_proto__":1}' WHERE id = 4`, 4, "payload is the text"],
    ["signals", `payload = '"${"x".repeat(70_000)}"' WHERE id = 4`, 4, "payload is the text"],
    ["signals", "sense = 'No Name' WHERE id = 4", 4, 'sense is the text "No Name", and not a name'],
    ["signals", "sense = '' WHERE id = 4", 4, "sense is the text"],
    ["signals", "at = 'noon' WHERE id = 4", 4, "at is the text"],
    ["signals", "at = -1 WHERE id = 4", 4, "at is -1"],
    ["signals", "at = 1.5 WHERE id = 4", 4, "at is 1.5"],
    ["signals", "at = 8640000000000001 WHERE id = 4", 4, "at is 8640000000000001"],
    ["signals", "trace = 'xyz' WHERE id = 4", 4, "trace is the text"],
    ["signals", "cause = 4 WHERE id = 4", 4, "cause is 4, and not the id of an earlier signal"],
    ["signals", "cause = 9 WHERE id = 4", 4, "cause is 9"],
    ["signals", "cause = 'x' WHERE id = 4", 4, "cause is the text"],
    ["logs", "id = -7 WHERE id = 7", 7, "row -7: nerve gave no such id"],
    ["logs", "data = '{broken' WHERE id = 4", 4, "data is the text"],
    ["logs", "data = '' WHERE id = 4", 4, "data is the text"],
    ["logs", "source = x'00' WHERE id = 4", 4, "source is a blob"],
    ["logs", "event = x'00' WHERE id = 4", 4, "event is a blob"],
    ["logs", "run = -1 WHERE id = 4", 4, "run is -1"],
    ["logs", "trace = 'xyz' WHERE id = 4", 4, "trace is the text"],
    ["logs", "at = -1 WHERE id = 4", 4, "at is -1"],
    ["logs", "level = 'loud' WHERE id = 4", 4, "level is the text"],
  ] as const)("%s: %s", (table, change, id, told) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    tamper(folder.path, `UPDATE ${table} SET ${change}`);
    const whole = { signals: TEN, logs: TEN, [table]: without(id) };
    const named = [expect.stringContaining(told)];
    expect(shownBy(folder.path)).toEqual({ ...whole, named });
    expect(shownBy(folder.path, { newest: true, limit: 9 })).toMatchObject({ [table]: without(id), named });
  });
});

describe("no filter leaves out a row whose value was another, unnamed:", () => {
  test.each([
    ["signals", "sense = 'No Name'", { senses: ["a"] }],
    ["signals", "sense = '-1'", { senses: ["a"] }],
    ["signals", "at = -1", { since: NOW }],
    ["signals", "at = 'noon'", { until: NOW + 100 }],
    ["signals", "trace = 'xyz'", { trace: TRACE }],
    ["logs", "source = x'00'", { sources: ["kernel"] }],
    ["logs", "level = 'loud'", { level: "info" }],
    ["logs", "at = -1", { since: NOW }],
  ] as const)("%s.%s", (table, change, filter) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    tamper(folder.path, `UPDATE ${table} SET ${change} WHERE id = 4`);
    expect(shownBy(folder.path, filter)).toMatchObject({
      [table]: without(4),
      named: [expect.stringContaining(`table ${table}, row 4: ${change.split(" ")[0]} is`)],
    });
  });
});

test("a sequence that fell back under who reads is named, and no id above it is unknown", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  tamper(folder.path, "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'signals'");
  expect(shownBy(folder.path)).toEqual({
    signals: TEN,
    logs: TEN,
    named: [expect.stringContaining("table sqlite_sequence, row signals: seq is 1, and not at least 10")],
  });
});

test("an id that nobody gave stops a start, for no further id could be given", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  tamper(folder.path, "UPDATE logs SET id = 9223372036854775807 WHERE id = 7");
  expect(openStore(folder.path, "full", "boot", NOW)).toMatchObject({
    ok: false,
    error: { kind: "store-damaged", message: expect.stringContaining("table logs, row 9223372036854775807") },
  });
});

test("a kernel goes on without a damaged signal, and says so once", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  tamper(folder.path, "UPDATE signals SET payload = '{' WHERE id = 4", "UPDATE signals SET id = -7 WHERE id = 7");
  const store = opened(folder.path);
  const told: string[] = [];
  store.damaged.tell(({ message }) => void told.push(message));
  expect([store.signals.byId(4), store.signals.byId(4), store.signals.byId(5)?.id]).toEqual([null, null, 5]);
  expect(told).toEqual([expect.stringContaining("row -7"), expect.stringContaining("row 4: payload")]);
  store.close();
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
  const read = (): unknown => openStoreReader(folder.path, refuse);
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
    store.commit(() => store.senses.setOutbox([{ sense, outbox: 7 }]));
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

describe("a file that is cut off is named, by kernel and commands, where", () => {
  test.each([
    ["the last byte is gone", 1],
    ["the last page is gone", 4_096],
    ["all but the first page are gone", Number.POSITIVE_INFINITY],
  ])("%s", (_, bytes) => {
    using folder = temporaryFolder();
    recorded(folder.path);
    const file = storeFile(folder.path);
    truncateSync(file, Math.max(4_096, statSync(file).size - bytes));
    const message = expect.stringMatching(/logs\.db.*(is cut off: it holds|malformed)/);
    expect(openStoreReader(folder.path, refuse)).toMatchObject({ ok: false, error: { message, file } });
    expect(openStore(folder.path, "full", "boot", NOW)).toMatchObject({ ok: false, error: { message, file } });
  });
});

test("pages that only the write-ahead log has are not missing", () => {
  using folder = temporaryFolder();
  const store = opened(folder.path);
  store.commit(() => {
    for (let n = 1; n <= 500; n++) store.signals.append({ ...signal(n), payload: JSON.stringify("x".repeat(500)) });
  });
  expect(statSync(storeFile(folder.path)).size).toBeLessThan(500 * 500);
  const reader = openStoreReader(folder.path, refuse);
  expect(reader.ok && reader.value.signals.list({ ...ALL, limit: 1_000 }).length).toBe(500);
  if (reader.ok) reader.value.close();
  store.close();
});

test("a trace that begins with no time is searched for from the first row on", () => {
  using folder = temporaryFolder();
  recorded(folder.path);
  const reader = openStoreReader(folder.path, refuse);
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
