/** The logs of a run, for who shows them. */
import type { Log } from "../model/log.ts";
import type { Run } from "../model/run.ts";
import type { LogHistory } from "./log-history.ts";

/** In the order of their ids: from the log on that its row names as the first, or from any, where that log is not the first. */
export function logsOfRun(history: LogHistory, { id, first_log_id }: Pick<Run, "id" | "first_log_id">): Log[] {
  const named = history.ofRun(id, first_log_id);
  return named[0]?.event === "run.queued" ? named : history.ofRun(id, 0);
}
