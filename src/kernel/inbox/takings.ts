/**
 * Owns which items a compute gets, and what becomes of them with its result. Invariants kept here (G11):
 * - Items go to computes in the order of their ids.
 * - A sense knows by one number for each origin how far it has taken. So an item that a later one overtakes gets an origin of
 *   its own first, in the transaction that puts the item aside.
 * - Where several items fail together nobody knows which is bad: each is tried alone. One that fails again and again is put
 *   aside, and the next one is tried. Once any passes the sense is well: then each that was put aside is tried once more, and is
 *   dead if it fails. So a sense that is at fault kills no item, and several bad items in a row block nobody.
 * - The waits of an item are its own: a bad item does not make the next one wait long. Only the pause before the next item
 *   grows with the number of items put aside, so that a sense which fails whatever it gets is tried less and less often.
 */
import { counted } from "../../base/counted.ts";
import { retryDelayMs } from "../../base/retry.ts";
import { type Item, MAX_ITEMS } from "../../model/item.ts";
import type { InboxSense } from "../../store/inbox-senses.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Ticker } from "../time/ticker.ts";
import type { Box } from "./box.ts";

export interface TakingsParts {
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  /** Has the sense compute if anything waits for it. */
  readonly due: (sense: string) => void;
  /** The next compute of the sense need not wait for a while after the last one. */
  readonly hurry: (sense: string) => void;
}

/** How far a sense has taken the items of one origin, by its own database. */
export interface TakenUpTo {
  readonly origin: string;
  readonly upTo: number;
}

/** After so many failures alone an item is put aside. */
export const LONE_FAILURES = 3;
const RETRY = { limit: Number.POSITIVE_INFINITY, intervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000 };

/** Before the next item, once `aside` items in a row were put aside. One alone does not say that the sense is at fault. */
const pauseMs = (aside: number): number => Math.min(RETRY.maxIntervalMs, (aside - 1) * RETRY.intervalMs);

export const NO_ITEMS: readonly Item[] = [];

export const isAside = ({ failures }: Item): boolean => failures >= LONE_FAILURES;
const bytesOf = (items: readonly Item[]): number => items.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);

export class Takings {
  readonly #parts: TakingsParts;

  constructor(parts: TakingsParts) {
    this.#parts = parts;
  }

  /** The items of the next compute. */
  pick(box: Box): readonly Item[] {
    if (box.waiting === 0 || box.retry !== null) return NO_ITEMS;
    const items = box.alone > 0 ? this.#lone(box) : this.#parts.store.inbox.waiting(box.sense, MAX_ITEMS);
    box.isBehind = items.length < box.waiting;
    return items;
  }

  /** The oldest that is not put aside; where only such are left, or it is their turn, the oldest of them. */
  #lone({ sense, hasLastChance }: Box): readonly Item[] {
    const { inbox } = this.#parts.store;
    const fresh = hasLastChance ? null : inbox.oldest(sense, 0, LONE_FAILURES - 1);
    const lone = fresh ?? inbox.oldest(sense, LONE_FAILURES, Number.MAX_SAFE_INTEGER);
    return lone === null ? NO_ITEMS : [lone];
  }

  /** Items have come. */
  arrived(box: Box): void {
    if (!box.waitsForNext) return;
    box.waitsForNext = false;
    this.#tryAgain(box, RETRY.intervalMs);
  }

  /** Within the transaction of a compute's result. */
  taken(draft: Draft, box: Box, items: readonly Item[], trace: string): void {
    const { store } = this.#parts;
    const last = items.at(-1);
    if (last === undefined) return;
    for (const { id } of items) store.inbox.remove(id);
    const aside = box.aside - items.filter(isAside).length;
    const alone = Math.max(aside > 0 ? 1 : 0, box.alone - items.length);
    const row = { sense: box.sense, taken: { origin: last.origin, upTo: last.id }, alone };
    store.inboxSenses.put(row);
    if (items.length > 1) this.#logTaken(draft, box, items, trace);
    const bytes = bytesOf(items);
    const mustHurry = box.isBehind || box.alone > 0;
    draft.afterwards(() => {
      box.waiting -= items.length;
      box.bytes -= bytes;
      this.#goOn(box, row, aside, mustHurry);
    });
  }

  /** After the commit: the sense is well, so what was put aside is tried once more. */
  #goOn(box: Box, row: InboxSense, aside: number, mustHurry: boolean): void {
    box.restore(row);
    box.aside = aside;
    box.hasLastChance = aside > 0;
    box.waitsForNext = false;
    box.retry?.cancel();
    box.retry = null;
    if (mustHurry) this.#parts.hurry(box.sense);
    this.#parts.due(box.sense);
  }

  #logTaken(draft: Draft, { sense }: Box, items: readonly Item[], trace: string): void {
    const [first = 0] = items.map(({ id }) => id);
    const last = items.at(-1)?.id ?? first;
    const data = { first, last, count: items.length };
    const message = `${counted(items.length, "item")} taken by one compute`;
    draft.log(`sense:${sense}`, trace).debug("compute.took", message, data);
  }

  /** Another item passed, and this one failed once more. */
  #bury(draft: Draft, box: Box, item: Item): void {
    const { store, journal } = this.#parts;
    const { id, trace } = item;
    const failures = item.failures + 1;
    store.inbox.setState(id, "dead", failures);
    const message = `item ${id} is dead: ${counted(failures, "compute")} with it alone failed, and another item was taken; \`nerve inbox retry ${id}\` tries it again, \`nerve inbox drop ${id}\` gives it up`;
    journal.within(draft, `sense:${box.sense}`, trace).error("item.dead", message, { item: id, failures });
    const { sense, taken } = box;
    const aside = box.aside - 1;
    const row = { sense, taken, alone: Math.max(aside > 0 ? 1 : 0, box.alone - 1) };
    store.inboxSenses.put(row);
    draft.afterwards(() => {
      box.waiting--;
      box.dead++;
      this.#goOn(box, row, aside, true);
    });
  }

  /** Within a transaction. A compute that had `items` failed, and they were not taken. */
  failed(draft: Draft, box: Box, items: readonly Item[]): void {
    const [item] = items;
    if (item === undefined) return;
    if (box.hasLastChance && isAside(item)) return this.#bury(draft, box, item);
    const { store } = this.#parts;
    const isLone = items.length === 1;
    if (isLone) this.#countFailure(item);
    const isOvertaken = isLone && item.failures + 1 === LONE_FAILURES;
    const aside = box.aside + (isOvertaken ? 1 : 0);
    const { sense, taken } = box;
    const row = { sense, taken, alone: Math.max(box.alone, items.length) };
    store.inboxSenses.put(row);
    draft.afterwards(() => {
      box.restore(row);
      box.aside = aside;
      box.waitsForNext = aside > 0 && box.waiting === aside;
      const isNext = isOvertaken && !box.waitsForNext;
      const tries = isLone ? item.failures + 1 : 1;
      const waitMs = isNext ? pauseMs(aside) : (retryDelayMs(RETRY, tries, 0) ?? RETRY.maxIntervalMs);
      if (waitMs === 0) this.#parts.hurry(sense);
      this.#tryAgain(box, waitMs);
    });
  }

  #countFailure({ id, origin, failures }: Item): void {
    const { inbox } = this.#parts.store;
    // The next item overtakes it.
    const own = failures + 1 === LONE_FAILURES ? `${origin}/${id}` : origin;
    inbox.setFailures(id, failures + 1, own);
  }

  #tryAgain(box: Box, afterMs: number): void {
    box.retry?.cancel();
    box.retry = this.#parts.ticker.after(afterMs, () => {
      box.retry = null;
      this.#parts.due(box.sense);
    });
  }

  // ── after the death of a worker ──────────────────────────────────────

  /**
   * A worker has opened the database of the sense. What was taken in a transaction whose result never came goes now. Only then
   * the items of a compute that killed its worker count as failed.
   */
  settle(box: Box, found: readonly TakenUpTo[]): void {
    const { store, ledger } = this.#parts;
    const taken = found.flatMap(({ origin, upTo }) => store.inbox.upTo(box.sense, origin, upTo));
    const gone = new Set(taken.map(({ id }) => id));
    const lost = box.lost.filter(({ id }) => !gone.has(id));
    box.lost = NO_ITEMS;
    if (taken.length + lost.length === 0) return;
    ledger.write((draft) => {
      this.taken(draft, box, taken, taken[0]?.trace ?? "");
      this.failed(draft, box, lost);
    });
    ledger.flush();
  }
}
