/** *Runs*: what workflows did, newest first, and beside the list the one that is chosen. */
import type { RunsAnswer, ShownRun, StoryAnswer } from "../../web/contract.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { RunBar } from "../parts/bars.tsx";
import { At, Empty, Foreign, StatusMark } from "../parts/basics.tsx";
import { AboutPill, Answered, FilterInput, NoMatch, ShowChoices } from "../parts/controls.tsx";
import { beforeParam, newestFirst, Older } from "../parts/listing.tsx";
import { now } from "../state/clock.ts";
import { range } from "../state/range.ts";
import { param, setParams } from "../state/route.ts";
import { screen } from "../state/screen.ts";
import type { Piece } from "../story/run-timeline.ts";
import { parseFilter, passes } from "../words/filter.ts";
import { took } from "../words/numbers.ts";
import { ENDED_BADLY, RUN_MARKS, UNDER_WAY } from "../words/states.ts";
import { RunPanel, runPath } from "./runs/run.tsx";

const FOLLOWED: Freshness = { everyMs: 30_000, after: ["run"] };
const LIMIT = 50;

/** As far as a row alone says what its time went into. */
function roughPieces(run: ShownRun): readonly Piece[] {
  const end = run.ended_at ?? now.value;
  const begun = run.started_at ?? end;
  const kind =
    run.state === "completed"
      ? "completed"
      : ENDED_BADLY.includes(run.state)
        ? "failed"
        : run.state === "sleeping"
          ? "sleeping"
          : "running";
  const all: Piece[] = [
    { kind: "queued", from: run.queued_at, to: begun },
    { kind, from: begun, to: end },
  ];
  return all.filter(({ from, to }) => to > from || from === end);
}

const durationOf = (run: ShownRun): number => (run.ended_at ?? now.value) - run.queued_at;

function RunRow({
  run,
  mostMs,
  selected,
}: {
  readonly run: ShownRun;
  readonly mostMs: number;
  readonly selected: boolean;
}) {
  const cause = run.reflex === null ? "a person" : `${run.reflex}${run.key === null ? "" : ` · ${run.key}`}`;
  return (
    <tr class={selected ? "sel" : ""}>
      <td>
        <StatusMark mark={RUN_MARKS[run.state]} />
      </td>
      <td class="e">
        <button
          type="button"
          class="rowb tr"
          data-row
          aria-pressed={selected}
          onClick={() => setParams({ sel: String(run.id) }, "push")}
        >
          {run.workflow} <span class="d plain">{run.id}</span>
        </button>
      </td>
      <td class="d tr c-sm" title={cause}>
        <Foreign text={cause} />
      </td>
      <td class="s r">
        <At at={run.queued_at} />
      </td>
      <td class="c-md">
        <RunBar pieces={roughPieces(run)} mostMs={mostMs} />
      </td>
      <td class="r nw e">{took(durationOf(run))}</td>
    </tr>
  );
}

function RunsTable({ rows, selected }: { readonly rows: readonly ShownRun[]; readonly selected: number | null }) {
  const mostMs = rows.reduce((most, run) => Math.max(most, durationOf(run)), 1);
  return (
    <table class="cards runs-table">
      <colgroup>
        <col class="w-state" />
        <col class="w-run" />
        <col class="c-sm" />
        <col class="w-time" />
        <col class="c-md w-bar" />
        <col class="w-took" />
      </colgroup>
      <thead>
        <tr>
          <th>State</th>
          <th>Run</th>
          <th class="c-sm">Because of</th>
          <th class="r">Queued</th>
          <th class="c-md">Time</th>
          <th class="r">Took</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((run) => (
          <RunRow key={run.id} run={run} mostMs={mostMs} selected={run.id === selected} />
        ))}
      </tbody>
    </table>
  );
}

const STATES: Readonly<Record<string, readonly string[]>> = { "under-way": UNDER_WAY, failed: ENDED_BADLY };

function RunsBody({ answer }: { readonly answer: RunsAnswer }) {
  const filter = parseFilter(param("q"));
  const rows = newestFirst(answer.rows).filter((run) =>
    passes(filter, {
      workflow: run.workflow,
      state: run.state,
      reflex: run.reflex,
      key: run.key,
      error: run.error,
      run: String(run.id),
    }),
  );
  const chosen = /^\d+$/.test(param("sel")) ? Number(param("sel")) : (rows[0]?.id ?? null);
  // Where the chosen run stands above the list, the list comes after the run, and does not move.
  const isAbove = screen.value !== "wide" && param("sel") !== "" && chosen !== null;
  const { loading } = useAnswer<StoryAnswer>(isAbove ? runPath(chosen) : null, FOLLOWED);
  if (answer.rows.length === 0 && param("show") === "" && param("about") === "")
    return (
      <section class="panel">
        <Empty icon="run" title="No runs yet." more="A reflex starts them, or you do." command="nerve run NAME '{}'" />
      </section>
    );
  return (
    <div class={param("sel") === "" ? "runs" : "runs chosen"}>
      {isAbove && loading ? null : (
        <section class="panel" aria-label="Runs">
          {rows.length === 0 ? <NoMatch what="run" /> : <RunsTable rows={rows} selected={chosen} />}
          <Older listing={answer} noun="run" />
        </section>
      )}
      {chosen === null ? null : <RunPanel key={chosen} id={chosen} />}
    </div>
  );
}

export function Runs() {
  const show = param("show");
  const [kind, name = ""] = param("about").split(":", 2);
  const { live, from, to } = range.value;
  const path = apiPath("runs", {
    state: STATES[show] ?? null,
    workflow: kind === "workflow" ? name : null,
    reflex: kind === "reflex" ? name : null,
    limit: LIMIT,
    before: beforeParam(),
    ...(live ? {} : { since: Math.round(from), until: Math.round(to) }),
  });
  const asked = useAnswer<RunsAnswer>(path, FOLLOWED);
  return (
    <>
      <div class="head">
        <FilterInput hint="Filter runs, as in workflow:mail" />
        <ShowChoices
          label="State"
          choices={[
            { value: "", label: "All" },
            { value: "under-way", label: "Under way" },
            { value: "failed", label: "Failed" },
          ]}
        />
        <AboutPill />
      </div>
      <Answered path={path} asked={asked}>
        {(answer) => <RunsBody answer={answer} />}
      </Answered>
    </>
  );
}
