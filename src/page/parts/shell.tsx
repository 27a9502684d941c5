/** What stands around every view: the rail, the bar with range and liveness, the list of keys, the toast. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { session } from "../data/api.ts";
import { type Liveness, liveness, missedWhilePaused } from "../data/live.ts";
import { useSummary } from "../data/summary.ts";
import { GO, helpOpen, KEYS, togglePause } from "../state/keys.ts";
import { chooseRange, RANGES, range } from "../state/range.ts";
import { linkTo, type View, view } from "../state/route.ts";
import { nextTheme, theme } from "../state/theme.ts";
import { toast } from "../state/toast.ts";
import { count } from "../words/numbers.ts";
import { clock, day, lasted, minute } from "../words/times.ts";
import { Choices } from "./controls.tsx";
import { Icon, type IconName } from "./icon.tsx";

interface Place {
  readonly view: View;
  readonly title: string;
  readonly icon: IconName;
  readonly keys: string;
}

const ICONS: Readonly<Record<View, IconName>> = {
  now: "now",
  senses: "eye",
  signals: "signals",
  story: "story",
  reflexes: "reflex",
  runs: "run",
  incidents: "crit",
  logs: "log",
  graph: "graph",
  store: "db",
};

const PLACES = Object.entries(GO).map(
  ([key, name]): Place => ({
    view: name,
    title: name.charAt(0).toUpperCase() + name.slice(1),
    icon: ICONS[name],
    keys: `g ${key}`,
  }),
);

export const titleOf = (name: View): string => PLACES.find((place) => place.view === name)?.title ?? "";

interface Badge {
  readonly text: string;
  readonly tone: "crit" | "warn" | "plain";
  readonly title: string;
}

function useBadges(): Readonly<Record<string, Badge>> {
  const { attention, notOk, underWay, openIncidents, pending, worst } = useSummary();
  const isGrave = openIncidents.some(({ severity }) => severity === "critical");
  const badge = (amount: number, tone: Badge["tone"], title: string, word: string): Badge | null =>
    amount === 0 ? null : { text: `${count(amount)}${word}`, tone, title: `${amount} ${title}` };
  const found = {
    now: badge(attention, worst === "crit" ? "crit" : "warn", "need attention", ""),
    senses: badge(notOk, "warn", "not ok", ""),
    reflexes: badge(pending, "plain", "pending", " pending"),
    runs: badge(underWay, "plain", "under way", ""),
    incidents: badge(openIncidents.length, isGrave ? "crit" : "warn", "open or acked", ""),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== null)) as Record<string, Badge>;
}

const PlaceLink = ({ place, badge }: { readonly place: Place; readonly badge: Badge | null }) => (
  <a
    href={linkTo(place.view, {})}
    title={`${place.title} (${place.keys})`}
    aria-current={view.value === place.view ? "page" : undefined}
  >
    <Icon name={place.icon} />
    <span>{place.title}</span>
    {badge === null ? null : (
      <span class={`n ${badge.tone}`} title={badge.title}>
        {badge.text}
        <span class="vh"> {badge.title.replace(/^\d+ /, "")}</span>
      </span>
    )}
  </a>
);

function Rail() {
  const badges = useBadges();
  const { host, startedAt } = useSummary();
  return (
    <nav class="rail" aria-label="Views">
      <div class="brand">
        <Icon name="reflex" />
        <span>nerve</span>
        <span class="s tr" title={host}>
          {host}
        </span>
      </div>
      {PLACES.map((place) => (
        <PlaceLink key={place.view} place={place} badge={badges[place.view] ?? null} />
      ))}
      <div class="foot">
        <span class="s">
          {session.value?.version}
          {startedAt === null ? "" : ` · up ${lasted(startedAt)}`}
        </span>
        <button type="button" title="Keys (?)" aria-label="Keys" onClick={() => (helpOpen.value = true)}>
          <Icon name="key" />
          <span>Keys</span>
          <kbd>?</kbd>
        </button>
        <button type="button" title="Theme (\)" aria-label={`Theme: ${theme.value}`} onClick={nextTheme}>
          <Icon name="sun" />
          <span>Theme: {theme.value}</span>
        </button>
      </div>
    </nav>
  );
}

/** Narrow screens: the views that are looked at on the way, and all others behind the last. */
function Tabs() {
  const badges = useBadges();
  const four = PLACES.filter(({ view: name }) => ["now", "senses", "incidents", "logs"].includes(name));
  const others = PLACES.filter((place) => !four.includes(place));
  return (
    <nav class="tabs" aria-label="Views">
      {four.map((place) => (
        <PlaceLink key={place.view} place={place} badge={badges[place.view] ?? null} />
      ))}
      <details class="more" key={view.value}>
        <summary aria-current={others.some((place) => place.view === view.value) ? "page" : undefined}>
          <Icon name="more" />
          <span>More</span>
        </summary>
        <div class="sheet">
          {others.map((place) => (
            <PlaceLink key={place.view} place={place} badge={badges[place.view] ?? null} />
          ))}
          {TIMELESS.includes(view.value) ? null : <Ranges />}
        </div>
      </details>
    </nav>
  );
}

const since = (at: number | null): string => (at === null || at === 0 ? "" : ` since ${clock(at)}`);

function pillOf(state: Liveness): readonly [tone: string, icon: IconName, text: string] {
  switch (state.kind) {
    case "paused":
      return ["idle", "gate", state.news > 0 ? `paused, ${state.news} new` : "paused"];
    case "reconnecting":
      return ["warn", "retry", `reconnecting (${state.attempts})`];
    case "stale":
      return ["warn", "clock", `stale${since(state.since)}`];
    case "silent":
      return ["crit", "fail", `the kernel is silent${since(state.since)}`];
    case "down":
      return ["crit", "fail", `nerve is down${since(state.since)}`];
    default:
      return ["idle", "pend", state.kind];
  }
}

/** The page never looks fresh when it is not. */
function LivenessPill() {
  const state = liveness.value;
  const [tone, icon, text] = state.kind === "live" ? (["ok", null, "live"] as const) : pillOf(state);
  return (
    <span class={`pill ${tone}`} role="status">
      {icon === null ? <i class="beat" /> : <Icon name={icon} />}
      {text}
    </span>
  );
}

function rangeText(): string {
  const { from, to } = range.value;
  return to - from > 86_400_000 ? `${day(from)} to ${day(to)}` : `${minute(from)} to ${minute(to)}`;
}

/** Views that show no range of time. */
const TIMELESS: readonly View[] = ["story", "graph", "store"];

const Ranges = () => (
  <Choices
    label="Time range"
    choices={RANGES.map((one) => ({ value: one.name, label: one.label }))}
    chosen={(value) => value === range.value.name}
    choose={chooseRange}
  />
);

function Bar() {
  const { name } = range.value;
  const timeless = TIMELESS.includes(view.value);
  return (
    <header class="bar">
      <h1 class="title">{titleOf(view.value)}</h1>
      <div class="hide-s bar-range" hidden={timeless}>
        {name === null ? (
          <button type="button" class="pill acc" title="Back to now" onClick={() => chooseRange("5m")}>
            {rangeText()}
            <Icon name="close" />
          </button>
        ) : null}
        <Ranges />
      </div>
      <button
        type="button"
        class="pill-button"
        title="Pause, go on (space)"
        onClick={() => {
          missedWhilePaused.value = 0;
          togglePause();
        }}
      >
        <LivenessPill />
      </button>
      <button type="button" class="only-s theme" aria-label="Theme" onClick={nextTheme}>
        <Icon name="sun" />
      </button>
    </header>
  );
}

function Keys() {
  const dialog = useRef<HTMLDialogElement>(null);
  const open = helpOpen.value;
  useEffect(() => {
    if (open) dialog.current?.showModal();
  }, [open]);
  return (
    <dialog ref={dialog} aria-labelledby="keys" onClose={() => (helpOpen.value = false)}>
      <div class="ph">
        <h2 id="keys">Keys</h2>
        <button type="button" class="s" onClick={() => dialog.current?.close()}>
          close <kbd>esc</kbd>
        </button>
      </div>
      <div class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <span>{what}</span>
            <span>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </span>
          </div>
        ))}
      </div>
    </dialog>
  );
}

export const Shell = ({ children }: { readonly children: ComponentChildren }) => (
  <>
    <button type="button" class="skip" onClick={() => document.getElementById("main")?.focus()}>
      Skip to content
    </button>
    <div class="app">
      <Rail />
      <div class="main">
        <Bar />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
      <Tabs />
    </div>
    <Keys />
    <output class={toast.value === null ? "toast" : "toast on"}>{toast.value}</output>
  </>
);
