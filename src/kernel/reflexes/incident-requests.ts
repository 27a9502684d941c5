/** Owns the acts of persons on incidents. An act is durable when its answer is there. */
import { err, ok, type Result } from "../../base/result.ts";
import type { IncidentAnswer, IncidentRequest } from "../../control/contract.ts";
import type { Incident } from "../../model/incident-row.ts";
import { type Problem, problem } from "../../model/problem.ts";
import type { IncidentEvent } from "../../rules/decision.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Incidents } from "./incidents.ts";
import type { Reflexes } from "./reflexes.ts";

export interface IncidentRequestsParts {
  readonly ledger: Ledger;
  readonly store: Store;
  readonly incidents: Incidents;
  readonly reflexes: Reflexes;
}

type Act = (elapsed: number) => IncidentEvent;

export class IncidentRequests {
  readonly #parts: IncidentRequestsParts;

  constructor(parts: IncidentRequestsParts) {
    this.#parts = parts;
  }

  /** A second acknowledgement changes nothing: the first person stays named. */
  ack({ incident, by, why }: IncidentRequest): Promise<Result<IncidentAnswer, Problem>> {
    return this.#act(incident, (elapsed) => ({ kind: "ack", elapsed, by, why }));
  }

  resolve({ incident, by, why }: IncidentRequest): Promise<Result<IncidentAnswer, Problem>> {
    const reason = why ?? `resolved by ${by}`;
    return this.#act(incident, (elapsed) => ({ kind: "resolve", elapsed, reason }));
  }

  async #act(id: number, act: Act): Promise<Result<IncidentAnswer, Problem>> {
    const { ledger, incidents, reflexes, store } = this.#parts;
    const row = incidents.rows.openById(id);
    if (row === null) return err(this.#notOpen(id));
    await ledger.commit((draft) => {
      const states = reflexes.byName.get(row.reflex)?.states ?? null;
      const memory = states?.incidents?.keyOf(id) ?? null;
      // The incident may resolve in this very transaction.
      if (memory !== null) states?.apply(draft, memory, act(incidents.now()));
    });
    return ok(answerOf(store.incidents.byId(id) ?? row));
  }

  #notOpen(id: number): Problem {
    const row = this.#parts.store.incidents.byId(id);
    if (row === null) return problem("unknown-incident", `there is no incident ${id}`, "`nerve incidents` lists them");
    return problem("incident-over", `incident ${id} is resolved already`);
  }
}

const answerOf = ({ id, reflex, state, summary, acked_by }: Incident): IncidentAnswer => ({
  incident: id,
  reflex,
  state,
  summary,
  acked_by,
});
