/**
 * Owns one try to send a notice to a channel, within {@link TRY_MS}. An error names the channel and its answer, and says
 * whether another try is worth it. The address of a channel is in no message.
 */
import type { ChannelConfig, SmtpChannel, WebhookChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { adviceOf, withAdvice } from "../model/retry-advice.ts";
import { alertmanagerRequest } from "./alertmanager.ts";
import { discordRequest } from "./discord.ts";
import { sendMail } from "./mail.ts";
import { ntfyRequest } from "./ntfy.ts";
import { pagerDutyRequest } from "./pagerduty.ts";
import { type Answer, post } from "./post.ts";
import type { ChannelRequest } from "./request.ts";
import { slackRequest } from "./slack.ts";
import { telegramRequest } from "./telegram.ts";
import { type Sending, sendWebhook } from "./webhook.ts";
import { eachOf } from "./words.ts";

export type { Answer, Sending };

const TRY_MS = 10_000;
/** Shorter parts of a path are words such as `api`. */
const SHORTEST_SECRET = 6;

type Posted = Exclude<ChannelConfig, SmtpChannel | WebhookChannel>;

export function requestOf(channel: Posted, notice: Notice): ChannelRequest {
  switch (channel.kind) {
    case "ntfy":
      return ntfyRequest(channel, notice);
    case "slack":
      return slackRequest(channel, notice);
    case "discord":
      return discordRequest(channel, notice);
    case "telegram":
      return telegramRequest(channel, notice);
    case "pagerduty":
      return pagerDutyRequest(channel, notice);
    case "alertmanager":
      return alertmanagerRequest(channel, notice);
  }
}

/** Texts of a channel that a server may send back, the longest first. */
const hiddenIn = (channel: Posted): readonly string[] =>
  Object.entries(channel)
    .flatMap(([key, value]) => (typeof value === "string" && key !== "name" && key !== "kind" ? partsOf(value) : []))
    .sort((a, b) => b.length - a.length);

/** Whoever knows the path of an address may post, and a server may name one part of the path. */
function partsOf(text: string): readonly string[] {
  if (!URL.canParse(text)) return [text];
  const { pathname, search } = new URL(text);
  const secrets = pathname.split("/").filter((part) => part.length >= SHORTEST_SECRET);
  return [text, `${pathname}${search}`, ...secrets, ...new URLSearchParams(search).values()];
}

const attempt = (channel: ChannelConfig, notice: Notice, sending: Sending, signal: AbortSignal): Promise<Answer> => {
  if (channel.kind === "smtp") return sendMail(channel, notice, signal, TRY_MS);
  if (channel.kind === "webhook") return sendWebhook(channel, sending, titleOf(channel), signal);
  return post(requestOf(channel, notice), hiddenIn(channel), signal);
};

const titleOf = ({ name }: ChannelConfig): string => `channel \`${name}\``;

/**
 * Resolves with the answer of the channel. `sending` is the content for a web hook. PagerDuty takes one event at a time: another
 * try sends all of them again, under the same keys.
 */
export async function send(
  channel: ChannelConfig,
  notice: Notice,
  sending: Sending,
  signal: AbortSignal,
  tryMs = TRY_MS,
): Promise<Answer> {
  const [first = notice, ...others] = channel.kind === "pagerduty" ? eachOf(notice) : [notice];
  let answer = await sendOne(channel, first, sending, signal, tryMs);
  for (const other of others) answer = await sendOne(channel, other, sending, signal, tryMs);
  return answer;
}

async function sendOne(
  channel: ChannelConfig,
  notice: Notice,
  sending: Sending,
  signal: AbortSignal,
  tryMs: number,
): Promise<Answer> {
  const limit = AbortSignal.timeout(tryMs);
  try {
    return await attempt(channel, notice, sending, AbortSignal.any([signal, limit]));
  } catch (error) {
    signal.throwIfAborted();
    const named = titleOf(channel);
    if (limit.aborted) {
      throw withAdvice(new Error(`${named}: no answer within ${tryMs / 1_000} s`), { again: true, waitMs: 0 });
    }
    const { message } = error as Error;
    throw withAdvice(new Error(message.startsWith(named) ? message : `${named}: ${message}`), adviceOf(error));
  }
}
