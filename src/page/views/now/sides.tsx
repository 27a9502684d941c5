/** Beside the charts: what waits for a time, the fleet, what is well, what just happened. */
import { Fragment } from "preact";
import type { LogsAnswer, RunsAnswer, ShownLog } from "../../../web/contract.ts";
import type { SilencesAnswer } from "../../../web/contract-host.ts";
import type { ReflexAnswer } from "../../../web/contract-reflexes.ts";
import { apiPath } from "../../data/api.ts";
import { type Freshness, useAnswer } from "../../data/ask.ts";
import { useReflexes, useSenses } from "../../data/summary.ts";
import { At, Foreign, Panel, Pill, StatusMark } from "../../parts/basics.tsx";
import { Icon } from "../../parts/icon.tsx";
import { now } from "../../state/clock.ts";
import { linkTo } from "../../state/route.ts";
import { count } from "../../words/numbers.ts";
import { keyText } from "../../words/payload.ts";
import { type Mark, RUN_MARKS, STANDING_MARKS } from "../../words/states.ts";
import { ago, left } from "../../words/times.ts";
import { LinksPanel, useHosts } from "./fleet.tsx";

interface Waiting {
  readonly id: string;
  readonly name: string;
  readonly mark: Mark;
  readonly what: string;
  readonly until: number;
  readonly href: string;
}

const RUNS: Freshness = { everyMs: 10_000, after: ["run"] };
const SLOW: Freshness = { everyMs: 10_000, after: ["log"] };
const PENDING: Freshness = { everyMs: 5_000, after: ["signal"] };
const SILENCED: Mark = { icon: "mute", word: "silenced", tone: "idle" };
/** A next try is a wait as a sleep is. */
const MOST_WAITING = 6;

/** Deadlines of keys, of the first reflexes with a key that waits; null: not all answers are there. */
function usePendingKeys(): readonly Waiting[] | null {
  const waiting = (useReflexes().value?.reflexes ?? []).filter(({ pending }) => pending > 0).slice(0, 3);
  const paths = [0, 1, 2].map((nth) => waiting[nth]?.name ?? null);
  const answers = paths.map((name) =>
    useAnswer<ReflexAnswer>(name === null ? null : apiPath(`reflexes/${name}`, { limit: 1 }), PENDING),
  );
  if (answers.some(({ loading }) => loading)) return null;
  return answers.flatMap(({ value }) => (value === null ? [] : keysOf(value)));
}

function keysOf({ reflex, pending }: ReflexAnswer): Waiting[] {
  return pending.flatMap(({ key, for_until, debounce_until, throttled_until }): Waiting[] => {
    const name = key === null ? reflex : `${reflex} · ${keyText(key)}`;
    const href = linkTo("reflexes", { sel: reflex });
    const wait = (mark: Mark, until: number, what: string): Waiting => ({
      id: `${name} ${mark.word}`,
      name,
      mark,
      what,
      until,
      href,
    });
    if (for_until !== null)
      return [wait(STANDING_MARKS.pending, for_until, `fires ${ago(for_until)}, unless matching ends`)];
    if (debounce_until !== null)
      return [wait(STANDING_MARKS.debouncing, debounce_until, `fires ${ago(debounce_until)}, unless signals go on`)];
    if (throttled_until === null) return [];
    return [wait(STANDING_MARKS.throttled, throttled_until, `stays quiet for ${left(throttled_until)}`)];
  });
}

/** Null: not all answers are there. */
function useWaiting(): readonly Waiting[] | null {
  const keys = usePendingKeys();
  const sleeping = useAnswer<RunsAnswer>(apiPath("runs", { state: "sleeping", limit: 20 }), RUNS);
  const silenced = useAnswer<SilencesAnswer>(apiPath("silences", {}), SLOW);
  if (keys === null || sleeping.loading || silenced.loading) return null;
  const runs = sleeping.value?.rows ?? [];
  const silences = silenced.value?.silences ?? [];
  const all: Waiting[] = [
    ...keys,
    ...runs.map((run) => ({
      id: `run ${run.id}`,
      name: `run ${run.id} · ${run.workflow}`,
      mark: RUN_MARKS.sleeping,
      what: `${run.until === null ? "sleeps" : `goes on ${ago(run.until)}`}`,
      until: run.until ?? now.value,
      href: linkTo("runs", { sel: String(run.id) }),
    })),
    ...silences.map(({ pattern, why, until }) => ({
      id: `silence ${pattern}`,
      name: pattern,
      mark: SILENCED,
      what: `${why}, ${left(until)} left`,
      until,
      href: linkTo("reflexes", { q: pattern }),
    })),
  ];
  return all.filter(({ until }) => until >= now.value - 2_000).sort((a, b) => a.until - b.until);
}

function WaitingPanel({ waiting }: { readonly waiting: readonly Waiting[] }) {
  if (waiting.length === 0) return null;
  return (
    <Panel title="Waiting" aside="what comes next">
      {waiting.slice(0, MOST_WAITING).map(({ id, name, mark, what, href }) => (
        <div class="kv" key={id}>
          <a class="b tr" href={href}>
            <Foreign text={name} />
          </a>
          <StatusMark mark={mark} />
          <span class="s tr">
            <Foreign text={what} />
          </span>
        </div>
      ))}
      {waiting.length > MOST_WAITING ? <div class="kv s">{waiting.length - MOST_WAITING} more</div> : null}
    </Panel>
  );
}

/** So many names are read; the others are a number. */
const MOST_NAMES = 40;

/** Each name in one piece. */
function Names({ names }: { readonly names: readonly string[] }) {
  const more = names.length - MOST_NAMES;
  if (names.length === 0) return <>None.</>;
  return (
    <>
      {names.slice(0, MOST_NAMES).map((name, index) => (
        <Fragment key={name}>
          {index === 0 ? "" : ", "}
          <span class="nw">{name}</span>
        </Fragment>
      ))}
      {more > 0 ? `, and ${count(more)} more` : ""}.
    </>
  );
}

function HealthyPanel() {
  const senses = useSenses().value?.senses ?? [];
  const ok = senses.filter(({ state }) => state === "ok");
  const off = senses.filter(({ state }) => state === "disabled").map(({ name }) => name);
  if (senses.length === 0) return null;
  return (
    <Panel
      title={
        <>
          <h2>Healthy</h2>
          <Pill tone="ok">
            <Icon name="ok" />
            {ok.length} ok
          </Pill>
        </>
      }
      aside={
        <a class="lnk" href={linkTo("senses", {})}>
          all senses
        </a>
      }
    >
      <p class="pb names">
        <Names names={ok.map(({ name }) => name)} />
        {off.length === 0 ? "" : ` ${off.join(", ")} ${off.length === 1 ? "is" : "are"} disabled.`}
      </p>
    </Panel>
  );
}

/** What people want to hear of, in the order in which it happened. */
const NEWS = [
  "run.started",
  "reflex.silenced",
  "reflex.unsilenced",
  "run.completed",
  "run.failed",
  "run.timed-out",
  "incident.opened",
  "incident.resolved",
  "incident.acked",
  "worker.exited",
  "config.reloaded",
  "sense.failed",
  "sense.quarantined",
  "kernel.started",
];
const MOST_NEWS = 6;

function newsText({ event, source, run, message }: ShownLog): string {
  const name = source.slice(source.indexOf(":") + 1);
  if (event === "run.started" && run !== null) return `run ${run} of ${name} started`;
  if (run !== null && event.startsWith("run.")) return `run ${run} ${event.slice("run.".length).replace("-", " ")}`;
  if (event === "config.reloaded") return "config reloaded";
  return event === "kernel.started" ? message.replace(/ from .*$/, "") : message;
}

function JustHappened({ rows }: { readonly rows: readonly ShownLog[] }) {
  const newest = [...rows].sort((a, b) => b.id - a.id).slice(0, MOST_NEWS);
  if (newest.length === 0) return null;
  return (
    <Panel title="Just happened" aside={null}>
      {newest.map((log) => (
        <div class="kv one" key={log.id}>
          <a class="clamp" href={linkTo("story", { sel: log.trace })} title={log.message}>
            <Foreign text={newsText(log)} />
          </a>
          <span class="s">
            <At at={log.at} />
          </span>
        </div>
      ))}
    </Panel>
  );
}

/** All at once, so that nothing that is there moves. */
export function Sides() {
  const waiting = useWaiting();
  const news = useAnswer<LogsAnswer>(apiPath("logs", { event: NEWS, limit: MOST_NEWS }), SLOW);
  const hosts = useHosts();
  if (waiting === null || news.loading || hosts.loading) return <div class="side waiting" />;
  return (
    <div class="side stack">
      <WaitingPanel waiting={waiting} />
      <LinksPanel hosts={hosts.value} />
      <HealthyPanel />
      <JustHappened rows={news.value?.rows ?? []} />
    </div>
  );
}
