/** Lists over the archive: a choice that no index knows, by event or by text, has every row once, however long a day's file is. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Log } from "../../src/model/log.ts";
import { refuse } from "../../src/store/damage.ts";
import { openStoreReader } from "../../src/store/open-reader.ts";
import { deaths, LOGS_QUERY, logs } from "../../src/web/lists.ts";
import { readQuery } from "../../src/web/query.ts";
import { archiveBench, june, logAt, seenOutside } from "../helpers/archive.ts";

setDefaultTimeout(60_000);

const ROWS = 12_000;
/** A window of 5,000 rows has fewer of the chosen ones than a page: the next ones come from the rest of the same file. */
const EVERY = 200;
const PAGE = 40;

/** A day of the kernel's warnings, some of which say that a worker has ended. */
const ofOneDay = (): Omit<Log, "id">[] =>
  Array.from({ length: ROWS }, (_, n) =>
    n % EVERY === 0
      ? logAt(june(1) + n, { level: "warn", event: "worker.exited", message: `Worker ${n} ended` })
      : logAt(june(1) + n, { level: "warn" }),
  );

type Answer = ReturnType<typeof logs>;
type Ask = (range: Parameters<typeof logs>[1]) => Answer;

/** The ids of all pages, in order. */
async function walk(ask: Ask, search: string, direction: "before" | "after"): Promise<number[]> {
  const pages: number[][] = [];
  for (let next: string | null = direction === "after" ? "after=0" : ""; next !== null; ) {
    const query = readQuery(new URLSearchParams(`limit=${PAGE}&${search}&${next}`), LOGS_QUERY);
    if (!query.ok) throw new Error(query.error.message);
    const answer = await ask(query.value);
    if (!answer.ok) throw new Error(answer.error.message);
    pages.push(answer.value.rows.map(({ id }) => id));
    next = answer.value.next;
  }
  return (direction === "before" ? pages.reverse() : pages).flat();
}

test(`${ROWS} archived rows of one day: the chosen ones come once, by event, by text and as deaths, in both directions`, async () => {
  using bench = archiveBench();
  bench.fill(ofOneDay());
  await bench.archive(june(20));
  expect(seenOutside(bench.data)).toMatchObject({ names: { length: 1 }, upTo: ROWS });
  const opened = openStoreReader(bench.data, refuse);
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  try {
    const wanted = Array.from({ length: ROWS / EVERY }, (_, n) => n * EVERY + 1);
    for (const direction of ["before", "after"] as const) {
      const ofLogs: Ask = (range) => logs(store, range);
      expect(await walk(ofLogs, "event=worker.exited", direction)).toEqual(wanted);
      expect(await walk(ofLogs, "text=worker", direction)).toEqual(wanted);
      expect(await walk((range) => deaths(store, range), "", direction)).toEqual(wanted);
    }
  } finally {
    store.close();
  }
});
