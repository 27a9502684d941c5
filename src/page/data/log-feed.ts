/** The logs on the screen: a page of them, older ones on demand, and what the stream brings; each once, by id. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { LogsAnswer, ShownLog } from "../../web/contract.ts";
import { apiPath, get, type Query } from "./api.ts";
import { onLive, shownAgain } from "./live.ts";

export interface Feed {
  readonly rows: readonly ShownLog[];
  readonly loaded: boolean;
  readonly error: string | null;
  /** The parameter of the next older page; null: there is none. */
  readonly older: string | null;
  /** Answered in part: the archive was not read to its end in time. */
  readonly short: boolean;
}

const EMPTY: Feed = { rows: [], loaded: false, error: null, older: null, short: false };
const LIMIT = 100;
/** So many rows are kept while it follows: a page that is left open does not grow. */
const MOST_ROWS = 1_000;

/** Rising ids, each once. */
export function mergeLogs(known: readonly ShownLog[], more: readonly ShownLog[]): readonly ShownLog[] {
  const byId = new Map([...known, ...more].map((row) => [row.id, row]));
  return [...byId.values()].sort((a, b) => a.id - b.id);
}

export interface LogFeed {
  readonly feed: Feed;
  readonly loadOlder: () => void;
}

/** `wanted`: whether a log that the stream brings belongs here, as the server would have it. */
export function useLogFeed(query: Query, follows: boolean, wanted: (log: ShownLog) => boolean): LogFeed {
  const [feed, show] = useState<Feed>(EMPTY);
  const key = JSON.stringify(query);
  const belongs = useRef(wanted);
  belongs.current = wanted;
  const again = shownAgain.value;
  useEffect(() => {
    const given = new AbortController();
    void (async () => {
      const answer = await get<LogsAnswer>(apiPath("logs", { ...query, limit: LIMIT }), {}, given.signal);
      if (answer === null) return;
      if (!answer.ok) return show((old) => ({ ...old, loaded: true, error: answer.message }));
      const { rows, next, short } = answer.value;
      show({ rows: mergeLogs([], rows), loaded: true, error: null, older: next, short });
    })();
    return () => given.abort();
  }, [key, again]);
  useEffect(() => {
    if (!follows) return;
    return onLive((events) => {
      const rows = events.flatMap((event) => (event.kind === "log" && belongs.current(event.row) ? [event.row] : []));
      if (rows.length > 0) show((old) => ({ ...old, rows: mergeLogs(old.rows, rows).slice(-MOST_ROWS) }));
    });
  }, [follows]);
  const loadOlder = (): void => {
    const before = feed.older?.replace(/^before=/, "") ?? null;
    if (before === null) return;
    void (async () => {
      const answer = await get<LogsAnswer>(apiPath("logs", { ...query, limit: LIMIT, before }), {}, null);
      if (answer === null || !answer.ok) return;
      const { rows, next, short } = answer.value;
      show((old) => ({ ...old, rows: mergeLogs(rows, old.rows), older: next, short }));
    })();
  };
  return { feed, loadOlder };
}
