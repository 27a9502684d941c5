/** Owns `nerve fleet key`: key pairs for hosts. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import { isName } from "../../model/name.ts";
import { EXIT, type Outcome, usageError } from "../frame/outcome.ts";
import { print } from "../screen/terminal.ts";

export async function key(hosts: readonly string[], json: boolean): Promise<Outcome> {
  const wrong = hosts.find((host) => !isName(host));
  if (wrong !== undefined)
    return usageError(`\`${wrong}\` is no name of a host`, "a-z, 0-9 and -, as `host` in nerve.yaml");
  const { newKeyPair } = await import("../../fleet/nats/keys.ts");
  for (const host of hosts.length === 0 ? [null] : hosts) {
    const { publicKey, seed } = newKeyPair();
    if (json) print(safeJson({ host, public_key: publicKey, seed }));
    else print([...(host === null ? [] : [host]), `public  ${publicKey}`, `seed    ${seed}`].join("\n"));
  }
  return ok(EXIT.done);
}
