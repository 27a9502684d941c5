/** Copies what user code hands over as JSON: an author who changes the value later changes nothing that was sent. */
import { exceedsBytes, type Json, toJson } from "../base/json.ts";
import { err, ok, type Result } from "../base/result.ts";
import { describeThrown } from "../base/thrown.ts";
import { MAX_VALUE_BYTES } from "../model/value.ts";

/** A value, and its JSON text. */
export interface JsonCopy {
  readonly value: Json;
  readonly text: string;
}

/** `what` begins the sentence about what is wrong: `the payload`. */
export function jsonCopy(what: string, value: unknown): Result<Json, string> {
  const copy = copyWithText(what, value);
  return copy.ok ? ok(copy.value.value) : copy;
}

/** The twin of {@link jsonCopy} that gives the text of the copy, too. */
export function copyWithText(what: string, value: unknown): Result<JsonCopy, string> {
  try {
    return copyOf(what, value);
  } catch (error) {
    return err(`${what} cannot be read: ${describeThrown(error).message}`);
  }
}

function copyOf(what: string, value: unknown): Result<JsonCopy, string> {
  const json = toJson(value);
  if (!json.ok) {
    const { path, reason } = json.error;
    return err(`${what} is not JSON: ${path === "" ? reason : `${path}: ${reason}`}`);
  }
  const text = JSON.stringify(value);
  if (exceedsBytes(text, MAX_VALUE_BYTES)) {
    return err(`${what} is over 64 KiB; put the bytes in a blob with blobs.put and return the reference`);
  }
  return ok({ value: JSON.parse(text) as Json, text });
}
