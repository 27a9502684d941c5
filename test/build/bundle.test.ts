/** What each role of the executable loads at its start, seen in the bundle: a chunk's static imports are what it evaluates. */
import { beforeAll, expect, test } from "bun:test";
import { BUNDLE } from "../../scripts/build.ts";

type Metafile = NonNullable<Awaited<ReturnType<typeof Bun.build>>["metafile"]>;

let outputs: Metafile["outputs"];
/** The code of each chunk. */
const codes = new Map<string, string>();

beforeAll(async () => {
  const { metafile, outputs: built } = await Bun.build({ ...BUNDLE, metafile: true });
  outputs = metafile?.outputs ?? {};
  for (const chunk of built) codes.set(named(chunk.path), await chunk.text());
});

const named = (path: string): string => path.replace(/^\.\//, "");

/** The chunks evaluated when `entry` is loaded. */
function chunksOf(entry: string): ReadonlySet<string> {
  const chunks = new Map(Object.entries(outputs).map(([path, chunk]) => [named(path), chunk]));
  const start = [...chunks].find(([, { inputs }]) => entry in inputs)?.[0];
  if (start === undefined) throw new Error(`${entry} is in no chunk`);
  const reached = new Set([start]);
  for (const path of reached) {
    for (const { path: next, kind } of chunks.get(path)?.imports ?? []) {
      if (kind === "import-statement" && chunks.has(named(next))) reached.add(named(next));
    }
  }
  return reached;
}

/** The sources evaluated when `entry` is loaded, packages as `node_modules/NAME`. */
function evaluatedBy(entry: string): string[] {
  const chunks = new Map(Object.entries(outputs).map(([path, chunk]) => [named(path), chunk]));
  const inputs = [...chunksOf(entry)].flatMap((path) => Object.keys(chunks.get(path)?.inputs ?? {}));
  return [...new Set(inputs.map((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? input))].sort();
}

const outside = (sources: readonly string[], allowed: RegExp): string[] =>
  sources.filter((source) => !allowed.test(source));

test("the entry loads nothing but the choice of a role, and what holds signals until then", () => {
  expect(evaluatedBy("src/main.ts")).toEqual(["src/base/early-signals.ts", "src/main.ts", "src/spawn/own-image.ts"]);
});

test("a command is chosen before the kernel, the store, the configuration or a package is loaded", () => {
  expect(outside(evaluatedBy("src/cli/main.ts"), /^src\/(base|model|cli|control)\//)).toEqual([]);
});

test("the kernel starts without ArkType, Drizzle, a worker's loader or any code of a sense or a workflow", () => {
  const allowed =
    /^(package\.json|migrations\/|senses\/names\.ts|node_modules\/yaml$|src\/(version\.ts|workflows\/names\.ts|(base|model|rules|config|ipc|store|sqlite|control|spawn|kernel|stories|tokens|inbox|cli)\/))/;
  expect(outside(evaluatedBy("src/kernel/daemon/boot.ts"), allowed)).toEqual([]);
});

/** Modules of Node that bring half a megabyte of others along. The bundler may put who needs one into a chunk of everybody's. */
const HEAVY = /(?:from|import)"(?:node:)?(crypto|util|stream|http|https|net|tls|zlib|child_process|readline|events)"/g;

test("neither the kernel, nor a worker, nor a sense that reads /proc, nor one that runs a program loads a heavy module of Node", () => {
  const entries = ["src/cli/commands/start.ts", "src/sense-worker/main.ts", "src/workflow-worker/main.ts"];
  const modules = ["cpu-usage", "memory", "processes", "exec", "disk-usage", "nerve"].map(
    (name) => `senses/${name}/index.ts`,
  );
  const heavy = [...entries, ...modules, "src/workflows/exec/index.ts"].flatMap((entry) =>
    [...chunksOf(entry)].flatMap((chunk) =>
      [...(codes.get(chunk) ?? "").matchAll(HEAVY)].map(([, name]) => `${entry}: ${name}`),
    ),
  );
  expect(heavy).toEqual([]);
  // The form of an import in a chunk, which would be missed otherwise.
  expect([...codes.values()].filter((code) => code.match(HEAVY)).length).toBeGreaterThan(0);
});

/** A few lines each, which the bundler puts into a chunk of 3 KB that all roles need. */
const LINES = /^src\/(?:control\/run-input|store\/(?:kernel-lock|restoring))\.ts$/;

test("a sense worker starts without ArkType, Drizzle, the code of any built-in sense, the kernel, the store or the configuration", () => {
  const allowed =
    /^(senses\/index\.ts|senses\/[a-z-]+\/migrations\/.*\.sql|src\/((base|model|ipc|sqlite|worker|sense-worker)\/))/;
  expect(outside(evaluatedBy("src/sense-worker/main.ts"), allowed).filter((file) => !LINES.test(file))).toEqual([]);
});

test("a workflow worker starts with as little, and nothing of a sense worker", () => {
  const allowed =
    /^(senses\/index\.ts|senses\/[a-z-]+\/migrations\/.*\.sql|src\/(workflows\/index\.ts|(base|model|ipc|sqlite|worker|workflow-worker)\/))/;
  expect(outside(evaluatedBy("src/workflow-worker/main.ts"), allowed).filter((file) => !LINES.test(file))).toEqual([]);
});

test("the client of NATS is loaded by the fleet process alone, and there after its start", () => {
  const client = /^node_modules\/(@nats-io|tweetnacl)/;
  const roles = ["cli", "sense-worker", "workflow-worker", "watchdog", "sql", "web", "push", "fleet", "otlp"];
  const loading = [...roles.map((role) => `src/${role}/main.ts`), "src/main.ts", "src/kernel/daemon/boot.ts"];
  expect(loading.filter((entry) => evaluatedBy(entry).some((source) => client.test(source)))).toEqual([]);
  expect(evaluatedBy("src/fleet/nats/session.ts").some((source) => client.test(source))).toBe(true);
});

test("a package is in the executable once, never as ESM and CommonJS both", () => {
  const inputs = Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const ofPackages = inputs.filter((input) => input.startsWith("node_modules/"));
  expect(new Set(ofPackages.map((input) => input.split("/")[1]))).toContain("drizzle-orm");
  expect(ofPackages.filter((input) => input.endsWith(".cjs"))).toEqual([]);
  expect(ofPackages.filter((input, at) => ofPackages.indexOf(input) !== at)).toEqual([]);
});
