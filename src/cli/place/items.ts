/** Owns items as a person writes them into a file: a JSON value on each line. */
import { readFileSync } from "node:fs";
import { err, ok, type Result } from "../../base/result.ts";
import { givenBy } from "../../inbox/request.ts";
import { MAX_ITEMS, MAX_ITEMS_BYTES } from "../../model/item.ts";
import { type Failure, usageError } from "../frame/outcome.ts";

const LINES = new Headers({ "content-type": "application/x-ndjson" });

/** JSON texts, as many as one compute gets. `file` `-` is stdin; null: no items. */
export function readItems(file: string | null): Result<readonly string[], Failure> {
  if (file === null) return ok([]);
  let text: string;
  try {
    text = readFileSync(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (error) {
    return usageError(`the items \`${file}\` cannot be read: ${(error as Error).message}`);
  }
  const given = givenBy(LINES, text);
  if (!given.ok) return err(usageError(`the items \`${file}\`: ${given.error.message}`, given.error.hint).error);
  const { bodies } = given.value;
  const bytes = bodies.reduce((sum, body) => sum + Buffer.byteLength(body), 0);
  const isTooMuch = bodies.length > MAX_ITEMS || bytes > MAX_ITEMS_BYTES;
  return isTooMuch ? usageError(`one compute gets at most ${MAX_ITEMS} items, of 1 MiB together`) : ok(bodies);
}
