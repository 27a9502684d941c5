/**
 * Owns which items a compute gets, and what becomes of them with its result. Invariants kept here (G11):
 * - Items go to computes in the order of their ids.
 * - A sense knows by one number for each origin how far it has taken. So an item that a later one overtakes gets an origin of
 *   its own first, in the transaction that puts the item aside.
 * - Where several items fail together nobody knows which is bad: each is tried alone. An item is dead only where the one after
 *   it passes.
 */
import { counted } from "../../base/counted.ts";
import { retryDelayMs } from "../../base/retry.ts";
import { type Item, MAX_ITEMS } from "../../model/item.ts";
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
const LONE_FAILURES = 3;
/** Of those at most one is put aside at a time. */
const LOOKED_AT = 8;
const RETRY = { limit: Number.POSITIVE_INFINITY, intervalMs: 1_000, backoff: 2, maxIntervalMs: 60_000 };

export const NO_ITEMS: readonly Item[] = [];

const isAside = ({ failures }: Item): boolean => failures >= LONE_FAILURES;
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

  /** The oldest that is not put aside; where only such are left, the oldest of them. */
  #lone({ sense }: Box): readonly Item[] {
    const first = this.#parts.store.inbox.waiting(sense, LOOKED_AT);
    const lone = first.find((item) => !isAside(item)) ?? first[0];
    return lone === undefined ? NO_ITEMS : [lone];
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
    const dead = box.alone > 0 ? this.#bury(draft, box, items) : 0;
    const taken = { origin: last.origin, upTo: last.id };
    const alone = Math.max(0, box.alone - items.length);
    store.inboxSenses.put({ sense: box.sense, taken, alone, tries: 0 });
    if (items.length > 1) this.#logTaken(draft, box, items, trace);
    const bytes = bytesOf(items);
    const isLone = box.alone > 0;
    draft.afterwards(() => {
      box.waiting -= items.length + dead;
      box.dead += dead;
      box.bytes -= bytes;
      box.restore({ sense: box.sense, taken, alone, tries: 0 });
      box.waitsForNext = false;
      box.retry?.cancel();
      box.retry = null;
      if (box.isBehind || isLone) this.#parts.hurry(box.sense);
      this.#parts.due(box.sense);
    });
  }

  #logTaken(draft: Draft, { sense }: Box, items: readonly Item[], trace: string): void {
    const [first = 0] = items.map(({ id }) => id);
    const last = items.at(-1)?.id ?? first;
    const data = { first, last, count: items.length };
    const message = `${counted(items.length, "item")} taken by one compute`;
    draft.log(`sense:${sense}`, trace).debug("compute.took", message, data);
  }

  /** An item passed alone: the one that was put aside before it is bad. Returns how many are dead. */
  #bury(draft: Draft, { sense }: Box, passed: readonly Item[]): number {
    const { store, journal } = this.#parts;
    const aside = store.inbox
      .waiting(sense, LOOKED_AT)
      .filter((item) => isAside(item) && !passed.some(({ id }) => id === item.id));
    for (const { id, failures, trace } of aside) {
      store.inbox.setState(id, "dead", failures);
      const message = `item ${id} is dead: ${counted(failures, "compute")} with it alone failed, and the item after it was taken; \`nerve inbox retry ${id}\` tries it again, \`nerve inbox drop ${id}\` gives it up`;
      journal.within(draft, `sense:${sense}`, trace).error("item.dead", message, { item: id, failures });
    }
    return aside.length;
  }

  /** Within a transaction. A compute that had `items` failed, and they were not taken. */
  failed(draft: Draft, box: Box, items: readonly Item[]): void {
    const [item] = items;
    if (item === undefined) return;
    const outcome = items.length === 1 ? this.#failedAlone(box, item) : "again";
    const { sense, taken } = box;
    const alone = Math.max(box.alone, items.length);
    const tries = box.tries + 1;
    this.#parts.store.inboxSenses.put({ sense, taken, alone, tries });
    const waitMs = outcome === "overtaken" ? RETRY.intervalMs : retryDelayMs(RETRY, tries, 0);
    draft.afterwards(() => {
      box.restore({ sense, taken, alone, tries });
      box.waitsForNext = outcome === "waits";
      this.#tryAgain(box, waitMs ?? RETRY.maxIntervalMs);
    });
  }

  /** `overtaken`: the next one is tried. `waits`: there is no next one, which alone could say whether the item is bad. */
  #failedAlone({ sense }: Box, item: Item): "again" | "overtaken" | "waits" {
    const { store } = this.#parts;
    const failures = item.failures + 1;
    if (failures !== LONE_FAILURES) {
      store.inbox.setFailures(item.id, failures, item.origin);
      return failures < LONE_FAILURES ? "again" : "waits";
    }
    const others = store.inbox.waiting(sense, LOOKED_AT).filter(({ id }) => id !== item.id);
    const aside = others.filter(isAside);
    if (aside.length > 0) {
      // Both failed: the sense is at fault, and neither of them.
      for (const { id, origin } of [...aside, item]) store.inbox.setFailures(id, 0, origin);
      return "again";
    }
    store.inbox.setFailures(item.id, failures, `${item.origin}/${item.id}`);
    return others.length > 0 ? "overtaken" : "waits";
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
