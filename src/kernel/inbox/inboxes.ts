/**
 * Owns what comes in from outside, from the request until a compute has taken it (G11). An item is a row of logs.db before
 * anybody hears that it is accepted; the row goes in the transaction of the result of the compute that took it. That an item
 * waits is what its compute is owed for: a start, a reload, an enabling looks what waits.
 */
import { Sha256 } from "../../base/digest.ts";
import { traceIds } from "../../base/trace-id.ts";
import { inboxBoundsOf } from "../../config/defaults.ts";
import type { Given } from "../../inbox/given.ts";
import type { Offered } from "../../inbox/offered.ts";
import type { Item } from "../../model/item.ts";
import type { InboxRequest } from "../../store/inbox-requests.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Ticker } from "../time/ticker.ts";
import type { World } from "../world.ts";
import { Box, KNOWN_MS, MAX_KNOWN } from "./box.ts";
import { LONE_FAILURES, NO_ITEMS, type TakenUpTo, Takings } from "./takings.ts";

export interface InboxesParts {
  readonly world: Pick<World, "clock" | "chance">;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly lifetime: Lifetime;
  readonly store: Store;
  /** Nothing new is taken in: the store cannot be written, or there is hardly room left. */
  readonly isHeld: () => boolean;
  readonly senses: WakeableSenses;
  readonly reflexes: {
    /** Counts a firing of the reflex that runs the sense when an item comes in. False where none is enabled. */
    ringForItem(sense: Sense): boolean;
  };
}

export interface WakeableSenses {
  readonly byName: ReadonlyMap<string, Sense>;
  wake(sense: Sense): void;
  readonly throttles: {
    /** The next compute of the sense need not wait for a while after the last one. */
    hurry(sense: Sense): void;
  };
}

/** A request whose sender waits for the commit. */
interface Offering {
  readonly box: Box;
  readonly given: Given;
  readonly bytes: number;
  readonly digest: string | null;
  /** How many rows of requests there are more after the commit. */
  moreKnown: number;
  ids: readonly number[];
  isWithdrawn: boolean;
  readonly answer: (offered: Offered) => void;
}

const SOON_S = 1;
/** A sense that does not compute leaves no room soon. */
const LATER_S = 60;

const digestOf = ({ type, bodies }: Given): string => {
  const hash = new Sha256().update(JSON.stringify(type));
  for (const body of bodies) hash.update(`\n${body}`);
  return hash.hex();
};

export class Inboxes {
  /** Drawn at each start: an id that is given again, because logs.db was put back, is another item's. */
  readonly origin: string;
  readonly #parts: InboxesParts;
  readonly #newTrace: (wallMs: number) => string;
  readonly #takings: Takings;
  readonly #boxes = new Map<string, Box>();
  readonly #offerings = new Set<Offering>();

  constructor(parts: InboxesParts) {
    this.#parts = parts;
    const { world, ticker, ledger, journal, store, senses } = parts;
    this.#newTrace = traceIds(world.chance);
    this.origin = world.chance.bytes(8).toString("hex");
    for (const total of store.inbox.totals()) this.boxOf(total.sense).count(total);
    for (const row of store.inboxSenses.all()) this.boxOf(row.sense).restore(row);
    for (const { sense, requests } of store.inboxRequests.counts()) this.boxOf(sense).known = requests;
    for (const { sense, items } of store.inbox.aside(LONE_FAILURES)) this.boxOf(sense).aside = items;
    const due = (sense: string): void => this.due(sense);
    const hurry = (name: string): void => {
      const sense = senses.byName.get(name);
      if (sense !== undefined) senses.throttles.hurry(sense);
    };
    this.#takings = new Takings({ ticker, ledger, journal, store, due, hurry });
  }

  /** Made where there is none. */
  boxOf(sense: string): Box {
    const box = this.#boxes.get(sense) ?? new Box(sense);
    this.#boxes.set(sense, box);
    return box;
  }

  /** Of every sense that has, or had, something in its inbox. */
  boxes(): readonly Box[] {
    return [...this.#boxes.values()];
  }

  /** How much is in each. */
  totals(): readonly { readonly sense: string; readonly waiting: number; readonly dead: number }[] {
    const { byName } = this.#parts.senses;
    for (const { name, config } of byName.values()) if (config.inbox !== null) this.boxOf(name);
    const shown = this.boxes().filter(
      ({ sense, waiting, dead }) => byName.get(sense)?.config.inbox || waiting + dead > 0,
    );
    return shown.map(({ sense, waiting, dead }) => ({ sense, waiting, dead }));
  }

  // ── what comes in ────────────────────────────────────────────────────

  /** Resolves once the items are committed, or are not taken. */
  offer(name: string, given: Given): Promise<Offered> {
    const { senses, isHeld } = this.#parts;
    const sense = senses.byName.get(name);
    if (!sense?.config.inbox) return Promise.resolve({ kind: "no-inbox" });
    if (isHeld()) return Promise.resolve({ kind: "low-space" });
    const box = this.boxOf(name);
    const digest = given.identity === null ? null : digestOf(given);
    const before = digest === null ? null : this.#before(box, given, digest);
    if (before !== null) return before;
    const bytes = given.bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
    if (!box.hasRoom(given.bodies.length, bytes, inboxBoundsOf(sense.config.inbox))) {
      const isTaking = sense.state === "ok" && box.retry === null;
      return Promise.resolve({ kind: "full", retryAfterS: isTaking ? SOON_S : LATER_S });
    }
    const offered = new Promise<Offered>((answer) => {
      this.#take({ box, given, bytes, digest, moreKnown: 0, ids: [], isWithdrawn: false, answer });
    });
    if (given.identity !== null && digest !== null) box.arriving.set(given.identity, { digest, offered });
    return offered;
  }

  /** The answer to a request that came before; null: it is new. */
  #before(box: Box, { identity, key }: Given, digest: string): Promise<Offered> | null {
    if (identity === null) return null;
    const reused: Offered = { kind: "reused", key: key ?? identity };
    const arriving = box.arriving.get(identity);
    if (arriving !== undefined) return arriving.digest === digest ? arriving.offered : Promise.resolve(reused);
    const { store, lifetime } = this.#parts;
    const known = store.inboxRequests.byIdentity(box.sense, identity);
    if (known === null || lifetime.now() - known.elapsed > KNOWN_MS) return null;
    if (known.digest !== digest) return Promise.resolve(reused);
    const ids = Array.from({ length: known.items }, (_, nth) => known.first + nth);
    return Promise.resolve({ kind: "accepted", ids });
  }

  /** When the newest item of a sense came since the start of the kernel, or null. */
  newestAt(sense: string): number | null {
    return this.#boxes.get(sense)?.newestAt ?? null;
  }

  #take(offering: Offering): void {
    const { box, given, bytes } = offering;
    const items = given.bodies.length;
    box.reserve(items, bytes);
    this.#offerings.add(offering);
    this.#parts.ledger.add({
      write: () => {
        if (!offering.isWithdrawn) offering.ids = this.#write(offering);
      },
      kept: () => {
        if (offering.isWithdrawn) return;
        this.#forget(offering);
        box.waiting += items;
        box.bytes += bytes;
        box.known += offering.moreKnown;
        box.newestAt = this.#parts.world.clock.wallMs();
        this.#takings.arrived(box);
        this.due(box.sense);
        offering.answer({ kind: "accepted", ids: offering.ids });
      },
    });
  }

  #write(offering: Offering): number[] {
    const { box, given, digest } = offering;
    const { sense } = box;
    const { store, world, lifetime } = this.#parts;
    const at = world.clock.wallMs();
    const { key, type, identity } = given;
    const ids = given.bodies.map((body) => {
      const trace = given.trace ?? this.#newTrace(at);
      return store.inbox.append({ sense, origin: this.origin, at, key, type, body, trace });
    });
    const [first] = ids;
    if (identity !== null && digest !== null && first !== undefined) {
      const request = { first, items: ids.length, sense, identity, digest, elapsed: lifetime.of(at) };
      offering.moreKnown = this.#remember(box, request);
    }
    return ids;
  }

  /** Where enough requests are known, the oldest one goes with each that comes. Returns how many rows there are more. */
  #remember({ sense, known }: Box, request: InboxRequest): number {
    const { inboxRequests } = this.#parts.store;
    const gone = known < MAX_KNOWN ? 0 : inboxRequests.forgetOldest(sense, 1);
    const replaced = inboxRequests.forget(sense, request.identity);
    inboxRequests.put(request);
    return 1 - replaced - gone;
  }

  #forget(offering: Offering): void {
    const { box, given, bytes } = offering;
    box.release(given.bodies.length, bytes);
    this.#offerings.delete(offering);
    if (given.identity !== null) box.arriving.delete(given.identity);
  }

  /** The store takes nothing: whoever waits for a commit is answered, and nothing of theirs is committed later. */
  withdraw(): void {
    for (const offering of this.#offerings) {
      offering.isWithdrawn = true;
      this.#forget(offering);
      offering.answer({ kind: "low-space" });
    }
  }

  // ── what waits ───────────────────────────────────────────────────────

  /** Has the sense compute if anything waits for it. */
  due(name: string): void {
    const { senses, world, reflexes } = this.#parts;
    const sense = senses.byName.get(name);
    const box = this.boxOf(name);
    if (!sense?.config.inbox || box.waiting === 0 || box.retry !== null || !sense.mayCompute) return;
    // Whatever compute is next gets what waits.
    if (sense.pending !== null || !reflexes.ringForItem(sense)) return;
    const at = world.clock.wallMs();
    sense.alsoFallDue({ reason: "watch", at, cause: null, trace: this.#newTrace(at) });
    senses.wake(sense);
  }

  /** Looks at every inbox: senses, reflexes or what holds them back have changed. */
  resume(): void {
    for (const name of this.#boxes.keys()) this.due(name);
  }

  /** The items for the next compute of `sense`. */
  pick(sense: Sense): readonly Item[] {
    return sense.config.inbox === null ? NO_ITEMS : this.#takings.pick(this.boxOf(sense.name));
  }

  /** A compute that has not settled has the item. */
  isUnderWay({ id, sense }: Item): boolean {
    return this.#parts.senses.byName.get(sense)?.flight?.items.some((item) => item.id === id) ?? false;
  }

  /** Within the transaction of a compute's result. */
  taken(draft: Draft, sense: Sense, items: readonly Item[], trace: string): void {
    if (items.length > 0) this.#takings.taken(draft, this.boxOf(sense.name), items, trace);
  }

  /** The twin of `taken` for a compute that failed. */
  failed(draft: Draft, sense: Sense, items: readonly Item[]): void {
    if (items.length > 0) this.#takings.failed(draft, this.boxOf(sense.name), items);
  }

  /** The item was given up: a failure with that item alone says nothing of the sense any longer. */
  dropped({ id, sense }: Item): void {
    this.#parts.senses.byName.get(sense)?.stats.dropped(id);
  }

  // ── the worker of a sense ────────────────────────────────────────────

  /** A sense with an inbox keeps its transactions as durably as logs.db keeps the items. */
  get durability(): "full" | "normal" {
    return this.#parts.store.durability;
  }

  /** What its worker must know before it opens the database. Null: the sense has no inbox. */
  initOf({ name, config }: Sense): { origins: string[]; taken: TakenUpTo | null } | null {
    if (config.inbox === null) return null;
    return { origins: [...this.#parts.store.inbox.origins(name), this.origin], taken: this.boxOf(name).taken };
  }

  /** Its worker died in a compute of it alone, which had `items`. */
  died({ name }: Sense, items: readonly Item[]): void {
    if (items.length > 0) this.boxOf(name).lost = items;
  }

  /** A worker has opened the database of `sense`, and found how far it has taken. */
  opened({ name, config }: Sense, taken: readonly TakenUpTo[]): void {
    if (config.inbox !== null) this.#takings.settle(this.boxOf(name), taken);
  }
}
