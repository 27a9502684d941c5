/** *Incidents*: open and acked first, a lane of time per reflex and key, then what is over. */
import type { Incident } from "../../model/incident-row.ts";
import type { IncidentsAnswer } from "../../web/contract.ts";
import { Axis } from "../chart/axis.tsx";
import { place } from "../chart/ticks.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { useOpenIncidents } from "../data/summary.ts";
import { At, Command, Empty, Foreign, KeyChip, Panel, Pill, StatusMark } from "../parts/basics.tsx";
import { Answered, ShowChoices } from "../parts/controls.tsx";
import { beforeParam, Older } from "../parts/listing.tsx";
import { now } from "../state/clock.ts";
import { range } from "../state/range.ts";
import { linkTo, param } from "../state/route.ts";
import { count, counted, span } from "../words/numbers.ts";
import { type Mark, severityMark } from "../words/states.ts";
import { moment } from "../words/times.ts";

const FOLLOWED: Freshness = { everyMs: 30_000, after: ["incident"] };
const LIMIT = 100;

const markOf = ({ state, severity }: Incident): Mark => {
  if (state === "resolved") return { icon: "ok", word: "resolved", tone: "ok" };
  if (state === "acked") return { icon: "hand", word: "acked", tone: "warn" };
  return { icon: severityMark(severity).icon, word: "open", tone: severityMark(severity).tone };
};

const lastedMs = ({ opened_at: from, resolved_at: to }: Incident): number => (to ?? now.value) - from;

/** When a run was last started to report it. Whether that run reached anybody is in the story. */
function LastReport({ incident }: { readonly incident: Incident }) {
  return incident.notified_at === null ? <span>none</span> : <At at={incident.notified_at} />;
}

function IncidentRow({ incident }: { readonly incident: Incident }) {
  const { id, summary, severity, reflex, key, state, acked_by: by, reason } = incident;
  return (
    <tr class={param("sel") === String(id) ? "sel" : ""}>
      <td>
        <StatusMark mark={markOf(incident)} />
      </td>
      <td class="w2">
        <a class="b clamp" data-row href={linkTo("story", { sel: `incident:${id}` })} title={summary}>
          <Foreign text={summary} />
        </a>
        <div class="s about">
          <span class={severityMark(severity).tone}>{severity}</span> · {reflex}
          {key === null ? null : (
            <>
              {" · "}
              <KeyChip value={key} />
            </>
          )}
          {by === null ? "" : <Foreign text={` · acked by ${by}`} />}
          {reason === null ? "" : <Foreign text={` · ${reason}`} />}
        </div>
      </td>
      <td class="s r nw">
        <At at={incident.opened_at} />
      </td>
      <td class="r e nw b">{span(lastedMs(incident))}</td>
      <td class="c-lg r d">{count(incident.count)}</td>
      <td class="c-md d tr">
        <LastReport incident={incident} />
      </td>
      <td class="w2">
        {state === "open" ? (
          <Command text={`nerve ack ${id}`} />
        ) : state === "acked" ? (
          <Command text={`nerve resolve ${id}`} />
        ) : null}
      </td>
    </tr>
  );
}

const IncidentTable = ({ rows }: { readonly rows: readonly Incident[] }) => (
  <table class="cards incidents">
    <colgroup>
      <col class="w-state" />
      <col />
      <col class="w-opened" />
      <col class="w-lasted" />
      <col class="c-lg w-count" />
      <col class="c-md w-told" />
      <col class="w-command" />
    </colgroup>
    <thead>
      <tr>
        <th>State</th>
        <th>Incident</th>
        <th class="r">Opened</th>
        <th class="r">Lasted</th>
        <th class="c-lg r">Matched</th>
        <th class="c-md">Last report</th>
        <th>Type</th>
      </tr>
    </thead>
    <tbody>
      {rows.map((incident) => (
        <IncidentRow key={incident.id} incident={incident} />
      ))}
    </tbody>
  </table>
);

interface Lane {
  readonly id: string;
  readonly reflex: string;
  readonly key: string | null;
  readonly incidents: readonly Incident[];
}

function lanesOf(rows: readonly Incident[]): readonly Lane[] {
  const { from, to } = range.value;
  const lanes = new Map<string, { id: string; reflex: string; key: string | null; incidents: Incident[] }>();
  for (const incident of rows) {
    if (incident.opened_at > to || (incident.resolved_at ?? to) < from) continue;
    const id = `${incident.reflex}\0${incident.key}`;
    const lane = lanes.get(id) ?? { id, reflex: incident.reflex, key: incident.key, incidents: [] };
    lane.incidents.push(incident);
    lanes.set(id, lane);
  }
  return [...lanes.values()];
}

const MOST_LANES = 20;

function TimeLine({ rows }: { readonly rows: readonly Incident[] }) {
  const { from, to, live, label } = range.value;
  const lanes = lanesOf(rows);
  if (lanes.length === 0) return null;
  return (
    <Panel title="Time line" aside={`${label}, one lane per reflex and key`}>
      <div class="strip lanes">
        {lanes.slice(0, MOST_LANES).map(({ id, reflex, key, incidents }) => (
          <div class="sr" key={id}>
            <div class="l tr">
              {key === null ? null : <KeyChip value={key} />} <span class="s">{reflex}</span>
            </div>
            <div class="sb">
              <i class="off" />
              {incidents.map((incident) => {
                const begin = Math.max(incident.opened_at, from);
                const end = Math.min(incident.resolved_at ?? to, to);
                const tone =
                  incident.state === "resolved"
                    ? "idle"
                    : incident.state === "acked"
                      ? "warn"
                      : severityMark(incident.severity).tone;
                return (
                  <i
                    key={incident.id}
                    class={`n b-${tone}`}
                    title={`${incident.summary}, since ${moment(incident.opened_at)}`}
                    style={{ left: place(begin, from, to), width: place(end - begin, 0, to - from) }}
                  />
                );
              })}
            </div>
            <div class="v s">
              {counted(incidents.length, "incident")}, {span(incidents.reduce((sum, one) => sum + lastedMs(one), 0))} in
              all
            </div>
          </div>
        ))}
        <div class="sr ax">
          <div class="l" />
          <Axis from={from} to={to} live={live} />
          <div class="v" />
        </div>
      </div>
    </Panel>
  );
}

const SEVERITIES = ["critical", "warning", "info"];
/** The graver first, then what nobody has acknowledged, then the newest. */
const gravest = (a: Incident, b: Incident): number =>
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
  Number(a.state === "acked") - Number(b.state === "acked") ||
  b.opened_at - a.opened_at;

function medianText(resolved: readonly Incident[]): string {
  const sorted = resolved.map(lastedMs).sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle === undefined ? "" : `median time to resolve ${span(middle)}`;
}

function Lists({ answer }: { readonly answer: IncidentsAnswer }) {
  const show = param("show");
  const rows = show === "" ? answer.rows : answer.rows.filter(({ state }) => state === show);
  const going = rows.filter(({ state }) => state !== "resolved").sort(gravest);
  const resolved = rows.filter(({ state }) => state === "resolved").sort((a, b) => b.opened_at - a.opened_at);
  const tone = going.some(({ state, severity }) => state === "open" && severity === "critical") ? "crit" : "warn";
  if (answer.rows.length === 0)
    return (
      <section class="panel">
        <Empty
          icon="ok"
          title="No incidents."
          more="A workflow reflex with `incident` opens one for each key that matches."
          command="nerve check"
        />
      </section>
    );
  return (
    <div class="stack">
      {going.length === 0 ? (
        <section class="panel">
          <Empty
            icon="ok"
            title={show === "" ? "Nothing is open." : `No incident is ${show}.`}
            more={null}
            command={null}
          />
        </section>
      ) : (
        <Panel
          title={
            <>
              <h2>Open and acked</h2>
              <Pill tone={tone}>{going.length}</Pill>
            </>
          }
          aside={null}
        >
          <IncidentTable rows={going} />
        </Panel>
      )}
      <TimeLine rows={rows} />
      {resolved.length === 0 ? null : (
        <Panel
          title={
            <>
              <h2>Resolved</h2>
              <Pill tone="idle">{resolved.length}</Pill>
            </>
          }
          aside={medianText(resolved)}
        >
          <IncidentTable rows={resolved} />
        </Panel>
      )}
      <Older listing={answer} noun="incident" />
    </div>
  );
}

/** What is open is shown however much has come and gone since. */
function withOpen(page: readonly Incident[], open: readonly Incident[]): readonly Incident[] {
  const known = new Set(page.map(({ id }) => id));
  return [...open.filter(({ id }) => !known.has(id)), ...page];
}

export function Incidents() {
  const [kind, name = ""] = param("about").split(":", 2);
  const path = apiPath("incidents", { limit: LIMIT, before: beforeParam(), reflex: kind === "reflex" ? name : null });
  const asked = useAnswer<IncidentsAnswer>(path, FOLLOWED);
  const open = useOpenIncidents().value?.rows ?? [];
  const isNewest = beforeParam() === null;
  const about = kind === "reflex" ? open.filter(({ reflex }) => reflex === name) : open;
  const all = withOpen(asked.value?.rows ?? [], isNewest ? about : []);
  const isPart = !isNewest || asked.value?.next != null;
  const of = (state: string): number => all.filter((one) => one.state === state).length;
  const many = (amount: number): string => `${count(amount)}${isPart ? "+" : ""}`;
  return (
    <>
      <div class="head">
        <ShowChoices
          label="State"
          choices={[
            { value: "", label: `All ${many(all.length)}` },
            { value: "open", label: `Open ${of("open")}` },
            { value: "acked", label: `Acked ${of("acked")}` },
            { value: "resolved", label: `Resolved ${many(of("resolved"))}` },
          ]}
        />
      </div>
      <Answered path={path} asked={asked}>
        {(answer) => <Lists answer={{ ...answer, rows: all }} />}
      </Answered>
    </>
  );
}
