/** *Logs*: oldest above, newest below; follows until a person scrolls up, and then says how many are new. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { ShownLog } from "../../web/contract.ts";
import type { Query } from "../data/api.ts";
import { useLogFeed } from "../data/log-feed.ts";
import { Empty, Foreign } from "../parts/basics.tsx";
import { AboutPill, Choices, FilterInput, NoMatch } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { paused, zone } from "../state/clock.ts";
import { onKey } from "../state/keys.ts";
import { range } from "../state/range.ts";
import { linkTo, param, setParams } from "../state/route.ts";
import { asked, type Filter, parseFilter, passes } from "../words/filter.ts";
import { LEVEL_MARKS } from "../words/states.ts";
import { exactClock, longDay, sameDay, whole } from "../words/times.ts";
import { LogDetail } from "./logs/detail.tsx";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];
const DEFAULT_LEVEL = "info";

const isLevel = (text: string): text is Level => LEVELS.some((level) => level === text);
const levelOf = (): Level => (isLevel(param("level")) ? (param("level") as Level) : DEFAULT_LEVEL);
const rankOf = (level: string): number => LEVELS.indexOf(level as Level);

const TRACE = /^[0-9a-f]{32}$/;

/** What the server looks for; the rest is looked for in what it answers. */
function queryOf(filter: Filter): Query {
  const { live, from, to } = range.value;
  const [kind, name = ""] = param("about").split(":", 2);
  const sources = [...asked(filter, "source"), ...(name === "" ? [] : [`${kind}:${name}`])];
  const [trace = ""] = asked(filter, "trace");
  return {
    level: levelOf(),
    source: sources,
    event: asked(filter, "event"),
    trace: TRACE.test(trace) ? trace : null,
    text: filter.words.length === 1 ? (filter.words[0] ?? null) : null,
    since: live ? null : Math.round(from),
    until: live ? null : Math.round(to),
    before: param("before") === "" ? null : param("before"),
  };
}

const fieldsOf = (log: ShownLog) => ({
  message: log.message,
  source: log.source,
  event: log.event,
  level: log.level,
  trace: log.trace,
  run: log.run === null ? null : String(log.run),
});

function LogRow({ log }: { readonly log: ShownLog }) {
  const mark = LEVEL_MARKS[log.level];
  const open = param("sel") === String(log.id);
  const tone = log.level === "error" ? "e" : log.level === "warn" ? "w" : log.level === "debug" ? "dbg" : "";
  return (
    <>
      <div class={`lr ${tone} ${open ? "open" : ""}`}>
        <button
          type="button"
          class="ts"
          data-row
          aria-expanded={open}
          title={whole(log.at)}
          onClick={() => setParams({ sel: open ? null : String(log.id) }, "replace")}
        >
          {exactClock(log.at)}
        </button>
        <span class={`lv ${mark.tone}`}>
          <Icon name={mark.icon} />
          {mark.word}
        </span>
        <span class="src tr d" title={log.source}>
          {log.source}
        </span>
        <span class="m">
          <Foreign text={log.message} />
        </span>
        <span class="runs-chip">
          {log.run === null ? null : (
            <a class="chip" href={linkTo("runs", { sel: String(log.run) })}>
              run {log.run}
            </a>
          )}
        </span>
      </div>
      {open ? <LogDetail log={log} /> : null}
    </>
  );
}

interface RowsProps {
  readonly rows: readonly ShownLog[];
  /** Rows above this id came after the reader scrolled up; null: it follows. */
  readonly readTo: number | null;
}

function Rows({ rows, readTo }: RowsProps) {
  const news = readTo === null ? 0 : rows.filter(({ id }) => id > readTo).length;
  return (
    <>
      {rows.map((log, index) => {
        const before = rows[index - 1];
        const newDay = before === undefined || !sameDay(before.at, log.at);
        const firstNew = readTo !== null && log.id > readTo && (before === undefined || before.id <= readTo);
        return (
          <div key={log.id}>
            {newDay ? <div class="lday">{`${longDay(log.at)}, ${zone.value}`}</div> : null}
            {firstNew ? <div class="lsep">{news} new since you paused</div> : null}
            <LogRow log={log} />
          </div>
        );
      })}
    </>
  );
}

const atBottom = (): boolean => innerHeight + scrollY >= document.documentElement.scrollHeight - 24;
const toBottom = (): void => scrollTo(0, document.documentElement.scrollHeight);

/** Follows until the first scroll up; `f`, `end` or the button go on. */
function useFollowing(rows: readonly ShownLog[]) {
  const readTo = useSignal<number | null>(null);
  const newest = useRef(0);
  newest.current = rows.at(-1)?.id ?? 0;
  const stop = (): void => {
    readTo.value = newest.current;
  };
  const resume = (): void => {
    readTo.value = null;
    toBottom();
  };
  useEffect(() => {
    let last = scrollY;
    const scrolled = (): void => {
      const up = scrollY < last;
      last = scrollY;
      if (up && !atBottom()) readTo.value ??= newest.current;
      else if (atBottom()) readTo.value = null;
    };
    addEventListener("scroll", scrolled, { passive: true });
    const offs = [onKey("f", () => (readTo.peek() === null ? stop() : resume())), onKey("End", resume)];
    return () => {
      removeEventListener("scroll", scrolled);
      for (const off of offs) off();
    };
  }, []);
  useEffect(() => {
    if (readTo.peek() === null && param("sel") === "") toBottom();
  }, [rows.length === 0 ? 0 : newest.current]);
  return { readTo: readTo.value, resume, stop };
}

function FollowButton({ following }: { readonly following: ReturnType<typeof useFollowing> }) {
  const on = following.readTo === null;
  return (
    <button type="button" class="btn sp" aria-pressed={on} onClick={on ? following.stop : following.resume}>
      <Icon name="follow" />
      {on ? "Following" : "Follow"} <kbd>f</kbd>
    </button>
  );
}

export function Logs() {
  const filter = parseFilter(param("q"));
  const least = rankOf(levelOf());
  const wanted = (log: ShownLog): boolean => rankOf(log.level) >= least && passes(filter, fieldsOf(log));
  const follows = range.value.live && param("before") === "" && !paused.value;
  const { feed, loadOlder } = useLogFeed(queryOf(filter), follows, wanted);
  const rows = feed.rows.filter(wanted);
  const following = useFollowing(rows);
  const news = following.readTo === null ? 0 : rows.filter(({ id }) => id > (following.readTo ?? 0)).length;
  return (
    <>
      <div class="head logs-head">
        <FilterInput hint="Text, source: event: run: trace:" />
        <Choices
          label="Level, and graver ones"
          choices={LEVELS.map((level) => ({ value: level, label: level }))}
          chosen={(level) => rankOf(level) >= least}
          choose={(level) => setParams({ level: level === DEFAULT_LEVEL ? null : level }, "push")}
        />
        <AboutPill />
        {news === 0 ? null : (
          <span class="pill acc">
            <Icon name="gate" />
            {news} new
          </span>
        )}
        <FollowButton following={following} />
      </div>
      <section class="panel lg" aria-label="Logs">
        {feed.error === null ? null : (
          <div class="trouble" role="alert">
            <Icon name="warn" />
            {feed.error}
          </div>
        )}
        {feed.older === null ? null : (
          <button type="button" class="older lnk" onClick={loadOlder}>
            {feed.short ? "look further back" : "older logs"}
          </button>
        )}
        {rows.length > 0 ? (
          <Rows rows={rows} readTo={following.readTo} />
        ) : feed.loaded ? (
          <Nothing />
        ) : (
          <div class="empty waiting" />
        )}
      </section>
    </>
  );
}

const Nothing = () =>
  param("q") === "" && param("about") === "" && param("level") === "" ? (
    <Empty
      icon="log"
      title={range.value.live ? "No logs yet." : "No logs in this stretch."}
      more="Everything that nerve does, and every error, is a log."
      command="nerve logs -f --level debug"
    />
  ) : (
    <NoMatch what="log" />
  );
