/**
 * Owns Discord: a webhook of a channel, one embed. https://discord.com/developers/docs/resources/webhook#execute-webhook
 */
import type { UrlChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { type ChannelRequest, jsonRequest } from "./request.ts";
import { bodyOf, characters, fitted, titleOf } from "./words.ts";

/** Limits of an embed. */
const MAX_TITLE = 256;
const MAX_DESCRIPTION = 4_096;

const COLORS = { info: 0x3b82f6, warning: 0xf59e0b, critical: 0xdc2626 };
const RESOLVED = 0x16a34a;

/** Escapes markdown, so it is shown as it is. An `@` gets an invisible character behind it, so it calls nobody. */
const literal = (text: string): string => text.replace(/[\\*_~`|<>[\]()#:-]/g, "\\$&").replaceAll("@", "@\u200b");

export function discordRequest({ url }: UrlChannel, notice: Notice): ChannelRequest {
  const fit = (limit: number) => ({ limit, size: characters, write: literal });
  return jsonRequest(url, {
    username: "nerve",
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: fitted(titleOf(notice), fit(MAX_TITLE)),
        description: bodyOf(notice, fit(MAX_DESCRIPTION)),
        color: notice.notification === "resolved" ? RESOLVED : COLORS[notice.severity],
        timestamp: new Date(notice.endedAt ?? notice.since).toISOString(),
      },
    ],
  });
}
