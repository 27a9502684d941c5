/**
 * Owns the decisions of a reflex with `incident` about one key: a pure function, like `rule.ts`, of the key's memory, the
 * event and the world's answers. A key is quiet, pending (`for`), open, or off for less than `resolve_after`.
 *
 * A deadline acts at the moment it was due. Deadlines that are found late act together when they are found. In one moment
 * the resolution comes first, then the end of a hold, then escalations, then reminders, and at last a signal.
 */
import type { Notification } from "../model/incident.ts";
import type { Decision, IncidentEvent, IncidentRule, Outcome, Rule, RuleEvent, Stage } from "./decision.ts";
import { type Deadline, deadlinesOf, incidentDeadline, KINDS, nextEscalation } from "./incident-deadlines.ts";
import { heldFrom, lookedAt, stillHeld } from "./incident-held.ts";
import type { IncidentMove, IncidentWorld, Suppression } from "./incident-moves.ts";
import type { Held, IncidentMemory, OpenIncident, OwedResolution } from "./incident-state.ts";
import { type KeyState, LATE_MS } from "./key-state.ts";

type Notified = Extract<IncidentMove, { kind: "notified" }>;

const NO_DECISIONS: readonly Decision[] = [];
const NOTHING: IncidentMemory = { open: null, spent: null, owed: [] };

export function decideIncident(
  rule: Rule,
  words: IncidentRule,
  state: KeyState,
  event: IncidentEvent,
  world: IncidentWorld,
): Outcome {
  const turn = new Turn(rule, words, state, world);
  turn.runDeadlines(event.elapsed);
  const stage = turn.take(event);
  const { state: after, moves } = turn;
  return { state: after, decisions: NO_DECISIONS, moves, deadline: incidentDeadline(words, after), stage };
}

class Turn {
  readonly moves: IncidentMove[] = [];
  readonly #rule: Rule;
  readonly #words: IncidentRule;
  readonly #world: IncidentWorld;
  #state: KeyState;

  constructor(rule: Rule, words: IncidentRule, state: KeyState, world: IncidentWorld) {
    this.#rule = rule;
    this.#words = words;
    this.#world = world;
    this.#state = state;
  }

  get state(): KeyState {
    return this.#state;
  }

  get #memory(): IncidentMemory {
    return this.#state.incident ?? NOTHING;
  }

  #remember(change: { readonly [Name in keyof IncidentMemory]?: IncidentMemory[Name] }): void {
    const next = { ...this.#memory, ...change };
    const isNothing = next.open === null && next.spent === null && next.owed.length === 0;
    this.#state = { ...this.#state, incident: isNothing ? null : next };
  }

  // ── deadlines ────────────────────────────────────────────────────────

  runDeadlines(now: number): void {
    // The consequence of a late deadline comes after that deadline.
    let newest = Number.NEGATIVE_INFINITY;
    for (;;) {
      if (this.#state.incident === null && this.#state.holding === null) return;
      const next = this.#next(now);
      if (next === null) return;
      newest = Math.max(newest, next.at);
      this.#act(next.kind, newest);
    }
  }

  #next(now: number): { readonly kind: Deadline["kind"]; readonly at: number } | null {
    const come = deadlinesOf(this.#words, this.#state).filter(({ due }) => due <= now);
    const acting = come.map(({ due, kind }) => ({ kind, at: now - due > LATE_MS ? now : due }));
    return acting.sort((a, b) => a.at - b.at || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0] ?? null;
  }

  #act(kind: Deadline["kind"], at: number): void {
    const { holding } = this.#state;
    const { open } = this.#memory;
    switch (kind) {
      case "for":
        if (holding === null) return;
        this.#state = { ...this.#state, holding: null };
        return void this.#open(holding.signal, at, holding.due);
      case "release":
        return this.#release(at, ({ until }) => until !== null && until <= at);
      case "resolve":
        return this.#resolve(at, null, null);
      case "escalate": {
        const entry = open === null ? null : nextEscalation(this.#words, open);
        if (open === null || entry === null) return;
        this.#remember({ open: { ...open, escalated: [...open.escalated, entry.workflow] } });
        return this.#notify("escalated", entry.workflow, at);
      }
      case "remind":
        return this.#notify("reminded", this.#words.workflow, at);
    }
  }

  // ── events ───────────────────────────────────────────────────────────

  take(event: IncidentEvent): Stage | null {
    const { open } = this.#memory;
    switch (event.kind) {
      case "signal":
        return this.#signal(event);
      case "time":
        return null;
      case "look":
        this.#release(event.elapsed, () => true);
        return null;
      case "ack": {
        if (open === null || open.isAcked) return null;
        const held = open.held.filter(({ notification }) => notification === "opened");
        this.#remember({ open: { ...open, isAcked: true, held } });
        this.moves.push({ kind: "acked", id: open.id, by: event.by, why: event.why });
        return null;
      }
      case "resolve":
        if (open !== null) this.#resolve(event.elapsed, event.reason, this.#state.isMatching ? open.scope : null);
        return null;
    }
  }

  #signal({ id, elapsed, matches, clears, element }: Extract<RuleEvent, { kind: "signal" }>): Stage {
    const was = this.#state.isMatching;
    const is = this.#rule.hasClear ? !clears && (matches || was) : matches;
    if (is !== was) this.#state = { ...this.#state, isMatching: is };
    const { open, spent } = this.#memory;
    if (open !== null) return is ? this.#goesOn(open, id) : this.#goesOff(open, elapsed);
    if (spent !== null) {
      if (!is) this.#remember({ spent: null });
      return { kind: "incident", step: "spent" };
    }
    const { holding } = this.#state;
    if (!is) {
      if (holding === null) return { kind: "no-match" };
      this.#state = { ...this.#state, holding: null };
      return { kind: "broken-off", due: holding.due };
    }
    if (this.#rule.forMs === null) return this.#open(id, elapsed, null);
    const due = holding?.due ?? elapsed + this.#rule.forMs;
    this.#state = { ...this.#state, holding: { due, signal: id, element } };
    return { kind: "holding", until: due };
  }

  #goesOn(open: OpenIncident, signal: number): Stage {
    if (open.off === null) return { kind: "incident", step: "open" };
    this.#remember({ open: { ...open, off: null } });
    this.moves.push({ kind: "again", id: open.id, signal });
    return { kind: "incident", step: "again" };
  }

  #goesOff(open: OpenIncident, elapsed: number): Stage {
    const off = open.off ?? elapsed;
    const until = off + this.#words.resolveAfterMs;
    if (open.off === null) this.#remember({ open: { ...open, off } });
    if (until > elapsed) return { kind: "ending", until };
    this.#resolve(elapsed, null, null);
    return { kind: "incident", step: "resolved" };
  }

  #open(signal: number, at: number, due: number | null): Stage {
    const id = this.#world.nextId();
    if (id === null) {
      this.moves.push({ kind: "limited" });
      return { kind: "incident", step: "limited" };
    }
    const open: OpenIncident = {
      id,
      scope: this.#world.scope,
      opened: at,
      off: null,
      isAcked: false,
      openingReported: null,
      reported: null,
      workflows: [],
      escalated: [],
      runs: 0,
      held: [],
    };
    this.moves.push({ kind: "opened", id, signal, due });
    this.#remember({ open });
    this.#notify("opened", this.#words.workflow, at);
    return { kind: "incident", step: "opened" };
  }

  #resolve(at: number, reason: string | null, spent: string | null): void {
    const { open } = this.#memory;
    if (open === null) return;
    const { id, opened, workflows } = open;
    this.moves.push({ kind: "resolved", id, reason });
    const still: OwedResolution[] = [];
    for (const [index, workflow] of workflows.entries()) {
      const n = open.runs + index + 1;
      const suppression = this.#world.suppression({ id, notification: "resolved", workflow, elapsed: at });
      if (suppression !== null) {
        const held = heldFrom("resolved", workflow, at, suppression, null);
        still.push({ id, opened, resolved: at, n, held: this.#suppress(id, held, suppression, null) });
        continue;
      }
      this.#releaseOwedBy(workflow, at);
      this.#report({ id, notification: "resolved", workflow, n, durationMs: at - opened }, null, at);
    }
    this.#remember({ open: null, spent, owed: [...this.#memory.owed, ...still] });
  }

  // ── what is reported, and what is held back ──────────────────────────

  /** A notification of the open incident is due to `workflow`. */
  #notify(notification: Notification, workflow: string, at: number): void {
    const { open } = this.#memory;
    if (open === null) return;
    const before = open.held.find((one) => one.workflow === workflow) ?? null;
    const suppression = this.#world.suppression({ id: open.id, notification, workflow, elapsed: at });
    if (suppression === null) return this.#tell(notification, workflow, at, before);
    const held = heldFrom(notification, workflow, at, suppression, before);
    this.#suppress(open.id, held, suppression, before);
    this.#remember({ open: { ...open, held: [...open.held.filter((one) => one !== before), held] } });
  }

  /** Reports a notification that nothing holds back. `before` was held back, and is reported with it. */
  #tell(notification: Notification, workflow: string, at: number, before: Held | null): void {
    this.#releaseOwedBy(workflow, at);
    const { open } = this.#memory;
    if (open === null) return;
    const { id, opened, runs, held, openingReported, reported, workflows } = open;
    const n = runs + 1;
    this.#remember({
      open: {
        ...open,
        held: before === null ? held : held.filter((one) => one !== before),
        runs: n,
        reported: workflow === this.#words.workflow ? at : reported,
        openingReported: notification === "opened" ? at : openingReported,
        workflows: workflows.includes(workflow) ? workflows : [...workflows, workflow],
      },
    });
    this.#report({ id, notification, workflow, n, durationMs: at - opened }, before, at);
  }

  /** `held` is the notification before its release. Null where nothing held it back. */
  #report(
    move: Pick<Notified, "id" | "notification" | "workflow" | "n" | "durationMs">,
    held: Held | null,
    at: number,
  ): void {
    const { since, by } = held ?? { since: at, by: [] };
    this.moves.push({ kind: "notified", ...move, suppressedMs: at - since, suppressedBy: by });
  }

  /** The log of a hold is written once, at its begin. */
  #suppress(id: number, held: Held, { by }: Suppression, before: Held | null): Held {
    const { notification, workflow } = held;
    if (before === null) this.moves.push({ kind: "suppressed", id, notification, workflow, by });
    return held;
  }

  /** Reports what nothing holds back any longer, first of older incidents of the key. */
  #release(at: number, isDue: (held: Held) => boolean): void {
    this.#releaseOwed(at, isDue);
    for (const held of this.#memory.open?.held ?? []) if (isDue(held)) this.#again(held, at);
  }

  #again(held: Held, at: number): void {
    const { open } = this.#memory;
    if (open === null) return;
    const { notification, workflow } = held;
    const suppression = this.#world.suppression({ id: open.id, notification, workflow, elapsed: at });
    if (suppression === null) return this.#tell(notification, workflow, at, held);
    const next = stillHeld(held, suppression, at);
    if (next === held) return;
    this.#remember({ open: { ...open, held: open.held.map((one) => (one === held ? next : one)) } });
  }

  #releaseOwed(at: number, isDue: (held: Held) => boolean): void {
    const { owed } = this.#memory;
    if (owed.length === 0) return;
    const { free, still } = lookedAt(owed, isDue, at, this.#world);
    for (const one of free) this.#reportOwed(one, at);
    if (still !== owed) this.#remember({ owed: still });
  }

  #reportOwed({ id, opened, resolved, n, held }: OwedResolution, at: number): void {
    const { workflow, notification } = held;
    this.#report({ id, notification, workflow, n, durationMs: resolved - opened }, held, at);
  }

  /** A workflow reports older incidents before anything else, as far as nothing holds them back any longer. */
  #releaseOwedBy(workflow: string, at: number): void {
    this.#releaseOwed(at, (held) => held.workflow === workflow);
  }
}
