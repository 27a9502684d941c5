/** Owns the choice of the runs that the first run of a batch takes along, inside the transaction of its beginning. Writes nothing. */
import { type Batch, batchOf, type Decided, distinct, MAX_ITEMS } from "../../model/batch.ts";
import type { Draft } from "../commits/draft.ts";
import type { LiveRun } from "../memory/run.ts";
import type { Line } from "./line.ts";

/** `runs` are the runs that join the first one, oldest first. `batch` is what the first one reports. */
export interface Taken {
  readonly runs: readonly LiveRun[];
  readonly batch: Batch;
}

/** What a run was decided for. Null where its logs cannot be read. The run that begins has been read. */
export type Reading = (run: LiveRun) => Decided | null;

/** Takes whatever of the group of `first` is queued. A run that cannot be read stays where it is. */
export function take(draft: Draft, first: LiveRun, line: Line, read: Reading): Taken {
  const known = new Map<LiveRun, Decided>();
  const isRead = (run: LiveRun): boolean => {
    const decided = known.get(run) ?? read(run);
    if (decided !== null) known.set(run, decided);
    return decided !== null;
  };
  let all = groupOf(draft, first, line);
  for (;;) {
    const told = distinct(all);
    const listed = told.slice(0, MAX_ITEMS);
    const broken = listed.find((run) => !isRead(run));
    if (broken === undefined) {
      const oldest = listed.flatMap((run) => known.get(run) ?? []);
      return { runs: all.filter((run) => run !== first), batch: batchOf(oldest, told.length) };
    }
    all = all.filter((run) => run === first || !isOfOne(run, broken));
  }
}

/** Reports of one incident stay together, so that none overtakes another. */
const isOfOne = (run: LiveRun, other: LiveRun): boolean =>
  run === other || (run.incident !== null && run.incident === other.incident);

/** The queued runs of the group, and the later reports of their incidents, which wait for them. */
function groupOf(draft: Draft, first: LiveRun, line: Line): LiveRun[] {
  const isQueued = (run: LiveRun): boolean => run.phase === "queued" && draft.row(run)?.state === "queued";
  const all = [first, ...[...line.beside(first)].filter(isQueued)];
  const behind = all.flatMap(({ incident }) => {
    const later = incident === null ? [] : line.reportsOf(incident).slice(1);
    const end = later.findIndex((run) => run.batch?.group !== first.batch?.group || !isQueued(run));
    return end < 0 ? later : later.slice(0, end);
  });
  return [...all, ...behind].sort((a, b) => a.id - b.id);
}
