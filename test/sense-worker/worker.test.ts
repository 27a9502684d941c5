/** One group's process, as the kernel meets it. G5: what is wrong with one sense costs its neighbours nothing. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { acquireLock } from "../../src/sqlite/lock.ts";

import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { until } from "../helpers/until.ts";
import { TestWorker } from "../helpers/worker.ts";

function sense(folder: Folder, name: string, text: string, files: Record<string, string> = {}): { name: string } {
  for (const [file, content] of Object.entries({ "index.ts": text, ...files })) {
    mkdirSync(folder.file("senses", name, file, ".."), { recursive: true });
    writeFileSync(folder.file("senses", name, file), content);
  }
  return { name };
}

const FINE = "export const compute = () => ({ fine: true });";

describe("a sense worker", () => {
  test("may be told what to prepare before it is told anything else, also of what there is none", async () => {
    using folder = temporaryFolder();
    await using worker = new TestWorker(folder);
    worker.send({ type: "prepare", generation: 1, builtIns: ["load", "toString", "nonesuch", "memory"] });
    const { senses } = await worker.ready([{ name: "load", use: "load", folder: null }]);
    expect(senses.map(({ problem }) => problem)).toEqual([null]);
    expect(worker.of("error")).toEqual([]);
  });

  test("boots what it can and names what it cannot, each with its reason", async () => {
    using folder = temporaryFolder();
    await using worker = new TestWorker(folder);
    const senses = [
      sense(folder, "fine", FINE),
      sense(folder, "throws", 'throw new Error("at the top");'),
      sense(folder, "empty", "export {};"),
      sense(folder, "migration", FINE, { "migrations/1.sql": "CREATE TABEL a (x)" }),
      sense(folder, "unreadable", FINE, { "migrations/1.sql/oops": "" }),
      sense(folder, "schema", `${FINE} export const options = { "~standard": { validate() { throw 1; } } };`),
      sense(folder, "trap", `${FINE} export const options = new Proxy({}, { get() { throw new Error("trap"); } });`),
      sense(folder, "bare", "throw Object.create(null);"),
      sense(folder, "database", FINE, { "migrations/1.sql": "CREATE TABLE a (x)" }),
      sense(folder, "outbox", FINE, { "migrations/1.sql": "CREATE TABLE _outbox (x)" }),
      sense(folder, "last", FINE, { "migrations/1.sql": "CREATE TABLE a (x)" }),
    ];
    writeFileSync(folder.file("database.db"), "this is no database. ".repeat(300));
    const ready = await worker.ready(senses);
    expect(ready.senses.map(({ sense: name, problem }) => [name, problem?.kind ?? null])).toEqual([
      ["fine", null],
      ["throws", "module-threw"],
      ["empty", "missing-export"],
      ["migration", "database-failed"],
      ["unreadable", "unreadable-migrations"],
      ["schema", "bad-options"],
      ["trap", "module-threw"],
      ["bare", "module-threw"],
      ["database", "database-not-a-database"],
      ["outbox", "database-io"],
      ["last", null],
    ]);
    expect(ready.senses.at(-1)?.applied).toEqual(["1.sql"]);
    worker.compute(1, "fine");
    worker.compute(2, "last");
    worker.compute(3, "throws");
    expect(await worker.result(1)).toMatchObject({ type: "signal", payload: { fine: true }, outbox: null });
    expect(await worker.result(2)).toMatchObject({ type: "signal" });
    expect(await worker.result(3)).toMatchObject({
      type: "error",
      kind: "malformed-message",
      message: 'sense "throws" is not loaded',
    });
    expect(worker.malformed).toEqual([]);
    await worker.leave();
    expect(worker.of("bye")).toHaveLength(1);
    expect(worker.exited).toMatchObject({ code: 0, signal: null });
  });

  test("survives whatever its computes do that is not spinning, and goes on", async () => {
    using folder = temporaryFolder();
    await using worker = new TestWorker(folder);
    const bodies = [
      "throw Object.create(null)",
      "const error = new Error('x'.repeat(1e6)); error.stack = { odd: true }; throw error",
      "throw new Proxy(new Error('x'), { get() { throw 1; } })",
      "return { get x() { throw new Error('trap'); } }",
      "return Object.assign([], { toJSON() { throw new Error('trap'); } })",
      "setTimeout(() => { throw new Error('late ' + 'y'.repeat(1e6)); }, 1); return 1",
      "Promise.reject(Object.create(null)); return 1",
      "process.emit('message', [{ type: 'nonsense' }]); return 1",
      "process.send?.({ type: 'bye' }); process.disconnect?.(); return 1",
      "process.kill(process.pid, 'SIGTERM'); return 1",
      "console.log('x'.repeat(1e6)); process.stdout.write('no end'); return 1",
    ];
    const senses = bodies.map((body, index) =>
      sense(folder, `s${index}`, `export const compute = async () => { ${body}; };`),
    );
    await worker.ready([...senses, sense(folder, "fine", FINE)]);
    for (const [index, { name }] of senses.entries()) {
      worker.compute(index + 1, name);
      expect(["signal", "error"]).toContain((await worker.result(index + 1))?.type);
    }
    await until("the late error is reported", () =>
      worker.of("error").some(({ id, message }) => id === null && message.includes("late")),
    );
    worker.compute(100, "fine");
    expect(await worker.result(100)).toMatchObject({ type: "signal" });
    await worker.leave();
    expect(worker.of("bye")).toHaveLength(1);
    expect(worker.malformed).toEqual([]);
    for (const message of worker.of("error"))
      expect(message.message.length + (message.stack?.length ?? 0)).toBeLessThan(20_000);
    // What was printed without an end of line is said when it leaves.
    expect(worker.of("log").map(({ message }) => message)).toContain("no end");
  });

  test("G4: refuses to start beside another that holds its group's lock", async () => {
    using folder = temporaryFolder();
    const lock = acquireLock(folder.file("group.lock"));
    await using worker = new TestWorker(folder);
    worker.send(worker.init([sense(folder, "fine", FINE)]));
    await until("the worker has left", () => worker.exited !== null);
    expect(worker.of("error")).toMatchObject([
      { kind: "worker", message: `another worker holds ${folder.file("group.lock")}` },
    ]);
    expect([worker.of("ready"), worker.exited?.code]).toEqual([[], 0]);
    lock?.release();
  });

  test("answers what is malformed, of another generation or a second init with an error, and believes none of it", async () => {
    using folder = temporaryFolder();
    await using worker = new TestWorker(folder);
    const fine = sense(folder, "fine", FINE);
    await worker.ready([fine]);
    worker.send("nonsense", { type: "compute" }, worker.init([fine]), { type: "shutdown", generation: 9 });
    worker.compute(1, "nobody");
    await until("five errors are reported", () => worker.of("error").length === 5);
    expect(worker.of("error").map(({ kind, message }) => [kind, message])).toEqual([
      ["malformed-message", '"nonsense" instead of a message'],
      ["malformed-message", '"compute" without generation'],
      ["malformed-message", "a second init"],
      ["malformed-message", '"shutdown" of generation 9'],
      ["malformed-message", 'sense "nobody" is not loaded'],
    ]);
    worker.compute(2, "fine");
    expect(await worker.result(2)).toMatchObject({ type: "signal" });
  });

  test("replays every signal of computes that returned several and died with their worker, however many wait", async () => {
    using folder = temporaryFolder();
    const text = `import { signals } from "nerve";
      let n = 0;
      export const compute = () => signals(Array.from({ length: 500 }, () => ({ n: ++n })));`;
    const several = sense(folder, "several", text);
    {
      await using first = new TestWorker(folder);
      await first.ready([several]);
      for (const id of [1, 2, 3]) {
        first.compute(id, "several");
        const result = await first.result(id);
        expect(result).toMatchObject({ type: "signal", outbox: 500 * (id - 1) + 1, more: { length: 499 } });
      }
    }
    await using second = new TestWorker(folder);
    await second.ready([{ ...several, outboxTaken: 100 }]);
    expect(second.results.map(({ outbox, payload }) => [outbox, payload])).toEqual(
      Array.from({ length: 1400 }, (_, nth) => [nth + 101, { n: nth + 101 }]),
    );
  });

  test("replays what an earlier worker kept and the kernel never took, before anything new", async () => {
    using folder = temporaryFolder();
    const writer = `import { sql } from "drizzle-orm";
      export const compute = (db, _, { now }) => { db.run(sql\`INSERT INTO a VALUES (\${now})\`); return db.all(sql\`SELECT count(*) AS n FROM a\`); };`;
    const init = sense(folder, "writer", writer, { "migrations/1.sql": "CREATE TABLE a (x)" });
    {
      await using first = new TestWorker(folder);
      await first.ready([init]);
      for (const id of [1, 2, 3]) {
        first.compute(id, "writer");
        expect(await first.result(id)).toMatchObject({ type: "signal", outbox: id, payload: [{ n: id }] });
      }
      // Killed before any was acknowledged.
    }
    await using second = new TestWorker(folder);
    await second.ready([{ ...init, outboxTaken: 1 }]);
    expect(second.results.map(({ id, outbox, payload }) => ({ id, outbox, payload }))).toEqual([
      { id: null, outbox: 2, payload: [{ n: 2 }] },
      { id: null, outbox: 3, payload: [{ n: 3 }] },
    ]);
    second.send({ type: "ack", generation: 1, outbox: [{ sense: "writer", upTo: 3 }], logs: 0 });
    second.compute(4, "writer");
    expect(await second.result(4)).toMatchObject({ outbox: 4 });
    await second.leave();
    using db = new Database(folder.file("writer.db"));
    expect(db.query("SELECT id FROM _outbox").all()).toEqual([{ id: 4 }]);
  });
});
