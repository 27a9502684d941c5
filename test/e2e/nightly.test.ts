/**
 * Who is told when a job that the clock starts ends badly: on the executable, over a real channel. `NERVE_CRASH=full` waits for
 * the minute of a cron time; otherwise the jobs start with the kernel.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Nerve, project, startNerve } from "../helpers/nerve.ts";
import { until } from "../helpers/until.ts";

setDefaultTimeout(240_000);

const WHEN = process.env.NERVE_CRASH === "full" ? 'cron: "* * * * *"' : 'cron: "30 2 29 2 *", on_start: true';

/** A receiver of messages. While `isDown` is true it refuses them. */
function receiver() {
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a message by reading it
  const messages: any[] = [];
  const state = { isDown: false, refused: 0 };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      if (state.isDown) {
        state.refused++;
        return new Response("no", { status: 400 });
      }
      messages.push(await request.json());
      return new Response("OK");
    },
  });
  return {
    messages,
    state,
    url: `http://127.0.0.1:${server.port}/hook`,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** Workflows that end in each bad way. */
const JOBS = {
  "workflows/fails/index.ts": 'export const run = () => { throw new Error("the disk is gone"); };\n',
  "workflows/slow/index.ts": `export const run = (thread, { signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));\n`,
  "workflows/deaf/index.ts": "export const run = () => { for (;;); };\n",
  "workflows/busy/index.ts": 'export const run = (thread) => thread.step("busy", () => Bun.sleep(4_000));\n',
};

const jobs = (url: string, when: string): string => `senses: { nerve: { group: watch } }
channels: { hook: { webhook: { url: "${url}" } } }
reflexes:
  - { sense: nerve, watch: true }
  - { name: bad-runs, workflow: notify, on: [nerve], each: failed_runs, key: run }
  - { name: nightly-fails, workflow: fails, ${when} }
  - { name: nightly-slow, workflow: slow, ${when} }
  - { name: nightly-deaf, workflow: deaf, ${when} }
  - { name: nightly-first, workflow: busy, ${when} }
  - { name: nightly-second, workflow: busy, ${when} }
workflows:
  fails:
  slow: { timeout: 500ms }
  deaf: { timeout: 300ms, grace_period: 300ms }
  busy: { overflow: drop }
  notify: { with: { to: [hook] } }
`;

/** Of each run that ended badly, how often the sense named it. */
function named(nerve: Nerve): Record<string, number> {
  const runs = nerve
    .signals("nerve")
    .flatMap(({ payload }) => payload.failed_runs as { workflow: string; run: number }[]);
  const counts: Record<string, number> = {};
  for (const { workflow, run } of runs) counts[`${workflow} ${run}`] = (counts[`${workflow} ${run}`] ?? 0) + 1;
  return counts;
}

test("a nightly job that fails, times out, is killed at its hard limit, or is dropped: each is told, each once", async () => {
  using hook = receiver();
  using folder = project({ ...JOBS, "nerve.yaml": jobs(hook.url, WHEN) });
  await using nerve = await startNerve(folder.path);
  const told = () => hook.messages.map(({ payload: { workflow, state } }) => `${workflow} ${state}`).sort();
  const expected = ["busy dropped", "deaf timed-out", "fails failed", "slow timed-out"];
  await until("four messages have come", () => hook.messages.length >= expected.length);
  if (process.env.NERVE_CRASH !== "full") expect(told()).toEqual(expected);
  else expect(new Set(told())).toEqual(new Set(expected));
  expect(hook.messages.find(({ payload }) => payload.workflow === "fails").payload.error).toContain("the disk is gone");
  // A further look names none of them again.
  const { failures } = await nerve.status();
  const before = nerve.signals("nerve").length;
  expect((await nerve.post("/trigger", { name: "nerve" })).status).toBe(200);
  await until("the sense has looked again", () => nerve.signals("nerve").length > before);
  expect(new Set(Object.values(named(nerve)))).toEqual(new Set([1]));
  const ended = failures.map(({ workflow, run }) => `${workflow} ${run}`);
  expect(Object.keys(named(nerve))).toEqual(expect.arrayContaining(ended));
});

test("a channel that is down costs one run for each thing to report, and all of it is told after", async () => {
  using hook = receiver();
  hook.state.isDown = true;
  const config = jobs(hook.url, 'cron: "30 2 29 2 *"').replace(
    "notify: { with: { to: [hook] } }",
    "notify: { with: { to: [hook] }, retry: { limit: 1000, interval: 200ms, max_interval: 200ms } }\n  plain: { use: notify, with: { to: [hook] } }",
  );
  using folder = project({ ...JOBS, "nerve.yaml": config });
  await using nerve = await startNerve(folder.path);
  expect((await nerve.post("/run", { workflow: "fails", input: null })).status).toBe(200);
  await until("the channel is known to fail", async () => (await nerve.status()).channels[0]?.state === "failing");
  await until("it was tried again and again", () => hook.state.refused >= 4);
  // Only the report itself failed so far: for others the channel is not failing.
  expect((await nerve.status()).channels).toMatchObject([{ name: "hook", own: true }]);
  // A report of somebody else fails for good, and is told as well.
  expect((await nerve.post("/run", { workflow: "plain", input: 7 })).status).toBe(200);
  await until("the sense names the failed report", () =>
    Object.keys(named(nerve)).some((name) => name.startsWith("plain")),
  );
  await until("the sense names the channel", () =>
    nerve
      .signals("nerve")
      .some(({ payload }) => payload.failing_channels.some((one: { name: string }) => one.name === "hook")),
  );
  hook.state.isDown = false;
  await until("both are told", () => hook.messages.length >= 2);
  expect(hook.messages.map(({ payload }) => payload.workflow).sort()).toEqual(["fails", "plain"]);
  await until("the channel is well", async () => (await nerve.status()).channels[0]?.state === "ok");
  const { failures } = await nerve.status();
  expect(failures.map(({ workflow }) => workflow).sort()).toEqual(["fails", "plain"]);
  expect(JSON.stringify([await nerve.status(), nerve.logs()])).not.toContain(hook.url);
});

test("an incident reaches a channel when it opens, and when it resolves", async () => {
  using hook = receiver();
  using folder = project({
    "nerve.yaml": `senses: { disks: }
channels: { hook: { webhook: { url: "${hook.url}" } } }
reflexes:
  - name: full
    workflow: notify
    on: [disks]
    key: path
    when: { used: number >= 90 }
    incident: { severity: critical, summary: "{{ payload.path }} is {{ payload.used }} % full" }
workflows: { notify: { with: { to: [hook] } } }
`,
  });
  folder.write(
    "senses/disks/index.ts",
    `import { readFileSync } from "node:fs";
export const compute = () => ({ path: "/", used: Number(readFileSync(${JSON.stringify(join(folder.path, "used"))}, "utf8")) });\n`,
  );
  await using nerve = await startNerve(folder.path);
  for (const used of [95, 20]) {
    writeFileSync(join(folder.path, "used"), String(used));
    const before = hook.messages.length;
    expect((await nerve.post("/trigger", { name: "disks" })).status).toBe(200);
    await until("a message has come", () => hook.messages.length > before);
  }
  expect(hook.messages.map(({ incident }) => [incident.notification, incident.severity, incident.summary])).toEqual([
    ["opened", "critical", "/ is 95 % full"],
    ["resolved", "critical", "/ is 95 % full"],
  ]);
});
