/** A row of `logs`, as it is read. */
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { ID, JSON_TEXT, oneOf, orNull, RowGuard, TEXT, TIME, TRACE } from "./columns.ts";
import { type OnDamage, refuse } from "./damage.ts";

export const LOG_COLUMNS = "id, at, level, source, event, run, trace, message, data";

const COLUMNS = {
  id: ID,
  at: TIME,
  level: oneOf(LOG_LEVELS),
  source: TEXT,
  event: TEXT,
  run: orNull(ID),
  trace: orNull(TRACE),
  message: TEXT,
  data: orNull(JSON_TEXT),
};

/** Checks rows of a file: logs.db, or a file of the archive. */
export type LogGuards = (file: string) => RowGuard<Log>;

export const logGuards =
  (onDamage: OnDamage): LogGuards =>
  (file) =>
    new RowGuard<Log>(file, "logs", "id", COLUMNS, onDamage);

/** For who derives runs: `data` that is no JSON costs one run, and is a fault of that run. */
export const runLogGuards: LogGuards = (file) =>
  new RowGuard<Log>(file, "logs", "id", { ...COLUMNS, data: orNull(TEXT) }, refuse);
