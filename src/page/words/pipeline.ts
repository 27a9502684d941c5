/** How far a signal came through the words of a reflex: which it passed, and which stopped it or makes it wait. Pure. */
import type { ReflexRow, ShownDecision } from "../../web/contract-reflexes.ts";

export interface PipeStep {
  readonly word: string;
  readonly state: "pass" | "stop" | "wait" | "fire";
}

/** The order in which the words apply. */
const ORDER = ["when", "edge", "for", "count", "debounce", "throttle"] as const;

interface Stop {
  readonly word: string;
  readonly state: "stop" | "wait";
}

const STOPS: Readonly<Record<string, Stop>> = {
  "no-match": { word: "when", state: "stop" },
  "no-edge": { word: "edge", state: "stop" },
  "broken-off": { word: "for", state: "stop" },
  holding: { word: "for", state: "wait" },
  counting: { word: "count", state: "stop" },
  debouncing: { word: "debounce", state: "wait" },
  throttled: { word: "throttle", state: "stop" },
};

/** Of an incident: what a signal or a time did to it. */
const INCIDENT: Readonly<Record<string, PipeStep["state"]>> = {
  opened: "fire",
  open: "stop",
  again: "stop",
  resolved: "fire",
  spent: "stop",
  limited: "stop",
  ending: "wait",
};

/** The words of the reflex that decide, in their order: `when status 'critical'` → `when`. */
function decidingWords(reflex: Pick<ReflexRow, "words">): readonly string[] {
  const given = new Set(reflex.words.map((text) => text.split(" ", 1)[0]));
  return ORDER.filter((word) => given.has(word));
}

/** What came of a wait, where it is over. */
function ended({ later }: ShownDecision): string | null {
  if (later === null) return null;
  if (later.kind === "broken-off" || later.kind === "forgotten") return "broken-off";
  return later.kind;
}

export function pipeline(reflex: Pick<ReflexRow, "words">, decision: ShownDecision): readonly PipeStep[] {
  const words = decidingWords(reflex);
  const waits = STOPS[decision.outcome]?.state === "wait";
  const outcome = (waits ? ended(decision) : null) ?? decision.outcome;
  const pass = (word: string): PipeStep => ({ word, state: "pass" });
  if (outcome === "fired") return [...words.map(pass), { word: "fired", state: "fire" }];
  const incident = INCIDENT[outcome];
  if (incident !== undefined)
    return [...words.filter((word) => word === "when").map(pass), { word: outcome, state: incident }];
  const stop = STOPS[outcome];
  if (stop === undefined) return [{ word: outcome.replaceAll("-", " "), state: "stop" }];
  const word = outcome === "broken-off" && decision.outcome === "debouncing" ? "debounce" : stop.word;
  // A word that is there by default (`edge` beside `for`) stands in its place all the same.
  const before = ORDER.slice(0, ORDER.indexOf(word as (typeof ORDER)[number])).filter((one) => words.includes(one));
  return [...before.map(pass), { word, state: stop.state }];
}
