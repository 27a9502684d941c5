/** *Senses*: one row each, what is not ok first; a row says why, and opens to more. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { SenseRow, SensesAnswer } from "../../web/contract.ts";
import { Spark } from "../chart/spark.tsx";
import { troubleOf } from "../data/attention.ts";
import { useSeries } from "../data/series.ts";
import { SENSES, useSenses } from "../data/summary.ts";
import { Ago, Empty, Foreign, StatusMark } from "../parts/basics.tsx";
import { AboutPill, Answered, FilterInput, NoMatch, ShowChoices } from "../parts/controls.tsx";
import { range } from "../state/range.ts";
import { param, setParams } from "../state/route.ts";
import { type Screen, screen } from "../state/screen.ts";
import { parseFilter, passes } from "../words/filter.ts";
import { count, counted, spelled, took, valued } from "../words/numbers.ts";
import { brief, drawn, fieldName, isObject, telling } from "../words/payload.ts";
import { type Mark, SENSE_MARKS, SENSE_RANK, TIMING_OUT } from "../words/states.ts";
import { SenseDetail } from "./senses/detail.tsx";

const SPARK_PX = 100;

/** The number that a row draws: of what its sense exports, the telling one. */
function sparkField(sense: SenseRow): { readonly name: string; readonly isWord: boolean } | null {
  const told = sense.last === null ? null : telling(sense.last.payload);
  if (told !== null && drawn(told.value) !== null) return { name: told.field, isWord: typeof told.value === "string" };
  const [first] = sense.series;
  return first === undefined ? null : { name: first.name, isWord: false };
}

function SparkCell({ sense }: { readonly sense: SenseRow }) {
  const cell = useRef<HTMLDivElement>(null);
  const seen = useSignal(false);
  useEffect(() => {
    if (cell.current === null) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) seen.value = true;
    });
    observer.observe(cell.current);
    return () => observer.disconnect();
  }, []);
  const field = sparkField(sense);
  const { lines } = useSeries({
    sense: sense.name,
    fields: field === null ? [] : [field.name],
    of: null,
    isWord: field?.isWord ?? false,
    range: range.value,
    width: seen.value ? SPARK_PX : 0,
  });
  return (
    <div ref={cell}>
      <Spark line={lines[0] ?? null} from={range.value.from} to={range.value.to} />
    </div>
  );
}

/** What the sense itself says is wrong, though it works. */
function sayingOf(sense: SenseRow): string | null {
  const payload = sense.last?.payload ?? null;
  if (!isObject(payload)) return null;
  const { status, reasons } = payload;
  if (status !== "warning" && status !== "critical") return null;
  const why = Array.isArray(reasons) && typeof reasons[0] === "string" ? `: ${reasons[0]}` : "";
  return `says ${status}${why}`;
}

/** What is wrong with its inbox, though it works. */
const inboxTroubleOf = ({ inbox }: SenseRow): string | null =>
  inbox?.full ? "its inbox is full" : inbox?.dead ? counted(inbox.dead, "dead item") : null;

const whyOf = (sense: SenseRow): string => {
  if (sense.state !== "ok") return sense.state === "disabled" ? (sense.reason ?? "disabled") : troubleOf(sense);
  return inboxTroubleOf(sense) ?? sayingOf(sense) ?? "–";
};

function shownValue(sense: SenseRow): { readonly text: string; readonly field: string } | null {
  const told = sense.last === null ? null : telling(sense.last.payload);
  if (told === null) return null;
  const unit = sense.series.find(({ name }) => name === told.field)?.unit ?? null;
  const text =
    typeof told.value === "number" && unit !== null ? valued(told.value, unit) : brief(told.value, told.field);
  return { text, field: told.field };
}

/** That it begins at the start goes without saying where it goes on. */
const clocksOf = ({ clocks }: SenseRow): readonly string[] =>
  clocks.length > 1 ? clocks.filter((clock) => clock !== "at start") : clocks;

const everyOf = (sense: SenseRow): string =>
  spelled(
    clocksOf(sense)
      .map((clock) => clock.replace("every ", ""))
      .join(", "),
  ) || "on signals";

/** What fails because it takes too long says so. */
const markOf = (sense: SenseRow): Mark =>
  sense.state === "failing" && sense.timeouts > sense.errors ? TIMING_OUT : SENSE_MARKS[sense.state];

/** A p99 that comes near the default timeout is worth a colour. */
const SLOW_MS = 5_000;

function SenseTableRow({ sense }: { readonly sense: SenseRow }) {
  const open = param("sel") === sense.name;
  const value = shownValue(sense);
  const why = whyOf(sense);
  const toggle = (): void => setParams({ sel: open ? null : sense.name }, "push");
  return (
    <>
      <tr class={open ? "open" : ""}>
        <td>
          <StatusMark mark={markOf(sense)} />
        </td>
        <td class="e">
          <button type="button" class="rowb tr" data-row aria-expanded={open} onClick={toggle}>
            {sense.name}
          </button>
        </td>
        <td class="c-sm tr d" title={why}>
          <Foreign text={why} />
        </td>
        <td class="r e o2 b tr" title={value?.text ?? ""}>
          {value === null ? <span class="s">no signal yet</span> : <Foreign text={value.text} />}
        </td>
        <td class="c-lg s tr" title={value?.field ?? ""}>
          {value === null ? null : <Foreign text={fieldName(value.field)} />}
        </td>
        <td class="o1">
          <SparkCell sense={sense} />
        </td>
        <td class="r nw c-sm">
          <Ago at={sense.last_signal} />
        </td>
        <td class="r nw c-md tr" title={everyOf(sense)}>
          {everyOf(sense)}
        </td>
        <td class={(sense.p99_ms ?? 0) > SLOW_MS ? "r nw c-md warn b" : "r nw c-md"}>
          {sense.p99_ms === null ? "–" : took(sense.p99_ms)}
        </td>
        <td class={sense.errors + sense.timeouts > 0 ? "r c-lg warn b" : "r c-lg"}>
          {count(sense.errors + sense.timeouts)}
        </td>
        <td class="only-s w2 o3 s">
          {why === "–" ? "" : `${why} · `}
          <Ago at={sense.last_signal} /> · {everyOf(sense)}
        </td>
      </tr>
      {open ? (
        <tr class="x">
          <td colSpan={COLUMNS[screen.value]}>
            <SenseDetail sense={sense} />
          </td>
        </tr>
      ) : null}
    </>
  );
}

/** A cell over more columns than there are would make columns. */
const COLUMNS: Readonly<Record<Screen, number>> = { wide: 10, middle: 8, narrow: 6, phone: 1 };

const NOT_OK = "not-ok";
const OFF = "off";

const shows = (show: string, state: SenseRow["state"]): boolean => {
  if (show === NOT_OK) return state !== "ok" && state !== "disabled";
  return show === OFF ? state === "disabled" : show === "" || state === "ok";
};

function shownSenses({ senses }: SensesAnswer): readonly SenseRow[] {
  const filter = parseFilter(param("q"));
  const show = param("show");
  const [kind, name = ""] = param("about").split(":", 2);
  return senses
    .filter(({ state }) => shows(show, state))
    .filter((sense) => name === "" || (kind === "sense" ? sense.name === name : sense.heard_by.includes(name)))
    .filter((sense) =>
      passes(filter, { sense: sense.name, state: sense.state, group: sense.group, use: sense.use, why: whyOf(sense) }),
    )
    .map((sense, index) => ({ sense, index }))
    .sort((a, b) => SENSE_RANK[a.sense.state] - SENSE_RANK[b.sense.state] || a.index - b.index)
    .map(({ sense }) => sense);
}

const Columns = () => (
  <colgroup>
    <col class="w-state" />
    <col class="w-sense" />
    <col class="c-sm" />
    <col class="w-value" />
    <col class="c-lg w-field" />
    <col class="w-spark" />
    <col class="c-sm w-age" />
    <col class="c-md w-every" />
    <col class="c-md w-p99" />
    <col class="c-lg w-errors" />
  </colgroup>
);

function SensesTable({ answer }: { readonly answer: SensesAnswer }) {
  const shown = shownSenses(answer);
  if (answer.senses.length === 0)
    return (
      <Empty
        icon="eye"
        title="No sense is configured."
        more="A sense observes one thing of this host."
        command="nerve library"
      />
    );
  if (shown.length === 0) return <NoMatch what="sense" />;
  return (
    <table class="cards senses">
      <Columns />
      <thead>
        <tr>
          <th>State</th>
          <th>Sense</th>
          <th class="c-sm">Why not ok</th>
          <th class="r">Last value</th>
          <th class="c-lg">Field</th>
          <th>{range.value.label.replace(/^l/, "L")}</th>
          <th class="r c-sm">Age</th>
          <th class="r c-md">Every</th>
          <th class="r c-md">p99</th>
          <th class="r c-lg">Errors</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((sense) => (
          <SenseTableRow key={sense.name} sense={sense} />
        ))}
      </tbody>
    </table>
  );
}

export function Senses() {
  const asked = useSenses();
  const all = asked.value?.senses ?? [];
  const of = (show: string): number => all.filter(({ state }) => shows(show, state)).length;
  return (
    <>
      <div class="head">
        <FilterInput hint="Filter senses" />
        <ShowChoices
          label="State"
          choices={[
            { value: "", label: `All ${all.length}` },
            { value: NOT_OK, label: `Not ok ${of(NOT_OK)}` },
            { value: "ok", label: `Ok ${of("ok")}` },
            ...(of(OFF) === 0 ? [] : [{ value: OFF, label: `Off ${of(OFF)}` }]),
          ]}
        />
        <AboutPill />
        <span class="s sp h-sm">sorted by state, then order in nerve.yaml</span>
      </div>
      <section class="panel" aria-label="Senses">
        <Answered path={SENSES} asked={asked}>
          {(answer) => <SensesTable answer={answer} />}
        </Answered>
      </section>
    </>
  );
}
