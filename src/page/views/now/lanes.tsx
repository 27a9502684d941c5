/** What happened, on the axis of the charts: health, firings, runs, errors, and nerve itself. Each mark leads to its story. */

import type { ShownLog, ShownRun } from "../../../web/contract.ts";
import { bandsOf, merged } from "../../chart/merged.ts";
import { place } from "../../chart/ticks.ts";
import { useHappened } from "../../data/happened.ts";
import { Icon, type IconName, type Tone } from "../../parts/icon.tsx";
import type { Range } from "../../state/range.ts";
import { linkTo } from "../../state/route.ts";
import { screen } from "../../state/screen.ts";
import { count, counted } from "../../words/numbers.ts";
import { isObject } from "../../words/payload.ts";
import { ENDED_BADLY, RUN_MARKS, UNDER_WAY } from "../../words/states.ts";
import { clock } from "../../words/times.ts";

interface LaneMark {
  readonly at: number;
  readonly icon: IconName;
  readonly tone: Tone | "";
  readonly title: string;
  readonly href: string;
}

const KERNEL_ICONS: Readonly<Record<string, readonly [IconName, Tone | ""]>> = {
  "kernel.started": ["up", ""],
  "worker.exited": ["skull", "crit"],
  "config.reloaded": ["reload", ""],
  "config.refused": ["fail", "warn"],
  "clock.stepped": ["clock", "warn"],
  "reflex.silenced": ["mute", ""],
  "reflex.unsilenced": ["bell", ""],
  "sense.quarantined": ["skull", "crit"],
  "store.failed": ["db", "crit"],
  "store.low-space": ["db", "warn"],
};

const storyOf = (log: ShownLog): string => linkTo("story", { sel: log.trace });

const firedMark = (log: ShownLog): LaneMark => ({
  at: log.at,
  icon: "reflex",
  tone: "acc",
  title: `${clock(log.at)} ${log.source.replace("reflex:", "")}: ${log.message}`,
  href: storyOf(log),
});

const errorMark = (log: ShownLog): LaneMark => ({
  at: log.at,
  icon: log.event === "compute.timed-out" ? "clock" : "fail",
  tone: "warn",
  title: `${clock(log.at)} ${log.source.replace("sense:", "")}: ${log.message}`,
  href: storyOf(log),
});

function kernelMark(log: ShownLog): LaneMark {
  const [icon, tone] = KERNEL_ICONS[log.event] ?? ["dot", ""];
  return {
    at: log.at,
    icon,
    tone,
    title: `${clock(log.at)} ${log.message}`,
    href: linkTo("logs", { q: `event:${log.event}` }),
  };
}

interface MarksProps {
  readonly marks: readonly LaneMark[];
  readonly range: Range;
}

/** A mark with its count is 28 px wide. */
const CLOSE = 0.06;
const CLOSE_ON_PHONE = 0.12;

const Marks = ({ marks, range: { from, to } }: MarksProps) => (
  <>
    {merged(marks, from, to, screen.value === "phone" ? CLOSE_ON_PHONE : CLOSE).map(({ at, marks: here }) => {
      const [first] = here;
      if (first === undefined) return null;
      const title =
        here.length === 1
          ? first.title
          : `${here.length}: ${here
              .map((mark) => mark.title)
              .slice(0, 5)
              .join("; ")}`;
      return (
        <a
          key={at}
          class={`mk ${first.tone}`}
          style={{ left: place(at, from, to) }}
          href={first.href}
          title={title}
          aria-label={title}
        >
          <Icon name={first.icon} />
          {here.length === 1 ? null : <span class="times">{here.length}</span>}
        </a>
      );
    })}
  </>
);

interface LaneProps extends MarksProps {
  readonly title: string;
  readonly note: string;
}

const Lane = ({ title, note, marks, range }: LaneProps) => (
  <div class="lane">
    <div class="l">{title}</div>
    <div class="lt">
      <Marks marks={marks} range={range} />
    </div>
    <div class="v s">{note}</div>
  </div>
);

const HEALTH_TONES: Readonly<Record<string, string>> = { ok: "ok", warning: "warn", critical: "crit" };

function HealthLane({ range: { from, to } }: { readonly range: Range }) {
  const { health, healthSense, more } = useHappened();
  if (healthSense === null) return null;
  const states = health.map(({ at, payload }) => {
    const status = isObject(payload) ? payload.status : null;
    return { at, tone: (typeof status === "string" ? HEALTH_TONES[status] : null) ?? "none" };
  });
  return (
    <div class="lane">
      <div class="l">Health</div>
      <div class="lt">
        {bandsOf(states, from, to).map((band) => (
          <i
            key={band.from}
            class={`bandseg b-${band.tone}`}
            title={`${band.tone === "crit" ? "critical" : band.tone === "warn" ? "warning" : band.tone} from ${clock(band.from)} to ${clock(band.to)}`}
            style={{ left: place(band.from, from, to), width: place(band.to - band.from, 0, to - from) }}
          />
        ))}
      </div>
      <div class="v s">{more.health ? `${healthSense}, newest ${count(health.length)}` : healthSense}</div>
    </div>
  );
}

function RunBar({ run, range: { from, to } }: { readonly run: ShownRun; readonly range: Range }) {
  const begin = Math.max(run.queued_at, from);
  const end = Math.min(run.ended_at ?? to, to);
  if (end < from || begin > to) return null;
  const mark = RUN_MARKS[run.state];
  const title = `run ${run.id}, ${run.workflow}: ${mark.word}`;
  const width = { left: place(begin, from, to), width: place(Math.max(end - begin, 0), 0, to - from) };
  return (
    <a
      class={`bandseg runseg b-${mark.tone}`}
      href={linkTo("runs", { sel: String(run.id) })}
      title={title}
      style={width}
    >
      <span class="vh">{title}</span>
    </a>
  );
}

function RunsLane({ range }: { readonly range: Range }) {
  const { runs, more } = useHappened();
  const bad = runs.filter(({ state }) => ENDED_BADLY.includes(state)).length;
  const going = runs.filter(({ state }) => UNDER_WAY.includes(state)).length;
  // What ended badly lies on top.
  const drawn = [...runs].sort((a, b) => Number(ENDED_BADLY.includes(a.state)) - Number(ENDED_BADLY.includes(b.state)));
  const notes = [
    some(runs.length, "run", more.runs),
    bad === 0 ? "" : `${bad} failed`,
    going === 0 ? "" : `${going} under way`,
  ];
  return (
    <div class="lane">
      <div class="l">Runs</div>
      <div class="lt">
        {drawn.map((run) => (
          <RunBar key={run.id} run={run} range={range} />
        ))}
      </div>
      <div class="v s">
        {notes
          .filter((note) => note !== "")
          .slice(0, 2)
          .join(", ")}
      </div>
    </div>
  );
}

/** `isCut`: there are more, and these are the newest. */
const some = (amount: number, noun: string, isCut: boolean): string =>
  amount === 0 ? "none" : isCut ? `newest ${count(amount)}` : counted(amount, noun);

export function Lanes({ range }: { readonly range: Range }) {
  const { fired, errors, kernel, more } = useHappened();
  const deaths = kernel.filter(({ event }) => event === "worker.exited").length;
  const reloads = kernel.filter(({ event }) => event === "config.reloaded").length;
  const newest = more.kernel ? `newest ${count(kernel.length)}` : "";
  const said = [newest, deaths === 0 ? "" : counted(deaths, "death"), reloads === 0 ? "" : counted(reloads, "reload")];
  const quiet = said.every((text) => text === "");
  return (
    <>
      <HealthLane range={range} />
      <Lane title="Fired" note={some(fired.length, "firing", more.fired)} marks={fired.map(firedMark)} range={range} />
      <RunsLane range={range} />
      <Lane
        title="Errors"
        note={some(errors.length, "compute", more.errors)}
        marks={errors.map(errorMark)}
        range={range}
      />
      <Lane
        title="nerve"
        note={quiet ? "quiet" : said.filter((text) => text !== "").join(", ")}
        marks={kernel.map(kernelMark)}
        range={range}
      />
    </>
  );
}
