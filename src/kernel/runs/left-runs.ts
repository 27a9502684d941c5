/**
 * Owns the search for runs that an earlier kernel left alive: by their rows, and by the note of live runs. The note is
 * written once a minute and at the end, when something has changed.
 */
import type { Run } from "../../model/run.ts";
import type { LiveRuns } from "../../store/live-runs.ts";
import type { Store } from "../../store/open.ts";
import type { Ledger } from "../commits/ledger.ts";
import type { Ticker } from "../time/ticker.ts";

/** A run that may live. `row` is null where there is none. `isWhole` is false for a row that nerve did not write. */
export interface LeftRun {
  readonly id: number;
  readonly row: Run | null;
  readonly isWhole: boolean;
  /** The first log by the note, or null. */
  readonly firstLog: number | null;
}

/** The runs in the order in which they were asked for. */
export function leftRuns(store: Store, noted: LiveRuns): LeftRun[] {
  const left = new Map<number, LeftRun>();
  for (const { row, isWhole } of store.runs.activeAsFound()) {
    left.set(row.id, { id: row.id, row, isWhole, firstLog: noted.get(row.id) ?? null });
  }
  // By its row the run has ended, or it has no row: the logs decide.
  for (const [id, firstLog] of noted) {
    if (!left.has(id)) left.set(id, { id, row: store.runs.asFound(id), isWhole: false, firstLog });
  }
  return [...left.values()].sort((a, b) => a.id - b.id);
}

const LOOK_MS = 60_000;
/** The note is written anew after this many logs, and after an hour with any log. */
const MANY_LOGS = 1_000;
const OLD_MS = 3_600_000;

interface LiveNoteParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly ticker: Ticker;
  /** The live runs as of the newest commit. */
  readonly live: () => LiveRuns;
}

export class LiveNote {
  readonly #parts: LiveNoteParts;
  #upTo: number;
  #looks = 0;

  constructor(parts: LiveNoteParts) {
    this.#parts = parts;
    this.#upTo = parts.store.logs.lastId();
  }

  start(): void {
    this.#parts.ticker.after(LOOK_MS, () => {
      this.#looks++;
      const isOld = this.#looks * LOOK_MS >= OLD_MS;
      if (this.#parts.store.logs.lastId() - this.#upTo >= (isOld ? 1 : MANY_LOGS)) this.write();
      this.start();
    });
  }

  /** Must be called outside of a commit, when memory is as of the newest commit. */
  write(): void {
    const { store, ledger, live } = this.#parts;
    if (ledger.troubled) return;
    const upTo = store.logs.lastId();
    const runs = live();
    ledger.write(() => store.liveRuns.write(upTo, runs));
    this.#upTo = upTo;
    this.#looks = 0;
  }
}
