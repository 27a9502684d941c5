/** The record of peers that an author gets, and the hint for an author who asked it for a name of no peer. */
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { meantOr } from "../base/nearest.ts";
import { describeFailure, type Thrown } from "../base/thrown.ts";
import type { PeerDatabase, Peers } from "../sdk/index.ts";
import type { PeerHandle } from "./peer-database.ts";

type PeerRecord = Record<string, PeerDatabase>;

/** Fills the record when it is first looked at, in whatever way. From then on the record is an ordinary frozen object. */
class LazyRecord implements ProxyHandler<PeerRecord> {
  readonly self: string | null;
  #handles: ReadonlyMap<string, PeerHandle> | null;
  /** The last name that was looked up and is nobody's. */
  missed: string | null = null;

  constructor(self: string | null, handles: ReadonlyMap<string, PeerHandle>) {
    this.self = self;
    this.#handles = handles;
  }

  #filled(record: PeerRecord): PeerRecord {
    if (this.#handles === null) return record;
    for (const [name, { database }] of this.#handles) if (name !== this.self) record[name] = database;
    this.#handles = null;
    return Object.freeze(record);
  }

  get(record: PeerRecord, key: PropertyKey): unknown {
    const found = Reflect.get(this.#filled(record), key);
    if (found === undefined && typeof key === "string") this.missed = key;
    return found;
  }

  has(record: PeerRecord, key: PropertyKey): boolean {
    return Reflect.has(this.#filled(record), key);
  }

  ownKeys(record: PeerRecord): (string | symbol)[] {
    return Reflect.ownKeys(this.#filled(record));
  }

  getOwnPropertyDescriptor(record: PeerRecord, key: PropertyKey): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(this.#filled(record), key);
  }

  isExtensible(record: PeerRecord): boolean {
    return Reflect.isExtensible(this.#filled(record));
  }

  preventExtensions(record: PeerRecord): boolean {
    return Reflect.preventExtensions(this.#filled(record));
  }

  set(): boolean {
    return false;
  }

  defineProperty(): boolean {
    return false;
  }

  deleteProperty(): boolean {
    return false;
  }

  setPrototypeOf(): boolean {
    return false;
  }
}

/**
 * The frozen record an author gets: every sense but `self`. A thousand senses that never look at theirs would
 * hold a million entries, so it is filled when one does.
 */
export function peersFor(self: string | null, handles: ReadonlyMap<string, PeerHandle>): Peers {
  const handler = new LazyRecord(self, handles);
  const peers = new Proxy({}, handler);
  HANDLERS.set(peers, handler);
  return peers;
}

const HANDLERS = new WeakMap<Peers, LazyRecord>();
const OF_UNDEFINED = /^undefined is not an object \(evaluating '(.*)'\)$/s;
const MOST_LISTED = 10;

/** The remedy where `thrown` comes from a name of no peer; null where it does not. */
function hintOnPeer(thrown: unknown, peers: Peers): string | null {
  const handler = HANDLERS.get(peers);
  const missed = handler?.missed ?? null;
  if (handler === undefined || missed === null) return null;
  const [, evaluated = ""] = thrown instanceof TypeError ? (OF_UNDEFINED.exec(thrown.message) ?? []) : [];
  // The expression names the peer, or looks it up by a variable.
  if (!evaluated.split(/[^\w-]+/).includes(missed) && !/\bpeers\[/.test(evaluated)) return null;
  if (missed === handler.self) return `a sense is not its own peer: use \`db\` in place of \`peers.${missed}\``;
  if (Object.hasOwn(BUILT_IN_SENSES, missed))
    return `the sense \`${missed}\` is not configured: add it to \`senses\` in nerve.yaml`;
  const names = Object.keys(peers);
  const listed = [...names.slice(0, MOST_LISTED), ...(names.length > MOST_LISTED ? ["…"] : [])].join(", ");
  const others = names.length === 0 ? "no other sense is configured" : `the others are ${listed}`;
  return `there is no sense \`${missed}\`: ${meantOr(missed, names, others)}`;
}

/** What an author's code threw, with the reason where nerve knows it. */
export function describeAuthorFailure(thrown: unknown, peers: Peers): Thrown {
  const failure = describeFailure(thrown);
  try {
    const hint = hintOnPeer(thrown, peers);
    return hint === null ? failure : { ...failure, message: `${failure.message} (${hint})` };
  } catch {
    // What was thrown throws itself when it is looked at.
    return failure;
  }
}
