/** Owns Telegram: `sendMessage` of the Bot API. https://core.telegram.org/bots/api#sendmessage */
import type { TelegramChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { below, type ChannelRequest, jsonRequest } from "./request.ts";
import { bodyOf, characters, PLAIN, titleOf } from "./words.ts";

const MAX_TEXT = 4_096;

export function telegramRequest({ url, token, chatId }: TelegramChannel, notice: Notice): ChannelRequest {
  const title = titleOf(notice);
  const limit = MAX_TEXT - title.length - 2;
  return jsonRequest(below(url, `/bot${encodeURIComponent(token).replaceAll("%3A", ":")}/sendMessage`), {
    chat_id: chatId,
    // Without `parse_mode` Telegram shows a text as it is.
    text: `${title}\n\n${bodyOf(notice, { limit, size: characters, write: PLAIN })}`,
    link_preview_options: { is_disabled: true },
    disable_notification: notice.severity === "info",
  });
}
