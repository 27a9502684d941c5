/** Rows of the log that are appended in one commit: many in one statement, with the ids that were given. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import type { Log, NewLog } from "../../src/model/log.ts";
import { ALL_LOGS } from "../../src/store/logs.ts";
import { openStore, type Store } from "../../src/store/open.ts";
import { storeFile } from "../../src/store/tables.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

const NOW = 1_700_000_000_000;

const logAt = (n: number, at = NOW + n): NewLog => ({
  at,
  level: "info",
  source: "kernel",
  event: "output",
  run: n % 3 === 0 ? n + 1 : null,
  trace: n % 2 === 0 ? null : "a".repeat(32),
  message: `message ${n}`,
  data: n % 5 === 0 ? null : JSON.stringify({ n }),
});

interface Bench extends Disposable {
  readonly folder: Folder;
  readonly store: Store;
  rows(): Log[];
}

function open(): Bench {
  const folder = temporaryFolder();
  const opened = openStore(folder.path, "normal", "boot-1", NOW);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  return {
    folder,
    store,
    rows: () => store.logs.list({ ...ALL_LOGS, limit: 1_000 }),
    [Symbol.dispose]() {
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe("rows of one commit", () => {
  test.each([1, 2, 5, 17, 64, 65, 66, 81, 86, 200])("lie there as they were appended, %p of them", (count) => {
    using bench = open();
    const before = bench.rows().length;
    const logs = Array.from({ length: count }, (_, n) => logAt(n));
    const ids = bench.store.commit(() => logs.map((log) => bench.store.logs.append(log)));
    const found = bench.rows().slice(before);
    expect(found).toEqual(logs.map((log, n) => ({ id: ids[n] ?? 0, ...log })));
    expect(ids).toEqual(ids.map((_, n) => (ids[0] ?? 0) + n));
    expect(bench.store.logs.lastId()).toBe(ids.at(-1) ?? 0);
    const next = bench.store.commit(() => bench.store.logs.append(logAt(0)));
    expect(next).toBe((ids.at(-1) ?? 0) + 1);
  });

  test("are read by whoever asks within the commit", () => {
    using bench = open();
    const { store } = bench;
    store.commit(() => {
      const ids = [1, 2, 3].map((n) => store.logs.append({ ...logAt(n), run: 7 }));
      expect(store.history.ofRun(7, 0).map(({ id }) => id)).toEqual(ids);
      expect(store.history.byId(ids[2] ?? 0)?.message).toBe("message 3");
      const more = store.logs.append({ ...logAt(4), run: 7 });
      expect(store.logs.lastId()).toBe(more);
    });
    expect(store.history.ofRun(7, 0).map(({ message }) => message)).toEqual([1, 2, 3, 4].map((n) => `message ${n}`));
  });

  test("are not there when the commit is refused, and the next commit gives their ids again", () => {
    using bench = open();
    const { store } = bench;
    const before = bench.rows();
    let refused: number[] = [];
    expect(() =>
      store.commit(() => {
        refused = [1, 2, 3].map((n) => store.logs.append(logAt(n)));
        throw new Error("refused");
      }),
    ).toThrow("refused");
    expect(bench.rows()).toEqual(before);
    const ids = store.commit(() => [4, 5, 6].map((n) => store.logs.append(logAt(n))));
    expect(ids).toEqual(refused);
    expect(bench.rows().slice(before.length)).toMatchObject([4, 5, 6].map((n) => ({ message: `message ${n}` })));
  });

  test("come behind the rows of others", () => {
    using bench = open();
    const { store, folder } = bench;
    const [first = 0] = store.commit(() => [1, 2].map((n) => store.logs.append(logAt(n))));
    const other = new Database(storeFile(folder.path));
    other.run("INSERT INTO logs (at, level, source, event, message) VALUES (1, 'info', 'kernel', 'output', 'foreign')");
    other.close();
    const ids = store.commit(() => [3, 4].map((n) => store.logs.append(logAt(n))));
    expect(ids).toEqual([first + 3, first + 4]);
  });

  test("are found by their time also where the clock fell back between them", () => {
    using bench = open();
    const { store } = bench;
    const hour = 3_600_000;
    const ids = store.commit(() => [0, hour, -hour, -hour + 1].map((ms, n) => store.logs.append(logAt(n, NOW + ms))));
    expect(store.logs.firstIdSince(NOW + hour)).toBe(ids[1] ?? 0);
    store.commit(() => [2 * hour, 3 * hour].map((ms, n) => store.logs.append(logAt(n, NOW + ms))));
    expect(store.logs.firstIdSince(NOW + 3 * hour)).toBe((ids[3] ?? 0) + 2);
  });
});

test("a row that is appended outside of a commit is there at once", () => {
  using bench = open();
  const id = bench.store.logs.append(logAt(1));
  expect(bench.rows().at(-1)).toEqual({ id, ...logAt(1) });
});
