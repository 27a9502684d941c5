/** Owns Slack: an incoming webhook. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
import type { UrlChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { type ChannelRequest, jsonRequest } from "./request.ts";
import { bodyOf, characters, fitted, titleOf } from "./words.ts";

/** Limits of a `header`, of the text of a `section`, and of the line that a notification shows. */
const MAX_HEADER = 150;
const MAX_SECTION = 3_000;
const MAX_LINE = 300;

/** Escapes the three characters that Slack acts on. No other character has a meaning in a `plain_text`. */
const literal = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

export function slackRequest({ url }: UrlChannel, notice: Notice): ChannelRequest {
  const fit = (limit: number) => ({ limit, size: characters, write: literal });
  const plain = (text: string) => ({ type: "plain_text", text, emoji: false });
  const title = titleOf(notice);
  return jsonRequest(url, {
    text: fitted(title, fit(MAX_LINE)),
    mrkdwn: false,
    blocks: [
      { type: "header", text: plain(fitted(title, fit(MAX_HEADER))) },
      { type: "section", text: plain(bodyOf(notice, fit(MAX_SECTION))) },
    ],
  });
}
