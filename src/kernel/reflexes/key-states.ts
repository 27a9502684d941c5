/**
 * Owns the memory of one reflex with words about each key, and the timers of its pending deadlines. The rules are pure;
 * this file gives them their clock and their storage. Memory follows the commit.
 */
import type { Json } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { ReflexConfig } from "../../model/config.ts";
import type { Decision, IncidentEvent, Rule, RuleEvent } from "../../rules/decision.ts";
import type { PatternRefusal } from "../../rules/definition.ts";
import { type Elements, elementsIn, goneFrom, goneMatch } from "../../rules/each.ts";
import { MAX_KEYS } from "../../rules/key.ts";
import { type KeyState, REST } from "../../rules/key-state.ts";
import { type Match, type Matcher, matcherOf } from "../../rules/matcher.ts";
import { deadlineOf, decide, isAtRest, ruleOf } from "../../rules/rule.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { KeyMemory, Remembering } from "../memory/key.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Ticker } from "../time/ticker.ts";
import { IncidentKeys, type RememberedKeys } from "./incident-keys.ts";
import type { Incidents } from "./incidents.ts";
import { type DecidedSignal, NewestElements } from "./newest-elements.ts";
import type { StoredPayload } from "./stored-payloads.ts";

export interface KeyStatesOwner {
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  /** Acts on a `decision` of a deadline, inside the transaction. */
  late(draft: Draft, states: KeyStates, key: string, decision: Decision): void;
  /** Called when a key cannot be remembered, because the reflex remembers as many keys as it may. */
  limited(states: KeyStates): void;
  /** The last signals of `sense` before signal `id`, newest first. Read where memory has none of them. */
  signalsBefore(sense: string, id: number): Iterable<StoredPayload>;
  readonly incidents: Incidents;
  /** Called when an incident opens in this transaction. */
  opened(draft: Draft, states: KeyStates): void;
}

/** A decision about a key. The payload or element that led to it is there when it belongs to the present signal. */
export interface KeyDecision {
  readonly key: string;
  readonly decision: Decision;
  readonly element: Json;
}

const MAKE_ROOM_EVERY_MS = 1_000;

const NONE: readonly KeyDecision[] = [];

export class KeyStates implements Remembering, RememberedKeys {
  readonly name: string;
  readonly definition: string;
  /** True when a log already says that a payload has nothing at the path of the key. */
  saidMissing = false;
  /** True when a log already says that a payload has too many elements. */
  saidTooMany = false;
  /** Null in a reflex that keeps no incidents. */
  incidents: IncidentKeys | null = null;
  #config: ReflexConfig;
  #rule: Rule;
  readonly #owner: KeyStatesOwner;
  readonly #matcher: Matcher;
  readonly #keys = new Map<string, KeyMemory>();
  readonly #elements: NewestElements;
  #madeRoomAt = Number.NEGATIVE_INFINITY;

  /** The refusal of a pattern is a bug here, because the configuration was checked. */
  static of(config: ReflexConfig, definition: string, owner: KeyStatesOwner): Result<KeyStates, PatternRefusal> {
    const matcher = matcherOf(config);
    return matcher.ok ? ok(new KeyStates(config, definition, matcher.value, owner)) : err(matcher.error);
  }

  private constructor(config: ReflexConfig, definition: string, matcher: Matcher, owner: KeyStatesOwner) {
    this.name = config.name;
    this.definition = definition;
    this.#config = config;
    this.#matcher = matcher;
    this.#rule = matcher.rule;
    this.#owner = owner;
    this.#elements = new NewestElements(matcher, (sense, id) => owner.signalsBefore(sense, id));
    this.#readIncident(config);
  }

  #readIncident(config: ReflexConfig): void {
    const keeps = config.kind === "workflow" && config.incident !== null;
    this.incidents = keeps ? new IncidentKeys(this.#owner.incidents, this, config) : null;
  }

  /** Goes on with the same words that decide. The words about keeping and reporting incidents may have changed. */
  goOn(config: ReflexConfig): void {
    if (this.incidents === null || config.kind !== "workflow") return;
    this.#config = config;
    this.#rule = ruleOf(config);
    this.#readIncident(config);
    for (const memory of this.#keys.values()) this.kept(memory, memory.state);
  }

  get rule(): Rule {
    return this.#rule;
  }

  all(): Iterable<KeyMemory> {
    return this.#keys.values();
  }

  get keys(): number {
    return this.#keys.size;
  }

  /**
   * Takes the memory of an earlier kernel. A deadline that has passed since acts at the moment of the start. The log of the
   * start holds this moment, so a replay decides the same.
   */
  restore(states: readonly { readonly key: string; readonly state: KeyState }[]): void {
    const { elapsedMs } = this.#owner.lifetime.began;
    for (const { key, state } of states) {
      const memory: KeyMemory = { key, state, newest: null, armed: null };
      this.#keys.set(key, memory);
      this.incidents?.kept(memory);
      const deadline = deadlineOf(this.#rule, state);
      if (deadline !== null && deadline <= elapsedMs) this.#come(memory, elapsedMs);
      else this.#arm(memory);
    }
  }

  /** Null where there is no array at the path of `each`: the signal is passed over. */
  hear(sense: string, payload: Json): Match | Elements | null {
    return this.#matcher.each === null
      ? this.#matcher.match(sense, payload)
      : elementsIn(this.#matcher, sense, payload);
  }

  /** The part of a signal's payload that a decision about `key` is about. */
  payloadFor(sense: string | null, payload: Json, key: string): Json {
    if (this.#matcher.each === null || sense === null) return payload;
    return this.#elements.of(sense, payload)?.byKey.get(key)?.payload ?? null;
  }

  /** Decides about the signal inside a transaction. The changed memory goes into `draft`. */
  decide(draft: Draft, heard: Match | Elements, signal: DecidedSignal, payload: Json): readonly KeyDecision[] {
    if (!("byKey" in heard)) return this.#decideOne(draft, heard, signal, payload, null);
    const decisions: KeyDecision[] = [];
    for (const { match, payload: element } of heard.byKey.values()) {
      decisions.push(...this.#decideOne(draft, match, signal, element, null));
    }
    for (const { key } of goneFrom(this.#drafts(draft), this.#config, signal.sense, heard)) {
      const last = this.#elements.lastOf(draft, signal, key);
      decisions.push(...this.#decideOne(draft, goneMatch(key), signal, null, last));
    }
    this.#elements.keep(draft, signal.sense, heard);
    return decisions;
  }

  /** `gone` is the last element of a key that the signal no longer has. */
  #decideOne(
    draft: Draft,
    match: Match,
    { id, elapsed }: DecidedSignal,
    element: Json,
    gone: Json,
  ): readonly KeyDecision[] {
    const { key, matches, clears } = match;
    const event: RuleEvent = { kind: "signal", id, elapsed, matches, clears, element: gone };
    let memory = this.#keys.get(key);
    if (memory === undefined) {
      memory = { key, state: REST, newest: null, armed: null };
      // A key without memory takes no room yet.
      if (this.#keys.size < MAX_KEYS || this.#makeRoom(draft, elapsed)) this.#keys.set(key, memory);
      else if (this.#isRemembered(event)) {
        this.#owner.limited(this);
        return [];
      }
    }
    if (this.incidents !== null) {
      if (draft.isCleared(this.name)) return NONE;
      if (matches) memory.newest = id;
    }
    const decisions = this.apply(draft, memory, event);
    return decisions.length === 0 ? NONE : decisions.map((decision) => ({ key, decision, element }));
  }

  /** Each key, as `draft` leaves it. */
  *#drafts(draft: Draft): Generator<{ readonly key: string; readonly state: KeyState }> {
    for (const memory of this.#keys.values()) yield { key: memory.key, state: draft.keyState(memory) };
  }

  /** Makes room: keys at rest go at once. The search runs at most once a second. */
  #makeRoom(draft: Draft, elapsed: number): boolean {
    if (elapsed - this.#madeRoomAt < MAKE_ROOM_EVERY_MS) return false;
    this.#madeRoomAt = elapsed;
    const resting = this.atRest().filter((memory) => this.rests(memory, draft));
    for (const memory of resting) draft.remember(this, memory, null);
    return resting.length > 0;
  }

  signalsBefore(sense: string, id: number): Iterable<StoredPayload> {
    return this.#owner.signalsBefore(sense, id);
  }

  opened(draft: Draft): void {
    this.#owner.opened(draft, this);
  }

  /** True when a key that begins with `event` must be remembered. */
  #isRemembered(event: RuleEvent): boolean {
    // An incident that opens is remembered. A key that does not match has no memory.
    if (this.incidents !== null) return event.kind === "signal" && event.matches;
    const rule = this.#rule;
    return !isAtRest(rule, decide(rule, REST, event).state, event.elapsed);
  }

  /** Decides about `event` inside a transaction. The changed memory goes into `draft`. */
  apply(draft: Draft, memory: KeyMemory, event: IncidentEvent): readonly Decision[] {
    const rule = this.#rule;
    const before = draft.keyState(memory);
    const { state, decisions } =
      this.incidents === null
        ? decide(rule, before, event as RuleEvent)
        : this.incidents.decide(draft, memory, before, event);
    if (state !== before || state === REST) {
      draft.remember(this, memory, isAtRest(rule, state, event.elapsed) ? null : state);
    }
    return decisions;
  }

  kept(memory: KeyMemory, state: KeyState | null): void {
    memory.state = state ?? REST;
    this.incidents?.kept(memory);
    if (state === null) {
      memory.armed?.handle.cancel();
      memory.armed = null;
      this.#keys.delete(memory.key);
      return;
    }
    this.#keys.set(memory.key, memory);
    this.#arm(memory);
  }

  /**
   * Keeps one timer for each key. When the timer fires before the deadline, because the deadline moved, it is armed again.
   */
  #arm(memory: KeyMemory): void {
    const deadline = deadlineOf(this.#rule, memory.state);
    if (deadline === null || (memory.armed !== null && memory.armed.at <= deadline)) return;
    memory.armed?.handle.cancel();
    const { ticker, lifetime } = this.#owner;
    const handle = ticker.after(Math.max(0, deadline - lifetime.now()), () => this.#time(memory));
    memory.armed = { at: deadline, handle };
  }

  #time(memory: KeyMemory): void {
    memory.armed = null;
    const deadline = deadlineOf(this.#rule, memory.state);
    if (deadline === null || this.#keys.get(memory.key) !== memory) return;
    const elapsed = this.#owner.lifetime.now();
    if (elapsed < deadline) return this.#arm(memory);
    this.#come(memory, elapsed);
  }

  /** Acts on the deadlines of a key that have come at `elapsed`. */
  #come(memory: KeyMemory, elapsed: number): void {
    this.#owner.ledger.write((draft) => {
      if (this.incidents !== null && this.#keys.get(memory.key) !== memory) return;
      for (const decision of this.apply(draft, memory, { kind: "time", elapsed })) {
        this.#owner.late(draft, this, memory.key, decision);
      }
    });
  }

  /** Keys that have come to rest since their last signal. */
  atRest(): KeyMemory[] {
    const now = this.#owner.lifetime.now();
    return [...this.#keys.values()].filter(({ state }) => isAtRest(this.#rule, state, now));
  }

  /** True when the key is still at rest, as `draft` leaves it. */
  rests(memory: KeyMemory, draft: Draft): boolean {
    const isKnown = this.#keys.get(memory.key) === memory;
    return isKnown && isAtRest(this.#rule, draft.keyState(memory), this.#owner.lifetime.now());
  }

  /** Called when the reflex is disabled or no longer configured. */
  forgetAll(): void {
    for (const { armed } of this.#keys.values()) armed?.handle.cancel();
    this.#keys.clear();
    this.#elements.clear();
    this.incidents?.clear();
  }
}
