/** *Story*: any signal, run or incident as a waterfall, from what began it to what came of it. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RunsAnswer, SignalsAnswer, StoryAnswer } from "../../web/contract.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, ONCE, useAnswer } from "../data/ask.ts";
import { BarLegend, Bars } from "../parts/bars.tsx";
import { Command, Empty, Foreign, StatusMark } from "../parts/basics.tsx";
import { Answered } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { now } from "../state/clock.ts";
import { onKey } from "../state/keys.ts";
import { param, setParams } from "../state/route.ts";
import { type StoryRow, storyRows } from "../story/rows.ts";
import type { Piece } from "../story/run-timeline.ts";
import { type Scale, scaleOf } from "../story/scale.ts";
import { span, took } from "../words/numbers.ts";
import { isObject, keyText } from "../words/payload.ts";
import { RUN_MARKS, severityMark } from "../words/states.ts";
import { clock, exactClock, whole } from "../words/times.ts";
import { StoryDetail } from "./story/detail.tsx";

const FOLLOWED: Freshness = { everyMs: null, after: ["run", "log"] };

/** Where no story is chosen: that of the newest run, else of the newest signal. */
function useSubject(): string | null {
  const chosen = param("sel");
  const runs = useAnswer<RunsAnswer>(chosen === "" ? apiPath("runs", { limit: 1 }) : null, ONCE);
  const signals = useAnswer<SignalsAnswer>(chosen === "" ? apiPath("signals", { limit: 1 }) : null, ONCE);
  if (chosen !== "") return chosen;
  if (runs.value === null || signals.value === null) return null;
  const [run] = runs.value.rows;
  const [signal] = signals.value.rows;
  return run !== undefined ? `run:${run.id}` : signal === undefined ? "" : `signal:${signal.id}`;
}

function titleOf(story: StoryAnswer): string {
  if (story.kind === "incident") return story.incident.summary;
  const fired = story.logs.find(({ event }) => event === "reflex.fired");
  const key = fired !== undefined && isObject(fired.data) ? (fired.data.key ?? null) : null;
  if (story.kind === "run") return `Run ${story.run.id}, ${story.run.workflow}`;
  if (fired !== undefined)
    return `${fired.source.replace("reflex:", "")} fired${key === null ? "" : ` for ${keyText(key)}`}`;
  const [first] = story.signals;
  return first === undefined ? "Story" : `Signal ${first.id} of ${first.sense}`;
}

/** What `nerve show` takes for the same story. */
function subjectOf(story: StoryAnswer): string {
  if (story.kind === "incident") return `incident:${story.incident.id}`;
  return story.kind === "run" ? `run:${story.run.id}` : story.trace;
}

function StateOf({ story }: { readonly story: StoryAnswer }) {
  if (story.kind === "incident")
    return <StatusMark mark={{ ...severityMark(story.incident.severity), word: story.incident.state }} />;
  const run = story.kind === "run" ? story.run : story.runs.at(-1);
  return run === undefined ? null : <StatusMark mark={RUN_MARKS[run.state]} />;
}

const timesOf = (rows: readonly StoryRow[]): number[] =>
  rows.flatMap(({ pieces, dots }) => [...pieces.flatMap(({ from, to }) => [from, to]), ...dots.map(({ at }) => at)]);

/** What the time went into, over all runs. */
function Split({
  rows,
  fromMs,
  toMs,
}: {
  readonly rows: readonly StoryRow[];
  readonly fromMs: number;
  readonly toMs: number;
}) {
  const runs = rows.filter(({ detail }) => detail?.kind === "run").flatMap(({ pieces }) => pieces);
  const spent = (kind: Piece["kind"]): number =>
    runs.filter((piece) => piece.kind === kind).reduce((sum, { from, to }) => sum + to - from, 0);
  const parts: readonly (readonly [number, string])[] = [
    [toMs - fromMs, "from beginning to end"],
    [spent("running"), "running"],
    [spent("retry"), "waiting for retry"],
    [spent("sleeping"), "sleeping"],
  ];
  return (
    <>
      {parts.map(([ms, what], index) =>
        ms === 0 && index > 0 ? null : (
          <span key={what}>
            {took(ms)} <span class="s">{what}</span>
          </span>
        ),
      )}
    </>
  );
}

const Folds = ({ scale, labelled }: { readonly scale: Scale; readonly labelled: boolean }) => (
  <>
    {scale.folds.map(({ from, to, left, width }) => (
      <i
        key={from}
        class="fold"
        style={{ left: `${left}%`, width: `${width}%` }}
        title={`nothing changed for ${span(to - from)}`}
      >
        {labelled ? <b>{span(to - from)}</b> : null}
      </i>
    ))}
  </>
);

/** A stretch that is narrower than this has no label. */
const LABEL_PERCENT = 9;

const Head = ({ scale }: { readonly scale: Scale }) => (
  <div class="wr whead">
    <div class="l s">What</div>
    <div class="wt">
      <Folds scale={scale} labelled />
      {scale.open
        .filter(({ width }) => width >= LABEL_PERCENT)
        .map(({ from, left }) => (
          <span key={from} style={{ left: `${left}%` }} title={whole(from)}>
            {clock(from)}
          </span>
        ))}
    </div>
    <div class="v s">Took</div>
  </div>
);

const DOTS = { signal: "wd", log: "wd lg", fired: "wd sq" } as const;

interface WaterfallRowProps {
  readonly row: StoryRow;
  readonly scale: Scale;
  readonly open: boolean;
  readonly toggle: () => void;
}

const WaterfallRow = ({ row, scale, open, toggle }: WaterfallRowProps) => (
  <>
    <div class={row.detail?.kind === "run" ? "wr b" : "wr"} style={{ "--in": String(Math.min(row.depth, 8)) }}>
      <div class="l">
        {row.detail === null ? (
          <span class="tw" />
        ) : (
          <button
            type="button"
            class="tw"
            data-row
            aria-expanded={open}
            aria-label={`${open ? "Close" : "Open"} ${row.name}`}
            onClick={toggle}
          >
            <Icon name={open ? "down" : "right"} />
          </button>
        )}
        <span class="d">
          <Icon name={row.icon} />
        </span>
        <span class="tr" title={row.name}>
          <Foreign text={row.name} />
        </span>
        <span class="s tr">
          <Foreign text={row.meta} />
        </span>
      </div>
      <div class="wt">
        <Folds scale={scale} labelled={false} />
        <Bars pieces={row.pieces} x={scale.x} />
        {row.dots.map(({ kind, at }) => (
          <i key={`${kind} ${at}`} class={DOTS[kind]} title={exactClock(at)} style={{ left: `${scale.x(at)}%` }} />
        ))}
      </div>
      <div class="v">{row.tookMs === null ? "" : took(row.tookMs)}</div>
    </div>
    {open && row.detail !== null ? <StoryDetail row={row} /> : null}
  </>
);

/** So many rows are drawn; a story has seldom more. */
const MOST_ROWS = 400;

function Waterfall({ story }: { readonly story: StoryAnswer }) {
  const rows = storyRows(story, now.value).slice(0, MOST_ROWS);
  const times = timesOf(rows);
  const fold = param("show") !== "unfolded";
  const scale = scaleOf(times, fold);
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const toggle = (id: string): void => {
    const next = new Set(turned.value);
    if (!next.delete(id)) next.add(id);
    turned.value = next;
  };
  useEffect(
    () => onKey("z", () => setParams({ show: param("show") === "unfolded" ? null : "unfolded" }, "replace")),
    [],
  );
  const from = times.reduce((a, b) => Math.min(a, b), story.at);
  const to = times.reduce((a, b) => Math.max(a, b), story.at);
  return (
    <section class="panel story">
      <div class="ph">
        <h2>
          <Foreign text={titleOf(story)} />
        </h2>
        <StateOf story={story} />
        <span class="s" title={whole(from)}>
          {exactClock(from)} to {exactClock(to)}
        </span>
      </div>
      <div class="pb split">
        <Split rows={rows} fromMs={from} toMs={to} />
        <span class="sp">
          <Command text={`nerve show ${subjectOf(story)}`} />
        </span>
      </div>
      <div class="wf">
        <Head scale={scale} />
        {rows.map((row) => (
          <WaterfallRow
            key={row.id}
            row={row}
            scale={scale}
            open={row.grave !== turned.value.has(row.id)}
            toggle={() => toggle(row.id)}
          />
        ))}
      </div>
      <div class="pb foot-legend">
        <BarLegend kinds={["running", "completed", "failed", "queued", "pending", "retry", "sleeping"]} />
        {scale.folds.length === 0 && fold ? null : (
          <button type="button" class="lnk" onClick={() => setParams({ show: fold ? "unfolded" : null }, "replace")}>
            {fold ? "unfold" : "fold"} what is empty <kbd>z</kbd>
          </button>
        )}
      </div>
    </section>
  );
}

export function StoryView() {
  const subject = useSubject();
  const path = subject === null || subject === "" ? null : apiPath(`traces/${encodeURIComponent(subject)}`, {});
  const asked = useAnswer<StoryAnswer>(path, FOLLOWED);
  const open = (event: Event): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const field = form.elements.namedItem("filter") as HTMLInputElement;
    if (field.value.trim() !== "") setParams({ sel: field.value.trim(), show: null }, "push");
  };
  return (
    <>
      <form class="head" onSubmit={open}>
        <label class="inp">
          <Icon name="search" />
          <input
            id="filter"
            name="filter"
            type="text"
            autocomplete="off"
            spellcheck={false}
            placeholder="signal:4, run:4, incident:4 or a trace"
            aria-label="Open a story"
            defaultValue={param("sel")}
            key={param("sel")}
          />
          <kbd>/</kbd>
        </label>
        <button type="submit" class="btn">
          Open
        </button>
      </form>
      {subject === "" ? (
        <section class="panel">
          <Empty icon="story" title="No story yet." more="A story begins with a signal." command="nerve status" />
        </section>
      ) : (
        <Answered path={path ?? ""} asked={asked}>
          {(story) => <Waterfall key={story.trace} story={story} />}
        </Answered>
      )}
    </>
  );
}
