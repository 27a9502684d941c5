/** The built-in workflow `notify` and an author's `context.notify`, in a real worker, against real servers on loopback. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import type { ChannelConfig } from "../../src/model/channel.ts";
import { CAUSE, incident } from "../channels/notices.ts";
import { temporaryFolder } from "../helpers/folder.ts";
import { TestWorkflowWorker } from "../helpers/worker.ts";

interface Site extends Disposable {
  readonly url: string;
  readonly bodies: string[];
}

function site(status: number, headers: Record<string, string> = {}): Site {
  const bodies: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      bodies.push(await request.text());
      return new Response("", { status, headers });
    },
  });
  return { url: `http://127.0.0.1:${server.port}/SECRET`, bodies, [Symbol.dispose]: () => void server.stop(true) };
}

const slack = (name: string, url: string): ChannelConfig => ({ kind: "slack", name, url });

const TRIGGER = {
  id: 7,
  sense: "disks",
  host: "here",
  at: 1_764_331_200_000,
  payload: { used_percent: 91.2 },
  reflex: "disk-full",
  key: "/srv",
  due: null,
  signal: null,
  incident: incident(),
  batch: null,
};

/** One run of `notify`, whose channels refuse for good where they do, so that no try waits. */
async function notified(options: object, channels: readonly ChannelConfig[], trigger: object = TRIGGER) {
  using folder = temporaryFolder();
  await using worker = new TestWorkflowWorker(folder);
  worker.channels = channels;
  const { problem } = await worker.ready({ folder: null, use: "notify", options });
  if (problem !== null) throw new Error(problem.message);
  worker.run(1, { trigger: trigger as typeof TRIGGER, cause: CAUSE });
  const end = await worker.end(1, 0);
  return { end, logs: worker.of("log"), steps: worker.of("step-completed").map(({ step }) => step) };
}

describe("notify", () => {
  test("tells every channel of `to` in a step of its own, with the cause, under a key of host, epoch and incident", async () => {
    using one = site(200);
    using two = site(200);
    const duty: ChannelConfig = { kind: "pagerduty", name: "duty", url: two.url, routingKey: "R0" };
    const { end, steps } = await notified({ to: ["team", "duty"] }, [slack("team", one.url), duty]);
    expect(end).toMatchObject({
      type: "completed",
      output: { told: expect.arrayContaining(["team", "duty"]), failed: [] },
    });
    expect(steps.sort()).toEqual(["duty", "team"]);
    expect(JSON.parse(two.bodies[0] ?? "").dedup_key).toBe(`nerve/${hostname()}/0123456789abcdef/incident/7`);
    const text = one.bodies[0] ?? "";
    for (const part of ["nerve ack 7", "used_percent 91.2", "statfs took 812 ms", "postgres (812)"])
      expect(text).toContain(part);
  });

  test("uses `fallback`, one after the other, where one of `to` has failed for good, and says so", async () => {
    using gone = site(410);
    using there = site(200);
    const channels = [
      slack("team", gone.url),
      slack("phone", gone.url),
      slack("mail", there.url),
      slack("never", there.url),
    ];
    const { end, logs } = await notified({ to: "team", fallback: ["phone", "mail", "never"] }, channels);
    expect(end).toMatchObject({
      type: "completed",
      output: { told: ["mail"], failed: [{ channel: "team" }, { channel: "phone" }] },
    });
    expect(there.bodies).toHaveLength(1);
    expect(logs.map(({ message }) => message)).toContain("nobody was told over channel `team`: it answered 410");
    expect(JSON.stringify([end, logs])).not.toContain("SECRET");
  });

  test("uses `fallback` at once where a channel asks for a pause of an hour", async () => {
    using busy = site(429, { "Retry-After": "3600" });
    using there = site(200);
    const channels = [slack("team", busy.url), slack("phone", busy.url), slack("mail", there.url)];
    const { end } = await notified({ to: ["team"], fallback: ["phone", "mail"] }, channels);
    expect(end).toMatchObject({
      type: "completed",
      output: { told: ["mail"], failed: [{ channel: "team" }, { channel: "phone" }] },
    });
    expect(busy.bodies).toHaveLength(2);
  });

  test("fails if no channel took it, and names the channels and never their addresses", async () => {
    using gone = site(404);
    const { end } = await notified({ to: ["team"] }, [slack("team", gone.url)]);
    expect(end).toMatchObject({ type: "failed", error: "Error: no channel took it: channel `team`: it answered 404" });
  });

  test("without a channel writes to the log, as loud as the incident is grave", async () => {
    const { end, logs } = await notified({}, []);
    expect(end).toMatchObject({ type: "completed", output: { told: [], failed: [] } });
    expect(logs).toMatchObject([{ level: "error", message: "opened: /srv is 91.2 % full (critical)" }]);
    const signal = await notified({}, [], { ...TRIGGER, incident: null });
    expect(signal.logs).toMatchObject([{ level: "warn", message: 'disk-full: "/srv" (disks): {"used_percent":91.2}' }]);
  });

  test("tells a batch as one message, or one line of the log", async () => {
    const disk = (id: number) => ({ ...TRIGGER, incident: incident({ id, summary: `/mnt/${id} is full` }) });
    const trigger = { ...TRIGGER, batch: { items: [disk(1), disk(2)], more: 3 } };
    using one = site(200);
    await notified({ to: ["team"] }, [slack("team", one.url)], trigger);
    expect(one.bodies).toHaveLength(1);
    expect(JSON.parse(one.bodies[0] ?? "").blocks[1].text.text).toContain("/mnt/1 is full\n/mnt/2 is full\nand 3 more");
    const { logs } = await notified({}, [], trigger);
    const message = "5 messages: opened: /mnt/1 is full (critical); opened: /mnt/2 is full (critical); and 3 more";
    expect(logs).toMatchObject([{ level: "error", message }]);
  });

  test("tries a channel again that may take it later", async () => {
    using busy = site(503);
    using folder = temporaryFolder();
    await using worker = new TestWorkflowWorker(folder);
    worker.channels = [slack("team", busy.url)];
    await worker.ready({ folder: null, use: "notify", options: { to: ["team"] } });
    worker.run(1, { trigger: TRIGGER as never });
    const end = await worker.end(1, 0);
    expect(end.type).toBe("suspended");
    expect(worker.of("step-failed")).toMatchObject([{ step: "team", attempt: 1, retryInMs: 5_000 }]);
  });
});

describe("context.notify", () => {
  /** What a run with this body comes to. */
  async function outputOf(body: string, channels: readonly ChannelConfig[]): Promise<unknown> {
    using folder = temporaryFolder();
    mkdirSync(folder.file("workflows", "probe"), { recursive: true });
    const text = `export const run = async (thread, { notify }) => { try { ${body} } catch (error) { return error.message; } };`;
    writeFileSync(folder.file("workflows", "probe", "index.ts"), text);
    await using worker = new TestWorkflowWorker(folder);
    worker.channels = channels;
    await worker.ready({});
    worker.run(1);
    const end = await worker.end(1, 0);
    return end.type === "completed" ? end.output : end;
  }

  test("sends an author's words from a step, and answers what the channel answered", async () => {
    using server = site(200);
    const words = '{ title: "done", text: "12 GiB", severity: "info" }';
    const output = await outputOf(`return await thread.step("tell", () => notify("team", ${words}));`, [
      slack("team", server.url),
    ]);
    expect(output).toEqual({ answer: "200" });
    expect(JSON.parse(server.bodies[0] ?? "")).toMatchObject({ text: `[info] ${hostname()}: done` });
  });

  const MISTAKES: readonly (readonly [string, string, RegExp])[] = [
    ["outside a step", 'await notify("team");', /is called between steps/],
    [
      "of a channel that is not there",
      'await thread.step("a", () => notify("taem"));',
      /no channel `taem` \(did you mean `team`\?\)/,
    ],
    [
      "without a title",
      'await thread.step("a", () => notify("team", { text: "x", severity: "info" }));',
      /needs a `title`/,
    ],
    [
      "with a severity that is none",
      'await thread.step("a", () => notify("team", { title: "x", text: "", severity: "loud" }));',
      /one of info, warning, critical/,
    ],
  ];

  test.each(MISTAKES)("%s says what is wrong, and tells nobody", async (_, body, expected) => {
    using server = site(200);
    expect(await outputOf(body, [slack("team", server.url)])).toMatch(expected);
    expect(server.bodies).toEqual([]);
  });
});
