/** Owns one reflex in a replay: its memory of each key, and its counts. */
import type { ReflexConfig } from "../model/config.ts";
import { BY_HOST, BY_SENSE, isKeyed, MAX_KEYS } from "./key.ts";
import type { KeyState } from "./key-state.ts";
import type { Matcher } from "./matcher.ts";
import type { Counts } from "./replayed.ts";
import { isAtRest } from "./rule.ts";

export interface Memory {
  readonly listener: ReplayedReflex;
  readonly key: string;
  state: KeyState;
  /** Due time of the key's entry in the heap that counts. An entry with another time is skipped. */
  armed: number | null;
}

/** The interval of the kernel's own sweep. */
const SWEEP_MS = 60_000;

export class ReplayedReflex {
  /** Place in the replayed list. */
  readonly index: number;
  /** Null for a reflex without words, which fires at each signal. */
  readonly matcher: Matcher | null;
  readonly words: Pick<ReflexConfig, "key" | "host">;
  readonly keys = new Map<string, Memory>();
  readonly counts: { -readonly [Name in keyof Counts]: number };
  /** True when the reflex needs payloads. */
  readonly reads: boolean;
  /** The signal after which the reflex begins. Null once it has begun. */
  beginsAfter: number | null;
  isDisabled = false;
  /** The time of the last search for keys at rest, on the axis. */
  #sweptAt = 0;

  constructor(index: number, config: ReflexConfig, matcher: Matcher | null, beginsAfter: number | null) {
    const { when, clear, key, each } = config;
    this.index = index;
    this.matcher = matcher;
    this.words = config;
    this.counts = { signals: 0, matched: 0, fired: 0, throttled: 0, limited: 0 };
    this.reads =
      when !== null || clear !== null || each !== null || (isKeyed(key) && key !== BY_SENSE && key !== BY_HOST);
    this.beginsAfter = beginsAfter;
  }

  /** A key at rest decides like an unknown key, so forgetting it only makes room. */
  hasRoom(elapsed: number): boolean {
    const { keys, matcher } = this;
    if (keys.size < MAX_KEYS) return true;
    if (matcher === null || elapsed - this.#sweptAt < SWEEP_MS) return false;
    this.#sweptAt = elapsed;
    for (const { key, state } of keys.values()) if (isAtRest(matcher.rule, state, elapsed)) keys.delete(key);
    return keys.size < MAX_KEYS;
  }

  forgetAll(): void {
    for (const memory of this.keys.values()) memory.armed = null;
    this.keys.clear();
  }
}
