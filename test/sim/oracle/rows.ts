/**
 * What must be of the rows of runs and incidents: they follow from the logs, as `nerve rebuild --check` folds them. Logs are
 * folded as they come, so that each look costs what is new; a whole check reads them all again.
 */
import type { Database } from "bun:sqlite";
import type { Incident } from "../../../src/model/incident-row.ts";
import type { Log } from "../../../src/model/log.ts";
import type { Run } from "../../../src/model/run.ts";
import { IncidentFold } from "../../../src/store/incident-fold.ts";
import { differences } from "../../../src/store/run-comparison.ts";
import { RunFold } from "../../../src/store/run-fold.ts";
import { violation } from "./report.ts";

export class RowOracle {
  readonly #fold = new RunFold((fault) => violation("rebuild", JSON.stringify(fault)));
  readonly #incidents = new IncidentFold();
  #upTo = 0;
  /** Runs that have ended since the last look, as their logs tell. */
  #ended: Run[] = [];
  readonly #changed = new Set<number>();

  /** Each log in the order of the ids; one that was taken before is passed by. */
  take(log: Log): void {
    if (log.id <= this.#upTo) return;
    this.#upTo = log.id;
    const over = this.#fold.take(log);
    if (over !== null) this.#ended.push(over.row);
    this.#incidents.take(log);
    if (log.event.startsWith("incident."))
      this.#changed.add((JSON.parse(log.data ?? "{}") as { incident: number }).incident);
  }

  /** Rows whose first log is at most `removed` went with their logs. */
  look(db: Database, removed: number): void {
    const runs = db.prepare<Run, [number]>("SELECT * FROM workflow_runs WHERE id = ?");
    for (const run of this.#ended) if (run.first_log_id > removed) this.#isRight(runs.get(run.id), run);
    for (const { row } of this.#fold.alive()) this.#isRight(runs.get(row.id), row);
    this.#ended = [];
    const incidents = db.prepare<Incident, [number]>("SELECT * FROM incidents WHERE id = ?");
    for (const id of this.#changed) {
      const must = this.#incidents.all.get(id);
      if (must !== undefined && must.first_log_id > removed) this.#isSame(incidents.get(id), must);
    }
    this.#changed.clear();
    const [fault] = this.#incidents.faults;
    if (fault !== undefined) violation("rebuild", JSON.stringify(fault));
  }

  #isRight(found: Run | null, must: Run): void {
    const [first] = differences(found, must);
    if (first !== undefined) violation("rebuild", JSON.stringify(first));
  }

  #isSame(found: Incident | null, must: Incident): void {
    for (const [column, value] of Object.entries(must))
      if (found?.[column as keyof Incident] !== value)
        violation(
          "rebuild",
          `incident ${must.id}: ${column} is ${found?.[column as keyof Incident]}, its logs say ${value}`,
        );
  }
}
