/** What each kind of channel is sent: a golden file a kind, and the same for what comes from somebody hostile. */
import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mailOf } from "../../src/channels/mail.ts";
import { requestOf } from "../../src/channels/send.ts";
import { eachOf } from "../../src/channels/words.ts";
import type { Notice } from "../../src/model/notice.ts";
import { CHANNELS, HOSTILE_NOTICES, MAIL, NOTICES } from "./notices.ts";

const KINDS = Object.keys(CHANNELS) as (keyof typeof CHANNELS)[];

function expectGolden(name: string, value: object): void {
  const file = join(import.meta.dir, "golden", `${name}.json`);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (process.env.NERVE_GOLDEN === "write") writeFileSync(file, text);
  expect(JSON.parse(text)).toEqual(JSON.parse(readFileSync(file, "utf8")));
}

const parsed = (body: string): unknown => (/^[[{]/.test(body) ? JSON.parse(body) : body.split("\n"));

/** These get an event for each incident: a batch of three says as much as one of a hundred. */
const EACH: readonly string[] = ["pagerduty", "alertmanager"];
const MANY: readonly string[] = ["hundred", "cut"];

describe("is sent, as golden/KIND.json has it, an incident, a signal, words and batches to", () => {
  test.each(KINDS)("%s", (kind) => {
    const names = Object.keys(NOTICES).filter((name) => !EACH.includes(kind) || !MANY.includes(name));
    const requests = names.map((name) => {
      const notice = NOTICES[name] as Notice;
      const all = (kind === "pagerduty" ? eachOf(notice) : [notice]).map((one) => {
        const { body, ...rest } = requestOf(CHANNELS[kind], one);
        return { ...rest, body: parsed(body) };
      });
      return [name, all.length === 1 ? all[0] : all];
    });
    expectGolden(kind, Object.fromEntries(requests));
  });

  test("smtp", () => {
    const mails = Object.entries(NOTICES).map(([name, notice]) => {
      const mail = mailOf(MAIL, notice);
      return [name, { ...mail, text: mail.text.split("\n") }];
    });
    expectGolden("smtp", Object.fromEntries(mails));
  });
});

/** Every text in a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const sentTo = (kind: keyof typeof CHANNELS, name: string) => {
  const notice = HOSTILE_NOTICES[name];
  if (notice === undefined) throw new Error(`there is no notice ${name}`);
  return { notice, request: requestOf(CHANNELS[kind], notice) };
};

/** The limits of the services, and where in the request they hold. */
const LIMITS: Readonly<Record<keyof typeof CHANNELS, (body: string) => readonly (readonly [string, number])[]>> = {
  ntfy: (body) => [[body, 4_096]],
  slack: (body) => {
    const { text, blocks } = JSON.parse(body);
    return [
      [text, 300],
      [blocks[0].text.text, 150],
      [blocks[1].text.text, 3_000],
    ];
  },
  discord: (body) => {
    const [embed] = JSON.parse(body).embeds;
    return [
      [embed.title, 256],
      [embed.description, 4_096],
    ];
  },
  telegram: (body) => [[JSON.parse(body).text, 4_096]],
  pagerduty: (body) => {
    const { dedup_key, payload } = JSON.parse(body);
    return [
      [dedup_key, 255],
      [payload.summary, 1_024],
      [payload.source, 255],
      [body, 512 * 1024],
    ];
  },
  alertmanager: (body) => [[body, 512 * 1024]],
};

describe("64 KiB of what a channel acts on, in every field, to", () => {
  const cases = KINDS.flatMap((kind) => Object.keys(HOSTILE_NOTICES).map((name) => [kind, name] as const));

  test.each(cases)("%s (%s): is cut at the limits, holds no control, and is no half of a character", (kind, name) => {
    const { request } = sentTo(kind, name);
    for (const [text, limit] of LIMITS[kind](request.body)) {
      expect(kind === "ntfy" ? Buffer.byteLength(text) : text.length).toBeLessThanOrEqual(limit);
    }
    for (const text of [...textsIn(parsed(request.body)), ...Object.values(request.headers)]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: there is to be none
      expect(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/.exec(text)).toBeNull();
      expect(text.isWellFormed()).toBe(true);
    }
    for (const value of Object.values(request.headers)) expect(value).toMatch(/^[\x20-\x7e]*$/);
  });

  test.each(KINDS)("%s: the command that a person types next is there", (kind) => {
    const { request } = sentTo(kind, "incident");
    expect(textsIn(parsed(request.body)).join("\n")).toContain("nerve ack 7");
  });

  test("slack: nothing is left that calls somebody or is a link", () => {
    const { request } = sentTo("slack", "incident");
    expect(textsIn(JSON.parse(request.body)).join("")).not.toMatch(/[<>]/);
    expect(JSON.parse(request.body)).toMatchObject({ mrkdwn: false });
  });

  test("discord: nobody is called, and no mark is left without its backslash", () => {
    const { request } = sentTo("discord", "incident");
    const body = JSON.parse(request.body);
    expect(body.allowed_mentions).toEqual({ parse: [] });
    const [{ title, description }] = body.embeds;
    for (const text of [title, description]) {
      expect(text).not.toContain("@everyone");
      expect(/(?<!\\)(?:\\\\)*[*_~`|<>[\]]/.exec(text)).toBeNull();
    }
  });

  test("telegram: the text is plain", () => {
    expect(JSON.parse(sentTo("telegram", "incident").request.body)).not.toHaveProperty("parse_mode");
  });

  test("smtp: the subject is one line, the text is cut, and the mail has the headers that nerve gives it and no others", () => {
    for (const notice of Object.values(HOSTILE_NOTICES)) {
      const mail = mailOf(MAIL, notice);
      expect(mail.subject).not.toMatch(/[\r\n]/);
      expect(mail.subject.length).toBeLessThanOrEqual(250);
      expect(mail.messageId).toMatch(/^<[A-Za-z0-9./-]+@web1>$/);
      expect(mail.text.length).toBeLessThanOrEqual(64 * 1024 + 1);
      for (const name of Object.keys(mail.headers)) expect(["auto-submitted", "importance"]).toContain(name);
    }
  });
});

describe("a batch", () => {
  const names = Array.from({ length: 100 }, (_, n) => `/mnt/${n + 1} is 91.2 % full`);
  const textOf = (kind: keyof typeof CHANNELS, name: string): string =>
    textsIn([parsed(requestOf(CHANNELS[kind], NOTICES[name] as Notice).body)])
      .join("\n")
      .replaceAll("\\", "");

  test.each(["ntfy", "slack", "discord", "telegram"] as const)(
    "of a hundred is one message with a hundred names to %s",
    (kind) => {
      const text = textOf(kind, "hundred");
      for (const name of names) expect(text).toContain(name);
      expect(text).not.toContain("more");
    },
  );

  test.each(["ntfy", "slack", "discord", "telegram"] as const)(
    "that does not fit %s counts what it leaves out",
    (kind) => {
      const text = textOf(kind, "cut");
      const shown = text.split("\n").filter((line) => line.startsWith("/mnt/")).length;
      expect(shown).toBeGreaterThan(10);
      expect(text).toContain(`and ${350 - shown} more`);
      expect(text).toContain("nerve incidents --open");
    },
  );

  test("is a mail with all of them", () => {
    const mail = mailOf(MAIL, NOTICES.hundred as Notice);
    expect(mail.subject).toBe("[critical] web1: 100 incidents of disk-full");
    for (const name of names) expect(mail.text).toContain(name);
    expect(mail.inReplyTo).toBeNull();
  });

  test("is an event for each incident where the channel keeps their states, and one for those that are not listed", () => {
    const keys = eachOf(NOTICES.cut as Notice).map(({ key }) => key);
    expect(new Set(keys).size).toBe(101);
    expect(keys.slice(0, 1)).toEqual(["nerve/web1/0123456789abcdef/incident/1"]);
    const alerts = JSON.parse(requestOf(CHANNELS.alertmanager, NOTICES.mixed as Notice).body);
    expect(alerts.map(({ labels }: { labels: { incident: string } }) => labels.incident)).toEqual(
      [1, 2, 3].map((id) => `nerve/web1/0123456789abcdef/incident/${id}`),
    );
  });

  test("of one is told like its only item", () => {
    expect(NOTICES.one).toMatchObject({ batch: null, notification: "resolved", summary: "/mnt/1 is 91.2 % full" });
  });
});

test("the key of an incident is the same from its opening to its resolution, and no other incident's", () => {
  const keys = ["opened", "reminded", "resolved"].map((name) => NOTICES[name]?.key);
  expect(new Set(keys)).toEqual(new Set(["nerve/web1/0123456789abcdef/incident/7"]));
  const actions = ["opened", "reminded", "resolved"].map((name) => {
    const notice = NOTICES[name];
    return notice && JSON.parse(requestOf(CHANNELS.pagerduty, notice).body).event_action;
  });
  expect(actions).toEqual(["trigger", "trigger", "resolve"]);
  const acked = { ...NOTICES.reminded, isAcked: true } as (typeof NOTICES)[string];
  expect(JSON.parse(requestOf(CHANNELS.pagerduty, acked).body).event_action).toBe("acknowledge");
});
