/** Owns the graph as a tree for people: under each sense the effects of its signals, and below how often workflows start. */
import { formatDuration } from "../../base/duration.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import type { Graph, ReflexNode, SenseNode, WorkflowNode } from "../../config/graph.ts";
import { batchConfigOf, targetOf } from "../../model/config.ts";
import { isKeyed, shownKeyWord } from "../../rules/key.ts";
import { type Column, renderTable } from "../screen/table.ts";
import { renderLine, type Screen, type Span, span } from "../screen/terminal.ts";

const rateText = (most: number): string => (Number.isFinite(most) ? `≤ ${most}/h` : "unbounded");

/** The rate that the reflexes allow for one value of their keys, and the rate of the other reflexes: `≤ 6/h per host + ≤ 12/h`. */
export const startsText = (node: WorkflowNode): string => `${ratesText(node)}${batchText(node)}`;

/** `, batches of 30s by severity`. */
function batchText({ config, reflexes }: WorkflowNode): string {
  const batch = batchConfigOf(config);
  if (batch === null || reflexes.length === 0) return "";
  return `, batches of ${formatDuration(batch.waitMs)}${batch.by === null ? "" : ` by ${batch.by}`}`;
}

function ratesText({ reflexes, most: inAll }: WorkflowNode): string {
  if (reflexes.length === 0) return "only by hand";
  if (inAll === 0) return "only by hand or at a start";
  const rates = new Map<string, number>();
  for (const { config, most, mostPerKey } of reflexes) {
    const isLess = isKeyed(config.key) && mostPerKey < most;
    const suffix = isLess ? ` per ${shownKeyWord(config.key)}` : "";
    rates.set(suffix, (rates.get(suffix) ?? 0) + (isLess ? mostPerKey : most));
  }
  return [...rates].map(([suffix, most]) => `${rateText(most)}${suffix}`).join(" + ");
}

/** `for 30s, throttle 10m per host`. */
export function wordsText({ words, config }: ReflexNode): string {
  return !isKeyed(config.key) ? words.join(", ") : `${words.slice(0, -1).join(", ")} ${words.at(-1) ?? ""}`.trim();
}

const plain = (text: string): Span => span(escapeForTerminal(text));
const dim = (text: string): Span => span(escapeForTerminal(text), "dim");

class Drawing {
  readonly #graph: Graph;
  readonly #senses: ReadonlyMap<string, SenseNode>;
  readonly #drawn = new Set<string>();
  readonly lines: Span[][] = [];

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#senses = new Map(graph.senses.map((sense) => [sense.config.name, sense]));
  }

  /** Draws the senses that the clock triggers, then those that only a person triggers, then those that only trigger one another. */
  draw(): void {
    for (const sense of this.#graph.senses) if (this.#hasClock(sense)) this.#root(sense);
    const targets = new Set(this.#graph.reflexes.map(({ config }) => (config.kind === "sense" ? config.sense : null)));
    for (const sense of this.#graph.senses) if (!targets.has(sense.config.name)) this.#root(sense);
    for (const sense of this.#graph.senses) this.#root(sense);
    for (const { name } of this.#graph.remotes) {
      this.lines.push([span(escapeForTerminal(name), "bold"), dim("  of other hosts")]);
      this.#effects(name, "");
    }
    for (const reflex of this.#graph.reflexes) if (reflex.config.kind === "workflow") this.#timed(reflex);
  }

  /** Draws a workflow that the clock starts. */
  #timed({ config, clocks }: ReflexNode): void {
    if (clocks.length === 0) return;
    const workflow = span(escapeForTerminal(targetOf(config)), "cyan");
    this.lines.push([plain(clocks.join(", ")), dim(" ─▶ workflow "), workflow, dim(`  (${config.name})`)]);
  }

  #clocksOf(sense: SenseNode): readonly ReflexNode[] {
    return this.#graph.reflexes.filter(
      ({ config, clocks }) => clocks.length > 0 && config.kind === "sense" && config.sense === sense.config.name,
    );
  }

  #hasClock(sense: SenseNode): boolean {
    return this.#clocksOf(sense).length > 0;
  }

  #root(sense: SenseNode): void {
    if (this.#drawn.has(sense.config.name)) return;
    const clocks = this.#clocksOf(sense).flatMap(({ config, clocks: times }, index) => [
      dim(index === 0 ? "" : " · "),
      plain(times.join(", ")),
      dim(` (${config.name})`),
    ]);
    this.lines.push([...this.#title(sense), span("  "), ...(clocks.length > 0 ? clocks : [dim("only by hand")])]);
    this.#below(sense, "");
  }

  #title({ config: { name, throttleMs } }: SenseNode): Span[] {
    const throttle = throttleMs === null ? [] : [plain(`  throttle ${formatDuration(throttleMs)}`)];
    return [span(escapeForTerminal(name), "bold"), ...throttle];
  }

  #below({ config: { name } }: SenseNode, indent: string): void {
    this.#effects(name, indent);
  }

  #effects(name: string, indent: string): void {
    this.#drawn.add(name);
    const listening = this.#graph.reflexes.filter(({ config }) => config.on.includes(name));
    for (const [index, reflex] of listening.entries()) {
      const isLast = index === listening.length - 1;
      this.#reflex(reflex, `${indent}${isLast ? "└─▶ " : "├─▶ "}`, `${indent}${isLast ? "    " : "│   "}`);
    }
  }

  #reflex(reflex: ReflexNode, branch: string, indent: string): void {
    const { config } = reflex;
    const words = wordsText(reflex);
    const about = [...(words === "" ? [] : [plain(`  ${words}`)]), dim(`  (${config.name})`)];
    if (config.kind === "workflow") {
      this.lines.push([dim(branch), dim("workflow "), span(escapeForTerminal(targetOf(config)), "cyan"), ...about]);
      return;
    }
    const sense = this.#senses.get(config.sense);
    if (sense === undefined) return;
    const isElsewhere = this.#drawn.has(config.sense) || this.#hasClock(sense);
    const reference = !isElsewhere ? [] : [dim(this.#drawn.has(config.sense) ? "  see above" : "  see below")];
    this.lines.push([dim(branch), ...this.#title(sense), ...about, ...reference]);
    if (!isElsewhere) this.#below(sense, indent);
  }
}

const column = (title: string, rank: number, of: (node: WorkflowNode) => string): Column<WorkflowNode> => ({
  title,
  align: "left",
  rank,
  cell: (node) => span(escapeForTerminal(of(node))),
});

const WORKFLOWS: readonly Column<WorkflowNode>[] = [
  column("WORKFLOW", 0, ({ config: { name } }) => name),
  column("STARTS", 0, startsText),
  column("IN ALL", 1, ({ most }) => (most === 0 ? "–" : rateText(most))),
  column("REFLEXES", 2, ({ reflexes }) => reflexes.map(({ config }) => config.name).join(", ") || "–"),
];

const unboundedText = (cycle: readonly string[]): string =>
  `unbounded: ${[...cycle, cycle[0]].join(" → ")} is slowed for each value of a \`key\` only`;

export function drawGraph(graph: Graph, screen: Screen): string {
  const drawing = new Drawing(graph);
  drawing.draw();
  const lines = drawing.lines.map((spans) => renderLine(spans, screen));
  const workflows = graph.workflows.length === 0 ? [] : ["", ...renderTable(WORKFLOWS, graph.workflows, screen)];
  const unbounded = graph.unbounded.map((cycle) =>
    renderLine([span(unboundedText(cycle), "yellow")], { ...screen, width: null }),
  );
  return [...lines, ...workflows, ...(unbounded.length === 0 ? [] : ["", ...unbounded])].join("\n");
}
