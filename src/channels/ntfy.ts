/** Owns ntfy: a message posted to a topic. https://docs.ntfy.sh/publish/ */
import type { NtfyChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import type { ChannelRequest } from "./request.ts";
import { bodyOf, bytes, PLAIN, titleOf } from "./words.ts";

/** ntfy makes an attachment of a longer message. */
const MAX_BYTES = 4_096;

const PRIORITIES = { info: "2", warning: "4", critical: "5" };
const TAGS = { info: "information_source", warning: "warning", critical: "rotating_light" };

/** A header in the form that ntfy reads: plain ASCII, or RFC 2047. */
const header = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) && !text.includes("=?") ? text : `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;

export function ntfyRequest({ url, token }: NtfyChannel, notice: Notice): ChannelRequest {
  const isOver = notice.notification === "resolved";
  return {
    url,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      title: header(titleOf(notice)),
      priority: isOver ? "3" : PRIORITIES[notice.severity],
      tags: isOver ? "white_check_mark" : TAGS[notice.severity],
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    // Without the header `markdown` ntfy shows a text as it is.
    body: bodyOf(notice, { limit: MAX_BYTES, size: bytes, write: PLAIN }),
  };
}
