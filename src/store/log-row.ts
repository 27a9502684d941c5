/** A row of `logs`, as it is read. */
import type { Database } from "bun:sqlite";
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { isId, isOneOf, isText, isTime, orNull, RowGuard } from "./columns.ts";

export const LOG_COLUMNS = "id, at, level, source, event, run, trace, message, data";

export const logGuard = (db: Database): RowGuard<Log> =>
  new RowGuard<Log>(db, "logs", "id", {
    id: isId,
    at: isTime,
    level: isOneOf(LOG_LEVELS),
    source: isText,
    event: isText,
    run: orNull(isId),
    trace: orNull(isText),
    message: isText,
    // What is no JSON is shown as it is.
    data: orNull(isText),
  });
