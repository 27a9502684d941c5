/** What the kernel knows of requests whose sender gave them a key, once more of them came than it keeps. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { given, InboxBench } from "../../helpers/inbox-bench.ts";

const KNOWN = 100_000;
/** What one commit may bring. */
const BATCH = 250;
const ROOMY = "senses: { a: { inbox: { max: 1000000 } } }";

/** A kernel that finds `requests` requests, with the keys `old-1` and so on, and with items that were taken long ago. */
function benchWith(requests: number): InboxBench {
  const bench = new InboxBench(ROOMY);
  using db = new Database(join(bench.folder.path, "logs.db"));
  db.run(
    `WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ${requests})
     INSERT INTO inbox_requests (first, items, sense, identity, digest, elapsed)
     SELECT at, 1, 'a', 'old-' || at, 'd', ${bench.clock.bootMs()} FROM n`,
  );
  db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('inbox', ?)", [requests]);
  bench.restart();
  return bench;
}

const rowsIn = (bench: InboxBench): { rows: number; first: number } => {
  using db = new Database(join(bench.folder.path, "logs.db"), { readonly: true });
  return db.query("SELECT count(*) AS rows, min(first) AS first FROM inbox_requests").get() as ReturnType<
    typeof rowsIn
  >;
};

async function pushed(bench: InboxBench, count: number): Promise<void> {
  const offers = Array.from({ length: count }, (_, at) =>
    bench.engine.inboxes.offer("a", given([at], crypto.randomUUID())),
  );
  await bench.settle();
  for (const offered of await Promise.all(offers)) expect(offered).toMatchObject({ kind: "accepted" });
}

test("the newest 100,000 requests of a sense are known, and no more rows than one commit brings are beyond", async () => {
  using bench = benchWith(KNOWN - BATCH);
  for (let batch = 0; batch < 12; batch++) {
    await pushed(bench, BATCH);
    expect(rowsIn(bench).rows).toBeLessThanOrEqual(KNOWN + BATCH);
  }
  expect(rowsIn(bench).rows).toBeGreaterThanOrEqual(KNOWN);
  const { first } = rowsIn(bench);
  expect(await bench.push(given([1], `old-${first}`))).toEqual({ kind: "reused", key: `old-${first}` });
  expect(await bench.push(given([1], `old-${first - 1}`))).toMatchObject({ kind: "accepted" });
});

test("what an earlier kernel left beyond the newest 100,000 goes by and by, and what is known stays", async () => {
  using bench = benchWith(KNOWN + 5_000);
  const { inboxUpkeep } = bench.engine;
  inboxUpkeep.start();
  await bench.pass(70_000);
  inboxUpkeep.stop();
  expect(rowsIn(bench)).toEqual({ rows: KNOWN, first: 5_001 });
  await pushed(bench, BATCH);
  expect(rowsIn(bench).rows).toBe(KNOWN);
});

test("a key that comes again after a day is one row", async () => {
  using bench = new InboxBench(ROOMY);
  const { inboxUpkeep } = bench.engine;
  await bench.push(given([1], "k"));
  await bench.pass(25 * 3_600_000);
  expect(await bench.push(given([2], "k"))).toEqual({ kind: "accepted", ids: [2] });
  expect(rowsIn(bench)).toEqual({ rows: 1, first: 2 });
  inboxUpkeep.start();
  await bench.pass(60_000);
  inboxUpkeep.stop();
  expect(rowsIn(bench)).toEqual({ rows: 1, first: 2 });
});
