/** Owns the deadlines of a key of a reflex with `incident`, and the moment from which such a key can be forgotten. */

import type { IncidentRule, Rule } from "./decision.ts";
import type { OpenIncident } from "./incident-state.ts";
import type { KeyState } from "./key-state.ts";

/** The kinds of deadlines, in the order in which deadlines of one moment act. */
export const KINDS = ["resolve", "release", "escalate", "remind", "for"] as const;

export interface Deadline {
  readonly due: number;
  readonly kind: (typeof KINDS)[number];
}

/**
 * The first entry of `escalate` that has not had its turn. The entries of one workflow take their turns in the order of
 * `after`.
 */
export function nextEscalation(
  { escalate }: IncidentRule,
  { escalated }: OpenIncident,
): IncidentRule["escalate"][number] | null {
  const done = new Map<string, number>();
  for (const workflow of escalated) done.set(workflow, (done.get(workflow) ?? 0) + 1);
  for (const entry of escalate) {
    const left = done.get(entry.workflow) ?? 0;
    if (left === 0) return entry;
    done.set(entry.workflow, left - 1);
  }
  return null;
}

export function deadlinesOf(words: IncidentRule, { holding, incident }: KeyState): Deadline[] {
  const all: Deadline[] = holding === null ? [] : [{ due: holding.due, kind: "for" }];
  if (incident === null) return all;
  const { open, owed } = incident;
  for (const held of [...owed.map((one) => one.held), ...(open?.held ?? [])]) {
    if (held.until !== null) all.push({ due: held.until, kind: "release" });
  }
  if (open === null) return all;
  if (open.off !== null) all.push({ due: open.off + words.resolveAfterMs, kind: "resolve" });
  const { openingReported, reported, isAcked, held } = open;
  if (isAcked || openingReported === null || reported === null) return all;
  const escalation = nextEscalation(words, open);
  if (escalation !== null) all.push({ due: openingReported + escalation.afterMs, kind: "escalate" });
  const isHeld = held.some(({ workflow }) => workflow === words.workflow);
  if (words.remindEveryMs !== null && !isHeld) all.push({ due: reported + words.remindEveryMs, kind: "remind" });
  return all;
}

/** The time at which the next `time` event is needed. Null while nothing is pending. */
export function incidentDeadline(words: IncidentRule, state: KeyState): number | null {
  if (state.incident === null) return state.holding?.due ?? null;
  const dues = deadlinesOf(words, state).map(({ due }) => due);
  return dues.length === 0 ? null : Math.min(...dues);
}

/** The twin of `restsFrom` in rule.ts. Each signal looks at a matching key anew, unless the match lasts until `clear`. */
export function incidentRestsFrom(rule: Rule, { isMatching, holding, incident }: KeyState): number | null {
  return holding === null && incident === null && !(isMatching && rule.hasClear) ? 0 : null;
}
