/** Owns a web hook as a channel. It sends a run's trigger as the workflow `webhook` does. */
import { err, ok, type Result } from "../base/result.ts";
import type { WebhookChannel } from "../model/channel.ts";
import { withAdvice } from "../model/retry-advice.ts";
import type { Trigger } from "../sdk/index.ts";
import { deliver } from "../workflows/webhook/deliver.ts";
import { filledIn, type Options, options } from "../workflows/webhook/index.ts";
import type { Answer } from "./post.ts";

/** The options with their defaults, or a sentence about the fault in them. */
export function readWebhookOptions({ options: given }: WebhookChannel): Result<Options, string> {
  const read = options["~standard"].validate(given);
  return "value" in read ? ok(read.value) : err(read.issues.map(({ message }) => message).join("; "));
}

export interface Sending {
  readonly trigger: Trigger;
  readonly trace: string;
  /** Each try has the same id. */
  readonly id: string;
}

/** Errors call the channel `named`. */
export async function sendWebhook(
  channel: WebhookChannel,
  { trigger, trace, id }: Sending,
  named: string,
  signal: AbortSignal,
): Promise<Answer> {
  const read = readWebhookOptions(channel);
  if (!read.ok) throw withAdvice(new Error(`${named}: ${read.error}`), { again: false, waitMs: 0 });
  const { secret, timeout } = read.value;
  const traceparent = read.value.traceparent ? `00-${trace}-${id.slice(0, 16)}-01` : null;
  const { url, headers, content } = filledIn(read.value, trigger, { id, traceparent });
  const delivery = { url, server: named, headers, content, id, traceparent, secrets: secret, timeoutMs: timeout };
  const { status } = await deliver(delivery, signal);
  return { answer: String(status) };
}
