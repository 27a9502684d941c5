/** A channel: where people are told. What nerve.yaml says of each kind, with its defaults filled in. */
import type { JsonObject } from "../base/json.ts";

export const CHANNEL_KINDS = [
  "smtp",
  "ntfy",
  "slack",
  "discord",
  "telegram",
  "pagerduty",
  "alertmanager",
  "webhook",
] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** `error` of the channel, without the channel's name at its begin: for a sentence that has named the channel. */
export function withoutChannel(name: string, error: string): string {
  const named = `channel \`${name}\`: `;
  return error.startsWith(named) ? error.slice(named.length) : error;
}

export interface SmtpChannel {
  readonly kind: "smtp";
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: "starttls" | "implicit" | "none";
  readonly user: string | null;
  readonly password: string | null;
  readonly from: string;
  readonly to: readonly string[];
}

export interface NtfyChannel {
  readonly kind: "ntfy";
  readonly name: string;
  /** Of the topic. */
  readonly url: string;
  readonly token: string | null;
}

/** An address that is all of the channel: whoever knows the address may post. */
export interface UrlChannel {
  readonly kind: "slack" | "discord" | "alertmanager";
  readonly name: string;
  readonly url: string;
}

export interface TelegramChannel {
  readonly kind: "telegram";
  readonly name: string;
  /** Of the Bot API. */
  readonly url: string;
  readonly token: string;
  readonly chatId: string;
}

export interface PagerDutyChannel {
  readonly kind: "pagerduty";
  readonly name: string;
  /** Of the Events API. */
  readonly url: string;
  readonly routingKey: string;
}

export interface WebhookChannel {
  readonly kind: "webhook";
  readonly name: string;
  /** As the `with` of the workflow `webhook`, which checks them. */
  readonly options: JsonObject;
}

export type ChannelConfig =
  | SmtpChannel
  | NtfyChannel
  | UrlChannel
  | TelegramChannel
  | PagerDutyChannel
  | WebhookChannel;
