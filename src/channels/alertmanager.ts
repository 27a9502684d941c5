/** Owns Alertmanager: an alert of its API v2. https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
import type { UrlChannel } from "../model/channel.ts";
import type { Notice } from "../model/notice.ts";
import { below, type ChannelRequest, jsonRequest } from "./request.ts";
import { bodyOf, characters, eachOf, PLAIN } from "./words.ts";

const MAX_DESCRIPTION = 64 * 1024;
/** Alertmanager itself resolves an alert without an end that nobody repeats, and nerve reports each change once. */
const OPEN_MS = 365 * 86_400_000;
/** A message has no state, so it ends by itself. */
const MESSAGE_MS = 5 * 60_000;

function endOf({ notification, endedAt, since, at, batch }: Notice): number {
  if (notification === "resolved") return Math.max(since, endedAt ?? at);
  return Math.max(since, at) + (notification === null || batch !== null ? MESSAGE_MS : OPEN_MS);
}

const alertOf = (notice: Notice) => ({
  // Two alerts with the same labels are one alert.
  labels: {
    alertname: notice.reflex ?? "nerve",
    severity: notice.severity,
    host: notice.host,
    incident: notice.key,
  },
  annotations: {
    summary: notice.summary,
    description: bodyOf(notice, { limit: MAX_DESCRIPTION, size: characters, write: PLAIN }),
  },
  startsAt: new Date(notice.since).toISOString(),
  endsAt: new Date(endOf(notice)).toISOString(),
});

export const alertmanagerRequest = ({ url }: UrlChannel, notice: Notice): ChannelRequest =>
  jsonRequest(below(url, "/api/v2/alerts"), eachOf(notice).map(alertOf));
