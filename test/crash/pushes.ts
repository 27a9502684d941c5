/** Clients that hand numbers to the inbox of the sense `taker`, and what must have become of them. */
import { Database } from "bun:sqlite";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CrashSite } from "../helpers/crash.ts";
import { until } from "../helpers/until.ts";

export const INBOX = `data: DATA
durability: DURABILITY
senses: { taker: { inbox: {}, throttle: THROTTLE } }
`;

const PATIENCE_MS = 2_000;

/** The status of one push of `n`, or null: nobody answered. */
export async function pushOf(site: CrashSite, n: number): Promise<number | null> {
  try {
    const response = await fetch("http://nerve/v1/inbox/taker", {
      unix: join(site.data, "nerve.sock"),
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": `n${n}` },
      body: JSON.stringify({ n }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response.text();
    return response.status;
  } catch {
    return null;
  }
}

/** Clients that push numbers, each until somebody accepts it, and some of them once more. */
export class Clients {
  /** Number → the wall clock, rounded up, when its acceptance was known. */
  readonly accepted = new Map<number, number>();
  readonly #site: CrashSite;
  readonly #random: () => number;
  readonly #running: Promise<void>[] = [];
  #next = 0;
  #stopping = false;

  constructor(site: CrashSite, count: number, random: () => number) {
    this.#site = site;
    this.#random = random;
    for (let client = 0; client < count; client++) this.#running.push(this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const n = ++this.#next;
      while ((await pushOf(this.#site, n)) !== 202) await Bun.sleep(5 + this.#random() * 20);
      this.accepted.set(n, Date.now() + 1);
      if (this.#random() < 0.2) await pushOf(this.#site, n);
      await Bun.sleep(this.#random() * 10);
    }
  }

  /** Resolves once every number is accepted: a kernel must be there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }
}

export interface Taken {
  /** The numbers in the rows of the sense, and in the signals, in their order. */
  readonly rows: readonly number[];
  readonly signals: readonly number[];
  /** What waits, or is dead. */
  readonly left: readonly number[];
}

export function takenOn(site: CrashSite): Taken {
  const file = join(site.data, "senses/taker.db");
  const rows: number[] = [];
  if (existsSync(file)) {
    const db = new Database(file, { readonly: true });
    if (db.query("SELECT 1 FROM sqlite_schema WHERE name = 'taken'").get() !== null) {
      rows.push(
        ...db
          .query<{ n: number }, []>("SELECT n FROM taken ORDER BY row")
          .all()
          .map(({ n }) => n),
      );
    }
    db.close(true);
  }
  return site.ask({ rows, signals: [], left: [] }, (db) => ({
    rows,
    signals: db
      .query<{ payload: string }, []>("SELECT payload FROM signals WHERE sense = 'taker' ORDER BY id")
      .all()
      .flatMap(({ payload }) => (JSON.parse(payload) as { readonly items: number[] }).items),
    left: db
      .query<{ body: string }, []>("SELECT body FROM inbox")
      .all()
      .map(({ body }) => (JSON.parse(body) as { readonly n: number }).n),
  }));
}

/** Resolves once nothing waits: however many items there are, as long as fewer and fewer wait. */
export async function untilTaken(site: CrashSite): Promise<void> {
  const left = (): number | null =>
    site.ask<number | null>(
      null,
      (db) =>
        db.query<{ waiting: number }, []>("SELECT count(*) AS waiting FROM inbox WHERE state <> 'dead'").get()
          ?.waiting ?? null,
    );
  let waiting = Number.POSITIVE_INFINITY;
  while (waiting > 0) {
    const before = waiting;
    waiting = await until(`fewer than ${before} items wait in the inbox`, () => {
      const now = left();
      return now !== null && now < before ? { now } : null;
    }).then(({ now }) => now);
  }
}

/** What is wrong once nothing waits: of `accepted` each is in a row and in a signal, and nothing is twice. */
export function wrongWith({ rows, signals, left }: Taken, accepted: Iterable<number>): string[] {
  const wrong: string[] = [];
  const twice = rows.filter((n, at) => rows.indexOf(n) !== at);
  if (twice.length > 0) wrong.push(`in two rows: ${twice.join(", ")}`);
  if (rows.join() !== signals.join()) wrong.push(`${rows.length} rows and ${signals.length} signals differ`);
  const there = new Set([...rows, ...left]);
  const lost = [...accepted].filter((n) => !there.has(n));
  if (lost.length > 0) wrong.push(`accepted and lost: ${lost.join(", ")}`);
  return wrong;
}
