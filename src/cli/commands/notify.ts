/**
 * Owns `nerve notify`: sends a channel an invented incident, its opening and its resolution, and prints the channel's
 * answers.
 */
import { hostname } from "node:os";
import { escapeForTerminal, safeJson } from "../../base/escape.ts";
import { meantOr } from "../../base/nearest.ts";
import { ok, type Result } from "../../base/result.ts";
import { noticeOf } from "../../channels/notice.ts";
import { send } from "../../channels/send.ts";
import { loadWithStandIns } from "../../config/load.ts";
import { STAND_IN } from "../../config/source.ts";
import type { ChannelConfig } from "../../model/channel.ts";
import type { TriggerIncident } from "../../model/incident.ts";
import { problem } from "../../model/problem.ts";
import { fromHost } from "../../model/trigger.ts";
import { defineCommand } from "../frame/command.ts";
import { EXIT, type Failure, fail } from "../frame/outcome.ts";
import { configFile, explainAbsence } from "../place/place.ts";
import { SECRETS } from "../screen/secrets.ts";
import { print } from "../screen/terminal.ts";

const TEXT = "a trial of this channel, nothing is the matter";
const LASTED_MS = 60_000;

const HINTS = {
  opened: "the trial message `opened` was not taken, and `resolved` was not sent",
  resolved: "the trial message `opened` was taken, and `resolved` was not",
};

export const command = defineCommand({
  details:
    "What is sent is what an incident would send: one message that it opened, one that it resolved. Each is tried once, for ten\nseconds. The daemon need not run. A channel that does not take both ends it with exit code 1.\n\nVariables and credentials of nerve.yaml are those of this shell, not the daemon's: with systemd's credentials run it as\n`systemd-run --pipe -p LoadCredential=NAME:/path nerve notify …`.",
  arguments: [
    { name: "channel", required: true },
    { name: "text", required: false },
  ],
  options: {},
  examples: [
    ["nerve notify phone", "a trial pair, and what the channel answers"],
    ["nerve notify mail 'the new mail server'", "with words of one's own"],
  ],
  async run({ arguments: [name = "", text = TEXT], config, json }) {
    const found = channelOf(name, config);
    if (!found.ok) return found;
    const channel = found.value;
    const answers: { readonly notification: keyof typeof HINTS; readonly answer: string }[] = [];
    for (const { notification, act } of trialOf(channel, text)) {
      try {
        const { answer } = await act();
        answers.push({ notification, answer });
        if (!json) print(`${notification}: ${escapeForTerminal(SECRETS.text(answer))}`);
      } catch (error) {
        const hint = HINTS[notification];
        return fail(EXIT.finding, problem("not-taken", SECRETS.text((error as Error).message), hint));
      }
    }
    if (json) print(safeJson(SECRETS.json({ channel: channel.name, kind: channel.kind, answers })));
    return ok(EXIT.done);
  },
});

function channelOf(name: string, given: string | null): Result<ChannelConfig, Failure> {
  const { read, missing } = loadWithStandIns(configFile(given), process.env, false);
  if (read.config !== null) SECRETS.learn(read.config.secrets);
  if (read.config === null || read.problems.length > 0) {
    return fail(EXIT.badConfig, ...explainAbsence(read.problems, given));
  }
  const { channels } = read.config;
  const channel = channels.get(name);
  if (channel === undefined) {
    const names = [...channels.keys()];
    const listed =
      names.length === 0
        ? "add one to `channels` in nerve.yaml: `phone: { ntfy: https://ntfy.sh/my-host }`"
        : `there are ${names.join(", ")}`;
    return fail(
      EXIT.usage,
      problem("unknown-channel", `there is no channel \`${name}\``, meantOr(name, names, listed)),
    );
  }
  if (!JSON.stringify(channel).includes(STAND_IN)) return ok(channel);
  const lacking = `set what is missing here: ${missing.join(", ")}`;
  return fail(
    EXIT.badConfig,
    problem("missing-variable", `the channel \`${name}\` needs a variable or credential`, lacking),
  );
}

/** The two messages. Both have the same key. */
function trialOf(channel: ChannelConfig, text: string) {
  const now = Date.now();
  const teller = { host: hostname(), scope: `nerve/${hostname()}/trial`, now };
  const opened_at = now - LASTED_MS;
  return (["opened", "resolved"] as const).map((notification) => {
    const incident: TriggerIncident = {
      id: now,
      notification,
      state: notification === "opened" ? "open" : "resolved",
      reason: null,
      severity: "warning",
      summary: text,
      opened_at,
      duration_ms: notification === "opened" ? 0 : LASTED_MS,
      count: 1,
      acked_by: null,
      suppressed_ms: 0,
      suppressed_by: [],
    };
    const trigger = fromHost(
      {
        id: null,
        sense: null,
        at: null,
        payload: { trial: true },
        reflex: "trial",
        key: null,
        due: null,
        signal: null,
        incident,
        batch: null,
      },
      teller.host,
    );
    const notice = noticeOf(teller, 0, trigger, null);
    const [trace, id] = [crypto.randomUUID(), crypto.randomUUID()].map((one) => one.replaceAll("-", "")) as [
      string,
      string,
    ];
    return { notification, act: () => send(channel, notice, { trigger, trace, id }, new AbortController().signal) };
  });
}
