/**
 * Owns the replay of recorded signals through reflexes. The replay makes the decisions that the kernel made or would have
 * made, with a clock that is read from the signals (`course.ts`). Decisions come in the order of time, except for deadlines
 * that passed while nerve was down.
 */
import { Heap } from "../base/heap.ts";
import { type Json, readJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ReflexConfig } from "../model/config.ts";
import { BySense } from "./by-sense.ts";
import { BEGINNING, momentAt, type Turn } from "./course.ts";
import type { Decision, Rule, RuleEvent, Stage } from "./decision.ts";
import type { PatternRefusal } from "./definition.ts";
import { elementsIn, goneFrom, goneMatch } from "./each.ts";
import { ONLY_KEY } from "./key.ts";
import { type KeyState, REST } from "./key-state.ts";
import { hasWords, type Match, type Matcher, matcherOf } from "./matcher.ts";
import type { Counts, Evaluation, ReplayedIncidents, ReplayParts } from "./replayed.ts";
import { type Decided, replayIncident, UnheldIncidents } from "./replayed-incidents.ts";
import { type Memory, ReplayedReflex } from "./replayed-reflex.ts";
import { deadlineOf, decide, isAtRest } from "./rule.ts";

/** One payload or element, before a reflex. */
interface Glance {
  readonly signal: Evaluation["signal"];
  readonly elapsed: number;
  readonly match: Match;
  readonly isGone: boolean;
}

interface Alarm {
  readonly due: number;
  readonly memory: Memory;
}

const NONE: Counts = { signals: 0, matched: 0, fired: 0, throttled: 0, limited: 0 };

export class Replay {
  readonly #parts: ReplayParts;
  readonly #incidents: ReplayedIncidents;
  readonly #listening: ReplayedReflex[] = [];
  readonly #listeners = new BySense<ReplayedReflex>();
  readonly #alarms = new Heap<Alarm>((a, b) => a.due < b.due);
  #moment = BEGINNING;
  #nextDown = 0;
  #nextTurn = 0;

  /** Refuses the pattern of a reflex that was never checked. */
  static of(parts: ReplayParts): Result<Replay, PatternRefusal> {
    const replay = new Replay(parts);
    for (const config of parts.reflexes) {
      const matcher = hasWords(config) ? matcherOf(config) : ok(null);
      if (!matcher.ok) return err(matcher.error);
      replay.#add(config, matcher.value);
    }
    return ok(replay);
  }

  private constructor(parts: ReplayParts) {
    this.#parts = parts;
    this.#incidents = parts.incidents ?? new UnheldIncidents();
  }

  #add(config: ReflexConfig, matcher: Matcher | null): void {
    const beginsAfter = this.#parts.course.begun.get(config.name) ?? null;
    const listener = new ReplayedReflex(this.#listening.length, config, matcher, beginsAfter);
    this.#listening.push(listener);
    this.#listeners.add(config.on, listener);
  }

  /** The senses that the reflexes listen to. Signals of other senses need not be fed. */
  get senses(): string[] {
    return this.#listeners.names;
  }

  /**
   * Takes the next signal in the order of ids, called by its full name. Returns false when the payload is needed and damaged: its reflexes pass the
   * signal over.
   */
  feed(signal: Evaluation["signal"]): boolean {
    const listeners = this.#listeners.toAny(signal.sense);
    if (listeners.length === 0) return true;
    const elapsed = this.#goTo(signal.at);
    const payload = listeners.some(({ reads }) => reads) ? readJson(signal.payload) : null;
    for (const listener of listeners) {
      if (listener.beginsAfter !== null && signal.id > listener.beginsAfter) this.#begin(listener, elapsed);
      if (payload !== undefined || !listener.reads) this.#show(listener, signal, payload ?? null, elapsed);
      else this.#passBy(listener, signal);
    }
    return payload !== undefined;
  }

  #begin(listener: ReplayedReflex, elapsed: number): void {
    listener.beginsAfter = null;
    this.#forget(listener, "cleared", elapsed);
  }

  #passBy({ index, counts }: ReplayedReflex, signal: Evaluation["signal"]): void {
    counts.signals++;
    this.#parts.observer?.unreadable(index, signal);
  }

  #show(listener: ReplayedReflex, signal: Evaluation["signal"], payload: Json, elapsed: number): void {
    const { matcher, counts } = listener;
    const { id } = signal;
    counts.signals++;
    if (listener.isDisabled || matcher === null)
      this.#parts.observer?.passed(listener.index, signal, listener.isDisabled);
    if (listener.isDisabled) return;
    if (matcher === null) {
      counts.matched++;
      this.#decided(listener, ONLY_KEY, { kind: "fire", signal: id, element: null, due: null, elapsed, until: null });
    } else if (matcher.each === null) {
      this.#evaluate(listener, matcher, {
        signal,
        elapsed,
        match: matcher.match(signal.sense, payload),
        isGone: false,
      });
    } else this.#showEach(listener, matcher, signal, payload, elapsed);
  }

  #showEach(
    listener: ReplayedReflex,
    matcher: Matcher,
    signal: Evaluation["signal"],
    payload: Json,
    elapsed: number,
  ): void {
    const elements = elementsIn(matcher, signal.sense, payload);
    if (elements === null) {
      this.#parts.observer?.passed(listener.index, signal, false);
      return;
    }
    for (const { match } of elements.byKey.values()) {
      this.#evaluate(listener, matcher, { signal, elapsed, match, isGone: false });
    }
    for (const { key } of goneFrom(listener.keys.values(), listener.words, signal.sense, elements)) {
      this.#evaluate(listener, matcher, { signal, elapsed, match: goneMatch(key), isGone: true });
    }
  }

  #evaluate(listener: ReplayedReflex, matcher: Matcher, { signal, elapsed, match, isGone }: Glance): void {
    const { counts, keys, index } = listener;
    const { key, matches, clears } = match;
    if (matches) counts.matched++;
    let memory = keys.get(key);
    if (memory === undefined) {
      if (!listener.hasRoom(elapsed)) {
        counts.limited++;
        const rest = { before: REST, after: REST, stage: null };
        this.#parts.observer?.evaluated({ reflex: index, signal, match, isGone, ...rest });
        return;
      }
      memory = { listener, key, state: REST, armed: null };
    }
    const before = memory.state;
    const event = { kind: "signal", id: signal.id, elapsed, matches, clears, element: null } as const;
    const { state, decisions, stage } = this.#decide(listener.index, matcher.rule, memory, event);
    this.#keep(memory, state, elapsed);
    if (this.#parts.observer !== null && stage !== null) {
      const told = this.#onWall(stage);
      this.#parts.observer.evaluated({ reflex: index, signal, match, isGone, before, after: state, stage: told });
    }
    for (const decision of decisions) this.#decided(listener, key, decision);
  }

  #decide(reflex: number, rule: Rule, { key, state }: Memory, event: RuleEvent): Decided {
    if (rule.incident === null) return decide(rule, state, event);
    return replayIncident(this.#incidents, { reflex, key, wallAt: (at) => this.#wallAt(at) }, rule, state, event);
  }

  #keep(memory: Memory, state: KeyState, elapsed: number): void {
    const { keys, matcher } = memory.listener;
    memory.state = state;
    if (matcher === null || isAtRest(matcher.rule, state, elapsed)) {
      keys.delete(memory.key);
      memory.armed = null;
      return;
    }
    keys.set(memory.key, memory);
    const deadline = deadlineOf(matcher.rule, state);
    if (deadline === null || (memory.armed !== null && memory.armed <= deadline)) return;
    memory.armed = deadline;
    this.#alarms.push({ due: deadline, memory });
  }

  /** Decides everything that is due up to `at`, without a further signal. */
  end(at: number): void {
    this.#goTo(at);
  }

  /** Decides everything before `at`, a time of the wall clock. Returns the place of `at` on the axis. */
  #goTo(at: number): number {
    const { steps, turns } = this.#parts.course;
    const moment = momentAt(this.#moment, at, steps);
    const { elapsed } = moment;
    for (let turn = turns[this.#nextTurn]; turn && turn.elapsed <= elapsed; turn = turns[++this.#nextTurn]) {
      this.#runDeadlines(turn.elapsed);
      this.#turn(turn);
    }
    this.#runDeadlines(elapsed);
    this.#moment = moment;
    return elapsed;
  }

  #runDeadlines(upTo: number): void {
    for (let alarm = this.#alarms.peek(); alarm !== null; alarm = this.#alarms.peek()) {
      const { due, memory } = alarm;
      const elapsed = this.#noticedAt(due);
      if (elapsed > upTo) break;
      this.#alarms.pop();
      const { matcher } = memory.listener;
      if (matcher === null || memory.armed !== due) continue;
      memory.armed = null;
      this.#followClock(elapsed);
      const { state, decisions } = this.#decide(memory.listener.index, matcher.rule, memory, { kind: "time", elapsed });
      this.#keep(memory, state, elapsed);
      for (const decision of decisions) this.#decided(memory.listener, memory.key, decision);
    }
    this.#followClock(upTo);
  }

  /** Goes to a time between two signals. A late deadline is found with the clock of that time. */
  #followClock(elapsed: number): void {
    const { steps } = this.#parts.course;
    let { aheadMs, nextStep } = this.#moment;
    if (elapsed < (steps[nextStep]?.elapsed ?? Number.POSITIVE_INFINITY)) return;
    for (let step = steps[nextStep]; step && step.elapsed <= elapsed; step = steps[++nextStep]) aheadMs -= step.byMs;
    this.#moment = { elapsed: this.#moment.elapsed, aheadMs, nextStep };
  }

  /** The time at which the kernel notices a deadline. Deadlines come in order, and so do the downtimes. */
  #noticedAt(due: number): number {
    const { downs } = this.#parts.course;
    let down = downs[this.#nextDown];
    while (down !== undefined && down.to <= due) down = downs[++this.#nextDown];
    return down !== undefined && down.from < due ? down.to : due;
  }

  #turn({ reflex, kind, elapsed }: Turn): void {
    for (const listener of this.#listening) {
      if (this.#parts.reflexes[listener.index]?.name !== reflex) continue;
      // The reflex is as it was: nothing is forgotten.
      if (kind !== "cleared" && listener.isDisabled === (kind === "disabled")) continue;
      listener.isDisabled = kind === "disabled" || (kind === "cleared" && listener.isDisabled);
      this.#forget(listener, kind, elapsed);
    }
  }

  #forget(listener: ReplayedReflex, kind: Turn["kind"], elapsed: number): void {
    listener.forgetAll();
    this.#parts.observer?.forgot(listener.index, kind, this.#wallAt(elapsed));
  }

  #decided(listener: ReplayedReflex, key: string, { kind, signal, due, elapsed, until }: Decision): void {
    if (kind === "fire") listener.counts.fired++;
    else listener.counts.throttled++;
    this.#parts.decided({
      reflex: listener.index,
      key,
      kind,
      signal,
      due: due === null ? null : this.#wallAt(due),
      at: this.#wallAt(elapsed),
      elapsed: due ?? elapsed,
      until: until === null ? null : this.#wallAt(until),
    });
  }

  #onWall(stage: Stage): Stage {
    if ("until" in stage) return { ...stage, until: this.#wallAt(stage.until) };
    return stage.kind === "broken-off" ? { ...stage, due: this.#wallAt(stage.due) } : stage;
  }

  /** The wall clock at `elapsed`, as far as the signals so far show it. */
  #wallAt(elapsed: number): number {
    return elapsed - this.#moment.aheadMs;
  }

  counts(reflex: number): Counts {
    return { ...(this.#listening[reflex]?.counts ?? NONE) };
  }
}
