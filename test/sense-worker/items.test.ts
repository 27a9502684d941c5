/** Items in a sense's worker: what a compute gets, and how far they are taken in its own transaction (G11). */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";
import { TestWorker } from "../helpers/worker.ts";

const SENSE = `import { sql } from "drizzle-orm";
export const compute = (db, _peers, { inbox }) => {
  if (inbox.some(({ body }) => body === "throw")) throw new Error("as asked");
  if (inbox.some(({ body }) => body === "rows")) db.run(sql\`CREATE TABLE IF NOT EXISTS a (x)\`);
  return inbox.some(({ body }) => body === "null") ? null : { inbox, isFrozen: Object.isFrozen(inbox) };
};`;

function seat(folder: Folder, origins: readonly string[], taken: { origin: string; upTo: number } | null = null) {
  mkdirSync(folder.file("senses", "a"), { recursive: true });
  writeFileSync(folder.file("senses", "a", "index.ts"), SENSE);
  return { name: "a", durability: "full" as const, inbox: { origins: [...origins], taken } };
}

const item = (id: number, body: unknown, origin = "0f") => ({
  id,
  origin,
  at: 5,
  key: null,
  type: "success",
  body: JSON.stringify(body),
});

const takenIn = (folder: Folder): unknown[] => {
  const db = new Database(folder.file("a.db"), { readonly: true });
  try {
    return db.query("SELECT origin, up_to FROM _taken ORDER BY origin").values();
  } finally {
    db.close(true);
  }
};

test("a compute gets its items, and how far they go is kept with what it returns, also where it wrote nothing", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  await worker.ready([seat(folder, ["0f"])]);
  worker.compute(1, "a", [item(3, { x: 1 }), item(4, "two", "0f/4")]);
  expect(await worker.result(1)).toMatchObject({
    type: "signal",
    payload: {
      inbox: [
        { id: 3, at: 5, key: null, type: "success", body: { x: 1 } },
        { id: 4, at: 5, key: null, type: "success", body: "two" },
      ],
      isFrozen: true,
    },
    outbox: 1,
  });
  expect(takenIn(folder)).toEqual([
    ["0f", 3],
    ["0f/4", 4],
  ]);
  worker.compute(2, "a", [item(5, "null")]);
  expect(await worker.result(2)).toMatchObject({ type: "no-signal" });
  expect(takenIn(folder)).toContainEqual(["0f", 5]);
});

test("a compute that throws has taken nothing, and one without items gets an empty list", async () => {
  using folder = temporaryFolder();
  await using worker = new TestWorker(folder);
  await worker.ready([seat(folder, ["0f"])]);
  worker.compute(1, "a", [item(1, "rows")]);
  expect(await worker.result(1)).toMatchObject({ type: "signal" });
  worker.compute(2, "a", [item(2, "rows"), item(3, "throw")]);
  expect(await worker.result(2)).toMatchObject({ type: "error", kind: "failed", message: "Error: as asked" });
  expect(takenIn(folder)).toEqual([["0f", 1]]);
  worker.compute(3, "a");
  expect(await worker.result(3)).toMatchObject({ type: "signal", payload: { inbox: [] }, outbox: null });
});

test("the next worker reports how far each origin is taken, and names a database that is older than what is known", async () => {
  using folder = temporaryFolder();
  {
    await using first = new TestWorker(folder);
    await first.ready([seat(folder, [])]);
    first.compute(1, "a", [item(7, 1), item(8, 2, "1e")]);
    expect(await first.result(1)).toMatchObject({ type: "signal" });
    await first.leave();
  }
  // A sense without migrations opens its database at the first use: its outbox does.
  await using second = new TestWorker(folder);
  const ready = await second.ready([seat(folder, ["0f", "1e", "2d"], { origin: "1e", upTo: 9 })]);
  expect(ready.senses[0]?.taken).toEqual([
    { origin: "0f", upTo: 7 },
    { origin: "1e", upTo: 8 },
  ]);
  expect(second.of("error")).toMatchObject([
    { sense: "a", message: expect.stringContaining("items up to 9 were taken") },
  ]);
});
