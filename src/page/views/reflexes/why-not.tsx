/** Why a reflex did not fire: its last decisions, how far each came through the words, and because of what. */
import type { DecisionFold, ReflexAnswer, ReflexRow } from "../../../web/contract-reflexes.ts";
import { KeyChip, Sentence } from "../../parts/basics.tsx";
import { Icon, type IconName } from "../../parts/icon.tsx";
import { linkTo } from "../../state/route.ts";
import { count } from "../../words/numbers.ts";
import { type PipeStep, pipeline } from "../../words/pipeline.ts";
import { clock, moment, whole, withShortTimes } from "../../words/times.ts";

const ICONS: Readonly<Record<PipeStep["state"], IconName>> = {
  pass: "hand",
  stop: "fail",
  wait: "pend",
  fire: "reflex",
};

export const Pipe = ({ steps }: { readonly steps: readonly PipeStep[] }) => (
  <span class="pipe">
    {steps.map(({ word, state }) => (
      <b key={word} class={state}>
        <Icon name={ICONS[state]} />
        {word}
      </b>
    ))}
  </span>
);

function because({ newest }: DecisionFold) {
  const { run, because: text, silenced_by: silenced, halted } = newest;
  if (silenced !== null) return <Sentence text={`silenced: ${silenced}`} />;
  if (halted !== null) return <Sentence text={`its sense is ${halted}`} />;
  if (run === null) return <Sentence text={withShortTimes(text)} />;
  return (
    <>
      started{" "}
      <a class="lnk" href={linkTo("runs", { sel: String(run.id) })}>
        run {run.id}
      </a>
      {run.error === null ? "" : ", which "}
      {run.error === null ? null : <Sentence text={`failed: ${run.error}`} />}
    </>
  );
}

const Row = ({ fold, reflex }: { readonly fold: DecisionFold; readonly reflex: ReflexRow }) => (
  <tr>
    <td title={whole(fold.last.at)}>
      <span class="nw">
        {fold.count > 1 ? `${moment(fold.first.at)}–` : ""}
        {fold.count > 1 ? clock(fold.last.at) : moment(fold.last.at)}
      </span>
      {fold.count > 1 ? (
        <span class="s nw"> {count(fold.count)} times</span>
      ) : (
        <a class="lnk" href={linkTo("story", { sel: `signal:${fold.last.id}` })}>
          {" "}
          #{fold.last.id}
        </a>
      )}
    </td>
    <td class="e">
      <KeyChip value={fold.newest.key} />
    </td>
    <td class="w2">
      <Pipe steps={pipeline(reflex, fold.newest)} />
    </td>
    <td class="d w2 why">{because(fold)}</td>
  </tr>
);

/** So many rows are read; the filter finds the others. */
const MOST_ROWS = 50;

interface WhyNotProps {
  readonly answer: ReflexAnswer;
  /** Those of the keys that are looked for. */
  readonly folds: readonly DecisionFold[];
  readonly reflex: ReflexRow;
}

export function WhyNot({ answer, folds, reflex }: WhyNotProps) {
  const { not_heard: notHeard, replayed } = answer;
  const more = folds.length - MOST_ROWS;
  return (
    <>
      <div class="ph sub">
        <h3>Why it did not fire</h3>
        <span class="s">
          latest decisions, equal ones folded
          {replayed.whole ? "" : `; from ${moment(replayed.from)} on`}
        </span>
      </div>
      {folds.length === 0 ? (
        <p class="pb s">{notHeard ?? "It has not looked at a signal yet."}</p>
      ) : (
        <table class="cards decisions">
          <colgroup>
            <col class="w-when" />
            <col class="w-key" />
            <col class="w-pipe" />
            <col />
          </colgroup>
          <thead>
            <tr>
              <th>When</th>
              <th>Key</th>
              <th>How far it came</th>
              <th>Because</th>
            </tr>
          </thead>
          <tbody>
            {folds.slice(0, MOST_ROWS).map((fold) => (
              <Row key={`${fold.last.id} ${JSON.stringify(fold.newest.key)}`} fold={fold} reflex={reflex} />
            ))}
          </tbody>
        </table>
      )}
      {more > 0 ? <p class="pb s">{more} more: filter by key to see them</p> : null}
    </>
  );
}
