/** The checker is worth what it catches: one planted fault each, on the data of a real run, is found and named. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  cpSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { CrashSite } from "../helpers/crash.ts";
import { until } from "../helpers/until.ts";
import { findViolations } from "./checker.ts";
import { busyConfig, expectations, prepare, QUIET, SENSES } from "./workload.ts";

setDefaultTimeout(120_000);

let site: CrashSite;
let copies = 0;

beforeAll(async () => {
  site = new CrashSite(SENSES, busyConfig);
  prepare(site);
  const stopObserving = site.observe();
  const busy = site.start();
  await busy.up();
  await until("every chain has signals", () => site.countSignals("chain-c") > 15 && site.countSignals("reader") > 5);
  await busy.stop();
  const quiet = site.start(QUIET);
  await quiet.up();
  await until("nothing is owed", () => site.isAtRest());
  await quiet.stop();
  const seen = (): number => readFileSync(site.history, "utf8").split("\n").length - 1;
  const kept = site.ask(0, (db) => db.query<{ n: number }, []>("SELECT count(*) AS n FROM signals").get()?.n ?? 0);
  await until("somebody has seen it all", () => seen() === kept);
  await stopObserving();
});
afterAll(() => site.end());

/** A copy of the data and of what was seen, for one fault. */
function plant(fault: (data: string, history: string) => void): string[] {
  const copy = join(site.folder, `copy-${copies++}`);
  cpSync(site.data, join(copy, "data"), { recursive: true, filter: (path) => !path.endsWith(".sock") });
  cpSync(site.history, join(copy, "history.jsonl"));
  fault(join(copy, "data"), join(copy, "history.jsonl"));
  const found = findViolations(join(copy, "data"), expectations([], join(copy, "history.jsonl")));
  rmSync(copy, { recursive: true });
  return found;
}

const run = (file: string, ...statements: string[]): void => {
  const db = new Database(file);
  for (const sql of statements) {
    const { changes } = db.run(sql);
    if (changes === 0 && !/^(CREATE|PRAGMA)/.test(sql)) throw new Error(`the fault was not planted: ${sql}`);
  }
  db.close(true);
};
const store =
  (...statements: string[]) =>
  (data: string): void =>
    run(join(data, "logs.db"), ...statements);
const sense =
  (name: string, ...statements: string[]) =>
  (data: string): void =>
    run(join(data, "senses", `${name}.db`), ...statements);

const MIDDLE = "(SELECT id FROM signals WHERE sense = 'writer-a' ORDER BY id LIMIT 1 OFFSET 5)";
const LAST = "(SELECT max(id) FROM signals WHERE sense = 'chain-b')";
const COPY = (id: string) =>
  `INSERT INTO signals (sense, at, payload, cause, trace) SELECT sense, at, payload, cause, trace FROM signals WHERE id = ${id}`;

test("finds nothing in what a real run left", () => {
  expect(plant(() => {})).toEqual([]);
});

describe("finds", () => {
  test.each<[string, string, (data: string, history: string) => void]>([
    ["a signal that was deleted", "a committed signal is missing", store(`DELETE FROM signals WHERE id = ${MIDDLE}`)],
    [
      "the newest signal deleted",
      "the highest signal id given is",
      store("DELETE FROM signals WHERE id = (SELECT max(id) FROM signals)"),
    ],
    [
      "a payload that was edited",
      "a committed signal has changed",
      store(
        "UPDATE signals SET payload = json_set(payload, '$.count', 0) WHERE id = (SELECT max(id) FROM signals WHERE sense = 'plain')",
      ),
    ],
    [
      "a cause that was edited",
      "a committed signal has changed",
      store(`UPDATE signals SET cause = cause - 1 WHERE id = ${LAST}`),
    ],
    [
      "two signals that changed places",
      "a committed signal has changed",
      store("UPDATE signals SET id = id - 21 WHERE id IN (10, 11)", "UPDATE signals SET id = -id WHERE id < 0"),
    ],
    [
      "an id that was left out",
      "signal ids with a gap",
      store("UPDATE signals SET id = id + 1 WHERE id = (SELECT max(id) FROM signals)"),
    ],
    ["a log that was deleted", "log ids with a gap", store("DELETE FROM logs WHERE id = 2")],
    ["a signal taken twice from an outbox", "became two signals", store(COPY(MIDDLE))],
    [
      "a row kept without its signal",
      "rows of the outbox of writer-b were never taken",
      sense("writer-b", "INSERT INTO items (content) VALUES ('kept alone')"),
    ],
    ["a signal kept without its row", "a signal without its row", sense("writer-b", "DELETE FROM items WHERE n = 3")],
    [
      "a row that differs from its signal",
      "row and signal differ",
      sense("writer-c", "UPDATE items SET content = 'other' WHERE n = 2"),
    ],
    [
      "an outbox that was not drained",
      "an outbox row was never taken",
      sense("chain-a", "INSERT INTO _outbox (payload, cause, trace, at) VALUES ('{}', NULL, '', 0)"),
    ],
    [
      "a compute that is owed and never happens",
      "chain-c was never computed for the signals",
      store(
        `DELETE FROM signals WHERE sense = 'chain-c' AND cause >= (SELECT max(id) FROM signals WHERE sense = 'chain-b')`,
      ),
    ],
    [
      "a decision that nothing has answered",
      "was never computed for the signals",
      store(
        "UPDATE logs SET data = '{\"causes\":[]}' WHERE id = (SELECT max(id) FROM logs WHERE event = 'compute.coalesced')",
      ),
    ],
    [
      "signals in another order than their rows",
      "comes after",
      store(
        `UPDATE signals SET payload = (SELECT payload FROM signals WHERE sense = 'writer-a' ORDER BY id LIMIT 1 OFFSET 9),
         trace = 'moved' WHERE id = ${MIDDLE}`,
        "DELETE FROM signals WHERE id = (SELECT id FROM signals WHERE sense = 'writer-a' ORDER BY id LIMIT 1 OFFSET 9)",
      ),
    ],
    [
      "a decision that is still owed",
      "still owed",
      store("UPDATE sense_state SET owed = '{}' WHERE sense = 'chain-a'"),
    ],
    [
      "a cause that is no source",
      "a signal whose cause cannot be",
      store(`UPDATE signals SET cause = (SELECT min(id) FROM signals WHERE sense = 'reader') WHERE id = ${LAST}`),
    ],
    [
      "half a compute seen by a peer",
      "a peer saw half a compute",
      store(
        "UPDATE signals SET payload = json_set(payload, '$.rows', 0) WHERE id = (SELECT max(id) FROM signals WHERE sense = 'reader')",
      ),
    ],
    [
      "a migration applied twice",
      "applied were",
      sense("writer-a", "INSERT INTO applied (migration) VALUES ('0001_items.sql')"),
    ],
    [
      "a migration without its record",
      "_migrations has",
      sense("writer-a", "DELETE FROM _migrations WHERE name = '0002_length.sql'"),
    ],
    [
      "a torn page",
      "integrity of",
      (data) => {
        const file = join(data, "senses", "writer-b.db");
        run(file, "PRAGMA wal_checkpoint(TRUNCATE)");
        const fd = openSync(file, "r+");
        writeSync(fd, Buffer.alloc(2048, 0xff), 0, 2048, statSync(file).size - 4096);
        closeSync(fd);
      },
    ],
    ["a database that is none", "integrity of", (data) => writeFileSync(join(data, "senses", "chain-a.db"), "lost")],
    [
      "a signal somebody saw that is not there",
      "a committed signal is missing",
      (_, history) =>
        appendFileSync(history, '{"id":1000000,"sense":"plain","at":0,"payload":"{}","cause":null,"trace":""}\n'),
    ],
    [
      "a signal behind a reader's cursor",
      "behind a reader's cursor",
      (_, history) => {
        const lines = readFileSync(history, "utf8").split("\n");
        writeFileSync(history, lines.filter((_, at) => at !== 20).join("\n"));
      },
    ],
  ])("%s", (_, named, fault) => {
    const found = plant(fault);
    expect(found.join("\n")).toContain(named);
  });
});
