/** Owns what this host answers when another one asks how it is: its status, as much of it as one message holds. */
import { exceedsBytes, type Json } from "../../base/json.ts";
import type { Secrets } from "../../base/secrets.ts";
import type { Status } from "../../control/contract.ts";

const MAX_BYTES = 64 * 1024;

/** What was filled into the configuration stays here. Where not all fits, what is well is left out first. */
export function answerTo(status: Status, secrets: Secrets): string {
  const { kernel, incidents, fleet } = status;
  const unwell = {
    ...status,
    senses: status.senses.filter(({ state }) => state !== "ok"),
    ...{ reflexes: [], workflows: [], deliveries: [], failures: [] },
  };
  const texts = [status, unwell, { kernel, incidents, fleet }].map((one) => () => secrets.json(one as unknown as Json));
  for (const textOf of texts) {
    const text = JSON.stringify(textOf());
    if (!exceedsBytes(text, MAX_BYTES)) return text;
  }
  return "{}";
}
