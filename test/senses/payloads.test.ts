/** What built-in senses declare their payloads to be: each payload they really emit fits, and nothing is left out. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type } from "arktype";
import { drizzle } from "drizzle-orm/bun-sqlite";
import type { Peers } from "nerve";
import { BUILT_IN_SENSES } from "../../senses/index.ts";
import { BUILT_IN_SENSE_NAMES, type BuiltInSenseName } from "../../senses/names.ts";
import { definitionIn, isDeclaration } from "../../src/model/declaration.ts";
import { LEAST, openSense, validate } from "../helpers/compute.ts";
import { until } from "../helpers/until.ts";

/** The definition a sense declares under these options. */
function declared(name: BuiltInSenseName, options: Readonly<Record<string, unknown>>) {
  const { payload } = BUILT_IN_SENSES[name].load();
  if (!isDeclaration(payload)) throw new Error(`${name} declares no payload`);
  const validated = validate(name, options);
  if (!("value" in validated)) throw new Error(validated.problems.join("; "));
  return definitionIn(payload, validated.value);
}

/** What is wrong with `payload`, fields that are not declared included; null where it fits. */
function misfit(name: BuiltInSenseName, options: Readonly<Record<string, unknown>>, payload: unknown): string | null {
  const definition = declared(name, options);
  if (definition === null) return null;
  const result = type(definition as never).onDeepUndeclaredKey("reject")(payload);
  return result instanceof type.errors ? result.summary : null;
}

const print = (text: string, code = 0) => ["sh", "-c", 'printf "%b" "$1"; exit "$2"', "sh", text, String(code)];

const CASES: readonly (readonly [name: BuiltInSenseName, options: Record<string, unknown>])[] = [
  ["cpu-usage", {}],
  ["cpu-usage", { per_core: true }],
  ["memory", {}],
  ["load", {}],
  ["disk-usage", { path: "/" }],
  ["disk-usage", { path: "/proc" }],
  ["disk-io", {}],
  ["disk-io", { except: [], partitions: true }],
  ["network-io", {}],
  ["network-io", { except: [] }],
  ["processes", {}],
  ["processes", { top: 0 }],
  ["processes", { watch: { init: "*", none: "no such program" } }],
  ...(existsSync("/proc/pressure/cpu") ? [["pressure", {}] as const] : []),
  ["host-health", {}],
  ["http", { url: "http://127.0.0.1:1/" }],
  ["tcp", { host: "127.0.0.1", port: 1 }],
  ["tls", { host: "127.0.0.1", port: 1 }],
  ["disks", {}],
  ["file-age", { path: import.meta.path }],
  ["tail", { path: import.meta.path, match: "e", summary: true, from: "start" }],
  ["file-age", { path: "/no/such/*" }],
  ["exec", { command: print("a\\nb"), parse: "lines" }],
  ["exec", { command: print("7"), parse: "number" }],
  ["exec", { command: print("OK"), parse: "nagios" }],
  ["exec", { command: print("DISK | a=1s;2;3:;0;9 b=U 'c d'=5% e\\nmore", 2), parse: "nagios" }],
];

test.each(CASES)("what %s emits here with %j fits what it declares", async (name, options) => {
  using memory = openSense("memory");
  await memory.compute();
  const peers: Peers = { memory: drizzle({ client: memory.client }) };
  using sense = openSense(name, options);
  const payload = await until("there is a payload", () => sense.compute({ peers }));
  expect(misfit(name, options, payload)).toBeNull();
});

test("what nerve emits of a status fits what it declares", async () => {
  const { judge } = await import("../../senses/nerve/judge.ts");
  const { BadEndings } = await import("../../senses/nerve/bad-endings.ts");
  const endings = new BadEndings(0);
  const failure = { id: 1, run: 1, workflow: "page", state: "failed", error: null, at: 1, own: false } as const;
  endings.add({ runs: [failure], up_to: 7, newest: 7, archived: 3 });
  const sense = { computes: 3, nulls: 0, errors: 0, timeouts: 0, last_signal: null, next_due: 1 };
  const { payload } = judge(
    {
      kernel: { version: "1.0.0", started_at: 0, store: "the disk is full" },
      groups: [
        { name: "a", state: "stuck", restarts: 2 },
        { name: "b", state: "backoff", restarts: 1 },
      ],
      senses: [
        { ...sense, name: "dead", state: "failed" },
        { ...sense, name: "fails", state: "ok", errors: 3 },
      ],
      workflows: [{ name: "page", running: 1, queued: 60, sleeping: 2, stale: false }],
      broken_workflows: [{ name: "page" }],
      inboxes: [{ sense: "deploys", dead: 1 }],
      channels: [{ name: "team", state: "failing", reason: "channel `team`: it answered 500", own: false }],
    },
    endings,
    null,
    { now: 1_000_000, staleAfterMs: 1, queueWarning: 50 },
  );
  expect(payload.status).toBe("critical");
  expect(misfit("nerve", {}, payload)).toBeNull();
});

test("every built-in sense declares its payload, in a definition in which each field can be anything it says", () => {
  for (const name of BUILT_IN_SENSE_NAMES) {
    const definition = declared(
      name,
      name === "exec"
        ? { command: ["true"], parse: "nagios" }
        : name === "push"
          ? { envelope: true }
          : (LEAST[name] ?? {}),
    );
    expect(() => type(definition as never), name).not.toThrow();
  }
  expect(declared("exec", { command: ["true"] })).toBeNull();
  expect(misfit("memory", {}, { total_bytes: -1 })).toContain("total_bytes");
  expect(misfit("exec", { command: ["true"], parse: "number" }, { value: 1, more: 2 })).toContain("more");
});

test("no module of a built-in sense loads ArkType", async () => {
  const source = `import { BUILT_IN_SENSES } from "${join(import.meta.dir, "../../senses/index.ts")}";
    for (const { load } of Object.values(BUILT_IN_SENSES)) load();
    console.log(Object.keys(require.cache).filter((file) => /node_modules\\/(arktype|@ark)/.test(file)).length);`;
  const child = Bun.spawnSync([process.execPath, "-e", source], { cwd: join(import.meta.dir, "../..") });
  expect(child.stdout.toString() + child.stderr.toString()).toBe("0\n");
});
