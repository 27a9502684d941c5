/**
 * Owns the reflexes of the configuration, and their decisions about a signal or a deadline, in the transaction of the
 * signal or of the deadline (G1). A reload leaves a reflex as it is when the words that decide are the same. `clocks.ts`
 * owns when the clock makes a reflex due, and `firings.ts` the consequences of a firing.
 */

import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import type { ReflexPlan } from "../../config/reload-plan.ts";
import { keepsIncidents, type NerveConfig, type ReflexConfig } from "../../model/config.ts";
import type { Decision } from "../../rules/decision.ts";
import type { Elements } from "../../rules/each.ts";
import type { KeyState } from "../../rules/key-state.ts";
import { hasWords, type Match } from "../../rules/matcher.ts";
import { definitionOf, scheduleOf } from "../../rules/same-reflex.ts";
import type { Store } from "../../store/open.ts";
import type { StoredReflexState } from "../../store/reflex-state.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Sense } from "../memory/sense.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Ticker } from "../time/ticker.ts";
import { Clocks, type DueTimes } from "./clocks.ts";
import type { Cause, Firings } from "./firings.ts";
import { heldEnds, incidentEnds } from "./incident-ends.ts";
import type { Incidents } from "./incidents.ts";
import { KeyStates, type KeyStatesOwner } from "./key-states.ts";
import { type Audience, Listeners } from "./listeners.ts";
import { countingOn, isRemembered, newReflex, type Reflex } from "./reflex.ts";
import { ReflexRows } from "./reflex-rows.ts";
import { ReflexVoice } from "./reflex-voice.ts";
import type { Silences } from "./silences.ts";
import { payloadsBefore, type StoredPayload } from "./stored-payloads.ts";
import type { TimedRuns } from "./timed-runs.ts";

export interface ReflexesParts {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly store: Store;
  readonly firings: Firings;
  readonly silences: Silences;
  readonly incidents: Incidents;
  readonly dueTimes: DueTimes;
  readonly timedRuns: TimedRuns;
}

/** A signal as its listeners heard it, before its transaction. */
export interface Heard {
  readonly listeners: readonly Reflex[];
  /**
   * The match of each listener. An entry is null for a listener without words, and for one that passes the signal over. The
   * list is null when no listener has words.
   */
  readonly matches: readonly (Match | Elements | null)[] | null;
  readonly sense: string;
  readonly elapsed: number;
  readonly payload: Json;
}

const FORGOTTEN_AT_ONCE = 500;
export class Reflexes implements KeyStatesOwner {
  readonly byName = new Map<string, Reflex>();
  readonly ticker: Ticker;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly incidents: Incidents;
  readonly #voice: ReflexVoice;
  readonly #store: Store;
  readonly #firings: Firings;
  readonly #silences: Silences;
  readonly #clocks: Clocks;
  readonly #rows: ReflexRows;
  readonly #listeners = new Listeners();

  constructor({
    clock,
    ticker,
    ledger,
    lifetime,
    journal,
    store,
    firings,
    silences,
    incidents,
    dueTimes,
    timedRuns,
  }: ReflexesParts) {
    this.ticker = ticker;
    this.ledger = ledger;
    this.lifetime = lifetime;
    this.#voice = new ReflexVoice(journal);
    this.#store = store;
    this.#firings = firings;
    this.#silences = silences;
    this.incidents = incidents;
    incidents.onLook = (inhibitor) => this.lookAgain(inhibitor);
    silences.onEnd = () => this.lookAgain(null);
    this.#clocks = new Clocks({ clock, ticker, ledger, dueTimes, timedRuns });
    this.#rows = new ReflexRows({ clock, ledger, journal, store });
  }

  // ── configuration ────────────────────────────────────────────────────

  /**
   * Loads the first or the next configuration. `plan` names the reflexes that go on. The store knows the disabled reflexes.
   */
  load(config: NerveConfig, senses: ReadonlyMap<string, Sense>, disabled: ReadonlySet<string>, plan: ReflexPlan): void {
    const rows = this.#rows.all();
    const before = new Map(this.byName);
    this.byName.clear();
    this.#listeners.clear();
    const fresh: Reflex[] = [];
    for (const entry of config.reflexes) {
      const sense = entry.kind === "sense" ? senses.get(entry.sense) : null;
      if (sense === undefined) continue;
      const was = plan.keep.has(entry.name) ? before.get(entry.name) : undefined;
      const known = was !== undefined && keepsIncidents(was.config) === keepsIncidents(entry) ? was : undefined;
      const reflex = known ?? countingOn(this.#make(entry, sense, rows.get(entry.name) ?? []), before.get(entry.name));
      if (known === undefined) fresh.push(reflex);
      else this.#goOn(known, entry);
      reflex.sense = sense;
      reflex.enabled = !disabled.has(`reflex:${entry.name}`);
      this.byName.set(entry.name, reflex);
      this.#listeners.add(reflex);
    }
    for (const [name, reflex] of before) if (this.byName.get(name) !== reflex) this.#end(reflex);
    for (const reflex of fresh) {
      this.#clocks.schedule(reflex);
      const isNew = !before.has(reflex.config.name);
      if (reflex.config.onStart && isNew) this.#clocks.fireAtStart(reflex);
    }
    for (const name of rows.keys()) {
      if (!this.byName.has(name)) this.#rows.forget(name, "it is no longer configured");
    }
    this.#rows.keepSince(this.byName);
    this.incidents.quietHours = config.quietHours;
    this.#endOrphans(before, rows);
    this.lookAgain(null);
    this.#silences.reflexes = config.reflexes.flatMap(({ kind, name }) => (kind === "workflow" ? [name] : []));
  }

  /** Goes on with the same words that decide. The target and the due times may have changed. */
  #goOn(reflex: Reflex, config: ReflexConfig): void {
    reflex.config = config;
    reflex.remembersDue = isRemembered(config);
    reflex.states?.goOn(config);
    const schedule = scheduleOf(config);
    if (schedule === reflex.schedule) return;
    this.#clocks.unschedule(reflex);
    reflex.schedule = schedule;
    if (reflex.last !== null) this.#rows.forgetClock(config.name);
    reflex.last = null;
    this.#clocks.schedule(reflex);
  }

  /** Ends the incidents whose key is forgotten, because their reflex is gone or is another one now. */
  #endOrphans(before: ReadonlyMap<string, Reflex>, rows: ReadonlyMap<string, readonly StoredReflexState[]>): void {
    const held = heldEnds(this.byName, before, rows);
    const ends = incidentEnds(this.incidents.rows.open, this.byName, before, rows);
    if (held.length + ends.length === 0) return;
    this.ledger.write((draft) => {
      for (const { of, owed } of held) this.incidents.endHeld(draft, of, owed);
      for (const { row, of, reason } of ends) this.incidents.end(draft, of, row, reason);
    });
  }

  /** Resolves the incidents of a reflex that is disabled, inside a transaction. */
  endIncidents(draft: Draft, reflex: Reflex, reason: string): void {
    reflex.states?.incidents?.end(draft, reason);
  }

  /** Asks again for held-back notifications: of all reflexes, or of those that an incident of `inhibitor` holds back. */
  lookAgain(inhibitor: string | null): void {
    for (const { config, states } of this.byName.values()) {
      if (states === null || config.kind !== "workflow" || config.incident === null) continue;
      if (inhibitor === null || config.incident.inhibitedBy.includes(inhibitor))
        states.incidents?.lookAgain(this.ledger);
    }
  }

  opened(draft: Draft, states: KeyStates): void {
    draft.afterwards(() => {
      const reflex = this.byName.get(states.name);
      if (reflex !== undefined) reflex.fired++;
    });
  }

  #end(reflex: Reflex): void {
    this.#clocks.unschedule(reflex);
    reflex.states?.forgetAll();
  }

  /** Makes a reflex with its stored memory, as far as that belongs to its words. */
  #make(config: ReflexConfig, sense: Sense | null, rows: readonly StoredReflexState[]): Reflex {
    const { last, keys } = this.#rows.restore(config, rows);
    const reflex = newReflex(config, sense, definitionOf(config), last);
    if (config.on.length === 0 || !hasWords(config)) return reflex;
    const states = KeyStates.of(config, reflex.definition, this);
    if (!states.ok) throw new Error(`reflex ${config.name}: ${states.error.path}: ${states.error.message}`);
    reflex.states = states.value;
    states.value.restore(keys.map((one) => ({ ...one, state: this.#sane(one.state) })));
    return reflex;
  }

  /** Drops an incident without a row, because nothing can go on with it. */
  #sane(state: KeyState): KeyState {
    const { incident } = state;
    const id = incident?.open?.id;
    if (incident === null || id === undefined || this.incidents.rows.openById(id) !== null) return state;
    return { ...state, incident: incident.owed.length === 0 ? null : { ...incident, open: null } };
  }

  /** Forgets the keys that have come to rest. Their rows go a few at a time. */
  forgetKeysAtRest(): void {
    for (const { states } of this.byName.values()) {
      if (states === null) continue;
      const resting = states.atRest();
      for (let from = 0; from < resting.length; from += FORGOTTEN_AT_ONCE) {
        const some = resting.slice(from, from + FORGOTTEN_AT_ONCE);
        // A signal may have come since.
        this.ledger.write((draft) => {
          for (const memory of some) if (states.rests(memory, draft)) draft.remember(states, memory, null);
        });
      }
    }
  }

  /** What the sense of `reflex` watches has changed. */
  ring = (reflex: Reflex): void => this.#clocks.ring(reflex);

  /** An item waits for `sense`. False where no enabled reflex runs the sense for that. */
  ringForItem = ({ name }: Sense): boolean => this.#listeners.ring(name);

  // ── decisions ────────────────────────────────────────────────────────

  /** Must be called when the signal is received. `at` is the wall clock of that moment. Null where nobody listens. */
  hear(sense: string, payload: Json, at: number): Heard | null {
    return this.#heardBy(this.#listeners.to(sense), sense, payload, at);
  }

  /** The same for the full name of a sense of another host. */
  hearRemote(fullName: string, payload: Json, at: number): Heard | null {
    return this.#heardBy(this.#listeners.toRemote(fullName), fullName, payload, at);
  }

  #heardBy({ reflexes: listeners, hasWords }: Audience, sense: string, payload: Json, at: number): Heard | null {
    if (listeners.length === 0) return null;
    if (!hasWords) return { listeners, matches: null, sense, elapsed: 0, payload };
    // First of all: time that passes after `at` would look like a clock that was set back.
    const elapsed = this.lifetime.of(at);
    const matches = listeners.map(({ states }) => states?.hear(sense, payload) ?? null);
    return { listeners, matches, sense, elapsed, payload };
  }

  /** Called inside the transaction of the signal. */
  decide(draft: Draft, { listeners, matches, sense, elapsed, payload }: Heard, cause: Cause): void {
    const current = { cause, payload };
    const signal = { id: cause.id, sense, elapsed };
    for (let index = 0; index < listeners.length; index++) {
      const reflex = listeners[index] as Reflex;
      if (!reflex.enabled) continue;
      const match = matches?.[index] ?? null;
      const { states } = reflex;
      if (states === null) this.#firings.fire(draft, reflex, current, null);
      if (states === null || match === null) continue;
      this.#voice.heard(reflex, states, match);
      for (const decision of states.decide(draft, match, signal, payload)) {
        this.#firings.act(draft, reflex, decision, current);
      }
    }
  }

  signalsBefore(sense: string, id: number): Iterable<StoredPayload> {
    return payloadsBefore(this.#store.signals, sense, id);
  }

  late(draft: Draft, states: KeyStates, key: string, decision: Decision): void {
    const reflex = this.byName.get(states.name);
    if (reflex?.states !== states || !reflex.enabled) return;
    this.#firings.act(draft, reflex, { key, decision, element: null }, null);
  }

  limited(states: KeyStates): void {
    this.#voice.keysLimited(states);
  }
}
