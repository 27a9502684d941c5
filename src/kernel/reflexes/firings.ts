/**
 * Owns the consequences of a firing: a compute is owed or a run is started, in the transaction of the decision (G1), with a
 * log.
 */
import type { Chance } from "../../base/chance.ts";
import { formatDuration } from "../../base/duration.ts";
import { type Json, readJson } from "../../base/json.ts";
import { traceIds } from "../../base/trace-id.ts";
import { targetOf } from "../../model/config.ts";
import { spellDecision } from "../../model/run-decision.ts";
import { fullyNamed, type Signal } from "../../model/signal.ts";
import type { Decision } from "../../rules/decision.ts";
import { isKeyed, shownKey, shownKeyText } from "../../rules/key.ts";
import type { Store } from "../../store/open.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Sense } from "../memory/sense.ts";
import type { Workflows } from "../runs/workflows.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Reflex } from "./reflex.ts";
import type { Silences } from "./silences.ts";

export interface FiringsParts {
  readonly chance: Chance;
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly store: Store;
  readonly workflows: Workflows;
  readonly silences: Silences;
  readonly wake: (sense: Sense) => void;
}

/** The signal that a reflex fires for. */
export type Cause = Pick<Signal, "id" | "at" | "trace"> & { readonly sense: string | null };

/** A firing of a reflex with words: its key, and its deadline if a deadline led to it. */
export interface Firing {
  readonly key: string;
  readonly decision: Decision;
  /** The part of the current signal that led to the firing: the payload, or the element of the key. */
  readonly element: Json;
}

/** The signal of the current transaction. */
export interface Current {
  readonly cause: Cause;
  readonly payload: Json;
}

/** A deadline that acts later than this passed while nerve was down. */
const LATE_MS = 1_000;

/** The effect of a firing, in the words of its log. */
type Outcome =
  | { readonly run: number }
  | { readonly silenced: string }
  | { readonly cancelled: string }
  | Record<string, never>;

export class Firings {
  readonly #lifetime: Lifetime;
  readonly #journal: Journal;
  readonly #store: Store;
  readonly #workflows: Workflows;
  readonly #silences: Silences;
  readonly #wake: (sense: Sense) => void;
  readonly #newTrace: (wallMs: number) => string;

  constructor({ chance, lifetime, journal, store, workflows, silences, wake }: FiringsParts) {
    this.#newTrace = traceIds(chance);
    this.#lifetime = lifetime;
    this.#journal = journal;
    this.#store = store;
    this.#workflows = workflows;
    this.#silences = silences;
    this.#wake = wake;
  }

  /**
   * `current` is the signal of this transaction, null for a deadline. The decision may be about that signal or an earlier
   * one.
   */
  act(draft: Draft, reflex: Reflex, firing: Firing, current: Current | null): void {
    const { decision } = firing;
    if (decision.kind === "throttled") {
      return draft.afterwards(() => {
        reflex.throttled++;
      });
    }
    const { element } = decision;
    if (current?.cause.id === decision.signal) {
      const payload = element ?? firing.element;
      return this.fire(draft, reflex, { cause: current.cause, payload }, firing);
    }
    const found = this.#store.signals.byId(decision.signal);
    // Retention removed the signal. Only its id is left.
    const cause = (found && fullyNamed(found)) ?? {
      id: decision.signal,
      sense: null,
      at: draft.now,
      trace: this.#newTrace(draft.now),
    };
    const whole = found === null ? null : (readJson(found.payload) ?? null);
    const payload =
      element ?? (reflex.states === null ? whole : reflex.states.payloadFor(cause.sense, whole, firing.key));
    this.fire(draft, reflex, { cause, payload }, firing);
  }

  /** A `firing` of null: the reflex has no words and fires at each signal. */
  fire(draft: Draft, reflex: Reflex, current: Current, firing: Firing | null): void {
    const { config } = reflex;
    if (config.kind === "workflow") this.#start(draft, reflex, config.workflow, current, firing);
    else this.#owe(draft, reflex, current.cause, firing);
  }

  #owe(draft: Draft, reflex: Reflex, cause: Cause, firing: Firing | null): void {
    const { sense } = reflex;
    const isOwed = sense?.mayCompute === true;
    if (firing !== null) {
      this.#log(draft, reflex, cause, firing, isOwed ? {} : { cancelled: sense?.state ?? "removed" });
    }
    if (isOwed) draft.owe(sense, { reason: "signal", at: draft.now, cause: cause.id, trace: cause.trace });
    draft.afterwards(() => {
      reflex.fired++;
      if (isOwed) this.#wake(sense);
      else if (sense !== null) this.#sayCancelled(sense);
    });
  }

  #sayCancelled({ name, state }: Sense): void {
    const message = `a signal leads to no compute: the sense is ${state}`;
    this.#journal.folding(`sense:${name}`).info("compute.cancelled", message, null);
  }

  #start(draft: Draft, reflex: Reflex, workflow: string, { cause, payload }: Current, firing: Firing | null): void {
    const { name } = reflex.config;
    const elapsed = firing?.decision.elapsed ?? this.#lifetime.now();
    const silence = this.#silences.over(name, elapsed);
    const counted = (): void => {
      reflex.fired++;
    };
    if (silence !== null) {
      this.#log(draft, reflex, cause, firing, { silenced: silence.pattern });
      return draft.afterwards(counted);
    }
    const key = firing !== null && isKeyed(reflex.config.key) ? firing.key : null;
    const decision = spellDecision({ kind: "signal", signal: cause.id, key });
    const shown = key === null ? null : shownKey(key);
    const trigger = {
      id: cause.id,
      sense: cause.sense,
      at: cause.at,
      reflex: name,
      key: shown,
      isElement: reflex.config.each !== null,
      due: null,
      incident: null,
    };
    const run = this.#workflows.start(draft, workflow, { input: payload, trigger, decision }, cause.trace);
    if (run === null) return;
    this.#log(draft, reflex, cause, firing, { run });
    draft.afterwards(counted);
  }

  /** How late a deadline acts, or how late nerve finds a deadline that acts at the moment it was due. */
  #lateMs({ due, elapsed }: Decision): number {
    if (due === null) return 0;
    return elapsed > due ? elapsed - due : Math.max(0, this.#lifetime.now() - due);
  }

  #log(draft: Draft, { config }: Reflex, { id, trace }: Cause, firing: Firing | null, outcome: Outcome): void {
    const due = firing?.decision.due ?? null;
    const lateMs = firing === null ? 0 : this.#lateMs(firing.decision);
    const late = lateMs > LATE_MS ? `, ${formatDuration(Math.round(lateMs / 1_000) * 1_000)} late` : "";
    const target = `${config.kind} ${targetOf(config)}`;
    const key = firing !== null && isKeyed(config.key) ? shownKey(firing.key) : null;
    const forKey = firing !== null && isKeyed(config.key) ? `, key ${shownKeyText(key)}` : "";
    const why = "silenced" in outcome ? "silenced" : "cancelled" in outcome ? outcome.cancelled : null;
    const ending = why === null ? `: ${target}` : `; ${target} is not started, it is ${why}`;
    const dueAt = due === null ? null : this.#lifetime.wallAt(due);
    const message = `fired for signal ${id}${forKey}${late}${ending}`;
    const data = { signal: id, key, due: dueAt, late_ms: lateMs, ...outcome };
    draft.log(`reflex:${config.name}`, trace).info("reflex.fired", message, data);
  }
}
