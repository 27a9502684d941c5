/** The executable needs nothing but itself, a configuration and the user's senses. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, cpSync } from "node:fs";
import { join } from "node:path";
import { COMPILED, project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const CONFIG = `
  senses: { cpu-usage: { group: other }, embedded: {} }
  reflexes:
    - { sense: cpu-usage, interval: 100ms }
    - { sense: embedded, interval: 100ms }`;

function copied() {
  const folder = project(
    {
      "nerve.yaml": CONFIG,
      "node_modules/greeter/package.json":
        '{ "name": "greeter", "version": "1.0.0", "type": "module", "exports": "./lib/main.js" }',
      "node_modules/greeter/lib/main.js": 'export const greet = (name) => ["hello", name].join(" ");\n',
      // What the current folder must not be able to do.
      ".env": "FROM_DOTENV=1\nSECRET=2\n",
      "bunfig.toml": 'preload = ["./preload.ts"]\n',
      "preload.ts": "globalThis.fromBunfig = true;\nthrow new Error('the preload ran');\n",
      "tsconfig.json": '{ "compilerOptions": { "paths": { "nerve": ["./preload.ts"], "arktype": ["./preload.ts"] } } }',
    },
    { embedded: "e2e/embedded" },
  );
  const binary = join(folder.path, "nerve");
  cpSync(COMPILED ?? "", binary);
  chmodSync(binary, 0o755);
  return { folder, binary, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

const needsBinary = COMPILED === null ? test.skip : test;

needsBinary(
  "a copy runs with an empty environment: imports resolve inside it, packages beside it; .env and bunfig are not read",
  async () => {
    using copy = copied();
    const { folder, binary } = copy;
    await using nerve = await startNerve(folder.path, { command: [binary], bare: true, environment: { PATH: "" } });
    const [signal] = await until(
      "embedded has emitted",
      () => nerve.signals("embedded").length > 0 && nerve.signals("embedded"),
    );
    expect(signal?.payload).toEqual({
      greeting: "hello world",
      usage: "number",
      looks: expect.any(Number),
      class: "function",
      environment: [],
      preloaded: false,
    });
    const { senses } = await nerve.status();
    expect(senses.map(({ name, state, reason }) => ({ name, state, reason }))).toEqual([
      { name: "cpu-usage", state: "ok", reason: null },
      { name: "embedded", state: "ok", reason: null },
    ]);
    expect(await nerve.stop()).toBe(0);
    expect(nerve.logs().filter(({ level }) => level === "error" || level === "warn")).toEqual([]);
  },
);

needsBinary("a copy that is replaced while it runs starts its next workers from its own image", async () => {
  using copy = copied();
  const { folder, binary } = copy;
  await using nerve = await startNerve(folder.path, { command: [binary], bare: true });
  await until("embedded has emitted", () => nerve.signals("embedded").length > 0);
  folder.remove("nerve");
  folder.write("nerve", "#!/bin/sh\nexit 1\n");
  const { pid } = await nerve.group("default");
  process.kill(pid ?? 0, "SIGKILL");
  const before = nerve.signals("embedded").length;
  await until("embedded emits twice more", () => nerve.signals("embedded").length > before + 1);
  expect((await nerve.group("default")).pid).not.toBe(pid);
});

needsBinary(
  "without a package beside the configuration the import fails by name, and nothing is downloaded",
  async () => {
    using copy = copied();
    const { folder, binary } = copy;
    folder.remove("node_modules");
    await using nerve = await startNerve(folder.path, { command: [binary], bare: true });
    const { reason } = await until("embedded has failed to load", async () => {
      const found = await nerve.sense("embedded");
      return found.state === "failed" && found;
    });
    expect(reason).toContain("there is no package `greeter` to import");
  },
);

test("the version is one line, whatever folder it is asked in", async () => {
  using folder = project({ ".env": "NERVE_CONFIG=nowhere.yaml\n" });
  const { code, stdout, stderr } = await runNerve(folder.path, ["version"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toStartWith("nerve ");
});
