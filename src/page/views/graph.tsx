/** *Graph*: senses, reflexes, workflows, and what triggers what. Choosing one filters every other view. */

import type { GraphAnswer, GraphNode } from "../../web/contract-host.ts";
import { apiPath } from "../data/api.ts";
import { type Freshness, useAnswer } from "../data/ask.ts";
import { useReflexes, useSenses, useStatus } from "../data/summary.ts";
import { Empty } from "../parts/basics.tsx";
import { AboutPill, Answered, FilterInput } from "../parts/controls.tsx";
import { Icon, type IconName } from "../parts/icon.tsx";
import { param, setParams } from "../state/route.ts";
import { screen } from "../state/screen.ts";
import { parseFilter, passes } from "../words/filter.ts";
import { count } from "../words/numbers.ts";
import { SENSE_MARKS } from "../words/states.ts";
import { type Columns, columnsOf, type Place } from "./graph/columns.ts";

const SELDOM: Freshness = { everyMs: 60_000, after: [] };

interface NodeText {
  readonly icon: IconName;
  readonly tone: string;
  readonly note: string;
}

/** What a node says of itself: how much it did. */
function useTexts(): (node: GraphNode) => NodeText {
  const senses = new Map((useSenses().value?.senses ?? []).map((sense) => [sense.name, sense]));
  const reflexes = new Map((useReflexes().value?.reflexes ?? []).map((reflex) => [reflex.name, reflex]));
  const workflows = new Map((useStatus().value?.status?.workflows ?? []).map((one) => [one.name, one]));
  return (node) => {
    if (node.kind === "sense") {
      const sense = senses.get(node.name);
      const mark = SENSE_MARKS[sense?.state ?? "ok"];
      const signals =
        sense === undefined ? "" : count(Math.max(sense.computes - sense.nulls - sense.errors - sense.timeouts, 0));
      return { icon: mark.icon, tone: mark.tone, note: signals };
    }
    if (node.kind === "remote") return { icon: "signals", tone: "d", note: "of other hosts" };
    if (node.kind === "reflex") {
      const reflex = reflexes.get(node.name);
      return { icon: "reflex", tone: "d", note: reflex === undefined ? "" : `${count(reflex.fired)} fired` };
    }
    const one = workflows.get(node.name);
    const going = one === undefined ? 0 : one.running + one.queued + one.sleeping;
    return { icon: "run", tone: going > 0 ? "acc" : "d", note: going > 0 ? `${going} under way` : "" };
  };
}

interface NodeProps {
  readonly place: Place;
  readonly text: NodeText;
  readonly dim: boolean;
}

const GraphButton = ({ place: { node, repeated }, text, dim }: NodeProps) => {
  const chosen = param("about") === node.id;
  return (
    <button
      type="button"
      class={`gn ${chosen ? "sel" : ""} ${repeated ? "dim" : ""} ${dim ? "faint" : ""}`}
      data-row
      aria-pressed={chosen}
      title={node.name}
      onClick={() => setParams({ about: chosen ? null : node.id }, "push")}
    >
      <span class={text.tone}>
        <Icon name={text.icon} />
      </span>
      <span class="tr">{node.name}</span>
      <span class="s">{text.note}</span>
    </button>
  );
};

const ROW_PX = 40;
const HEAD_PX = 24;

function Edges({
  columns,
  which,
  chosen,
}: {
  readonly columns: Columns;
  readonly which: 0 | 1;
  readonly chosen: ReadonlySet<string>;
}) {
  const height = Math.max(...columns.nodes.map((column) => column.length)) * ROW_PX + HEAD_PX;
  const y = (row: number): number => HEAD_PX + row * ROW_PX + ROW_PX / 2;
  return (
    <div class="ge">
      <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" height={height} aria-hidden="true">
        {columns.edges[which].map(({ from, to, id }) => (
          <path key={id} class={chosen.has(id) ? "a" : ""} d={`M0 ${y(from)}C50 ${y(from)} 50 ${y(to)} 100 ${y(to)}`} />
        ))}
      </svg>
    </div>
  );
}

const HEADS = ["Senses, signals", "Reflexes, fired", "Targets"];

function Drawing({ answer }: { readonly answer: GraphAnswer }) {
  const textOf = useTexts();
  const filter = parseFilter(param("q"));
  const about = param("about");
  const columns = columnsOf(answer);
  const chosen = new Set(
    answer.edges.flatMap(({ from, to }) => (from === about || to === about ? [`${from} ${to}`] : [])),
  );
  const near = new Set([
    about,
    ...answer.edges.flatMap(({ from, to }) => (from === about ? [to] : to === about ? [from] : [])),
  ]);
  const dim = (node: GraphNode): boolean =>
    !passes(filter, { name: node.name, kind: node.kind }) || (about !== "" && !near.has(node.id));
  const column = (which: 0 | 1 | 2) => (
    <div class="gc">
      <div class="gh">{HEADS[which]}</div>
      {columns.nodes[which].map((place) => (
        <GraphButton key={place.node.id} place={place} text={textOf(place.node)} dim={dim(place.node)} />
      ))}
    </div>
  );
  return (
    <div class="gr">
      {column(0)}
      <Edges columns={columns} which={0} chosen={chosen} />
      {column(1)}
      <Edges columns={columns} which={1} chosen={chosen} />
      {column(2)}
    </div>
  );
}

/** On a narrow screen: a line a reflex. */
function Lines({ answer }: { readonly answer: GraphAnswer }) {
  const name = (id: string): string => id.slice(id.indexOf(":") + 1);
  return (
    <div class="gl">
      {answer.nodes
        .filter(({ kind }) => kind === "reflex")
        .map(({ id, name: reflex }) => {
          const from = answer.edges.filter(({ to }) => to === id).map((edge) => name(edge.from));
          const to = answer.edges.filter((edge) => edge.from === id).map((edge) => name(edge.to));
          return (
            <div class="kv" key={id}>
              <button
                type="button"
                class="b rowb tr"
                onClick={() => setParams({ about: param("about") === id ? null : id }, "push")}
              >
                {reflex}
              </button>
              <span class="d">→ {to.join(", ")}</span>
              <span class="s">{from.length === 0 ? "by the clock" : `on ${from.join(", ")}`}</span>
            </div>
          );
        })}
    </div>
  );
}

export function Graph() {
  const path = apiPath("graph", {});
  const asked = useAnswer<GraphAnswer>(path, SELDOM);
  return (
    <>
      <div class="head">
        <FilterInput hint="Filter by name" />
        <AboutPill />
        <span class="s sp h-sm">choosing one filters every other view</span>
      </div>
      <section class="panel" aria-label="Graph">
        <Answered path={path} asked={asked}>
          {(answer) =>
            answer.nodes.length === 0 ? (
              <Empty
                icon="graph"
                title="Nothing is configured."
                more="Senses observe, reflexes connect, workflows act."
                command="nerve library"
              />
            ) : screen.value !== "phone" ? (
              <Drawing answer={answer} />
            ) : (
              <Lines answer={answer} />
            )
          }
        </Answered>
      </section>
    </>
  );
}
