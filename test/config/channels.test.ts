/** The section `channels`: the forms of each kind, what is refused and how, and which channels workflows name. */
import { describe, expect, test } from "bun:test";
import { parseNerveConfig, readNerveConfig } from "../../src/config/parse.ts";
import { around } from "../helpers/config.ts";

const SENSES = "senses: { load: }\nreflexes: [{ sense: load, interval: 10s }]\n";

function channelOf(text: string): unknown {
  const read = parseNerveConfig(`${SENSES}channels:\n  a: ${text}\n`);
  if (!read.ok) throw new Error(read.error.map(({ message }) => message).join("\n"));
  return read.value.channels.get("a");
}

const FORMS: readonly (readonly [text: string, channel: object])[] = [
  ['{ slack: "https://s.example/x" }', { kind: "slack", url: "https://s.example/x" }],
  ['{ discord: { url: "https://d.example/x" } }', { kind: "discord", url: "https://d.example/x" }],
  ["{ ntfy: https://ntfy.sh/my-host }", { kind: "ntfy", url: "https://ntfy.sh/my-host", token: null }],
  ["{ ntfy: { url: https://ntfy.sh/my-host, token: tk_1 } }", { kind: "ntfy", token: "tk_1" }],
  [
    "{ telegram: { token: 1:a, chat_id: -100 } }",
    { kind: "telegram", token: "1:a", chatId: "-100", url: "https://api.telegram.org" },
  ],
  [
    "{ pagerduty: { routing_key: R0 } }",
    { kind: "pagerduty", routingKey: "R0", url: "https://events.pagerduty.com/v2/enqueue" },
  ],
  ["{ alertmanager: { url: http://127.0.0.1:9093 } }", { kind: "alertmanager", url: "http://127.0.0.1:9093" }],
  [
    "{ webhook: { url: https://h.example/x, body: { a: 1 } } }",
    { kind: "webhook", options: { url: "https://h.example/x", body: { a: 1 } } },
  ],
  ["{ webhook: https://h.example/x }", { kind: "webhook", options: { url: "https://h.example/x" } }],
  [
    "{ smtp: { host: mx.example.org, from: nerve@web1, to: [ops@example.org] } }",
    {
      kind: "smtp",
      host: "mx.example.org",
      port: 587,
      tls: "starttls",
      user: null,
      password: null,
      to: ["ops@example.org"],
    },
  ],
  ["{ smtp: { host: mx, tls: implicit, from: a@b, to: c@d } }", { kind: "smtp", port: 465, to: ["c@d"] }],
];

test.each(FORMS)("%s is read", (text, channel) => {
  expect(channelOf(text)).toMatchObject({ name: "a", ...channel });
});

const REFUSED: readonly (readonly [text: string, message: RegExp])[] = [
  ["{}", /`channels.a` names no kind/],
  ["https://s.example/SECRET", /`channels.a` must be a map with the kind/],
  ["{ slak: https://s.example/SECRET }", /`channels.a.slak` is not a known key/],
  ["{ slack: htp://s.example/SECRET }", /`channels.a.slack.url` must be an http or https URL/],
  ["{ ntfy: https://ntfy.sh/SECRET/b/c }", /must be the http or https URL of a topic/],
  ["{ slack: https://s.example/SECRET, discord: https://d.example/SECRET }", /names more than one kind/],
  ["{ pagerduty: SECRET }", /`channels.a.pagerduty` must be a map/],
  ["{ telegram: { token: SECRET } }", /`channels.a.telegram.chat_id` is missing/],
  ["{ smtp: { host: mx, from: a@b } }", /`channels.a.smtp.to` is missing/],
  ["{ smtp: { host: mx, from: a@b, to: [] } }", /at least one mail address/],
  ['{ smtp: { host: mx, from: "a@b\\nBcc: x@y", to: [c@d] } }', /`channels.a.smtp.from` must be a mail address/],
  ["{ smtp: { host: mx, from: a@b, to: [c@d], user: x } }", /stands without `password`/],
  ["{ webhook: { body: 1 } }", /`channels.a.webhook.url` is missing/],
  ["{ webhook: { url: https://h.example/SECRET, retry: { limit: 1 } } }", /`channels.a.webhook.retry` has no meaning/],
];

test.each(REFUSED)("%s is refused with thing and place, and without its address", (text, message) => {
  const read = parseNerveConfig(`${SENSES}channels:\n  a: ${text}\n`);
  const problems = read.ok ? [] : read.error;
  expect(problems.map((one) => one.message).join("\n")).toMatch(message);
  expect(JSON.stringify(problems)).not.toContain("SECRET");
  for (const { line, column } of problems) expect([line, column]).not.toContain(null);
});

describe("channels that workflows name:", () => {
  const NAMED = `${SENSES}channels: { team: { slack: https://s.example/x }, phone: { ntfy: https://ntfy.sh/x } }\n`;
  const read = (workflows: string, own: readonly string[] = []) =>
    readNerveConfig(`${NAMED}workflows: ${workflows}\n`, around({ isOwnWorkflow: (use) => own.includes(use) }));

  test("one that is not there is a problem with its place and the nearest name", () => {
    const { problems } = read("{ call: { use: notify, with: { to: [phone], fallback: [taem] } } }");
    expect(problems).toMatchObject([{ kind: "unknown-channel", line: 4, hint: "did you mean `team`?" }]);
    expect(problems[0]?.message).toBe(
      '`workflows.call.with.fallback[0]` is "taem", and there is no channel of that name',
    );
  });

  test("one that nobody names is a warning, unless a workflow of one's own may name it", () => {
    const { warnings, problems } = read("{ notify: { with: { to: [phone] } } }");
    expect(problems).toEqual([]);
    expect(warnings.map(({ kind, message }) => [kind, message])).toEqual([
      ["unused-channel", "no workflow notifies the channel `team`"],
    ]);
    expect(read("{ notify: { with: { to: [phone] } }, report: {} }", ["report"]).warnings).toEqual([]);
  });

  test("`to` of a workflow of one's own that is called notify is its own", () => {
    expect(read("{ notify: { with: { to: [somebody] } } }", ["notify"]).problems).toEqual([]);
  });
});
