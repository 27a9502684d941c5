/** Owns which logs of the archive a filter lets pass, which files need not be opened for it, and which lines need not be parsed. */
import { LOG_LEVELS, type Log } from "../model/log.ts";
import { dayOf } from "./archive-names.ts";
import type { LogFilter } from "./logs.ts";

export const passes = ({ after, before, since, until, trace, sources, level }: LogFilter): ((row: Log) => boolean) => {
  const least = level === null ? 0 : LOG_LEVELS.indexOf(level);
  const wanted = sources.length === 0 ? null : new Set(sources);
  return (row) =>
    row.id > after &&
    (before === null || row.id < before) &&
    (since === null || row.at >= since) &&
    (until === null || row.at <= until) &&
    (trace === null || row.trace === trace) &&
    (wanted === null || wanted.has(row.source)) &&
    (least === 0 || LOG_LEVELS.indexOf(row.level) >= least);
};

/** A file holds rows of one day, so that those of earlier ones need not even be opened. */
export const firstDayOf = ({ since }: LogFilter): string => (since === null ? "" : dayOf(since));

/** A line of a trace begins and ends so in a file: nothing else is unquoted there. */
export const lineOfTrace = (trace: string): string => `"trace":"${trace}"`;

export const needleOf = ({ trace }: LogFilter): string | null => (trace === null ? null : lineOfTrace(trace));
