/**
 * Owns what is known of other hosts: up to which id of which epoch their signals are here, and whether they are heard. What a
 * transaction changes is in its draft until the commit.
 */
import { FORMER_EPOCHS, type Origin, type OriginEpoch } from "../../model/origin.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Batch } from "./books.ts";

export type Frame = Batch["frames"][number];

/** What a frame says that was not known. */
export interface News {
  /** Signals up to this id are known. */
  readonly above: number;
  /** Ids that no frame brought, and that no frame will bring. */
  readonly gap: number;
  /** What the sender counted as lost of what is new here. */
  readonly lost: number;
  /** `anew`: the ids of the host begin anew. `again`: an epoch that the host had left. */
  readonly epoch: "same" | "first" | "anew" | "again";
}

interface Known {
  /** Null: the host was forgotten. What came of it is known all the same, so nothing of it is taken twice. */
  readonly origin: Origin | null;
  /** The newest former epochs of the host, in the order in which it left them → up to which id they are known. */
  readonly former: ReadonlyMap<string, number>;
}

export const newOrigin = (host: string, now: number, heard: number): Origin => ({
  ...{ host, epoch: "", upto: 0, at: 0, signals: 0, gaps: 0, missing: 0, late: 0 },
  ...{ state: "up", since: now, heard },
});

/**
 * What `frame` says beside `known`. Null: nothing of the host is known. `former`: up to which id the epochs that the host has left are
 * known.
 */
export function newsOf(frame: Frame, known: Origin | null, former: ReadonlyMap<string, number>): News {
  const isFirst = known === null || known.epoch === "";
  const formerUpto = former.get(frame.epoch) ?? null;
  const epoch = isFirst ? "first" : known.epoch === frame.epoch ? "same" : formerUpto === null ? "anew" : "again";
  // The first frame of a host is its beginning: what was before nobody promised.
  const first = Math.max(frame.from, formerUpto ?? 0);
  // Another epoch goes on from any of those before it: a copy that is put back need not be one of the data that sent last.
  const anew = Math.max(known?.upto ?? 0, ...former.values());
  const before = { first, same: known?.upto ?? 0, anew, again: formerUpto ?? frame.from }[epoch];
  const above = epoch === "anew" ? Math.min(before, frame.from) : before;
  const gap = Math.max(0, frame.from - before);
  const lost = Math.max(0, Math.min(frame.lost, frame.from + frame.lost - above));
  return { above, gap, lost, epoch };
}

export class Origins {
  readonly #store: Store["origins"];
  readonly #known = new Map<string, Known>();
  readonly #drafts = new WeakMap<Draft, Map<string, Known>>();

  constructor(store: Store["origins"]) {
    this.#store = store;
    for (const [host, left] of Map.groupBy(store.former(), (one) => one.host))
      this.#known.set(host, { origin: null, former: new Map(left.map(({ epoch, upto }) => [epoch, upto])) });
    for (const origin of store.all())
      this.#known.set(origin.host, { origin, former: this.#known.get(origin.host)?.former ?? new Map() });
  }

  get all(): Origin[] {
    return [...this.#known.values()].flatMap(({ origin }) => (origin === null ? [] : [origin]));
  }

  /** How far each epoch of each host is known, former ones too. */
  get epochs(): OriginEpoch[] {
    return [...this.#known].flatMap(([host, { origin, former }]) => [
      ...[...former].filter(([epoch]) => epoch !== origin?.epoch).map(([epoch, upto]) => ({ host, epoch, upto })),
      ...(origin === null || origin.epoch === "" ? [] : [{ host, epoch: origin.epoch, upto: origin.upto }]),
    ]);
  }

  get(host: string): Origin | null {
    return this.#known.get(host)?.origin ?? null;
  }

  /** As this transaction leaves it. */
  of(draft: Draft, host: string): Origin | null {
    return this.#in(draft, host)?.origin ?? null;
  }

  /** Epochs that the host has left → up to which id they are known. */
  former(draft: Draft, host: string): ReadonlyMap<string, number> {
    return this.#in(draft, host)?.former ?? new Map();
  }

  #in(draft: Draft, host: string): Known | null {
    return this.#drafts.get(draft)?.get(host) ?? this.#known.get(host) ?? null;
  }

  /** The epoch that the host has left is kept beside `origin`. */
  put(draft: Draft, origin: Origin): void {
    const { host, epoch } = origin;
    const before = this.#in(draft, host)?.origin ?? null;
    const former = before === null || before.epoch === epoch ? this.#former(draft, host) : this.#left(draft, before);
    this.#store.put(origin);
    this.#drafted(draft, host, { origin, former });
  }

  /** Nothing is known of the host any longer, but for what came of it. */
  forget(draft: Draft, origin: Origin): void {
    const former = this.#left(draft, origin);
    this.#store.forget(origin.host);
    this.#drafted(draft, origin.host, { origin: null, former });
  }

  #former(draft: Draft, host: string): Known["former"] {
    return this.#in(draft, host)?.former ?? new Map();
  }

  /** The former epochs of a host that leaves the present one. */
  #left(draft: Draft, { host, epoch, upto }: Origin): Known["former"] {
    const former = this.#former(draft, host);
    if (epoch === "") return former;
    this.#store.leave({ host, epoch, upto }, draft.now);
    return new Map([...[...former].filter(([left]) => left !== epoch).slice(1 - FORMER_EPOCHS), [epoch, upto]]);
  }

  #drafted(draft: Draft, host: string, known: Known): void {
    const drafted = this.#drafts.get(draft) ?? new Map<string, Known>();
    this.#drafts.set(draft, drafted.set(host, known));
    draft.afterwards(() => this.#known.set(host, known));
  }
}
