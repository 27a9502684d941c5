/** The graph for programs that draw: a Mermaid flowchart, and Graphviz's DOT. Names and patterns are text there, whatever they hold. */
import { formatDuration } from "../../base/duration.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import type { Graph, ReflexNode, SenseNode, WorkflowNode } from "../../config/graph.ts";
import { startsText, wordsText } from "./text.ts";

type Node = SenseNode | ReflexNode | WorkflowNode;

const nodesOf = ({ senses, reflexes, workflows }: Graph): readonly Node[] => [...senses, ...reflexes, ...workflows];

/** Lines of a node's label, of which only the first is never empty. */
function linesOf(node: Node): string[] {
  const lines = (): string[] => {
    switch (node.kind) {
      case "sense": {
        const { name, throttleMs } = node.config;
        return [name, throttleMs === null ? "" : `throttle ${formatDuration(throttleMs)}`];
      }
      case "reflex":
        return [node.config.name, node.clocks.join(", "), wordsText(node)];
      case "workflow":
        return [node.config.name, startsText(node)];
    }
  };
  return lines()
    .filter((line) => line !== "")
    .map(escapeForTerminal);
}

/** Ids are ours: a name may be a word of the language. */
const numbered = (graph: Graph): ReadonlyMap<string, string> =>
  new Map(nodesOf(graph).map(({ id }, index) => [id, `n${index}`]));

const MERMAID_SHAPES = {
  sense: ["([", "])"],
  reflex: ["{{", "}}"],
  workflow: ["[[", "]]"],
} as const;

/** By code, as Mermaid has it: whatever is not plain could be markup of its own, of Markdown or of HTML. */
const mermaidText = (text: string): string =>
  text.replace(/[^\p{L}\p{N} .,:()'/+≤→…-]/gu, (character) => `#${character.codePointAt(0)};`);

export function mermaidOf(graph: Graph): string {
  const ids = numbered(graph);
  const nodes = nodesOf(graph).map((node) => {
    const [open, close] = MERMAID_SHAPES[node.kind];
    return `  ${ids.get(node.id)}${open}"${linesOf(node).map(mermaidText).join("<br/>")}"${close}`;
  });
  const edges = graph.edges.map(({ from, to }) => `  ${ids.get(from)} --> ${ids.get(to)}`);
  return ["flowchart LR", ...nodes, ...edges].join("\n");
}

const DOT_SHAPES = { sense: "ellipse", reflex: "hexagon", workflow: "box" } as const;

/** Only a quote ends a quoted text; in a label a backslash begins an escape, and an ampersand an entity of HTML. */
const dotText = (text: string): string => text.replaceAll("&", "&amp;").replace(/[\\"]/g, "\\$&");

export function dotOf(graph: Graph): string {
  const ids = numbered(graph);
  const nodes = nodesOf(graph).map(
    (node) =>
      `  ${ids.get(node.id)} [shape=${DOT_SHAPES[node.kind]}, label="${linesOf(node).map(dotText).join("\\n")}"];`,
  );
  const edges = graph.edges.map(({ from, to }) => `  ${ids.get(from)} -> ${ids.get(to)};`);
  return ["digraph nerve {", "  rankdir=LR;", ...nodes, ...edges, "}"].join("\n");
}
