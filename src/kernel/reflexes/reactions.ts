/**
 * What follows from a signal, and from a deadline that has passed: each reflex that listens decides, in the transaction
 * of the signal or of the deadline, and what it decided is part of that transaction (G1).
 */
import type { Clock } from "../../base/clock.ts";
import { formatDuration } from "../../base/duration.ts";
import { type Json, readJson } from "../../base/json.ts";
import { traceIds } from "../../base/trace-id.ts";
import { targetOf } from "../../model/config.ts";
import { spellDecision } from "../../model/run-decision.ts";
import type { Signal } from "../../model/signal.ts";
import { MAX_KEYS, shownKey } from "../../rules/key.ts";
import type { Match } from "../../rules/matcher.ts";
import type { Decision } from "../../rules/rule.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Sense } from "../memory/sense.ts";
import type { Workflows } from "../runs/workflows.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { KeyStates } from "./key-states.ts";
import type { Reflex, Reflexes } from "./reflexes.ts";
import type { Silences } from "./silences.ts";

export interface ReactionsParts {
  readonly clock: Clock;
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly store: Store;
  readonly reflexes: () => Reflexes;
  readonly workflows: () => Workflows;
  readonly silences: Silences;
  readonly wake: (sense: Sense) => void;
}

/** A signal as the reflexes that listen see it: what can be told before its transaction. */
export interface Seen {
  readonly listeners: readonly Reflex[];
  /** Of each listener, null of one without words; null when none has any. */
  readonly matches: readonly (Match | null)[] | null;
  readonly elapsed: number;
  readonly payload: Json;
}

/** The signal a reflex fires for. */
type Cause = Pick<Signal, "id" | "at" | "trace"> & { readonly sense: string | null };

/** Why a reflex with words fires: for which key, and for which deadline if for one. */
interface Firing {
  readonly key: string;
  readonly decision: Decision;
}

/** A deadline that is acted on so much later passed while nerve was down. */
const LATE_MS = 1_000;

export class Reactions {
  readonly #parts: ReactionsParts;
  readonly #newTrace = traceIds();

  constructor(parts: ReactionsParts) {
    this.#parts = parts;
  }

  /** Call it when the signal is received: `at` is the wall clock of that moment. Null: nobody listens. */
  see(sense: string, payload: Json, at: number): Seen | null {
    const listeners = this.#parts.reflexes().listeningTo(sense);
    if (listeners.length === 0) return null;
    if (listeners.every(({ states }) => states === null)) return { listeners, matches: null, elapsed: 0, payload };
    // Before anything else takes time: what passes since `at` would look like a clock that was set back.
    const elapsed = this.#parts.lifetime.of(at);
    const matches = listeners.map(({ states }) => states?.match(payload) ?? null);
    return { listeners, matches, elapsed, payload };
  }

  /** Inside the transaction of the signal. */
  decide(draft: Draft, { listeners, matches, elapsed, payload }: Seen, signal: Cause): void {
    for (let index = 0; index < listeners.length; index++) {
      const reflex = listeners[index] as Reflex;
      if (!reflex.enabled) continue;
      const match = matches?.[index] ?? null;
      const { states } = reflex;
      if (states === null || match === null) {
        this.#fire(draft, reflex, signal, payload, null);
        continue;
      }
      if (match.isMissing && !states.saidMissing) this.#sayMissing(reflex, states);
      for (const decision of states.decide(draft, match, signal.id, elapsed)) {
        this.#act(draft, reflex, { key: match.key, decision }, signal, payload);
      }
    }
  }

  /** A deadline of `states` has passed and led to `decision`. */
  late(draft: Draft, states: KeyStates, key: string, decision: Decision): void {
    const reflex = this.#parts.reflexes().byName.get(states.name);
    if (reflex?.states !== states || !reflex.enabled) return;
    this.#act(draft, reflex, { key, decision }, null, null);
  }

  /** `current`: the signal being committed. The decision may be about it or an earlier one. */
  #act(draft: Draft, reflex: Reflex, firing: Firing, current: Cause | null, payload: Json): void {
    const { decision } = firing;
    if (decision.kind === "throttled") {
      return draft.afterwards(() => {
        reflex.throttled++;
      });
    }
    if (current?.id === decision.signal) return this.#fire(draft, reflex, current, payload, firing);
    const found = this.#parts.store.signals.byId(decision.signal);
    // Retention removed the signal; only its id is left.
    if (found === null) {
      const unknown = { id: decision.signal, sense: null, at: draft.now, trace: this.#newTrace(draft.now) };
      return this.#fire(draft, reflex, unknown, null, firing);
    }
    return this.#fire(draft, reflex, found, readJson(found.payload) ?? null, firing);
  }

  #fire(draft: Draft, reflex: Reflex, signal: Cause, payload: Json, firing: Firing | null): void {
    const { config, sense } = reflex;
    if (config.kind === "workflow") return this.#start(draft, reflex, config.workflow, signal, payload, firing);
    const isOwed = sense?.mayCompute === true;
    if (firing !== null)
      this.#log(draft, reflex, signal, firing, isOwed ? {} : { cancelled: sense?.state ?? "removed" });
    if (isOwed) draft.owe(sense, { reason: "signal", at: draft.now, cause: signal.id, trace: signal.trace });
    draft.afterwards(() => {
      reflex.fired++;
      if (isOwed) this.#parts.wake(sense);
      else if (sense !== null) this.#sayCancelled(sense);
    });
  }

  #sayCancelled({ name, state }: Sense): void {
    this.#parts.journal.logFolded({
      level: "info",
      source: `sense:${name}`,
      event: "compute.cancelled",
      message: `a signal leads to no compute: the sense is ${state}`,
      data: null,
      trace: null,
    });
  }

  #start(draft: Draft, reflex: Reflex, workflow: string, signal: Cause, payload: Json, firing: Firing | null): void {
    const { name } = reflex.config;
    const elapsed = firing?.decision.elapsed ?? this.#parts.lifetime.now();
    const silence = this.#parts.silences.over(name, elapsed);
    const counted = (): void => {
      reflex.fired++;
    };
    if (silence !== null) {
      this.#log(draft, reflex, signal, firing, { silenced: silence.pattern });
      return draft.afterwards(counted);
    }
    const key = firing === null || reflex.config.key === null ? null : firing.key;
    const decision = spellDecision({ kind: "signal", signal: signal.id, key });
    const shown = key === null ? null : shownKey(key);
    const trigger = { id: signal.id, sense: signal.sense, at: signal.at, reflex: name, key: shown };
    const run = this.#parts.workflows().start(draft, workflow, { input: payload, trigger, decision }, signal.trace);
    if (run === null) return;
    this.#log(draft, reflex, signal, firing, { run });
    draft.afterwards(counted);
  }

  #log(
    draft: Draft,
    { config }: Reflex,
    { id, trace }: Cause,
    firing: Firing | null,
    further: { readonly run?: number; readonly silenced?: string; readonly cancelled?: string },
  ): void {
    const { lifetime } = this.#parts;
    const due = firing?.decision.due ?? null;
    const lateMs = due === null ? 0 : Math.max(0, lifetime.now() - due);
    const late = lateMs > LATE_MS ? `, ${formatDuration(Math.round(lateMs / 1_000) * 1_000)} late` : "";
    const target = `${config.kind} ${targetOf(config)}`;
    const isKeyed = firing !== null && config.key !== null;
    const key = isKeyed ? shownKey(firing.key) : null;
    const forKey = isKeyed ? `, key ${key}` : "";
    const why = further.silenced === undefined ? (further.cancelled ?? null) : "silenced";
    const outcome = why === null ? `: ${target}` : `; ${target} is not started, it is ${why}`;
    draft.log({
      at: draft.now,
      level: "info",
      source: `reflex:${config.name}`,
      event: "reflex.fired",
      run: null,
      trace,
      message: `fired for signal ${id}${forKey}${late}${outcome}`,
      data: JSON.stringify({
        signal: id,
        key,
        due: due === null ? null : lifetime.wallAt(due),
        late_ms: lateMs,
        ...further,
      }),
    });
  }

  /** `states` has been shown a key beyond those it may remember. */
  limited({ name }: KeyStates): void {
    this.#parts.journal.logFolded({
      level: "warn",
      source: `reflex:${name}`,
      event: "reflex.keys-limited",
      message: `it remembers ${MAX_KEYS} keys, as many as it may: signals of further ones are not looked at until some come to rest`,
      data: { keys: MAX_KEYS },
      trace: null,
    });
  }

  #sayMissing({ config }: Reflex, states: KeyStates): void {
    states.saidMissing = true;
    this.#parts.journal.log({
      level: "warn",
      source: `reflex:${config.name}`,
      event: "reflex.key-missing",
      message: `a payload has no scalar at "${config.key}": such signals share the key null`,
      data: { key: config.key },
      trace: null,
    });
  }
}
