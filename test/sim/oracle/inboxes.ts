/**
 * What must be of items from outside (G11): who is answered that an item is accepted finds it committed, each is in exactly one
 * compute that is kept, in their order but for those that fail again and again, and what is answered otherwise never comes.
 */
import type { Given } from "../../../src/inbox/given.ts";
import type { Offered } from "../../../src/inbox/offered.ts";
import { HOUR } from "../words.ts";
import { violation } from "./report.ts";

interface Known {
  readonly id: number;
  readonly sense: string;
  readonly body: string;
  readonly since: number;
  isTaken: boolean;
  isDead: boolean;
  /** Computes that had it alone. */
  alone: number;
}

interface Request {
  readonly bodies: string;
  readonly ids: string;
  readonly elapsed: number;
}

/** An item that has failed so often may be overtaken, or is dead at the next failure. */
const LONE_FAILURES = 3;
const KNOWN_MS = 23 * HOUR;

export class InboxOracle {
  readonly #items = new Map<number, Known>();
  readonly #requests = new Map<string, Request>();
  readonly #refused = new Set<string>();
  readonly #newest = new Map<string, number>();

  // ── requests ─────────────────────────────────────────────────────────

  answered(sense: string, { bodies, identity }: Given, offered: Offered, elapsed: number): void {
    const text = bodies.join("\n");
    const before = identity === null ? undefined : this.#requests.get(`${sense} ${identity}`);
    const isKnown = before !== undefined && elapsed - before.elapsed < KNOWN_MS;
    if (offered.kind === "reused" && before?.bodies === text)
      violation("inbox-key", `the key ${identity} is answered to be reused, with what it had`);
    // Nothing else is like a request without a key.
    if (offered.kind === "low-space" && identity === null) this.#refused.add(text);
    if (offered.kind !== "accepted") return;
    if (isKnown && before.bodies !== text)
      violation("inbox-key", `the key ${identity} is accepted with something else than it had`);
    if (isKnown && before.ids !== `${offered.ids}`)
      violation("inbox-key", `the key ${identity} became the items ${before.ids} and ${offered.ids}`);
    for (const id of offered.ids)
      if (!this.#items.has(id)) violation("answers", `item ${id} was answered for, and is not there`);
    if (identity !== null && !isKnown)
      this.#requests.set(`${sense} ${identity}`, { bodies: text, ids: `${offered.ids}`, elapsed });
  }

  // ── what is committed ────────────────────────────────────────────────

  committed(id: number, sense: string, body: string, realMs: number): void {
    if (this.#refused.has(body)) violation("answers", `item ${id} is committed, and was answered not to be`);
    this.#items.set(id, { id, sense, body, since: realMs, isTaken: false, isDead: false, alone: 0 });
  }

  gone(id: number): void {
    const item = this.#items.get(id);
    if (item !== undefined && !item.isTaken && !item.isDead)
      violation("inbox-lost", `item ${id} of ${item.sense} is removed, and no compute has taken it`);
  }

  dead(id: number): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    if (item.isTaken || item.alone <= LONE_FAILURES)
      violation("inbox-dead", `item ${id} of ${item.sense} is dead, and ${item.alone} computes had it alone`);
    item.isDead = true;
  }

  // ── computes ─────────────────────────────────────────────────────────

  asked(ids: readonly number[]): void {
    for (const id of ids) {
      const item = this.#items.get(id);
      if (item === undefined) return violation("inbox", `item ${id} is handed over, and is not committed`);
      if (ids.length === 1) item.alone++;
    }
  }

  /** A compute of `sense` has kept what it did, and that it had these. */
  taken(sense: string, ids: readonly number[]): void {
    for (const id of ids) {
      const item = this.#items.get(id);
      if (item === undefined) return violation("inbox", `item ${id} is taken, and is not there`);
      if (item.isTaken) violation("inbox-twice", `item ${id} of ${sense} is taken twice`);
      if (item.sense !== sense) violation("inbox", `item ${id} of ${item.sense} is taken by ${sense}`);
      item.isTaken = true;
      const newest = this.#newest.get(sense) ?? 0;
      if (id < newest && item.alone < LONE_FAILURES)
        violation("inbox-order", `item ${id} of ${sense} is taken after item ${newest}`);
      this.#newest.set(sense, Math.max(newest, id));
    }
  }

  /** Everything is well, and has had the time it needs. `mayWait`: its sense does not compute, or fails with it. */
  rested(before: number, mayWait: (sense: string, body: string) => boolean): void {
    for (const { id, sense, body, since, isTaken, isDead } of this.#items.values())
      if (!isTaken && !isDead && since < before && !mayWait(sense, body))
        violation("inbox", `item ${id} of ${sense} was never taken`);
  }
}
