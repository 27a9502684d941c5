/** *Now*: is this host well, since when, and what happened; without a click. */
import { Fragment } from "preact";
import type { Attention } from "../data/attention.ts";
import { chartsOf } from "../data/charts.ts";
import { healthOf } from "../data/health.ts";
import { liveness } from "../data/live.ts";
import { SENSES, useReady, useSenses, useStatus, useSummary } from "../data/summary.ts";
import { Command, Empty, Foreign, Panel, Pill, StatusMark } from "../parts/basics.tsx";
import { Trouble } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { now, zone } from "../state/clock.ts";
import { range } from "../state/range.ts";
import { linkTo } from "../state/route.ts";
import { count, counted, span } from "../words/numbers.ts";
import { clock, lasted, whole } from "../words/times.ts";
import { hoverAt, Plots } from "./now/plots.tsx";
import { Sides } from "./now/sides.tsx";

function Sentence() {
  const { items, attention, okSince, startedAt, underWay } = useSummary();
  const status = useStatus().value;
  const senses = useSenses().value?.senses ?? [];
  const state = liveness.value;
  const gone = state.kind === "down" || state.kind === "silent" ? state : null;
  const health = healthOf(items, attention, okSince, now.value);
  const tone = gone === null ? health.tone : "crit";
  const since = gone?.since == null || gone.since === 0 ? "" : ` since ${clock(gone.since)}`;
  const who = gone?.kind === "silent" ? "The kernel of nerve is silent" : "nerve is down";
  const known = status !== null && (senses.length > 0 || items.length > 0);
  const ok = senses.filter((sense) => sense.state === "ok").length;
  return (
    <div class="health">
      <span class={known || gone !== null ? tone : "idle"}>
        <Icon name={known || gone !== null ? tone : "pend"} />
      </span>
      <h2 class="sentence">
        {gone !== null ? (
          `${who}${since}; this is what it last said.`
        ) : known ? (
          <Foreign text={health.sentence} />
        ) : (
          "Nothing is observed yet."
        )}
      </h2>
      <p>
        {startedAt === null ? null : <span title={whole(startedAt)}>Up {lasted(startedAt)}</span>}
        <span>{senses.length === 0 ? "no sense" : `${ok} of ${counted(senses.length, "sense")} ok`}</span>
        <span>{counted(underWay, "run")} under way</span>
        <span>{count(status?.watermarks.signals ?? 0)} signals</span>
        <span class="h-sm">times in {zone.value}</span>
      </p>
    </div>
  );
}

const sinceText = (since: number | null): string => (since === null ? "" : span(now.value - since));

const AttentionRow = ({ item }: { readonly item: Attention }) => (
  <li data-trouble={item.id}>
    <StatusMark mark={{ icon: item.icon, word: item.word, tone: item.tone }} />
    <div>
      <a class="b" data-row href={linkTo(item.leads.view, { sel: item.leads.sel })}>
        <Foreign text={item.title} />
      </a>
      <div class="why">
        <Foreign text={item.why} />
      </div>
    </div>
    <span class="t r" title={item.since === null ? "" : whole(item.since)}>
      {sinceText(item.since)}
    </span>
    <div class="do">
      <Command text={item.command} />
    </div>
  </li>
);

/** A page of troubles says how many more there are. */
const MOST_ITEMS = 8;

function NeedsAttention() {
  const { items, attention, worst } = useSummary();
  const senses = useSenses();
  const all = senses.value?.senses ?? [];
  if (senses.value === null) return senses.error === null ? null : <Trouble path={SENSES} {...senses.error} />;
  if (all.length === 0)
    return (
      <section class="panel">
        <Empty
          icon="eye"
          title="No sense is configured."
          more="A sense observes one thing of this host."
          command="nerve library"
        />
      </section>
    );
  if (items.length === 0) return null;
  const more = attention - MOST_ITEMS;
  const pill = <Pill tone={worst === "crit" ? "crit" : "warn"}>{count(attention)}</Pill>;
  return (
    <Panel
      title={
        <>
          <h2>Needs attention</h2>
          {pill}
        </>
      }
      aside="worst first"
    >
      <ul class="att">
        {items.slice(0, MOST_ITEMS).map((item) => (
          <AttentionRow key={item.id} item={item} />
        ))}
      </ul>
      {more <= 0 ? null : (
        <div class="kv s">
          <a class="lnk" href={linkTo("senses", { show: "not-ok" })}>
            {more} more
          </a>
        </div>
      )}
    </Panel>
  );
}

const Legend = () => (
  <span class="legend">
    <span>
      <i class="sw sw-first" />
      first
    </span>
    <span>
      <i class="sw sw-second" />
      second
    </span>
    <span>
      <i class="sw sw-limit" />
      limit
    </span>
    <span>
      <i class="sw sw-over" />
      over it
    </span>
  </span>
);

export function Now() {
  const senses = useSenses().value?.senses ?? [];
  const ready = useReady();
  const at = hoverAt.value;
  const { label } = range.value;
  const charts = chartsOf(senses);
  const title = at === null ? `${label.charAt(0).toUpperCase()}${label.slice(1)}` : clock(at);
  if (!ready) return <div class="waiting" />;
  return (
    <Fragment>
      <Sentence />
      <div class="stack">
        <NeedsAttention />
        <div class="two">
          <Panel title={title} aside={charts.length === 0 ? null : <Legend />}>
            <Plots charts={charts} />
          </Panel>
          <Sides />
        </div>
      </div>
    </Fragment>
  );
}
