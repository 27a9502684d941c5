/**
 * Owns the keys of one reflex with `incident`: the effect of each event on a key, notifications that are held back, and
 * acts of persons.
 */
import type { Json } from "../../base/json.ts";
import type { WorkflowReflexConfig } from "../../model/config.ts";
import type { IncidentEvent, Outcome, Rule } from "../../rules/decision.ts";
import type { Elements } from "../../rules/each.ts";
import { decideIncident } from "../../rules/incident-rule.ts";
import type { KeyState } from "../../rules/key-state.ts";
import type { Match } from "../../rules/matcher.ts";
import { scopeOf } from "../../rules/same-reflex.ts";
import type { Draft } from "../commits/draft.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { KeyMemory, Remembering } from "../memory/key.ts";
import type { IncidentKey } from "./incident-subject.ts";
import type { Incidents } from "./incidents.ts";
import type { StoredPayload } from "./stored-payloads.ts";

/** The keys of the reflex, with any memory. */
export interface RememberedKeys extends Remembering {
  readonly rule: Rule;
  all(): Iterable<KeyMemory>;
  payloadFor(sense: string | null, payload: Json, key: string): Json;
  hear(sense: string, payload: Json): Match | Elements | null;
  /** The last signals of `sense` before signal `id`. */
  signalsBefore(sense: string, id: number): Iterable<StoredPayload>;
  apply(draft: Draft, memory: KeyMemory, event: IncidentEvent): void;
  /** Called when an incident opens in this transaction. */
  opened(draft: Draft): void;
}

export class IncidentKeys {
  readonly #incidents: Incidents;
  readonly #keys: RememberedKeys;
  readonly #config: WorkflowReflexConfig;
  readonly #scope: string;
  /** Keys with a notification that is held back. */
  readonly #held = new Set<KeyMemory>();
  #stored: ReadonlyMap<string, number> | null = null;

  constructor(incidents: Incidents, keys: RememberedKeys, config: WorkflowReflexConfig) {
    this.#incidents = incidents;
    this.#keys = keys;
    this.#config = config;
    this.#scope = scopeOf(config);
  }

  decide(draft: Draft, memory: KeyMemory, before: KeyState, event: IncidentEvent): Outcome {
    const { rule } = this.#keys;
    if (rule.incident === null) throw new Error(`reflex ${this.#config.name} keeps no incidents`);
    const of = this.#keyOf(memory);
    const outcome = decideIncident(rule, rule.incident, before, event, this.#incidents.world(draft, of));
    for (const move of outcome.moves) {
      this.#incidents.act(draft, of, move);
      if (move.kind === "opened") this.#keys.opened(draft);
    }
    return outcome;
  }

  #keyOf(memory: KeyMemory): IncidentKey {
    const { key } = memory;
    const newest = () => memory.newest ?? this.#newestStored(key);
    return {
      config: this.#config,
      scope: this.#scope,
      key,
      get newest() {
        return newest();
      },
      payloadFor: (sense, payload) => this.#keys.payloadFor(sense, payload, key),
    };
  }

  #newestStored(key: string): number | null {
    this.#stored ??= this.#readStored();
    return this.#stored.get(key) ?? null;
  }

  /** Key → its newest matching signal, among the last stored signals. */
  #readStored(): ReadonlyMap<string, number> {
    const newest = new Map<string, number>();
    for (const name of this.#config.on) {
      for (const { id, sense, payload } of this.#keys.signalsBefore(name, Number.MAX_SAFE_INTEGER)) {
        const heard = this.#keys.hear(sense, payload);
        const all =
          heard === null ? [] : "byKey" in heard ? [...heard.byKey.values()].map(({ match }) => match) : [heard];
        for (const { key, matches } of all) if (matches) newest.set(key, Math.max(id, newest.get(key) ?? 0));
      }
    }
    return newest;
  }

  /** Called after the commit. */
  kept(memory: KeyMemory): void {
    const { incident } = memory.state;
    const isHeld = incident !== null && (incident.owed.length > 0 || (incident.open?.held.length ?? 0) > 0);
    if (isHeld) this.#held.add(memory);
    else this.#held.delete(memory);
  }

  /** Asks again for every notification that is held back. */
  lookAgain(ledger: Ledger): void {
    if (this.#held.size === 0) return;
    ledger.write((draft) => {
      for (const memory of this.#held)
        this.#keys.apply(draft, memory, { kind: "look", elapsed: this.#incidents.now() });
    });
  }

  /** The key whose incident `id` is open, from memory. Null where no key has it. */
  keyOf(id: number): KeyMemory | null {
    for (const memory of this.#keys.all()) if (memory.state.incident?.open?.id === id) return memory;
    return null;
  }

  /** Ids of the open incidents. */
  get ids(): number[] {
    return [...this.#keys.all()].flatMap(({ state }) => state.incident?.open?.id ?? []);
  }

  /** Ends the reflex's open incidents inside a transaction. No hold delays their reports. */
  end(draft: Draft, reason: string): void {
    const { rule } = this.#keys;
    if (rule.incident === null) return;
    const free = { scope: this.#scope, nextId: () => null, suppression: () => null };
    for (const memory of this.#keys.all()) {
      const state = draft.keyState(memory);
      if (state.incident === null) continue;
      const elapsed = this.#incidents.now();
      const resolved = decideIncident(rule, rule.incident, state, { kind: "resolve", elapsed, reason }, free);
      const owed = decideIncident(rule, rule.incident, resolved.state, { kind: "look", elapsed }, free);
      const of = this.#keyOf(memory);
      for (const move of [...resolved.moves, ...owed.moves]) this.#incidents.act(draft, of, move);
      draft.remember(this.#keys, memory, null);
    }
  }

  /** Called when the keys are forgotten. */
  clear(): void {
    this.#held.clear();
  }
}
