/**
 * What a reflex decided a run for, and the one spelling of it: the text in `workflow_runs.decision`. A reflex makes one
 * run for each text, so two decisions have the same text exactly when they are the same decision.
 */

export type RunDecision =
  /** `key`: the state the reflex fired for, as `rules/key.ts` spells it; null: the reflex has no `key`. */
  | { readonly kind: "signal"; readonly signal: number; readonly key: string | null }
  /** A due time, or a start of nerve. When it was decided, on the axis of elapsed time: a clock that is set back makes no second one. */
  | { readonly kind: "due" | "start"; readonly elapsedMs: number }
  /** The nth run that reports an incident, from 1. */
  | { readonly kind: "incident"; readonly incident: number; readonly n: number };

export function spellDecision(decision: RunDecision): string {
  switch (decision.kind) {
    case "signal": {
      const signal = `signal:${decision.signal}`;
      return decision.key === null ? signal : `${signal}:${decision.key}`;
    }
    case "due":
    case "start":
      return `${decision.kind}:${decision.elapsedMs}`;
    case "incident":
      return `incident:${decision.incident}:${decision.n}`;
  }
}

/** What runs that report one incident have in common, in place of a decision of theirs; null of any other run. */
export const incidentOf = (decision: string | null): string | null =>
  decision?.startsWith("incident:") === true ? decision.slice(0, decision.lastIndexOf(":")) : null;

/** Stands for one decision of one reflex. */
export const decisionKey = (reflex: string, decision: string): string => `${reflex}\0${decision}`;
