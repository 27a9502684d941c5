/** What the input of a run may be: both ends of the socket say so in the same words. */
import { exceedsBytes, toJson } from "../base/json.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";

/** What is wrong with it, to follow "the input", or null. */
export function faultOfInput(input: unknown): string | null {
  const json = toJson(input);
  if (!json.ok) {
    const { path, reason } = json.error;
    return `is refused: ${path === "" ? reason : `${path}: ${reason}`}`;
  }
  return exceedsBytes(JSON.stringify(input), MAX_VALUE_BYTES) ? "is over 64 KiB" : null;
}
