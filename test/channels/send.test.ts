/** One try to hand a notice to a channel, against servers on loopback: what is answered, what is tried again, what is named. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { send } from "../../src/channels/send.ts";
import type { ChannelConfig, SmtpChannel } from "../../src/model/channel.ts";
import type { Notice } from "../../src/model/notice.ts";
import { adviceOf } from "../../src/model/retry-advice.ts";
import type { Trigger } from "../../src/sdk/index.ts";
import { until } from "../helpers/until.ts";
import { HOSTILE_NOTICES, MAIL, NOTICES, told } from "./notices.ts";

const OPENED = NOTICES.opened as Notice;
const RESOLVED = NOTICES.resolved as Notice;
const SENDING = { trigger: { ...told(), signal: null } as Trigger, trace: "0".repeat(32), id: "1".repeat(32) };
const LONG_MS = 60_000;

const sendTo = (channel: ChannelConfig, notice = OPENED, tryMs = LONG_MS) =>
  send(channel, notice, SENDING, new AbortController().signal, tryMs);

/** The error of a try that fails, with the advice that goes with it. */
async function failureOf(channel: ChannelConfig, tryMs = LONG_MS) {
  try {
    await sendTo(channel, OPENED, tryMs);
  } catch (error) {
    return { message: (error as Error).message, ...adviceOf(error) };
  }
  throw new Error("the channel took it");
}

interface Site extends Disposable {
  readonly url: string;
  readonly bodies: string[];
}

function site(answer: (request: Request) => Response | Promise<Response>): Site {
  const bodies: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      bodies.push(await request.text());
      return answer(request);
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, bodies, [Symbol.dispose]: () => void server.stop(true) };
}

const slack = (url: string): ChannelConfig => ({ kind: "slack", name: "team", url: `${url}/services/SECRET` });
const hook = (url: string): ChannelConfig => ({ kind: "webhook", name: "hook", options: { url: `${url}/SECRET` } });
const impatient = (url: string): ChannelConfig => ({
  kind: "webhook",
  name: "hook",
  options: { url, timeout: "200ms" },
});

describe("a channel that is one request", () => {
  test("answers in words", async () => {
    using server = site(() => new Response("ok"));
    expect(await sendTo(slack(server.url))).toEqual({ answer: "200 ok" });
    expect(JSON.parse(server.bodies[0] ?? "")).toMatchObject({ text: "[critical] web1: /srv is 91.2 % full" });
  });

  const REFUSALS: readonly (readonly [string, () => Response, object])[] = [
    [
      "429 with Retry-After",
      () => new Response("slow down", { status: 429, headers: { "retry-after": "7" } }),
      { message: "channel `team`: it answered 429: slow down", again: true, waitMs: 7_000 },
    ],
    [
      "429 with Telegram's retry_after",
      () =>
        Response.json({ ok: false, description: "Too Many Requests", parameters: { retry_after: 3 } }, { status: 429 }),
      { message: "channel `team`: it answered 429: Too Many Requests", again: true, waitMs: 3_000 },
    ],
    [
      "500",
      () => new Response("", { status: 500 }),
      { message: "channel `team`: it answered 500", again: true, waitMs: 0 },
    ],
    [
      "404 with a page that names its own address",
      () => new Response(`no such hook: SECRET at ${"x".repeat(99_999)}`, { status: 404 }),
      { again: false, waitMs: 0 },
    ],
    [
      "a redirect",
      () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/SECRET" } }),
      { message: "channel `team`: it answered 302, a redirect, which is not followed", again: false },
    ],
  ];

  test.each(REFUSALS)("that answers %s is named, and its advice followed", async (_, answer, expected) => {
    using server = site(answer);
    expect(await failureOf(slack(server.url))).toMatchObject(expected);
  });

  test.each([
    ["its own address", ({ url }: Request) => url],
    ["the path of its address", ({ url }: Request) => new URL(url).pathname],
    ["the secret in its address", () => "SECRET"],
  ])("that sends %s back does not have it in an error", async (_, said) => {
    using server = site((request) => new Response(`no ${said(request)}`, { status: 400 }));
    expect((await failureOf(slack(server.url))).message).toBe("channel `team`: it answered 400: no …");
  });

  test("that never answers, or never ends its answer, is given up and tried again", async () => {
    using silent = site(() => new Promise(() => {}));
    const given = { message: "channel `team`: no answer within 0.2 s", again: true, waitMs: 0 };
    expect(await failureOf(slack(silent.url), 200)).toEqual(given);
    using slow = site(() => new Response(new ReadableStream({ start: (out) => out.enqueue("…") })));
    expect(await failureOf(slack(slow.url), 200)).toEqual(given);
  });

  test("that is not there is named by its name alone", async () => {
    const { url, [Symbol.dispose]: stop } = site(() => new Response());
    stop();
    const { message, again } = await failureOf(slack(url));
    expect(message).toMatch(/^channel `team`: [A-Za-z]+$/);
    expect(again).toBe(true);
  });
});

describe("a webhook as a channel", () => {
  test("is sent what started the run, as the workflow sends it", async () => {
    using server = site(() => new Response());
    expect(await sendTo(hook(server.url))).toEqual({ answer: "200" });
    expect(JSON.parse(server.bodies[0] ?? "")).toMatchObject({ reflex: "disk-full", incident: { id: 7 } });
  });

  test("is named by its name, and never by its address", async () => {
    using busy = site(() => new Response("", { status: 503 }));
    expect(await failureOf(hook(busy.url))).toMatchObject({ message: "channel `hook`: it answered 503", again: true });
    using silent = site(() => new Promise(() => {}));
    expect(await failureOf(impatient(silent.url))).toMatchObject({
      message: "channel `hook`: no answer within 200 ms",
    });
    const wrong: ChannelConfig = { kind: "webhook", name: "hook", options: { url: silent.url, timeout: "never" } };
    expect(await failureOf(wrong)).toMatchObject({
      message: expect.stringMatching(/^channel `hook`: timeout must be/),
      again: false,
    });
  });
});

/** A mail server that asks for STARTTLS and a password. */
async function mailServer(options: object = {}) {
  const mails: string[] = [];
  const users: string[] = [];
  const server = new SMTPServer({
    authOptional: false,
    onAuth({ username, password }, _, done) {
      users.push(`${username}:${password}`);
      done(password === "right-password" ? null : new Error("no"), { user: username });
    },
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        mails.push(`${session.secure ? "secure" : "in the clear"}\n${Buffer.concat(parts).toString("latin1")}`);
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as { port: number };
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  return { mails, users, port, [Symbol.asyncDispose]: close };
}

const mailbox = (port: number, some: Partial<SmtpChannel> = {}): SmtpChannel => ({
  ...MAIL,
  to: [...MAIL.to],
  port,
  user: "nerve",
  password: "right-password",
  ...some,
});

describe("mail", () => {
  test("goes over STARTTLS after signing in, and the resolution follows the opening", async () => {
    await using server = await mailServer();
    expect((await sendTo(mailbox(server.port))).answer).toStartWith("250 ");
    await sendTo(mailbox(server.port), RESOLVED);
    const [opened = "", resolved = ""] = server.mails;
    expect(server.users).toEqual(["nerve:right-password", "nerve:right-password"]);
    expect(opened).toStartWith("secure\n");
    expect(opened).toContain("Subject: [critical] web1: /srv is 91.2 % full\r\n");
    expect(opened).toContain("nerve ack 7");
    const id = /^Message-ID: (<.*>)\r$/m.exec(opened)?.[1];
    expect(id).toBe("<nerve.web1.0123456789abcdef.incident.7@web1>");
    expect(resolved).toContain(`In-Reply-To: ${id}\r\n`);
  });

  test("from somebody hostile has no header and no part of his own", async () => {
    await using server = await mailServer();
    for (const notice of Object.values(HOSTILE_NOTICES)) await sendTo(mailbox(server.port), notice);
    for (const mail of server.mails) {
      const [head = ""] = mail.split("\r\n\r\n");
      expect(/^X-Injected/im.exec(head)).toBeNull();
      expect(/^Content-Type: text\/plain/m.exec(head)).not.toBeNull();
      expect(mail.split(/\r?\n/).every((line) => line.length <= 998)).toBe(true);
    }
    expect(server.mails).toHaveLength(Object.keys(HOSTILE_NOTICES).length);
  });

  test("is not sent in the clear where STARTTLS is asked for and not offered", async () => {
    await using server = await mailServer({ disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    const { message } = await failureOf(mailbox(server.port));
    expect(message).toStartWith("channel `mail`: ");
    expect(server.users).toEqual([]);
    await sendTo(mailbox(server.port, { tls: "none" }));
    expect(server.mails[0]).toStartWith("in the clear");
  });

  test("that a wrong password stops is not tried again, and the error holds no password", async () => {
    await using server = await mailServer();
    const { message, again } = await failureOf(mailbox(server.port, { password: "wrong-password" }));
    expect(again).toBe(false);
    expect(message).toMatch(/^channel `mail`: it answered 535/);
    expect(message).not.toContain("wrong-password");
  });

  test("to a server that never greets is given up and tried again", async () => {
    using server = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data() {} } });
    const failure = await failureOf(mailbox(server.port), 300);
    expect(failure).toEqual({ message: "channel `mail`: no answer within 0.3 s", again: true, waitMs: 0 });
  });
});

const ALERTMANAGER = Bun.which("prometheus-alertmanager") ?? Bun.which("alertmanager");

describe.skipIf(ALERTMANAGER === null)("Alertmanager (Debian's prometheus-alertmanager)", () => {
  test("has one alert for an incident, which the resolution ends", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nerve-alertmanager-"));
    const config = join(folder, "alertmanager.yml");
    await Bun.write(config, "route: { receiver: none }\nreceivers: [{ name: none }]\n");
    const log = Bun.file(join(folder, "log"));
    const flags = [
      `--config.file=${config}`,
      `--storage.path=${folder}`,
      "--web.listen-address=127.0.0.1:0",
      "--cluster.listen-address=",
    ];
    const child = Bun.spawn([ALERTMANAGER ?? "", ...flags], { stdout: "ignore", stderr: log });
    try {
      const portOf = (): string | undefined =>
        /Listening on.*?127\.0\.0\.1:(\d+)/.exec(readFileSync(join(folder, "log"), "utf8"))?.[1];
      await until("Alertmanager listens", () => portOf() !== undefined || child.exitCode !== null);
      const url = `http://127.0.0.1:${portOf()}`;
      const channel: ChannelConfig = { kind: "alertmanager", name: "am", url };
      await until("Alertmanager is ready", async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok === true);
      const now = Date.now();
      const [opened, reminded, resolved, hostile] = [
        ...["opened", "reminded", "resolved"].map((name) => ({
          ...(NOTICES[name] as Notice),
          at: now,
          since: now - 60_000,
        })),
        { ...(HOSTILE_NOTICES.incident as Notice), at: now, since: now },
      ] as [Notice, Notice, Notice, Notice];
      const alerts = async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as unknown[];
      for (const notice of [opened, reminded]) expect((await sendTo(channel, notice)).answer).toStartWith("200");
      const labels = { alertname: "disk-full", severity: "critical", host: "web1", incident: OPENED.key };
      await until("the alert is there", async () => (await alerts()).length === 1);
      expect(await alerts()).toMatchObject([{ labels, annotations: { summary: "/srv is 91.2 % full" } }]);
      await sendTo(channel, hostile);
      await until("the hostile alert is there", async () => (await alerts()).length === 2);
      await sendTo(channel, { ...resolved, endedAt: now - 1_000 });
      await until("the alert is gone", async () => (await alerts()).length === 1);
    } finally {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true });
    }
  });
});
