/** Owns the check of channels whose options a module reads. Those are the web hooks. */
import { readWebhookOptions } from "../channels/webhook.ts";
import type { Parts } from "../config/pattern-parts.ts";
import { STAND_IN } from "../config/source.ts";
import type { NerveConfig } from "../model/config.ts";
import { type Problem, problem } from "../model/problem.ts";

/** An option that is refused has its place in the configuration. What only the daemon gets cannot be checked. */
export const channelProblems = (
  { channels, file }: NerveConfig,
  { channelPart }: Pick<Parts, "channelPart">,
): Problem[] =>
  [...channels.values()].flatMap((channel) => {
    if (channel.kind !== "webhook" || JSON.stringify(channel.options).includes(STAND_IN)) return [];
    const read = readWebhookOptions(channel);
    if (read.ok) return [];
    const [path = ""] = /^[\w.[\]-]+/.exec(read.error) ?? [];
    const part = channelPart(channel.name, path);
    const place = read.error.includes("is not an option") ? part?.keyPlace : part?.tree.place;
    const message = `the options of channel \`${channel.name}\` are refused: ${read.error}`;
    return [{ ...problem("bad-options", message, null, file), ...place }];
  });
