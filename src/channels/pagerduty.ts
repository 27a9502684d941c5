/** Owns PagerDuty: an event of its Events API v2. https://developer.pagerduty.com/docs/events-api-v2/trigger-events/ */
import type { PagerDutyChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { type ChannelRequest, jsonRequest } from "./request.ts";
import { bodyOf, characters, fitted, PLAIN } from "./words.ts";

const MAX_SUMMARY = 1_024;
const MAX_SOURCE = 255;
const MAX_KEY = 255;
/** A whole event has at most 512 KiB. */
const MAX_DETAILS = 64 * 1024;

const plain = (limit: number) => ({ limit, size: characters, write: PLAIN });

function actionOf({ notification, isAcked }: Notice): "trigger" | "acknowledge" | "resolve" {
  if (notification === "resolved") return "resolve";
  return isAcked ? "acknowledge" : "trigger";
}

export function pagerDutyRequest({ url, routingKey }: PagerDutyChannel, notice: Notice): ChannelRequest {
  return jsonRequest(url, {
    routing_key: routingKey,
    event_action: actionOf(notice),
    dedup_key: fitted(notice.key, plain(MAX_KEY)),
    payload: {
      summary: fitted(notice.summary, plain(MAX_SUMMARY)),
      source: fitted(notice.host, plain(MAX_SOURCE)),
      severity: notice.severity,
      timestamp: new Date(notice.since).toISOString(),
      ...(notice.reflex === null ? {} : { class: notice.reflex }),
      custom_details: { message: bodyOf(notice, plain(MAX_DETAILS)) },
    },
  });
}
