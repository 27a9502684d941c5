/** Owns the scan of all logs, archived or not, by whoever derives other tables from them. */
import type { Database } from "bun:sqlite";
import type { Log } from "../model/log.ts";
import { LogHistory } from "./log-history.ts";
import { runLogGuards } from "./log-row.ts";

/** Asked of a connection once the table is there. */
export const scanIn =
  (data: string) =>
  (db: Database): ((after: number) => Iterable<Log>) => {
    const history = new LogHistory(db, data, runLogGuards, () => {});
    return (after) => history.scan(after);
  };
