/** *Reflexes*: per key what it does now, and why it did not fire. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Json } from "../../base/json.ts";
import type { ReflexAnswer, ReflexesAnswer, ReflexRow } from "../../web/contract-reflexes.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { REFLEXES, useReflexes } from "../data/summary.ts";
import { Ago, Command, Empty, Foreign, StatusMark } from "../parts/basics.tsx";
import { AboutPill, Answered, FilterInput, NoMatch } from "../parts/controls.tsx";
import { Icon } from "../parts/icon.tsx";
import { range } from "../state/range.ts";
import { param, setParams } from "../state/route.ts";
import { asked as askedFor, parseFilter, passes } from "../words/filter.ts";
import { count, counted } from "../words/numbers.ts";
import { keyText } from "../words/payload.ts";
import { moment } from "../words/times.ts";
import { keyLines, MOST_KEYS, Strips } from "./reflexes/strips.tsx";
import { WhyNot } from "./reflexes/why-not.tsx";

const OPEN: Freshness = { everyMs: 5_000, after: ["signal"] };
const CLOSED: Freshness = { everyMs: 15_000, after: [] };
const SIGNALS = 50;

const Legend = () => (
  <span class="legend sp">
    <span>
      <i class="sw s-off" />
      not matching
    </span>
    <span>
      <i class="sw wb p" />
      pending (for)
    </span>
    <span>
      <i class="sw s-m" />
      matching
    </span>
    <span>
      <i class="sw s-t" />
      throttled
    </span>
    <span>
      <i class="sw s-x" />
      fired
    </span>
  </span>
);

/** The range that is asked for moves in steps, so that an answer is not asked for anew each second. */
const STEPS = 20;

function rangeQuery(): { readonly from: number; readonly to: number | null } {
  const { from, to, live } = range.value;
  const step = (to - from) / STEPS;
  return { from: Math.floor(from / step) * step, to: live ? null : to };
}

/** Whether it has come into sight: only then is its answer asked for. */
function useSeen(): readonly [ref: { current: HTMLElement | null }, seen: boolean] {
  const ref = useRef<HTMLElement>(null);
  const seen = useSignal(false);
  useEffect(() => {
    if (ref.current === null) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) seen.value = true;
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return [ref, seen.value];
}

/** `workflow:drain` → `drain`. */
const targetName = (target: string): string => target.replace(/^(workflow|sense)[: ]/, "");

const keyWord = (key: ReflexRow["key"]): string | null =>
  key === null ? null : `per ${typeof key === "string" ? key : key.join(", ")}`;

function Head({ reflex, open }: { readonly reflex: ReflexRow; readonly open: boolean }) {
  const { name, target, words, key, fired, throttled, enabled } = reflex;
  const per = keyWord(key);
  return (
    <div class="ph reflex">
      <button
        type="button"
        class="rowb"
        data-row
        aria-expanded={open}
        onClick={() => setParams({ sel: open ? "none" : name }, "push")}
      >
        <h2>{name}</h2>
      </button>
      <span class="d">→ {targetName(target)}</span>
      {words.map((word) => (
        <span key={word} class="chip" title={word}>
          <Foreign text={word} />
        </span>
      ))}
      {per === null || words.some((word) => word.startsWith("per ")) ? null : <span class="chip">{per}</span>}
      {enabled ? null : <StatusMark mark={{ icon: "off", word: "disabled", tone: "idle" }} />}
      <span class="s">
        {count(fired)} fired · {count(throttled)} throttled
      </span>
    </div>
  );
}

function Body({
  answer,
  reflex,
  open,
}: {
  readonly answer: ReflexAnswer;
  readonly reflex: ReflexRow;
  readonly open: boolean;
}) {
  const filter = parseFilter(param("q"));
  const wanted = askedFor(filter, "key");
  const isWanted = (key: Json): boolean => wanted.every((part) => keyText(key).toLowerCase().includes(part));
  const lines = keyLines(answer).filter(({ key }) => isWanted(key));
  const silenced = answer.silenced;
  return (
    <>
      {silenced === null ? null : (
        <p class="pb s">
          <Icon name="mute" /> silenced until {moment(silenced.until)}: <Foreign text={silenced.why} />
        </p>
      )}
      {lines.length === 0 ? null : <Strips lines={lines} foot={open} />}
      {open ? (
        <WhyNot answer={answer} folds={answer.decisions.filter(({ newest }) => isWanted(newest.key))} reflex={reflex} />
      ) : null}
      {open ? (
        <div class="pb cmds">
          <Command text={`nerve explain ${reflex.name}`} />
          <Command
            text={reflex.enabled ? `nerve silence ${reflex.name} --for 1h --why '…'` : `nerve enable ${reflex.name}`}
          />
        </div>
      ) : null}
    </>
  );
}

const pathOf = (name: string, open: boolean): string =>
  apiPath(`reflexes/${encodeURIComponent(name)}`, { ...rangeQuery(), limit: open ? SIGNALS : 1 });

/** How many rows its strips will have: one for each key, one more where it is silenced. */
const rowsOf = ({ keys, silenced_until: silenced }: ReflexRow): number =>
  Math.min(Math.max(keys, 1), MOST_KEYS) + (silenced === null ? 0 : 1);

function ReflexPanel({ reflex, open }: { readonly reflex: ReflexRow; readonly open: boolean }) {
  const [ref, seen] = useSeen();
  const path = pathOf(reflex.name, open);
  const asked = useAnswer<ReflexAnswer>(seen || open ? path : null, open ? OPEN : CLOSED);
  const last = useRef<ReflexAnswer | null>(null);
  if (asked.value !== null) last.current = asked.value;
  // While the range moves on, the old strips stay until the new ones are there.
  const shown = asked.value === null && last.current !== null ? { ...asked, value: last.current } : asked;
  return (
    <section
      class={open ? "panel" : "panel closed"}
      style={{ "--rows": String(rowsOf(reflex)) }}
      ref={ref}
      aria-label={reflex.name}
    >
      <Head reflex={reflex} open={open} />
      <Answered path={path} asked={shown}>
        {(answer) => <Body answer={answer} reflex={reflex} open={open} />}
      </Answered>
    </section>
  );
}

/** A reflex that looks at signals; the others only follow the clock. */
const looks = ({ on, words }: ReflexRow): boolean => on.length > 0 && words.length > 0;

const startsSense = ({ target }: ReflexRow): boolean => target.startsWith("sense");

function Timed({ reflexes }: { readonly reflexes: readonly ReflexRow[] }) {
  const shown = reflexes.filter(({ target }) => target.startsWith("workflow"));
  const others = reflexes.length - shown.length;
  return (
    <>
      {shown.length === 0 ? null : (
        <section class="panel" aria-label="Started by the clock">
          <div class="ph">
            <h2>By the clock</h2>
          </div>
          {shown.map((reflex) => (
            <div class="kv" key={reflex.name}>
              <span class="b tr">
                {reflex.name} <span class="s">→ {targetName(reflex.target)}</span>
              </span>
              <span>{reflex.next_due === null ? "–" : <Ago at={reflex.next_due} />}</span>
              <span class="s">
                {reflex.clocks.join(", ")} · {count(reflex.fired)} fired
                {reflex.missed > 0 ? ` · ${count(reflex.missed)} missed` : ""}
              </span>
            </div>
          ))}
        </section>
      )}
      {others > 0 ? (
        <p class="s">
          {counted(others, "further reflex").replace("reflexs", "reflexes")} only run{others === 1 ? "s" : ""} senses.
          They are listed with their sense.
        </p>
      ) : null}
    </>
  );
}

/** What is opened at first: the first with anything that waits. */
const firstOpen = (shown: readonly ReflexRow[]): string | null =>
  (shown.find(({ pending }) => pending > 0) ?? shown.find(({ keys }) => keys > 0) ?? shown[0])?.name ?? null;

function ReflexList({ answer }: { readonly answer: ReflexesAnswer }) {
  const filter = parseFilter(param("q"));
  const [kind, about = ""] = param("about").split(":", 2);
  const passed = answer.reflexes
    .filter(
      ({ name, on, target }) =>
        about === "" || (kind === "reflex" ? name === about : on.includes(about) || target.endsWith(about)),
    )
    .filter((reflex) =>
      passes(
        { ...filter, is: filter.is.filter(([key]) => key !== "key") },
        { reflex: reflex.name, target: reflex.target, on: reflex.on.join(" "), words: reflex.words.join(" ") },
      ),
    );
  // What starts a workflow first: a person asks of that.
  const looking = passed.filter(looks).sort((a, b) => Number(startsSense(a)) - Number(startsSense(b)));
  const chosen = param("sel") === "" ? firstOpen(looking) : param("sel");
  // How high the open one becomes is not known before: what is under it comes then, and does not move.
  const opened = looking.find(({ name }) => name === chosen) ?? null;
  const first = useAnswer<ReflexAnswer>(opened === null ? null : pathOf(opened.name, true), OPEN);
  const waits = useRef(true);
  if (!first.loading) waits.current = false;
  const isComing = opened !== null && waits.current;
  const shown = isComing ? looking.slice(0, looking.indexOf(opened) + 1) : looking;
  if (answer.reflexes.length === 0)
    return (
      <section class="panel">
        <Empty
          icon="reflex"
          title="No reflex is configured."
          more="A reflex is what runs a sense or starts a workflow."
          command="nerve library"
        />
      </section>
    );
  if (passed.length === 0)
    return (
      <section class="panel">
        <NoMatch what="reflex" />
      </section>
    );
  return (
    <>
      {shown.map((reflex) => (
        <ReflexPanel key={reflex.name} reflex={reflex} open={reflex.name === chosen} />
      ))}
      {isComing ? null : <Timed reflexes={passed.filter((reflex) => !looks(reflex))} />}
    </>
  );
}

export function Reflexes() {
  const asked = useReflexes();
  return (
    <>
      <div class="head">
        <FilterInput hint="Filter reflexes, as in disk key:/var" />
        <AboutPill />
        <Legend />
      </div>
      <div class="stack">
        <Answered path={REFLEXES} asked={asked}>
          {(answer) => <ReflexList answer={answer} />}
        </Answered>
      </div>
    </>
  );
}
