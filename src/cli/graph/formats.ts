/** Owns the graph for drawing programs: a Mermaid flowchart, and Graphviz's DOT. Names and patterns are always text there. */
import { formatDuration } from "../../base/duration.ts";
import { escapeForTerminal } from "../../base/escape.ts";
import type { Graph, ReflexNode, RemoteNode, SenseNode, WorkflowNode } from "../../config/graph.ts";
import { startsText, wordsText } from "./text.ts";

type Node = SenseNode | RemoteNode | ReflexNode | WorkflowNode;

const nodesOf = ({ senses, remotes, reflexes, workflows }: Graph): readonly Node[] => [
  ...senses,
  ...remotes,
  ...reflexes,
  ...workflows,
];

/** The lines of a node's label. Only the first line is never empty. */
function linesOf(node: Node): string[] {
  const lines = (): string[] => {
    switch (node.kind) {
      case "sense": {
        const { name, throttleMs } = node.config;
        return [name, throttleMs === null ? "" : `throttle ${formatDuration(throttleMs)}`];
      }
      case "remote":
        return [node.name];
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

/** Each node gets an id of our own: a name may be a word of the language. */
const numbered = (graph: Graph): ReadonlyMap<string, string> =>
  new Map(nodesOf(graph).map(({ id }, index) => [id, `n${index}`]));

const MERMAID_SHAPES = {
  sense: ["([", "])"],
  remote: ["([", "])"],
  reflex: ["{{", "}}"],
  workflow: ["[[", "]]"],
} as const;

/** Writes unusual characters by their code, as Mermaid does: they could be markup of Mermaid, Markdown or HTML. */
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

const DOT_SHAPES = { sense: "ellipse", remote: "ellipse", reflex: "hexagon", workflow: "box" } as const;

/** Only a quote ends a quoted text. In a label a backslash begins an escape, and an ampersand begins an HTML entity. */
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
