/** What the kernel learns of a sense that was to be loaded. */
import { join } from "node:path";
import type { ParentMessageOf, WorkerMessageOf } from "../ipc/definitions.ts";
import { type Problem, problem } from "../model/problem.ts";
import type { SeriesTable } from "../model/series.ts";

type SenseInit = ParentMessageOf<"init">["senses"][number];
export type SeatReport = WorkerMessageOf<"ready">["senses"][number];

/** A sense that cannot compute. */
export const unseated = ({ name }: SenseInit, found: Problem, applied: string[]): SeatReport => ({
  sense: name,
  problem: found,
  applied,
  watch: [],
  taken: [],
  patterns: [],
  series: null,
  fault: null,
});

export const sent = ({ table, at, by, numbers }: SeriesTable): SeatReport["series"] => ({
  table,
  at,
  by: [...by],
  numbers: [...numbers],
});

export const badDeclaration = ({ name, folder }: SenseInit, fault: string): Problem =>
  problem(
    "bad-export",
    `sense "${name}" declares a payload that is no ArkType definition: ${fault}`,
    "write it as in `declaration({ status: \"'ok' | 'critical'\", used: \"number >= 0\" })`",
    folder === null ? null : join(folder, "index.ts"),
  );
