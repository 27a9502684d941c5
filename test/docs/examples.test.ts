/**
 * Every example of README and docs runs as it stands on its page: YAML is checked, modules are checked and run, commands
 * meet a daemon of the sample, and what a page shows as output has the shape of the real one.
 */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../../src/workflows/names.ts";
import { commandsOf, type Example, examplesOf, sessionsOf, shapeOf } from "../helpers/examples.ts";
import { jsonOf, NERVE, type Project, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, "../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const PAGES = ["README.md", ...[...new Glob("docs/*.md").scanSync(ROOT)].sort()];
const OF_BUILT_INS = ["senses/*/README.md", "src/workflows/*/README.md"].flatMap((pages) => [
  ...new Glob(pages).scanSync(ROOT),
]);

const all = [...PAGES, ...OF_BUILT_INS].flatMap((page) => examplesOf(page, read(page)));
const runnable = all.filter(({ notRun }) => notRun === null);
const of = (...languages: string[]): readonly Example[] =>
  runnable.filter(({ language }) => languages.includes(language));
const place = ({ page, line }: Example): string => `${page}:${line}`;

const done = new Set<Example>();
const ran = (examples: readonly Example[]): void => {
  for (const example of examples) done.add(example);
};

/** A program of the shell that runs this nerve. */
function withNerve(folder: Project): Record<string, string> {
  const file = folder.write("bin/nerve", `#!/bin/sh\nexec ${NERVE.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  chmodSync(file, 0o755);
  return { PATH: `${join(folder.path, "bin")}:${process.env.PATH}`, HOME: folder.path };
}

const shell = (folder: Project, command: string) =>
  Bun.spawn(["sh", "-c", command], { cwd: folder.path, env: withNerve(folder), stdio: ["ignore", "pipe", "pipe"] });

const REST = "rest.yaml";
interface Names {
  readonly senses: string;
  readonly workflows: string;
}

/** Senses and workflows that a fragment names and does not define: with what is given, and as programs otherwise. */
function restOf({ text, given }: Example): string {
  type Part = Partial<Record<keyof Names, Record<string, unknown>>> & { reflexes?: Record<string, unknown>[] };
  const fragment = Bun.YAML.parse(text) as Part;
  const extra = (given === null ? {} : Bun.YAML.parse(given)) as Part;
  const defined = (kind: keyof Names) =>
    new Set([...Object.keys(fragment[kind] ?? {}), ...Object.keys(extra[kind] ?? {})]);
  const reflexes = fragment.reflexes ?? [];
  const named = (kind: "sense" | "workflow") =>
    reflexes.flatMap((one) => (typeof one[kind] === "string" ? [one[kind]] : []));
  const program = { use: "exec", with: { command: ["true"] } };
  const missing = (names: readonly string[], kind: keyof Names, builtIn: readonly string[]) =>
    Object.fromEntries(
      names.filter((name) => !defined(kind).has(name)).map((name) => [name, builtIn.includes(name) ? {} : program]),
    );
  const heard = reflexes.flatMap(({ on = [] }) => on as string[]).filter((name) => !name.includes("/"));
  const senses = [...named("sense"), ...heard];
  return JSON.stringify({
    senses: { ...extra.senses, ...missing(senses, "senses", BUILT_IN_SENSE_NAMES) },
    workflows: { ...extra.workflows, ...missing(named("workflow"), "workflows", []) },
  });
}

/** A module for each sense and workflow of a fragment that is the reader's own. */
function modulesFor({ text }: Example): Record<string, string> {
  type Entries = Record<string, { use?: string } | null>;
  const { senses = {}, workflows = {} } = Bun.YAML.parse(text) as { senses?: Entries; workflows?: Entries };
  const own = (entries: Entries, kind: string, builtIn: readonly string[], code: string) =>
    Object.entries(entries)
      .filter(([name, entry]) => !builtIn.includes(entry?.use ?? name))
      .map(([name, entry]) => [`${kind}/${entry?.use ?? name}/index.ts`, code]);
  return Object.fromEntries([
    ...own(senses, "senses", BUILT_IN_SENSE_NAMES, "export const compute = () => null;\n"),
    ...own(workflows, "workflows", BUILT_IN_WORKFLOW_NAMES, "export const run = () => null;\n"),
  ]);
}

describe("YAML is fine with `nerve check`:", () => {
  const fragments = of("yaml").filter(({ file }) => file === null);

  test.each(fragments.map((example) => [place(example), example] as const))("%s", async (_, example) => {
    using folder = project({
      "nerve.yaml": `include: [example.yaml, ${REST}]\n`,
      "example.yaml": example.text,
      [REST]: restOf(example),
      ...modulesFor(example),
      // The credentials that the pages name.
      hook: "a-word-between-two",
      otlp: "Bearer a-key-of-the-receiver",
    });
    const { code, stderr } = await runNerve(folder.path, ["check"], {
      environment: { CREDENTIALS_DIRECTORY: folder.path },
    });
    expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
    ran([example]);
  });
});

interface Site {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly examples: readonly Example[];
  /** Name of a workflow → JSON of what a run of it gets. */
  readonly inputs: ReadonlyMap<string, string>;
}

/** The files that a page names, section by section; a later section builds on the ones before. */
function sitesOf(page: string): readonly Site[] {
  const sites: Site[] = [];
  let files: Record<string, string> = {};
  // What is not run is checked all the same.
  const named = all.filter((example) => example.page === page && example.file !== null);
  for (const section of new Set(named.map((example) => example.section))) {
    const examples = named.filter((example) => example.section === section);
    files = { ...files, ...Object.fromEntries(examples.map(({ file, text }) => [file, text])) };
    const inputs = examples.flatMap(({ file, input }) =>
      input === null ? [] : [[String(file).split("/")[1] ?? "", input] as const],
    );
    sites.push({ title: `${page}: ${section}`, files, examples, inputs: new Map(inputs) });
  }
  return sites;
}

/** Pieces of modules: each becomes a module of its own with what is given, and all of a page are one folder. */
function piecesOf(page: string): Site | null {
  const pieces = of("ts").filter((example) => example.page === page && example.file === null);
  if (pieces.length === 0) return null;
  const names = { senses: [] as string[], workflows: [] as string[] };
  const files: Record<string, string> = {};
  const inputs = new Map<string, string>();
  for (const { text, line, given, input } of pieces) {
    const isOfWorkflow = /\bthread\b/.test(text);
    const name = `line-${line}`;
    names[isOfWorkflow ? "workflows" : "senses"].push(name);
    files[`${isOfWorkflow ? "workflows" : "senses"}/${name}/index.ts`] = moduleOf(text, given ?? "", isOfWorkflow);
    if (input !== null) inputs.set(name, input);
  }
  const map = (list: readonly string[]): string => JSON.stringify(Object.fromEntries(list.map((name) => [name, {}])));
  const reflexes = names.senses.map((sense) => ({ sense, interval: "1h" }));
  files["nerve.yaml"] =
    `senses: ${map(names.senses)}\nworkflows: ${map(names.workflows)}\nreflexes: ${JSON.stringify(reflexes)}\n`;
  return { title: `${page}: pieces`, files, examples: pieces, inputs };
}

function moduleOf(text: string, given: string, isOfWorkflow: boolean): string {
  if (isOfWorkflow && !text.includes("export const run")) {
    return `import type { Run } from "nerve";\nexport const run: Run = async (thread) => {\n${given}\n${text}};\n`;
  }
  const isWhole = isOfWorkflow || text.includes("export const compute");
  return `${text}\n${given}\n${isWhole ? "" : "export const compute = () => null;\n"}`;
}

/** Names of the modules of one kind that are the page's own, that its nerve.yaml has, and that may be run. */
function modulesIn({ files, examples }: Site, kind: keyof Names): readonly string[] {
  const config = Bun.YAML.parse(files["nerve.yaml"] ?? "") as Partial<Record<keyof Names, Record<string, unknown>>>;
  const still = new Set(examples.filter(({ notRun }) => notRun !== null).map(({ file }) => file));
  return Object.keys(config[kind] ?? {}).filter((name) => {
    const file = `${kind}/${name}/index.ts`;
    return file in files && !still.has(file);
  });
}

describe("modules are checked and run:", () => {
  const sites = PAGES.flatMap((page) => [...sitesOf(page), ...[piecesOf(page)].filter((site) => site !== null)]);

  test.each(sites.map((site) => [site.title, site] as const))("%s", async (_, site) => {
    const { "nerve.yaml": config = "", ...modules } = site.files;
    using folder = project({ ...modules, "nerve.yaml": config });
    for (const { setup } of site.examples) if (setup !== null) expect(await shell(folder, setup).exited).toBe(0);
    // With the types, so that `check` checks them too.
    expect((await runNerve(folder.path, ["init"])).code).toBe(0);
    const checked = await runNerve(folder.path, ["check"]);
    expect([checked.code, checked.code === 0 ? "" : checked.stderr]).toEqual([0, ""]);
    for (const sense of modulesIn(site, "senses")) {
      const { code, stderr } = await runNerve(folder.path, ["once", sense]);
      expect([sense, code, code === 0 ? "" : stderr]).toEqual([sense, 0, ""]);
    }
    const workflows = modulesIn(site, "workflows");
    if (workflows.length > 0) {
      await using _nerve = await startNerve(folder.path);
      for (const workflow of workflows) await expectRun(folder, workflow, site.inputs.get(workflow) ?? "{}");
    }
    ran(site.examples);
  });

  const SETTLED = new Set(["completed", "failed", "sleeping", "timed-out", "dropped", "cancelled"]);

  /** It completes; or it sleeps as its example says, and then it is ended. */
  async function expectRun(folder: Project, workflow: string, input: string): Promise<void> {
    await runNerve(folder.path, ["run", workflow, input]);
    const run = await until(`the run of ${workflow} settles`, async () => {
      const { value } = await jsonOf(folder.path, ["runs", workflow]);
      return SETTLED.has(value?.state) && value;
    });
    expect([workflow, run.error]).toEqual([workflow, null]);
    expect(run.state).toBeOneOf(["completed", "sleeping"]);
    if (run.state === "sleeping") await runNerve(folder.path, ["cancel", String(run.id)]);
  }
});

/** Programs beside nerve that the pages use. */
const TOOLS = ["curl", "jq", "sqlite3"];
const absent = TOOLS.filter((tool) => Bun.which(tool) === null);
const needsAbsent = (command: string): boolean => absent.some((tool) => new RegExp(`\\b${tool} `).test(command));

/** What a page has a person start is the daemon that the test runs. */
const DAEMON = /^(\.\/)?nerve (nerve\.yaml|start)$/;

describe("commands end as the page says:", () => {
  test("the first minute, in an empty folder with nothing in the environment", async () => {
    const first = of("sh").find(({ section }) => section === "The first minute");
    expect(commandsOf(first?.text ?? "").map(({ command }) => command)).toEqual(["nerve init", "nerve nerve.yaml"]);
    using folder = project({});
    expect(await runNerve(folder.path, ["init"], { bare: true })).toMatchObject({ code: 0, stderr: "" });
    await using nerve = await startNerve(folder.path, { bare: true });
    await until("a sense of the reader's own has emitted", () => nerve.signals("hello").length > 0);
  });

  test("all of README and docs, with a daemon of the sample", async () => {
    using folder = project({ "nerve.yaml": read("nerve.yaml"), "changed.yaml": read("nerve.yaml") });
    await using _nerve = await startNerve(folder.path);
    await runNerve(folder.path, ["run", "note", '{ "status": "fine", "host": "here" }', "--wait"]);
    for (const example of of("sh")) {
      for (const { command, code } of commandsOf(example.text)) {
        if (DAEMON.test(command) || needsAbsent(command)) continue;
        const child = shell(folder, / -f\b/.test(command) ? `exec ${command}` : command);
        if (/ -f\b/.test(command)) {
          // A follower goes on while other commands come and go.
          await runNerve(folder.path, ["status"]);
          expect([command, child.exitCode]).toEqual([command, null]);
          child.kill("SIGINT");
        }
        const [stderr, ended] = await Promise.all([
          new Response(child.stderr).text(),
          child.exited,
          new Response(child.stdout).text(),
        ]);
        if (/ -f\b/.test(command)) continue;
        expect([place(example), command, ended, ended === code ? "" : stderr]).toEqual([
          place(example),
          command,
          code,
          "",
        ]);
      }
    }
    for (const example of of("console")) {
      for (const { command, output } of sessionsOf(example.text)) {
        const child = shell(folder, command);
        const lines = (await new Response(child.stdout).text()).split("\n");
        const missing = output.filter((line) => !lines.some((one) => shapeOf(line).test(one)));
        expect([place(example), command, missing, missing.length === 0 ? [] : lines]).toEqual([
          place(example),
          command,
          [],
          [],
        ]);
      }
    }
    ran(of("sh", "console"));
  });
});

describe("of all examples:", () => {
  test("each runs, or says why it does not", () => {
    const silent = runnable.filter((example) => example.page.startsWith("docs/") || example.page === "README.md");
    expect(silent.filter((example) => !done.has(example)).map(place)).toEqual([]);
  });

  afterAll(() => {
    const left = all.filter(({ notRun }) => notRun !== null);
    console.log(`examples: ${done.size} run, ${left.length} not run`);
    for (const tool of absent) console.log(`  commands with ${tool}: it is not on this machine`);
    for (const example of left) console.log(`  ${place(example)}: ${example.notRun}`);
  });
});
