/**
 * One reflex that looks at signals with words: what it remembers of each key, and the timers of what is pending. The
 * rules are pure and elsewhere; here they get their clock and their storage. Memory follows the commit.
 */
import type { Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ReflexConfig } from "../../model/config.ts";
import type { PatternRefusal } from "../../rules/definition.ts";
import { MAX_KEYS } from "../../rules/key.ts";
import { type Match, type Matcher, matcherOf } from "../../rules/matcher.ts";
import { type Decision, deadlineOf, decide, isAtRest, type KeyState, REST, type RuleEvent } from "../../rules/rule.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { KeyMemory, Remembering } from "../memory/key.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Ticker } from "../time/ticker.ts";

export interface KeyStatesOwner {
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  /** A deadline led to `decision`, which is acted on inside the transaction. */
  late(draft: Draft, states: KeyStates, key: string, decision: Decision): void;
  /** There was a key beyond those that may be remembered. */
  limited(states: KeyStates): void;
}

const MAKE_ROOM_EVERY_MS = 1_000;

export class KeyStates implements Remembering {
  readonly name: string;
  readonly definition: string;
  /** Whether a log has said that payloads have nothing at the path of the key: one log says so. */
  saidMissing = false;
  readonly #owner: KeyStatesOwner;
  readonly #matcher: Matcher;
  readonly #keys = new Map<string, KeyMemory>();
  #madeRoomAt = Number.NEGATIVE_INFINITY;

  /** The refusal of a pattern is a bug here: the configuration was checked. */
  static of(config: ReflexConfig, definition: string, owner: KeyStatesOwner): Result<KeyStates, PatternRefusal> {
    const matcher = matcherOf(config);
    return matcher.ok ? ok(new KeyStates(config.name, definition, matcher.value, owner)) : err(matcher.error);
  }

  private constructor(name: string, definition: string, matcher: Matcher, owner: KeyStatesOwner) {
    this.name = name;
    this.definition = definition;
    this.#matcher = matcher;
    this.#owner = owner;
  }

  get keys(): number {
    return this.#keys.size;
  }

  /** What an earlier kernel remembered; deadlines that have passed act as soon as they can. */
  restore(states: readonly { readonly key: string; readonly state: KeyState }[]): void {
    for (const { key, state } of states) this.kept({ key, state: REST, armed: null }, state);
  }

  match(payload: Json): Match {
    return this.#matcher.match(payload);
  }

  /** Inside a transaction: what the signal leads to, and in `draft` what is remembered of it. */
  decide(draft: Draft, { key, matches, clears }: Match, id: number, elapsed: number): readonly Decision[] {
    const event: RuleEvent = { kind: "signal", id, elapsed, matches, clears };
    let memory = this.#keys.get(key);
    if (memory === undefined) {
      memory = { key, state: REST, armed: null };
      // Remembering nothing about a key is no memory yet.
      if (this.#keys.size < MAX_KEYS || this.#makeRoom(draft, elapsed)) this.#keys.set(key, memory);
      else if (this.#isRemembered(event)) {
        this.#owner.limited(this);
        return [];
      }
    }
    return this.#apply(draft, memory, event);
  }

  /** Keys that have come to rest go at once where others need their place. Looked for once a second at most. */
  #makeRoom(draft: Draft, elapsed: number): boolean {
    if (elapsed - this.#madeRoomAt < MAKE_ROOM_EVERY_MS) return false;
    this.#madeRoomAt = elapsed;
    const resting = this.atRest().filter((memory) => this.rests(memory, draft));
    for (const memory of resting) draft.remember(this, memory, null);
    return resting.length > 0;
  }

  /** Whether there is anything to remember of a key that begins with `event`. */
  #isRemembered(event: RuleEvent): boolean {
    const { rule } = this.#matcher;
    return !isAtRest(rule, decide(rule, REST, event).state, event.elapsed);
  }

  #apply(draft: Draft, memory: KeyMemory, event: RuleEvent): readonly Decision[] {
    const { rule } = this.#matcher;
    const before = draft.keyState(memory);
    const { state, decisions } = decide(rule, before, event);
    if (state !== before || state === REST) {
      draft.remember(this, memory, isAtRest(rule, state, event.elapsed) ? null : state);
    }
    return decisions;
  }

  kept(memory: KeyMemory, state: KeyState | null): void {
    memory.state = state ?? REST;
    if (state === null) {
      memory.armed?.handle.cancel();
      memory.armed = null;
      this.#keys.delete(memory.key);
      return;
    }
    this.#keys.set(memory.key, memory);
    this.#arm(memory);
  }

  /** One timer a key: a deadline that moved away is found not to have come, and armed again. */
  #arm(memory: KeyMemory): void {
    const deadline = deadlineOf(memory.state);
    if (deadline === null || (memory.armed !== null && memory.armed.at <= deadline)) return;
    memory.armed?.handle.cancel();
    const { ticker, lifetime } = this.#owner;
    const handle = ticker.after(Math.max(0, deadline - lifetime.now()), () => this.#time(memory));
    memory.armed = { at: deadline, handle };
  }

  #time(memory: KeyMemory): void {
    memory.armed = null;
    const deadline = deadlineOf(memory.state);
    if (deadline === null || this.#keys.get(memory.key) !== memory) return;
    const elapsed = this.#owner.lifetime.now();
    if (elapsed < deadline) return this.#arm(memory);
    this.#owner.ledger.write((draft) => {
      for (const decision of this.#apply(draft, memory, { kind: "time", elapsed })) {
        this.#owner.late(draft, this, memory.key, decision);
      }
    });
  }

  /** Keys that have come to rest since their last signal. */
  atRest(): KeyMemory[] {
    const now = this.#owner.lifetime.now();
    return [...this.#keys.values()].filter(({ state }) => isAtRest(this.#matcher.rule, state, now));
  }

  /** Still, as `draft` leaves it. */
  rests(memory: KeyMemory, draft: Draft): boolean {
    const isKnown = this.#keys.get(memory.key) === memory;
    return isKnown && isAtRest(this.#matcher.rule, draft.keyState(memory), this.#owner.lifetime.now());
  }

  /** It is disabled, or not configured any more. */
  forgetAll(): void {
    for (const { armed } of this.#keys.values()) armed?.handle.cancel();
    this.#keys.clear();
  }
}
