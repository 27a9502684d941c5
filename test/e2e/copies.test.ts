/** Every built-in sense and workflow is an example to copy: its folder, put beside a stranger's nerve.yaml, runs as it is. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { BUILT_IN_SENSE_NAMES } from "../../senses/names.ts";
import { BUILT_IN_WORKFLOW_NAMES } from "../../src/workflows/names.ts";
import { project, runNerve, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(120_000);

const ROOT = join(import.meta.dir, "../..");

/** Not every kernel has pressure stall information. */
const NAMES = BUILT_IN_SENSE_NAMES.filter((name) => name !== "pressure" || existsSync("/proc/pressure/cpu"));

/** They see nothing on a host without systemd, a journal or a container engine, and say so once. */
const MAY_BE_SILENT = ["systemd", "journal", "docker"];

const optionsOf = (port: number): Readonly<Record<string, string>> => ({
  exec: '{ command: [echo, \'{ "it": "runs" }\'] }',
  "host-health": "{ cpu: [my-cpu-usage], memory: [my-memory], load: [my-load], disks: [my-disk-usage] }",
  http: `{ url: "http://127.0.0.1:${port}/" }`,
  tcp: `{ host: 127.0.0.1, port: ${port} }`,
  tls: `{ host: 127.0.0.1, port: ${port} }`,
  tail: "{ path: lines.log, from: start }",
  "file-age": "{ path: lines.log }",
});

/** They are handed what they see. */
const HANDED = ["push", "heartbeat"];

function configOf(port: number): string {
  const options = optionsOf(port);
  const senses = NAMES.map((name) => {
    const inbox = HANDED.includes(name) ? "inbox: {}, " : "";
    return `my-${name}: { ${inbox}with: ${options[name] ?? "{}"} }`;
  });
  // A sense that looks at the difference of two samples needs two.
  const reflexes = NAMES.map((name) => `- { sense: my-${name}, interval: 250ms, on_start: true }`);
  return `
  senses:
    ${senses.join("\n    ")}
  reflexes:
    ${reflexes.join("\n    ")}
    - { workflow: my-exec, on: [my-exec], throttle: 1h }
    - { workflow: my-webhook, on: [my-exec], throttle: 1h }
  workflows:
    my-exec: { with: { command: [echo, "{{ payload.it }}"] } }
    my-webhook: { with: { url: "http://127.0.0.1:${port}/hook" } }`;
}

test("a copy of each built-in sense emits signals, and a copy of each built-in workflow completes", async () => {
  const taken: unknown[] = [];
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (request.method === "POST") taken.push(await request.json());
      return new Response();
    },
  });
  using folder = project({ "nerve.yaml": configOf(server.port ?? 0), "lines.log": "a line\n" });
  for (const name of NAMES) {
    cpSync(join(ROOT, "senses", name), join(folder.path, "senses", `my-${name}`), { recursive: true });
  }
  for (const name of BUILT_IN_WORKFLOW_NAMES) {
    cpSync(join(ROOT, "src/workflows", name), join(folder.path, "workflows", `my-${name}`), { recursive: true });
  }

  await using nerve = await startNerve(folder.path);
  expect((await runNerve(folder.path, ["push", "my-push", '{"version":1}'])).code).toBe(0);
  expect((await runNerve(folder.path, ["wrap", "my-heartbeat", "--", "true"])).code).toBe(0);
  const silent = async (): Promise<string[]> => {
    const { senses } = await nerve.status();
    return senses
      .filter(({ name, last_signal, reason, errors }) => {
        const isSilent = last_signal === null && !MAY_BE_SILENT.includes(name.replace("my-", ""));
        return isSilent || reason !== null || errors > 0;
      })
      .map(({ name, reason, errors }) => `${name} ${reason} ${errors}`);
  };
  await until("every copy has emitted a signal", async () => (await silent()).length === 0).catch(() => {});
  expect(await silent()).toEqual([]);
  await until("both workflows have completed", () => nerve.logs({ event: "run.completed" }).length === 2);
  expect(taken).toEqual([expect.objectContaining({ sense: "my-exec", payload: { it: "runs" } })]);
  expect(nerve.logs().filter(({ level }) => level === "error")).toEqual([]);
});
