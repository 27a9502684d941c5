/** One run: its error first, then what its time went into, its attempts and steps, what started it, and what to type. */
import type { ShownRun, StoryAnswer } from "../../../web/contract.ts";
import { apiPath } from "../../data/api.ts";
import { type Freshness, useAnswer } from "../../data/ask.ts";
import { Bars, PIECE_WORDS, Swatch } from "../../parts/bars.tsx";
import { Command, Facts, Foreign, KeyChip, StatusMark } from "../../parts/basics.tsx";
import { Answered } from "../../parts/controls.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { now } from "../../state/clock.ts";
import { linkTo } from "../../state/route.ts";
import {
  type Attempt,
  type PieceKind,
  type RunTimeline,
  type StepLine,
  timelineOf,
  triesAsPieces,
} from "../../story/run-timeline.ts";
import { span, took } from "../../words/numbers.ts";
import { shellWord } from "../../words/payload.ts";
import { ENDED_BADLY, RUN_MARKS } from "../../words/states.ts";
import { exactClock, left, moment, whole } from "../../words/times.ts";
import { Json } from "../story/detail.tsx";

const FOLLOWED: Freshness = { everyMs: null, after: ["run"] };

interface LineProps {
  readonly icon: IconName;
  readonly tone: string;
  readonly name: string;
  readonly meta: string;
  readonly took: string;
  readonly children: preact.ComponentChildren;
}

const Line = ({ icon, tone, name, meta, took: long, children }: LineProps) => (
  <div class="wr rl">
    <div class="l">
      <span class={tone}>
        <Icon name={icon} />
      </span>
      <span class="tr" title={name}>
        <Foreign text={name} />
      </span>
      <span class="s tr">{meta}</span>
    </div>
    <div class="wt">{children}</div>
    <div class="v">{long}</div>
  </div>
);

type X = (at: number) => number;

function StepRow({ line, x }: { readonly line: StepLine; readonly x: X }) {
  const first = line.tries[0];
  const last = line.tries.at(-1);
  if (first === undefined || last === undefined) return null;
  const mark =
    last.state === "failed" ? RUN_MARKS.failed : last.state === "running" ? RUN_MARKS.running : RUN_MARKS.completed;
  const name = line.nth > 0 ? `${line.name} (${line.nth + 1})` : line.name;
  return (
    <Line
      icon={mark.icon}
      tone={mark.tone}
      name={name}
      meta={line.tries.length > 1 ? `${line.tries.length} tries` : ""}
      took={took(last.to - first.from)}
    >
      <Bars pieces={triesAsPieces(line.tries)} x={x} />
    </Line>
  );
}

function AttemptRows({ attempt, x, only }: { readonly attempt: Attempt; readonly x: X; readonly only: boolean }) {
  const { number, from, to, steps, kept, waitsUntil } = attempt;
  return (
    <>
      {only ? null : (
        <Line icon="run" tone="d" name={`attempt ${number}`} meta="" took={took(to - from)}>
          <Bars pieces={[{ kind: "running", from, to }]} x={x} />
        </Line>
      )}
      {kept.map((name) => (
        <Line key={`kept ${name}`} icon="ok" tone="ok" name={name} meta="kept" took="–">
          <i class="wd kept" title="its result of an attempt before is used again" style={{ left: `${x(from)}%` }} />
        </Line>
      ))}
      {steps.map((line) => (
        <StepRow key={`${line.name} ${line.nth}`} line={line} x={x} />
      ))}
      {waitsUntil === null ? null : (
        <Line
          icon="retry"
          tone="warn"
          name="waiting"
          meta={`retry in ${span(waitsUntil - to)}`}
          took={took(waitsUntil - to)}
        >
          <Bars pieces={[{ kind: "retry", from: to, to: waitsUntil }]} x={x} />
        </Line>
      )}
    </>
  );
}

function SplitBar({ run, timeline }: { readonly run: ShownRun; readonly timeline: RunTimeline }) {
  const end = Math.max(run.ended_at ?? now.value, run.queued_at + 1);
  const x: X = (at) => ((at - run.queued_at) / (end - run.queued_at)) * 100;
  const { split } = timeline;
  const parts: readonly (readonly [PieceKind, number])[] = [
    ["queued", split.queued],
    ["running", split.running],
    ["retry", split.retry],
    ["sleeping", split.sleeping],
  ];
  return (
    <>
      <div class="wt whole">
        <Bars pieces={timeline.pieces} x={x} />
      </div>
      <div class="legend">
        <span>{took(end - run.queued_at)} in all</span>
        {parts.map(([kind, ms]) =>
          ms === 0 ? null : (
            <span key={kind}>
              <Swatch kind={kind} />
              {PIECE_WORDS[kind]} {took(ms)}
            </span>
          ),
        )}
      </div>
    </>
  );
}

/** A sleeping run's state says when it goes on. */
function stateOf(run: ShownRun) {
  const mark = RUN_MARKS[run.state];
  const waits =
    run.state === "sleeping" && run.until !== null
      ? `${run.error === null ? "sleeping" : "retries"}, ${left(run.until)} left`
      : null;
  return <StatusMark mark={waits === null ? mark : { ...mark, word: waits }} />;
}

function Acts({ run, timeline }: { readonly run: ShownRun; readonly timeline: RunTimeline }) {
  const failed = timeline.steps.findLast(({ tries }) => tries.at(-1)?.state === "failed");
  if (run.ended_at === null) return <Command text={`nerve cancel ${run.id}`} />;
  return (
    <span class="cmds">
      {ENDED_BADLY.includes(run.state) ? (
        <Command text={`nerve retry ${run.id}`} />
      ) : (
        <Command text={`nerve show run:${run.id}`} />
      )}
      {failed === undefined ? null : <Command text={`nerve retry ${run.id} --from-step ${shellWord(failed.name)}`} />}
    </span>
  );
}

function Detail({ run, story }: { readonly run: ShownRun; readonly story: StoryAnswer }) {
  const timeline = timelineOf(run, story.logs, now.value);
  const end = Math.max(run.ended_at ?? now.value, run.queued_at + 1);
  const x: X = (at) => ((at - run.queued_at) / (end - run.queued_at)) * 100;
  const { attempts } = timeline;
  return (
    <>
      <div class="pb">
        {run.error === null ? null : (
          <p class="crit error">
            <Icon name="fail" /> <Foreign text={run.error} />
          </p>
        )}
        <SplitBar run={run} timeline={timeline} />
      </div>
      <div class="wf in-run">
        {attempts.map((attempt) => (
          <AttemptRows key={attempt.from} attempt={attempt} x={x} only={attempts.length === 1} />
        ))}
      </div>
      <div class="pb line">
        <Facts
          rows={[
            [
              "Started by",
              run.reflex === null ? (
                "a person"
              ) : (
                <>
                  <a class="lnk" href={linkTo("reflexes", { sel: run.reflex })}>
                    {run.reflex}
                  </a>
                  {run.key === null ? null : (
                    <>
                      {" "}
                      <KeyChip value={run.key} />
                    </>
                  )}
                  {run.signal_id === null ? null : (
                    <>
                      {" "}
                      <a class="lnk" href={linkTo("story", { sel: `signal:${run.signal_id}` })}>
                        signal {run.signal_id}
                      </a>
                    </>
                  )}
                </>
              ),
            ],
            run.retry_of === null
              ? null
              : [
                  "Again for",
                  <a class="lnk" href={linkTo("runs", { sel: String(run.retry_of) })}>
                    run {run.retry_of}
                  </a>,
                ],
            ["Input", <Json value={run.input} />],
            [
              "Output",
              run.output === null ? (
                <span class="s">none{run.ended_at === null ? " yet" : ""}</span>
              ) : (
                <Json value={run.output} />
              ),
            ],
            [
              "Story",
              <a class="lnk" href={linkTo("story", { sel: `run:${run.id}` })}>
                from its beginning
              </a>,
            ],
            ["Type", <Acts run={run} timeline={timeline} />],
          ]}
        />
      </div>
    </>
  );
}

export const runPath = (id: number): string => apiPath(`runs/${id}`, {});

export function RunPanel({ id }: { readonly id: number }) {
  const path = runPath(id);
  const asked = useAnswer<StoryAnswer>(path, FOLLOWED);
  const story = asked.value;
  const run =
    story === null ? null : story.kind === "run" ? story.run : (story.runs.find((one) => one.id === id) ?? null);
  return (
    <section class="panel run-panel" aria-label={`Run ${id}`}>
      <div class="ph">
        <h2>
          Run {id}
          {run === null ? "" : `, ${run.workflow}`}
        </h2>
        {run === null ? null : stateOf(run)}
        {run === null ? null : (
          <span class="s" title={whole(run.queued_at)}>
            {moment(run.queued_at).split(" ").length > 1 ? moment(run.queued_at) : exactClock(run.queued_at)}
          </span>
        )}
      </div>
      <Answered path={path} asked={asked}>
        {(answer) => (run === null ? null : <Detail run={run} story={answer} />)}
      </Answered>
    </section>
  );
}
