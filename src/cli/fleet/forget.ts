/** Owns `nerve fleet forget`: hosts that are gone for good are taken off the list. */
import { counted } from "../../base/counted.ts";
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { ForgottenHost } from "../../control/contract.ts";
import { EXIT, type Outcome, usageError } from "../frame/outcome.ts";
import { ask } from "../place/ask.ts";
import { findPlace } from "../place/place.ts";
import { print } from "../screen/terminal.ts";

export async function forget(hosts: readonly string[], given: string | null, json: boolean): Promise<Outcome> {
  if (hosts.length === 0)
    return usageError("no host is named", "`nerve fleet forget web1`; `nerve fleet status` lists who was heard of");
  const place = findPlace(given);
  if (!place.ok) return place;
  for (const host of hosts) {
    const answer = await ask<ForgottenHost>(place.value, "/forget-host", { host });
    if (!answer.ok) return answer;
    const { signals } = answer.value;
    if (json) print(safeJson({ ...answer.value }));
    else print(`${host} is forgotten; what is stored of its ${counted(signals, "signal")} stays`);
  }
  return ok(EXIT.done);
}
