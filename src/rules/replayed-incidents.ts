/** Owns the incidents of a replay. */
import type { Decision, IncidentEvent, Outcome, Rule } from "./decision.ts";
import type { IncidentMove, IncidentWorld } from "./incident-moves.ts";
import { decideIncident } from "./incident-rule.ts";
import type { KeyState } from "./key-state.ts";
import type { ReplayedIncidents } from "./replayed.ts";

/** The result of a decision that the replay uses. */
export type Decided = Pick<Outcome, "state" | "decisions" | "stage">;

interface ReplayedKey {
  /** Place of the reflex in the replayed list. */
  readonly reflex: number;
  readonly key: string;
  wallAt(elapsed: number): number;
}

/** An opening counts as a firing of the reflex. */
export function replayIncident(
  incidents: ReplayedIncidents,
  { reflex, key, wallAt }: ReplayedKey,
  rule: Rule,
  state: KeyState,
  event: IncidentEvent,
): Decided {
  if (rule.incident === null) throw new Error("the reflex keeps no incidents");
  const world = incidents.world(reflex, key, wallAt);
  const decisions: Decision[] = [];
  let decided: Decided = { state, decisions, stage: null };
  for (const next of [...incidents.acts(reflex, key, event.elapsed), event]) {
    const { elapsed } = next;
    const outcome = decideIncident(rule, rule.incident, decided.state, next, world);
    for (const move of outcome.moves) {
      incidents.moved(reflex, key, move, wallAt(elapsed));
      if (move.kind !== "opened") continue;
      const { signal, due } = move;
      decisions.push({ kind: "fire", signal, element: null, due, elapsed: due ?? elapsed, until: null });
    }
    decided = { ...outcome, decisions };
  }
  return decided;
}

/** A world in which nothing holds anything back. */
export class UnheldIncidents implements ReplayedIncidents {
  #lastId = 0;

  world(): IncidentWorld {
    return { scope: "", nextId: () => this.#lastId + 1, suppression: () => null };
  }

  acts(): readonly IncidentEvent[] {
    return [];
  }

  moved(_reflex: number, _key: string, move: IncidentMove): void {
    if (move.kind === "opened") this.#lastId = move.id;
  }
}
