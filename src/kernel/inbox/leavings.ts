/**
 * Owns how items leave an inbox that no compute takes: by hand, and by retention. Dead items, and items of senses that are no
 * longer configured, stay as long as signals do.
 */
import { counted } from "../../base/counted.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ItemsAnswer } from "../../control/contract.ts";
import type { Item } from "../../model/item.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Inboxes } from "./inboxes.ts";
import { isAside } from "./takings.ts";

export interface LeavingsParts {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly store: Store;
  readonly inboxes: Inboxes;
}

/** Of one transaction. */
const MOST = 500;

export class Leavings {
  readonly #parts: LeavingsParts;

  constructor(parts: LeavingsParts) {
    this.#parts = parts;
  }

  // ── by hand ──────────────────────────────────────────────────────────

  /** Dead items wait again, in their old place. All of them, or none. */
  async retry(ids: readonly number[]): Promise<Result<ItemsAnswer, Problem>> {
    const found = this.#find(ids);
    if (!found.ok) return found;
    const waiting = found.value.find(({ state }) => state === "waiting");
    if (waiting !== undefined) {
      return err(problem("item-waits", `item ${waiting.id} is not dead: it waits`, "`nerve inbox` shows what is dead"));
    }
    const { ledger, journal, store, inboxes } = this.#parts;
    await ledger.commit((draft) => {
      for (const { id, sense, trace } of found.value) {
        store.inbox.setState(id, "waiting", 0);
        journal.within(draft, `sense:${sense}`, trace).info("item.retried", `item ${id} waits again`, { item: id });
        draft.afterwards(() => {
          const box = inboxes.boxOf(sense);
          box.dead--;
          box.waiting++;
          inboxes.due(sense);
        });
      }
    });
    return ok({ items: found.value.map(({ id, sense }) => ({ id, sense })) });
  }

  /** Gives items up. All of them, or none. */
  async drop(ids: readonly number[]): Promise<Result<ItemsAnswer, Problem>> {
    const found = this.#find(ids);
    if (!found.ok) return found;
    const { ledger, inboxes } = this.#parts;
    const taken = found.value.find((item) => inboxes.isUnderWay(item));
    if (taken !== undefined) {
      const message = `item ${taken.id} is with a compute of \`${taken.sense}\``;
      return err(problem("item-under-way", message, "try again once that compute has ended"));
    }
    await ledger.commit((draft) => {
      for (const item of found.value) this.#remove(draft, item);
      for (const { id, sense } of found.value) this.#log(draft, sense, [id], "by hand");
    });
    return ok({ items: found.value.map(({ id, sense }) => ({ id, sense })) });
  }

  #find(ids: readonly number[]): Result<readonly Item[], Problem> {
    const items: Item[] = [];
    for (const id of new Set(ids)) {
      const item = this.#parts.store.inbox.byId(id);
      if (item === null) {
        const hint = "it was taken, or dropped; `nerve inbox` lists what there is";
        return err(problem("unknown-item", `there is no item ${id} in an inbox`, hint));
      }
      items.push(item);
    }
    return ok(items);
  }

  // ── by retention ─────────────────────────────────────────────────────

  /** Items of before `before` that nobody waits for any longer. Returns whether there may be more. */
  expire(before: number, configured: ReadonlySet<string>): boolean {
    const { store, ledger, inboxes } = this.#parts;
    const senses = inboxes.boxes().filter((box) => box.dead > 0 || (box.waiting > 0 && !configured.has(box.sense)));
    let isFull = false;
    for (const { sense } of senses) {
      const items = store.inbox.olderThan(sense, before, configured.has(sense) ? "dead" : "any", MOST);
      if (items.length === 0) continue;
      isFull ||= items.length === MOST;
      const ids = items.map(({ id }) => id);
      ledger.write((draft) => {
        for (const item of items) this.#remove(draft, item);
        this.#log(draft, sense, ids, "as old as signals become");
      });
      // The next look must not find them again.
      if (!ledger.flush()) return false;
    }
    return isFull;
  }

  #remove(draft: Draft, item: Item): void {
    const { store, inboxes } = this.#parts;
    if (!store.inbox.remove(item.id)) return;
    draft.afterwards(() => {
      const box = inboxes.boxOf(item.sense);
      box.count({ sense: item.sense, state: item.state, items: -1, bytes: -Buffer.byteLength(item.body) });
      if (item.state === "waiting" && isAside(item)) box.aside--;
      if (box.waiting === 0) box.calm();
      inboxes.dropped(item);
    });
  }

  #log(draft: Draft, sense: string, ids: readonly number[], why: string): void {
    const first = ids[0] ?? 0;
    const last = ids.at(-1) ?? 0;
    const what = ids.length === 1 ? `item ${first} is` : `${counted(ids.length, "item")} from ${first} to ${last} are`;
    const data = { first, last, count: ids.length };
    this.#parts.journal
      .within(draft, `sense:${sense}`)
      .info("item.dropped", `${what} dropped from the inbox: ${why}`, data);
  }
}
