/** Owns what hosts say to one another of how they are: the status, as much of it as one message holds, and the reading of that. */
import { exceedsBytes, isJsonObject, isStoredJson, type Json, type JsonObject, readJson } from "../../base/json.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Secrets } from "../../base/secrets.ts";
import type { Status } from "../../control/contract.ts";

const MAX_BYTES = 64 * 1024;

/** What was filled into the configuration stays here. Where not all fits, what is well is left out first. */
export function answerTo(status: Status, secrets: Secrets): string {
  const { kernel, incidents, fleet } = status;
  const senses = status.senses.filter(({ state }) => state !== "ok");
  const unwell = {
    ...status,
    ...{ senses, left_out: status.senses.length - senses.length },
    ...{ reflexes: [], workflows: [], deliveries: [], failures: [] },
  };
  const texts = [status, unwell, { kernel, incidents, fleet }].map((one) => () => secrets.json(one as unknown as Json));
  for (const textOf of texts) {
    const text = JSON.stringify(textOf());
    if (!exceedsBytes(text, MAX_BYTES)) return text;
  }
  return "{}";
}

/** Another host wrote it, which may be of another version, or want to mislead. */
export function statusIn(text: string): Result<JsonObject, string> {
  const status = isStoredJson(text) ? readJson(text) : undefined;
  if (!isJsonObject(status)) return err("its answer was not understood: it is no status");
  const { kernel, senses = [] } = status;
  const version = isJsonObject(kernel) ? kernel.version : null;
  if (typeof version !== "string") return err("its answer was not understood: it names no version of nerve");
  const isList = Array.isArray(senses) && senses.every(isSense);
  return isList ? ok(status) : err("its answer was not understood: what it says of its senses is no list of senses");
}

const isSense = (sense: Json): boolean =>
  isJsonObject(sense) && typeof sense.name === "string" && typeof sense.state === "string";
