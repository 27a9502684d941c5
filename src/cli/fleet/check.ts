/** Owns `nerve fleet check`: whether this host can do with the servers what it needs to. */
import { safeJson } from "../../base/escape.ts";
import { ok } from "../../base/result.ts";
import type { Found } from "../../fleet/nats/examine.ts";
import { receivedBy } from "../../model/fleet.ts";
import { problem } from "../../model/problem.ts";
import { EXIT, fail, type Outcome } from "../frame/outcome.ts";
import { findPlace } from "../place/place.ts";
import { readStore } from "../place/store.ts";
import { print } from "../screen/terminal.ts";
import { joined, settingsOf } from "./access.ts";

/** Null where there is no store yet. */
function epochHere(given: string | null): string | null {
  const place = findPlace(given);
  if (!place.ok) return null;
  const opened = readStore(place.value);
  return opened.ok ? opened.value.meta.get("epoch") : null;
}

const lines = ({ what, why, remark }: Found): string[] => [
  why === null ? `ok      ${what}` : `failed  ${what}: ${why}`,
  ...(remark === null ? [] : [`note    ${remark}`]),
];

export async function check(given: string | null, json: boolean): Promise<Outcome> {
  const at = joined(given);
  if (!at.ok) return at;
  const settings = settingsOf(at.value);
  if (!settings.ok) return settings;
  const { examine } = await import("../../fleet/nats/examine.ts");
  const { config, fleet } = at.value;
  const found = await examine({
    settings: settings.value,
    receives: receivedBy(fleet, config.reflexes).length > 0,
    epoch: epochHere(given),
    nowMs: Date.now(),
  });
  for (const one of found) print(json ? safeJson(one) : lines(one).join("\n"));
  const failed = found.filter(({ why }) => why !== null);
  if (failed.length === 0) return ok(EXIT.done);
  const [first] = failed;
  return fail(EXIT.finding, problem("fleet", `${failed.length} of ${found.length} do not work`, first?.why ?? null));
}
