/** Owns `nerve graph`: what triggers what, and how often workflows start at most, from the config alone. */
import { safeJson } from "../../base/escape.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok } from "../../base/result.ts";
import { type Graph, graphOf } from "../../config/graph.ts";
import { graphJson } from "../../config/graph-json.ts";
import { defineCommand, text } from "../frame/command.ts";
import { EXIT, usageError } from "../frame/outcome.ts";
import { dotOf, mermaidOf } from "../graph/formats.ts";
import { drawGraph } from "../graph/text.ts";
import { loadRules } from "../place/place.ts";
import { print, type Screen, stdoutScreen } from "../screen/terminal.ts";

const FORMATS: Readonly<Record<string, (graph: Graph, screen: Screen) => string>> = {
  text: drawGraph,
  mermaid: mermaidOf,
  dot: dotOf,
};

export const command = defineCommand({
  details:
    "From the config alone; the daemon need not run. STARTS is the most starts of a workflow in any hour: what intervals,\ncron times, `throttle` and the words of reflexes let through when every payload matches. A reflex with `key` lets as\nmuch through for each value; how many values there are the config does not say. Not counted: what is triggered by\nhand or at the start, and retries.",
  arguments: [],
  options: { format: text("FORMAT", "text (default), mermaid or dot") },
  examples: [
    ["nerve graph", "a tree from the clock to the workflows"],
    ["nerve graph --format dot | dot -Tsvg > nerve.svg", "a picture, by Graphviz"],
    ["nerve graph --format mermaid", "for a Markdown file"],
    ["nerve graph --json | jq '.nodes[] | select(.kind == \"workflow\")'", "the rates, for another program"],
  ],
  async run({ options: { format }, config: given, json }) {
    if (json && format !== null) return usageError("`--json` and `--format` exclude each other");
    const name = format ?? "text";
    const render = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
    if (render === undefined) {
      const formats = Object.keys(FORMATS);
      const hint = meantOr(name, formats, `one of ${formats.join(", ")}`);
      return usageError(`there is no format \`${name}\``, hint);
    }
    const config = loadRules(given, true);
    if (!config.ok) return config;
    const graph = graphOf(config.value);
    print(json ? safeJson(graphJson(config.value.file, graph)) : render(graph, stdoutScreen()));
    return ok(EXIT.done);
  },
});
