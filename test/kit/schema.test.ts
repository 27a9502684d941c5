/** The schema of nerve.yaml beside the parser, and in an editor. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { configSchema } from "../../scripts/kit/schema.ts";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { starterFiles } from "../../src/cli/kit/starter.ts";
import { NOT_YET } from "../../src/config/not-yet.ts";
import { parseNerveConfig, parseWholeContract } from "../../src/config/parse.ts";
import type { Options } from "../../src/sdk/options.ts";
import { BUILT_IN_WORKFLOWS } from "../../src/workflows/index.ts";
import { yamlEditor } from "../helpers/yaml-editor.ts";

const ROOT = join(import.meta.dir, "../..");
const editor = yamlEditor();

/** Every key there is, some filled in from a variable. */
const EVERY_KEY = `
data: ./data
durability: normal
retention: { logs: 7d, signals: 1d, archive: 90d }
groups: { g: { memory: 256mb } }
senses:
  load: { group: g, timeout: "\${T:-5s}", grace_period: 0, throttle: 0, with: { keep: "\${KEEP:-7d}" } }
  root: { group: g, use: disk-usage, with: }
  top: { use: processes, with: { top: "\${TOP:-3}" } }
  own: { with: { anything: [1, { deep: true }] } }
  empty: { needs: { groups: [adm], network: true, paths: ["/srv:rw"], programs: } }
reflexes:
  - { sense: load, interval: "\${I:-1s}", align: true, jitter: 100ms, on_start: "\${S:-true}" }
  - { sense: root, cron: "*/5 * * * *", tz: Europe/Berlin, catch_up: one }
  - { sense: top, interval: 1m, on: [load], when: { "load1?": number > 5 }, edge: rising }
  - { sense: own, on: [load, root], when: "object", key: $one, debounce: { wait: 1s, max: 5s } }
  - { sense: empty, on: [own], each: list, key: [a.b, $sense], count: { n: 3, within: 1m } }
  - name: told
    workflow: told
    on: [load]
    when: { load1: number > 5, "[string]": unknown }
    clear: { load1: number < 3 }
    for: 0
    throttle: 10m
workflows:
  told:
    use: exec
    with: { command: [echo, 1, true], env: { A: 1 } }
    concurrency: 2
    overflow: queue
    max_queue: 5
    timeout: 1m
    grace_period: 5s
    retry: { limit: 3, interval: 1s, backoff: 1.5, max_interval: 1m }
`;

/** What stands in `schema` at a path, references followed. */
// biome-ignore lint/suspicious/noExplicitAny: a schema is any JSON
function at(schema: any, path: string): any {
  return path.split("/").reduce((inner, part) => {
    const next = part === "" ? inner : inner[part];
    return next?.$ref === undefined ? next : at(schema, next.$ref.slice("#/".length));
  }, schema);
}

/** The parser names the keys there are when it meets one that it does not know, or says what an empty map lacks. */
function keysOfParser(config: (key: string) => string): string[] {
  const parsed = parseWholeContract(config("zzzzzzzzzzzz"));
  const found = parsed.ok ? [] : parsed.error.filter(({ kind }) => kind === "unknown-key");
  const [, keys = ""] = /valid here: (.*)$/.exec(found[0]?.hint ?? "") ?? [];
  return keys.split(", ").sort();
}

describe("the keys of the schema are those of the parser:", () => {
  const levels: readonly (readonly [string, (key: string) => string, string])[] = [
    ["the file", (key) => `${key}: 1`, "properties"],
    ["retention", (key) => `retention: { ${key}: 1 }`, "properties/retention/properties"],
    ["a group", (key) => `groups: { g: { ${key}: 1 } }`, "properties/groups/additionalProperties/properties"],
    ["a sense", (key) => `senses: { s: { ${key}: 1 } }`, "properties/senses/additionalProperties/properties"],
    [
      "a sense that is built in",
      (key) => `senses: { load: { ${key}: 1 } }`,
      "properties/senses/properties/load/allOf/0/properties",
    ],
    ["a workflow", (key) => `workflows: { w: { ${key}: 1 } }`, "properties/workflows/additionalProperties/properties"],
    [
      "`retry`",
      (key) => `workflows: { w: { retry: { limit: 1, ${key}: 1 } } }`,
      "properties/workflows/additionalProperties/properties/retry/properties",
    ],
    [
      "`needs`",
      (key) => `senses: { s: { needs: { ${key}: 1 } } }`,
      "properties/senses/additionalProperties/properties/needs/properties",
    ],
    ["a reflex", (key) => `reflexes: [{ ${key}: 1 }]`, "properties/reflexes/items/properties"],
    [
      "`count`",
      (key) => `reflexes: [{ count: { ${key}: 1 } }]`,
      "properties/reflexes/items/properties/count/properties",
    ],
    [
      "`debounce`",
      (key) => `reflexes: [{ debounce: { ${key}: 1 } }]`,
      "properties/reflexes/items/properties/debounce/properties",
    ],
  ];
  test.each(levels)("%s", (_name, config, path) => {
    const ofSchema = Object.keys(at(configSchema(), path)).sort();
    expect(ofSchema.length).toBeGreaterThan(0);
    expect(ofSchema).toEqual(keysOfParser(config).filter((key) => !NOT_YET.includes(key)));
  });
});

describe("the options of the schema are those that a built-in module takes:", () => {
  const modules = [
    ...Object.entries(BUILT_IN_SENSES).map(([name, one]) => ["sense", name, one] as const),
    ...Object.entries(BUILT_IN_WORKFLOWS).map(([name, one]) => ["workflow", name, one] as const),
  ];
  test.each(modules)("%s %s", (kind, name, { load }) => {
    const { options } = load() as { readonly options: Options<unknown> };
    const ofSchema = Object.keys(at(configSchema(), `definitions/${kind}-${name}/properties`));
    const read = options["~standard"].validate({ zzzzzzzzzzzz: 1 });
    const messages = "issues" in read ? read.issues.map(({ message }) => message) : [];
    const [, known = ""] =
      messages.map((message) => /is not an option: there (?:is|are) (.*)/.exec(message)).find(Boolean) ?? [];
    expect(ofSchema.sort()).toEqual(known.split(", ").sort());
  });
});

describe("in an editor", () => {
  test("the options of a built-in sense are offered, under its name and under another", async () => {
    expect(await editor.completions("senses:\n  disk-usage:\n    with:\n      |")).toEqual(["keep", "path"]);
    expect(await editor.completions("senses:\n  root:\n    use: disk-usage\n    with:\n      |")).toEqual([
      "keep",
      "path",
    ]);
  });

  test("the fields of a payload are offered in `when`", async () => {
    const fields = await editor.completions("reflexes:\n  - workflow: w\n    on: [disk-usage]\n    when:\n      |");
    expect(fields).toContain("used_percent");
    expect(fields).toContain("inodes_used");
    expect(fields).not.toContain("load1");
  });

  test("senses are offered in `on`, modules under `use`, and keys everywhere", async () => {
    expect(await editor.completions("reflexes:\n  - on: [|]")).toContain("disk-usage");
    expect(await editor.completions("senses:\n  root:\n    use: |")).toContain("exec");
    expect(await editor.completions("workflows:\n  w:\n    |")).toContain("overflow");
  });

  const wrong: readonly (readonly [string, string, string])[] = [
    ["an option that is none", "senses:\n  disk-usage:\n    with: { pth: / }\n", "3:13 Property pth is not allowed."],
    [
      "an option of the wrong type",
      "senses:\n  disk-usage:\n    with: { path: 3 }\n",
      '3:19 Incorrect type. Expected "string".',
    ],
    [
      "a field that no payload has",
      "reflexes:\n  - { workflow: w, on: [load], when: { laod1: number > 9 } }\n",
      "2:40 the payload of load has",
    ],
    ["a key that is none", "senses:\n  load: { grup: system }\n", "2:11 Property grup is not allowed."],
    ["a number for a duration", "reflexes:\n  - { sense: load, interval: 3 }\n", "2:30 Incorrect type."],
  ];
  test.each(wrong)("%s is marked at its place", async (_name, text, problem) => {
    const found = await editor.problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toStartWith(problem);
  });

  test("what the parser accepts has no mark: the samples, the config that `nerve init` writes, and variables", async () => {
    const pages = ["README.md", ...new Glob("{docs,senses/*,src/workflows/*}/*.md").scanSync(ROOT)].sort();
    const blocks = pages.flatMap((page) =>
      [...readFileSync(join(ROOT, page), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text),
    );
    const texts = [
      readFileSync(join(ROOT, "nerve.yaml"), "utf8"),
      starterFiles({ pressure: true, systemd: true }, "./data")["nerve.yaml"] ?? "",
      EVERY_KEY,
      ...blocks,
    ];
    const accepted = texts.filter((text) => parseNerveConfig(text).ok);
    expect(accepted.slice(0, 3)).toEqual(texts.slice(0, 3));
    for (const text of accepted)
      expect({ text, problems: await editor.problems(text) }).toEqual({ text, problems: [] });
  });
});
