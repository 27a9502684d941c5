// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are the syntax under test
/** `nerve graph`: a tree for people, Mermaid and DOT for programs that draw, JSON for the others. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dotOf, mermaidOf } from "../../src/cli/graph/formats.ts";
import { drawGraph } from "../../src/cli/graph/text.ts";
import { PIPE } from "../../src/cli/screen/terminal.ts";
import { graphOf } from "../../src/config/graph.ts";
import { parseWholeContract } from "../../src/config/parse.ts";
import { around } from "../helpers/config.ts";
import { project, runNerve } from "../helpers/nerve.ts";

const CONFIG = `
senses: { cpu-usage: { throttle: 1s }, disk-root: { use: disk-usage }, host-health: {}, lonely: { use: load } }
workflows:
  page: { use: exec, with: { command: [/bin/true] } }
  again: { use: exec, with: { command: [/bin/true] } }
  unused: { use: exec, with: { command: [/bin/true] } }
reflexes:
  - { sense: cpu-usage, interval: 1s, on_start: true }
  - { sense: disk-root, cron: "*/5 * * * *", tz: Europe/Berlin }
  - { sense: host-health, on: [cpu-usage, disk-root] }
  - { name: page-on-critical, workflow: page, on: [host-health], when: { status: "'critical'" }, for: 30s, key: host, throttle: 10m }
  - { name: over, workflow: page, on: [host-health], when: { used: number > 90 }, throttle: 20m }
  - { workflow: again, on: [lonely] }
`;
const folder = project({ "nerve.yaml": CONFIG });
afterAll(() => folder[Symbol.dispose]());
const nerve = (...args: string[]) => runNerve(folder.path, ["graph", ...args]);

const graph = (text: string) => {
  const parsed = parseWholeContract(text);
  if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
  return graphOf(parsed.value);
};

describe("as text", () => {
  test("it is a tree from the clock to the workflows, and how often they start at the most", async () => {
    const { code, stdout, stderr } = await nerve();
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(`cpu-usage  throttle 1s  every 1s, at start (cpu-usage#1)
└─▶ host-health  (host-health#1)
    ├─▶ workflow page  when status 'critical', for 30s, throttle 10m per host  (page-on-critical)
    └─▶ workflow page  when used number > 90, throttle 20m  (over)
disk-root  cron */5 * * * * (Europe/Berlin) (disk-root#1)
└─▶ host-health  (host-health#1)  see above
lonely  only by hand
└─▶ workflow again  (again#1)

WORKFLOW  STARTS                      IN ALL    REFLEXES
page      ≤ 6/h per host + ≤ 3/h      ≤ 3615/h  page-on-critical, over
again     only by hand or at a start  –         again#1
unused    only by hand                –         –
`);
  });

  test("senses of other hosts stand below, with the reflexes that look at them", () => {
    const text = `
senses: { a: {} }
workflows: { w: {} }
reflexes: [{ sense: a, on: ["*/load"] }, { workflow: w, on: ["*/load", web1/disk], when: { x: "'y'" }, edge: rising, key: $host }]
`;
    const drawn = drawGraph(graph(text), PIPE);
    expect(drawn).toContain("*/load  of other hosts\n├─▶ a  (a#1)");
    expect(drawn).toContain("web1/disk  of other hosts\n└─▶ workflow w  when x 'y', edge rising per $host  (w#1)");
    expect(mermaidOf(graph(text))).not.toContain("undefined");
  });

  test("a pattern in which something is filled in is shown as it is written", () => {
    const text = `
senses: { a: {} }
workflows: { w: {} }
reflexes: [{ workflow: w, on: [a], when: { host: "'\${HOST}'", v: number > 5 }, clear: "\${PATTERN}" }]
`;
    const source = { environment: { HOST: "secret", PATTERN: "'secret'" } };
    const parsed = parseWholeContract(text, around(source));
    if (!parsed.ok) throw new Error(parsed.error.map(({ message }) => message).join("; "));
    expect(graphOf(parsed.value).reflexes[0]?.words).toEqual(["when host '${HOST}', v number > 5", "clear ${PATTERN}"]);
    expect(parsed.value.reflexes[0]?.when).toEqual({ host: "'secret'", v: "number > 5" });
  });

  test("every sense is drawn once, also those that only trigger one another", () => {
    const text = drawGraph(
      graph(`
senses: { a: {}, b: {}, c: {} }
workflows: { w: {} }
reflexes:
  - { sense: b, on: [a], key: host, throttle: 1m }
  - { sense: a, on: [b] }
  - { sense: c, on: [a] }
  - { sense: c, interval: 1h }
  - { workflow: w, on: [b] }
`),
      PIPE,
    );
    expect(text).toBe(`c  every 1h (c#2)
a  only by hand
├─▶ b  throttle 1m per host  (b#1)
│   ├─▶ a  (a#1)  see above
│   └─▶ workflow w  (w#1)
└─▶ c  (c#1)  see above

WORKFLOW  STARTS     IN ALL     REFLEXES
w         unbounded  unbounded  w#1

unbounded: a → b → a is slowed for each value of a \`key\` only`);
  });

  test("what a pattern holds does not reach the terminal as it is", () => {
    const text = drawGraph(
      graph(`senses: { a: {} }\nworkflows: { w: {} }\nreflexes: [{ workflow: w, on: [a], when: { x: "'\\e[2J'" } }]\n`),
      PIPE,
    );
    expect(text).toContain("when x '\\u{1b}[2J'");
  });

  test("it needs no daemon and no data, and a bad config is 78", async () => {
    expect(existsSync(`${folder.path}/data`)).toBe(false);
    folder.write("bad.yaml", "senses: 1\n");
    expect((await nerve("-c", "bad.yaml")).code).toBe(78);
  });
});

test("--json has every node with its rates, and every edge", async () => {
  const { code, stdout } = await nerve("--json");
  expect(code).toBe(0);
  const { file, nodes, edges, unbounded } = JSON.parse(stdout);
  expect({ file, unbounded }).toEqual({ file: `${folder.path}/nerve.yaml`, unbounded: [] });
  expect(nodes).toHaveLength(13);
  expect(nodes).toContainEqual({
    ...{ id: "sense:cpu-usage", kind: "sense", name: "cpu-usage", use: "cpu-usage", group: "default" },
    ...{ throttle_ms: 1_000, per_hour: 3_600 },
  });
  expect(nodes).toContainEqual({
    ...{ id: "reflex:page-on-critical", kind: "reflex", name: "page-on-critical", clocks: [] },
    words: ["when status 'critical'", "for 30s", "throttle 10m", "per host"],
    ...{ key: "host", per_hour: 3_612, per_hour_per_key: 6 },
  });
  expect(nodes).toContainEqual({ id: "workflow:page", kind: "workflow", name: "page", use: "exec", per_hour: 3_615 });
  expect(edges).toContainEqual({ from: "reflex:over", to: "workflow:page" });
  const ids = new Set(nodes.map(({ id }: { id: string }) => id));
  for (const { from, to } of edges) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
});

test("an unknown format is a usage error, and so is one beside --json", async () => {
  const { code, stderr } = await nerve("--format", "dott");
  expect(code).toBe(2);
  expect(stderr).toContain("did you mean `dot`?");
  expect((await nerve("--format", "dot", "--json")).code).toBe(2);
});

/** Names that are words of both languages, and a pattern with everything that could end a text or begin markup. */
const HOSTILE = `
senses: { end: {}, graph: {}, "0": {} }
workflows: { node: {}, subgraph: {} }
reflexes:
  - { sense: graph, on: [end] }
  - { name: digraph, workflow: node, on: [graph], when: { "a\\"b]}})-->": "'\\"; x -> y; <b>&amp;</b> \`code\` #quot; \\\\n %%{ || ✓'" } }
  - { workflow: subgraph, on: ["0"], key: 'a"b\\' }
`;

interface Drawn {
  readonly labels: readonly string[];
  readonly edges: readonly string[];
}

/** Reads the subset of DOT there is; throws for anything that is not it. */
function readDot(text: string): Drawn {
  const tokens = [...text.matchAll(/\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([A-Za-z_][A-Za-z0-9_]*)|(->|[{}[\]=,;]))/gy)];
  expect(tokens.map(([token]) => token).join("")).toBe(text);
  let at = 0;
  const word = (): string => tokens[at++]?.slice(1).find((part) => part !== undefined) ?? "the end";
  const expected = (...words: string[]): void => {
    for (const one of words) expect(word()).toBe(one);
  };
  const labels: string[] = [];
  const edges: string[] = [];
  expected("digraph", "nerve", "{", "rankdir", "=", "LR", ";");
  for (let id = word(); id !== "}"; id = word()) {
    expect(id).toMatch(/^n\d+$/);
    const next = word();
    if (next === "->") edges.push(`${id} ${word()}`);
    else {
      expect(next).toBe("[");
      expected("shape", "=");
      expect(["ellipse", "hexagon", "box"]).toContain(word());
      expected(",", "label", "=");
      labels.push(
        word()
          .replace(/\\(.)/g, (_, char) => (char === "n" ? "\n" : char))
          .replaceAll("&amp;", "&"),
      );
      expected("]");
    }
    expected(";");
  }
  expect(at).toBe(tokens.length);
  return { labels, edges };
}

function readMermaid(text: string): Drawn {
  const labels: string[] = [];
  const edges: string[] = [];
  const [head, ...lines] = text.split("\n");
  expect(head).toBe("flowchart LR");
  for (const line of lines) {
    const node = /^ {2}n\d+(?:\(\["([^"]*)"\]\)|\{\{"([^"]*)"\}\}|\[\["([^"]*)"\]\])$/.exec(line);
    const edge = /^ {2}(n\d+) --> (n\d+)$/.exec(line);
    const label = node?.slice(1).find((part) => part !== undefined);
    if (edge) edges.push(`${edge[1]} ${edge[2]}`);
    else if (label === undefined) throw new Error(`neither node nor edge: ${line}`);
    else {
      expect(label.replaceAll("<br/>", "")).not.toMatch(/[<>&"`]/);
      labels.push(label.replaceAll("<br/>", "\n").replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))));
    }
  }
  return { labels, edges };
}

describe.each([
  ["dot", dotOf, readDot],
  ["mermaid", mermaidOf, readMermaid],
] as const)("--format %s", (format, render, read) => {
  test("holds every name and pattern as text, whatever it is", () => {
    const { labels, edges } = read(render(graph(HOSTILE)));
    expect(labels).toEqual([
      "end",
      "graph",
      "0",
      "graph#1",
      `digraph\nwhen a"b]}})--> '"; x -> y; <b>&amp;</b> \`code\` #quot; \\n %%{ || ✓'`,
      'subgraph#1\nper a"b\\',
      "node\nonly by hand or at a start",
      "subgraph\nonly by hand or at a start",
    ]);
    expect(edges).toEqual(["n0 n3", "n3 n1", "n1 n4", "n4 n6", "n2 n5", "n5 n7"]);
  });

  test("is what the command prints", async () => {
    const { code, stdout } = await nerve("--format", format);
    expect(code).toBe(0);
    expect(read(stdout.trimEnd()).labels).toHaveLength(13);
  });
});

const needsGraphviz = Bun.which("dot") === null ? test.skip : test;
needsGraphviz("Graphviz draws it, with every text as it is", () => {
  const drawn = Bun.spawnSync(["dot", "-Tplain"], { stdin: Buffer.from(dotOf(graph(HOSTILE))) });
  expect(drawn.stderr.toString()).toBe("");
  expect(drawn.exitCode).toBe(0);
  const svg = Bun.spawnSync(["dot", "-Tsvg"], { stdin: Buffer.from(dotOf(graph(HOSTILE))) }).stdout.toString();
  expect(svg.match(/<g id="node/g)).toHaveLength(8);
  expect(svg.match(/<g id="edge/g)).toHaveLength(6);
  expect(svg).toContain("&lt;b&gt;&amp;amp;&lt;/b&gt;");
});
