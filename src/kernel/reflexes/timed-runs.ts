/**
 * Owns the runs that the clock starts. Each due time is decided once, and the note of the decision is in the same
 * transaction (G1, G14). The due time starts a run, or is missed because the run before it has not begun. No silence suppresses
 * such a run.
 */
import type { Chance } from "../../base/chance.ts";
import { formatDuration } from "../../base/duration.ts";
import { traceIds } from "../../base/trace-id.ts";
import type { WorkflowReflexConfig } from "../../model/config.ts";
import { type RunDecision, spellDecision } from "../../model/run-decision.ts";
import type { Draft } from "../commits/draft.ts";
import type { Journal } from "../commits/journal.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Workflows } from "../runs/workflows.ts";
import type { Lifetime } from "../time/lifetime.ts";
import type { Reflex } from "./reflex.ts";
import { clockRow } from "./reflex-rows.ts";

export interface TimedRunsParts {
  readonly wallMs: () => number;
  readonly chance: Chance;
  readonly ledger: Ledger;
  readonly lifetime: Lifetime;
  readonly journal: Journal;
  readonly workflows: Workflows;
}

/** A due time that acts later than this passed while nerve was down, or could not commit. */
const LATE_MS = 1_000;

export class TimedRuns {
  readonly #wallMs: () => number;
  readonly #ledger: Ledger;
  readonly #lifetime: Lifetime;
  readonly #journal: Journal;
  readonly #workflows: Workflows;
  readonly #newTrace: (wallMs: number) => string;
  /** Reflexes with a due time that waits for its commit. While the store cannot be written, each reflex has at most one. */
  readonly #undecided = new Set<Reflex>();

  constructor({ wallMs, chance, ledger, lifetime, journal, workflows }: TimedRunsParts) {
    this.#wallMs = wallMs;
    this.#newTrace = traceIds(chance);
    this.#ledger = ledger;
    this.#lifetime = lifetime;
    this.#journal = journal;
    this.#workflows = workflows;
  }

  /** `skipped` is the number of the interval's due times that passed unnoticed before `due`. */
  due(reflex: Reflex, config: WorkflowReflexConfig, due: number, skipped: number): void {
    if (skipped > 0) this.#miss(reflex, skipped, "nerve could not look at the clock in time");
    this.#decide(reflex, config, due, "due");
  }

  /** Called when nerve has started, or when the reflex is new. */
  atStart(reflex: Reflex, config: WorkflowReflexConfig): void {
    this.#decide(reflex, config, this.#wallMs(), "start");
  }

  #decide(reflex: Reflex, config: WorkflowReflexConfig, due: number, kind: "due" | "start"): void {
    if (this.#undecided.has(reflex)) return this.#miss(reflex, 1, "the due time before is not committed yet");
    this.#undecided.add(reflex);
    const decision: RunDecision = { kind, elapsedMs: this.#lifetime.now() };
    const trace = this.#newTrace(this.#wallMs());
    this.#ledger.add({
      write: (draft) => {
        if (kind === "due") draft.reflex(clockRow(reflex, due));
        if (this.#workflows.hasQueued(config.name)) {
          return draft.afterwards(() => this.#miss(reflex, 1, "the run before it is still queued"));
        }
        this.#start(draft, reflex, config, due, spellDecision(decision), trace);
      },
      kept: () => {
        this.#undecided.delete(reflex);
        if (kind === "due") reflex.last = due;
      },
    });
  }

  #start(
    draft: Draft,
    reflex: Reflex,
    { name, workflow, input }: WorkflowReflexConfig,
    due: number,
    decision: string,
    trace: string,
  ): void {
    const trigger = { id: null, sense: null, at: null, reflex: name, key: null, isElement: false, due, incident: null };
    const run = this.#workflows.start(draft, workflow, { input, trigger, decision }, trace);
    // The workflow was removed while this due time waited for its commit.
    if (run === null) return;
    const lateMs = Math.max(0, draft.now - due);
    const late = lateMs > LATE_MS ? `, ${formatDuration(Math.round(lateMs / 1_000) * 1_000)} late` : "";
    const message = `fired at its time${late}: workflow ${workflow}`;
    draft
      .log(`reflex:${name}`, trace)
      .info("reflex.fired", message, { signal: null, key: null, due, late_ms: lateMs, run });
    draft.afterwards(() => {
      reflex.fired++;
    });
  }

  #miss(reflex: Reflex, count: number, why: string): void {
    reflex.missed += count;
    this.#journal.folding(`reflex:${reflex.config.name}`).warn("reflex.missed", `a due time is missed: ${why}`, null);
  }
}
